"""Revisions as sources: what is read, what is never touched, what is said."""

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from cloison.base import Diagnostic, SourceError
from cloison.resources.documents import Document
from cloison.sources import git, read
from cloison.sources.git import Blobs, Revision, resolve, split
from cloison.sources.walk import inputs
from tests.support.programs import NEUTRAL, Repository, only


def config(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for key, value in NEUTRAL.items():
        monkeypatch.setenv(key, value)
    made = Repository.make(tmp_path / "repository")
    monkeypatch.chdir(made.top)
    return made


def found(*names: str) -> list[Document | Diagnostic]:
    return [one for one in read(names) if isinstance(one, Document | Diagnostic)]


def places(found_here: Sequence[Document | Diagnostic]) -> list[str]:
    """Return where the objects are, and the codes of the diagnostics."""
    return [
        str(one.root.span(one.file)) if isinstance(one, Document) else f"{one.code} {one.span}"
        for one in found_here
    ]


def named(found_here: Sequence[Document | Diagnostic]) -> list[object]:
    """Return the names of the objects."""
    return [
        node.value
        for one in found_here
        if isinstance(one, Document) and (node := one.root.get("metadata", "name")) is not None
    ]


def refusal(*names: str) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        list(read(names))
    return caught.value.message, caught.value.help or ""


def test_reads_the_revision_and_not_the_work_tree(repository: Repository) -> None:
    first = repository.commit({"deploy/a.yaml": config("old"), "b.json": "{}", "c.txt": "c"})
    repository.commit({"deploy/a.yaml": config("new")})
    repository.write({"deploy/a.yaml": config("uncommitted"), "deploy/z.yaml": config("z")})
    for name in ("git:HEAD~1", "git:main~1", f"git:{first}", f"git:{first[:10]}"):
        assert named(found(name)) == ["old"]
        assert places(found(name)) == [f"{name}:deploy/a.yaml:1:1"]
    assert named(found("git:main:deploy")) == named(found("git:main:deploy/")) == ["new"]
    assert named(found("git:HEAD:deploy/a.yaml")) == ["new"]
    assert named(found("git:HEAD", "git:HEAD~1", "deploy")) == ["new", "old", "uncommitted", "z"]


def test_revisions_are_written_as_for_git(repository: Repository) -> None:
    repository.commit({"a.yaml": config("one")})
    repository.git("tag", "--annotate", "--message=m", "v1")
    repository.git("branch", "feature/x")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    names = ("v1", "v1^{}", "feature/x", "@", "HEAD@{0}", "main@{2026-12-31 12:00:00}", tree)
    for name in names:
        assert places(found(f"git:{name}:a.yaml")) == [f"git:{name}:a.yaml:1:1"], name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("git:main", ("main", None)),
        ("git:main:", ("main", "")),
        ("git:HEAD~1:deploy/a:b", ("HEAD~1", "deploy/a:b")),
        ("git:a@{1 day ago at 12:00}:x", ("a@{1 day ago at 12:00}", "x")),
    ],
)
def test_names_are_split_at_the_first_colon_outside_braces(
    name: str, parts: tuple[str, str | None]
) -> None:
    assert split(name) == parts


@pytest.mark.parametrize(
    "name", ["git:", "git::a", "git:--help", "git:-x:a", "git:a\nb", "git:a:b\nc", "git:a{b"]
)
def test_what_is_no_revision_is_refused_before_git_sees_it(name: str) -> None:
    with pytest.raises(SourceError):
        split(name)


def test_paths_are_from_the_top_or_relative_when_they_say_so(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a/b/x.yaml": config("x"), "a/y.yaml": config("why"), "top.yaml": config("t")}
    repository.commit(files)
    monkeypatch.chdir(repository.top / "a" / "b")
    assert named(found("git:HEAD")) == ["x", "why", "t"]
    assert named(found("git:HEAD:a/b")) == ["x"]
    assert places(found("git:HEAD:./x.yaml")) == ["git:HEAD:a/b/x.yaml:1:1"]
    assert named(found("git:HEAD:../y.yaml")) == ["why"]
    assert named(found("git:HEAD:.")) == ["x"]
    said, advice = refusal("git:HEAD:x.yaml")
    assert said == "there is no x.yaml in revision HEAD"
    assert "did you mean git:HEAD:a/b/x.yaml?" in advice
    assert "leads out of the repository" in refusal("git:HEAD:../../../x")[0]


def test_the_same_files_count_as_in_a_directory(repository: Repository) -> None:
    repository.commit(
        {
            "a.yaml": config("a"),
            "b.yml": config("b"),
            "c.YAML": config("c"),
            "d.txt": config("d"),
            ".hidden/e.yaml": config("e"),
            "dir/.f.yaml": config("f"),
            "dir/.deep/g.yaml": config("g"),
            "cloison.yaml": "cni: generic\n",
            "Ünï.yaml": config("u"),
        }
    )
    on_disk = places(found("."))
    assert places(found("git:HEAD")) == [f"git:HEAD:{place}" for place in on_disk]
    assert named(found("git:HEAD")) == ["a", "b", "c", "f", "u"]
    assert named(found("git:HEAD:.hidden")) == ["e"]


def test_nothing_is_written_and_nothing_is_run(repository: Repository, tmp_path: Path) -> None:
    repository.commit(
        {
            "a.yaml": config("a"),
            ".gitattributes": "*.yaml filter=evil diff=evil text eol=crlf\n",
            "base/kustomization.yaml": "resources: [x.yaml]\n",
            "base/x.yaml": config("x"),
        }
    )
    trap = tmp_path / "trap"
    evil = f"touch {trap}; cat"
    for key in (
        "filter.evil.smudge",
        "filter.evil.clean",
        "diff.evil.textconv",
        "diff.evil.command",
        "core.fsmonitor",
        "core.pager",
        "pager.ls-tree",
        "alias.cat-file",
    ):
        repository.git("config", key, f"!{evil}" if key.startswith("alias") else evil)
    hooks = repository.top / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        path = hooks / hook
        path.write_text(f"#!/bin/sh\ntouch {trap}\n", encoding="utf-8")
        path.chmod(0o755)
    (repository.top / ".git" / "index").unlink()
    before = repository.state()
    assert [one for one in named(found("git:HEAD")) if one] == ["a", "x"]
    assert repository.state() == before
    assert not trap.exists()


def test_large_objects_are_not_unpacked(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(
        {"a.yaml": config("a"), "big.yaml": "# " + "x" * 10_000, "c.yaml": config("c")}
    )
    monkeypatch.setattr(Blobs.open, "__defaults__", (5_000,))
    said = found("git:HEAD")
    assert named(said) == ["a", "c"]
    (fault,) = (one for one in said if isinstance(one, Diagnostic))
    assert fault.code == "SRC015"
    assert "is larger than" in fault.message


def test_trees_may_be_deep_and_wide_only_so_far(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": config("a")})
    tree = repository.git("rev-parse", "HEAD^{tree}")
    for _ in range(300):
        tree = repository.git("mktree", stdin=f"040000 tree {tree}\td\n")
    assert "a path that nobody can mean" in refusal(f"git:{tree}")[0]
    inner = repository.git("rev-parse", f"{tree}:" + "/".join("d" * 100))
    assert named(found(f"git:{inner}")) == ["a"]
    monkeypatch.setattr(git, "_LISTED", 1000)
    for _ in range(8):
        rows = "".join(f"040000 tree {inner}\t{name}\n" for name in "abcd")
        inner = repository.git("mktree", stdin=rows)
    assert "it printed more than" in refusal(f"git:{inner}")[0]


@pytest.mark.parametrize("name", ["^HEAD", "HEAD..HEAD", "HEAD^@", "HEAD --all"])
def test_what_stands_for_more_than_a_tree_is_no_revision(repository: Repository, name: str) -> None:
    repository.commit({"a.yaml": config("a")})
    assert "there is no revision" in refusal(f"git:{name}")[0]


def test_links_and_submodules_are_named_and_not_followed(repository: Repository) -> None:
    other = repository.commit({"real/a.yaml": config("a")})
    links = {
        "link.yaml": "real/a.yaml",
        "dir": "real",
        "readme": "../README",
        "out.yaml": "/etc/passwd",
        "real/self": "..",
    }
    rows = "".join(
        f"120000 {repository.git('hash-object', '-w', '--stdin', stdin=target)}\t{name}\n"
        for name, target in links.items()
    )
    repository.git("update-index", "--index-info", stdin=f"{rows}160000 {other}\tmodules/sub\n")
    repository.git("commit", "--quiet", "--message=links")
    said = found("git:HEAD")
    assert places(said) == [
        "SRC014 git:HEAD:dir:1:1",
        "SRC014 git:HEAD:link.yaml:1:1",
        "SRC029 git:HEAD:modules/sub:1:1",
        "SRC014 git:HEAD:out.yaml:1:1",
        "git:HEAD:real/a.yaml:1:1",
    ]
    assert "symbolic link" in refusal("git:HEAD:link.yaml")[0]
    assert "a submodule" in refusal("git:HEAD:modules/sub")[0]


def test_what_is_kept_elsewhere_is_said(repository: Repository) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    repository.commit({"a.yaml": pointer, "b.yaml": config("b")})
    assert places(found("git:HEAD")) == ["SRC030 git:HEAD:a.yaml:1:1", "git:HEAD:b.yaml:1:1"]


def test_a_partial_clone_fetches_nothing(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": config("a"), "b.yaml": config("b")})
    repository.git("config", "uploadpack.allowFilter", "true")
    place = tmp_path / "partial"
    origin = repository.top.as_uri()
    repository.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", origin, str(place))
    monkeypatch.chdir(place)
    said = found("git:HEAD")
    assert places(said) == ["SRC015 git:HEAD:a.yaml:1:1", "SRC015 git:HEAD:b.yaml:1:1"]
    assert isinstance(said[0], Diagnostic)
    assert "the clone is partial or damaged" in said[0].message


def test_an_unknown_revision_names_those_that_are_close(repository: Repository) -> None:
    repository.commit({"a.yaml": config("a")})
    repository.git("branch", "release-2026")
    repository.git("update-ref", "refs/remotes/origin/staging", "HEAD")
    assert refusal("git:mian") == (
        "there is no revision 'mian' in this repository",
        "did you mean git:main?",
    )
    assert refusal("git:release-2025")[1] == "did you mean git:release-2026?"
    assert refusal("git:staging")[1] == "did you mean git:origin/staging?"
    assert refusal("git:main~7")[1] == "main exists, but does not go back that far"
    assert "git branch --all" in refusal("git:nothing-like-it")[1]
    assert "no revision" in refusal("git:main..main")[0]


def test_a_shallow_clone_is_the_likely_reason(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": config("a")})
    repository.commit({"a.yaml": config("b")})
    place = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth=1", repository.top.as_uri(), str(place))
    monkeypatch.chdir(place)
    assert named(found("git:HEAD")) == ["b"]
    assert "git fetch --unshallow" in refusal("git:HEAD~1")[1]


def test_a_path_that_is_not_there_names_those_that_are_close(repository: Repository) -> None:
    repository.commit({"deploy/base/web.yaml": config("a")})
    said, advice = refusal("git:main:deploy/bsae")
    assert said == "there is no deploy/bsae in revision main"
    assert advice.startswith("did you mean git:main:deploy/base")
    assert "git:main:deploy/base/web.yaml" in refusal("git:main:web.yaml")[1]
    assert "relative with ./" in refusal("git:main:quite/else")[1]


def test_without_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "is in no git repository" in refusal("git:main")[0]


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(tmp_path, monkeypatch)
    said, advice = refusal("git:main")
    assert said == "git is needed to read git:main, and is not installed"
    assert "name its directory" in advice


def test_a_repository_of_someone_else_is_not_read(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": config("a")})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    said, advice = refusal("git:HEAD")
    assert "git refuses to read this repository" in said
    assert "safe.directory" in advice


def test_a_file_of_such_a_name_is_a_file(repository: Repository) -> None:
    repository.commit({"a.yaml": config("committed")})
    repository.write({"git:HEAD": config("a file")})
    assert named(found("git:HEAD")) == ["a file"]


def test_an_empty_revision_says_so(repository: Repository) -> None:
    repository.commit({"README": "nothing"})
    assert places(found("git:HEAD")) == ["SRC013 git:HEAD:1:1"]


def test_tests_beside_manifests_are_found_in_a_revision(repository: Repository) -> None:
    tests = "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\ntests: []\n"
    repository.commit(
        {
            "app/kustomization.yaml": "resources: [x.yaml]\n",
            "app/tests.yaml": tests,
            "app/x.yaml": "",
        }
    )
    assert "git:HEAD:app/tests.yaml:1:1" in places(found("git:HEAD"))


def test_git_processes_do_not_outlive_reading(repository: Repository) -> None:
    repository.commit({"a.yaml": config("a"), "b.yaml": config("b")})
    sources = inputs(["git:HEAD"])
    revision = sources.revisions[0]
    assert revision.blobs._process is None
    reading = read(["git:HEAD"])
    assert isinstance(reading, Generator)
    next(reading)
    reading.close()
    assert named(found("git:HEAD")) == ["a", "b"]


def test_a_revision_is_something_to_look_into(repository: Repository) -> None:
    repository.commit({"a/b.yaml": config("b")})
    revision = resolve("HEAD")
    assert isinstance(revision, Revision)
    assert revision.read("a/../a/b.yaml") == config("b").encode()
    assert revision.read("a") is None
    assert revision.is_directory("a")
    assert revision.is_directory(".")
    assert not revision.is_file("a/c.yaml")
    revision.blobs.close()
