"""Paths as proxies read them, and other ways to write them."""

import pytest

from cloison.algebra.paths import Answered, answered, normalised, ways


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("/a//b", "/a/b"),
        ("/a/./b/.", "/a/b/"),
        ("/a/../b", "/b"),
        ("/../../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/%61%2e%2F%2f", "/a./"),
        ("/a%20b%zz", "/a%20b%zz"),
        ("/a/%2e%2e/admin?next=/a/../b", "/admin?next=/a/../b"),
        ("/", "/"),
        ("//", "/"),
    ],
)
def test_a_path_is_read_in_one_form(path: str, read: str) -> None:
    assert normalised(path) == read
    assert normalised(read) == read


def test_other_ways_to_write_a_path() -> None:
    assert dict(ways("/")) == {"query": "/?q", "double-slash": "//"}
    assert dict(ways("/a/?x=B")) == {
        "trailing-slash": "/a?x=B",
        "query": "/a/",
        "letter-case": "/A/?x=B",
        "double-slash": "//a/?x=B",
        "encoded-slash": "/a%2F?x=B",
    }


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/x", None),
        ("/v1//x/../y", None),
        ("/v1/x?next=%2Fa%00", None),
        ("/v1%2fx", Answered.REDIRECTED),
        ("/v1%5Cx", Answered.REDIRECTED),
        ("/v1/x#top", Answered.REJECTED),
        ("/v1/x?y#top", Answered.REJECTED),
        ("/v1%2f%00", Answered.REJECTED),
    ],
)
def test_some_paths_a_proxy_answers_itself(path: str, found: Answered | None) -> None:
    assert answered(path) is found
