"""Sets of requests in words for people."""

from cloison.algebra import RequestSet, StringSet
from cloison.report.text.requests import asks


def test_a_set_with_many_words_is_told_by_one_of_it_and_not_by_what_it_lacks() -> None:
    texts = StringSet
    one = RequestSet.http(method=texts.of("GET"), path=texts.prefix("/a"))
    other = RequestSet.http(path=texts.prefix("/some/longer/path/"), host=texts.of("api.shop"))
    many = ~(one | other)
    said = asks(many)
    assert said.startswith(" when requests such as ")
    assert "not (" not in said


def test_what_else_has_to_hold_stands_last() -> None:
    get = RequestSet.http(method=StringSet.of("GET"))
    assert asks(None, given="both prove it") == " when both prove it"
    assert asks(get, given="both prove it").endswith(", and both prove it")
    assert asks(None) == ""
