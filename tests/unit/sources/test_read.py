"""Names, directories, links, Lists and what is no object."""

import io
import os
import sys
from pathlib import Path

import pytest

from cloison.base import Diagnostic, Severity, SourceError
from cloison.resources.documents import Document
from cloison.sources import read
from tests.support.documents import text_at

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
REPOSITORY = Path(__file__).parents[3]
APPS = REPOSITORY.parent / "shared" / "data" / "apps"


class Log:
    """Progress, written down."""

    def __init__(self) -> None:
        self.total: int | None = -1
        self.steps: list[int] = []
        self.finished = 0

    def start(self, total_bytes: int | None) -> None:
        self.total = total_bytes

    def advance(self, n: int) -> None:
        self.steps.append(n)

    def finish(self) -> None:
        self.finished += 1


def places(*names: str | Path) -> list[str]:
    """Return the files of the objects read, and the codes of the diagnostics."""
    return [
        one.file if isinstance(one, Document) else f"{one.code} {one.span}"
        for one in read([str(name) for name in names])
        if isinstance(one, Document | Diagnostic)
    ]


def stdin(text: str) -> list[Document | Diagnostic]:
    """Return what standard input holds."""
    found = read(["-"], stdin=io.BytesIO(text.encode()))
    return [one for one in found if isinstance(one, Document | Diagnostic)]


def codes(text: str) -> list[str]:
    """Return the kinds of objects and codes of diagnostics in a text."""
    return [
        one.code if isinstance(one, Diagnostic) else text_at(one, "kind") for one in stdin(text)
    ]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with manifests at several depths; it is the current one's child."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "manifests"
    for name in ("b.yml", "a.yaml", "sub/c.json", ".git/d.yaml", "notes.txt", "sub/E.YAML"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        as_json = '{"apiVersion": "v1", "kind": "ConfigMap"}'
        path.write_text(as_json if name.endswith("json") else CONFIG)
    return root


def test_directories_are_walked_in_order(tree: Path) -> None:
    expected = ["a.yaml", "b.yml", "sub/E.YAML", "sub/c.json"]
    assert places("manifests") == [f"manifests/{name}" for name in expected]
    assert places("manifests/") == [f"manifests/{name}" for name in expected]
    assert places("./manifests")[0] == "./manifests/a.yaml"
    assert places(tree)[0] == f"{tree.as_posix()}/a.yaml"


def test_the_current_directory_shows_bare_names(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert places(".") == ["a.yaml", "b.yml", "sub/E.YAML", "sub/c.json"]


@pytest.mark.usefixtures("tree")
def test_overlapping_names_are_read_once() -> None:
    assert places("manifests/b.yml", "manifests/sub", "manifests", "manifests") == [
        "manifests/b.yml",
        "manifests/sub/E.YAML",
        "manifests/sub/c.json",
        "manifests/a.yaml",
    ]


@pytest.mark.usefixtures("tree")
def test_a_missing_name_is_an_error_before_anything_is_read() -> None:
    with pytest.raises(SourceError) as caught:
        read(["manifests", "nowhere"])
    assert "nowhere" in caught.value.message
    assert caught.value.help
    with pytest.raises(SourceError):
        read(["bad\0name"])


def test_an_empty_directory_is_a_warning(tree: Path) -> None:
    (tree / "empty" / ".hidden").mkdir(parents=True)
    assert places("manifests/empty") == ["SRC013 manifests/empty:1:1"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(CONFIG)
    links: dict[str, str | Path] = {
        "in.yaml": "sub/E.YAML",
        "loop": ".",
        "out": tmp_path,
        "out.yaml": tmp_path / "outside.yaml",
        "gone.yaml": "nowhere",
        "self.yaml": "self.yaml",
        "gone": "nowhere",
    }
    for name, target in links.items():
        (tree / name).symlink_to(target)
    assert places("manifests") == [
        "manifests/a.yaml",
        "manifests/b.yml",
        "SRC014 manifests/gone.yaml:1:1",
        "manifests/in.yaml",
        "SRC014 manifests/loop:1:1",
        "SRC014 manifests/out:1:1",
        "SRC014 manifests/out.yaml:1:1",
        "SRC014 manifests/self.yaml:1:1",
        "manifests/sub/c.json",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_a_directory_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "pipe.yaml")
    assert "SRC015 manifests/pipe.yaml:1:1" in places("manifests")


def test_lists_are_flattened() -> None:
    text = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod}
- apiVersion: v1
  kind: ServiceList
  items: [{metadata: {name: s}}, 5]
- {kind: Pod}
"""
    first, second, number, lacking = stdin(text)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert isinstance(number, Diagnostic)
    assert isinstance(lacking, Diagnostic)
    assert first.root.span(first.file).line == 5
    assert second.root.plain() == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
    }
    assert (number.code, number.span and number.span.line) == ("SRC016", 8)
    assert "apiVersion" in lacking.message


def test_a_list_by_another_key_is_not_passed_over() -> None:
    (said,) = stdin("apiVersion: x/v1\nkind: ThingList\nItems:\n- {metadata: {name: a}}\n")
    assert isinstance(said, Diagnostic)
    assert (said.code, said.severity) == ("SRC034", Severity.ERROR)
    assert "`Items` and no `items`" in said.message


def test_kinds_that_only_end_in_list_are_objects() -> None:
    assert codes("apiVersion: x/v1\nkind: AllowList\nspec: {}\n") == ["AllowList"]
    assert codes("apiVersion: x/v1\nkind: AllowList\nitems: text\n") == ["AllowList"]


@pytest.mark.parametrize(
    "text",
    [
        "replicas: 3\nimage: {tag: x}\n",
        "on: [push]\njobs: {}\n",
        "resources: [a.yaml]\n",
        "- a\n- b\n---\nfoo\n",
        "5\n",
    ],
)
def test_files_without_objects_are_one_remark(text: str) -> None:
    (diagnostic,) = stdin(text)
    assert isinstance(diagnostic, Diagnostic)
    assert (diagnostic.code, diagnostic.severity) == ("SRC012", "info")


def test_strays_among_objects_are_warnings() -> None:
    assert codes(f"{CONFIG}---\nfoo: 1\n---\n- x\n---\n---\n{{}}\n") == [
        "ConfigMap",
        "SRC011",
        "SRC011",
    ]
    assert codes("kind: Pod\n") == ["SRC018"]
    assert codes("apiVersion: v1\n") == ["SRC018"]


def test_our_own_kinds_pass_through() -> None:
    assert codes("apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\n") == [
        "ConnectivityTests"
    ]


def test_json_where_yaml_is_expected_and_the_other_way() -> None:
    one = '{"apiVersion": "v1", "kind": "A"}'
    assert codes(one) == ["A"]
    assert codes(f"{one}\n{one}") == ["A", "A"]
    assert codes(f"{one}\n---\n{one}\n---\n{CONFIG}") == ["A", "A", "ConfigMap"]
    assert codes("{apiVersion: v1, kind: A}") == ["A"]
    assert codes("\ufeff" + one) == ["A"]
    assert codes("{{- if .Values.x }}\nkind: A\n{{- end }}") == ["SRC002"]


def test_a_json_file_may_hold_several_objects_between_lines(tree: Path) -> None:
    (tree / "sub" / "c.json").write_text('{"apiVersion": "v1", "kind": "A"}\n---\n{"kind": "B"}')
    assert places("manifests/sub/c.json") == [
        "manifests/sub/c.json",
        "SRC018 manifests/sub/c.json:3:1",
    ]
    (tree / "sub" / "c.json").write_bytes(b'{"a":\n "\xff"}')
    assert places("manifests/sub/c.json") == ["SRC003 manifests/sub/c.json:2:3"]
    (tree / "sub" / "c.json").write_bytes(b"")
    assert places("manifests/sub/c.json") == []


def test_progress_counts_each_byte_once(tree: Path) -> None:
    log = Log()
    (tree / "a.yaml").write_text("a: [\n---\n" * 30_000)
    for _ in read(["manifests"], progress=log):
        pass
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.suffix not in ("", ".txt"))
    assert log.total == size - len(CONFIG)  # the one in the hidden directory
    assert sum(log.steps) == log.total
    assert len(log.steps) > 4
    assert log.finished == 1
    log = Log()
    next(read(["-", "manifests"], stdin=io.BytesIO(CONFIG.encode()), progress=log))
    assert log.total is None


@pytest.mark.skipif(not APPS.is_dir(), reason="the collection of real manifests is not here")
def test_real_applications_read_without_an_error() -> None:
    found = list(read([str(APPS)]))
    assert [one for one in found if isinstance(one, Diagnostic) and one.severity == "error"] == []
    assert sum(isinstance(one, Document) for one in found) > 200


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_cannot_write_lines_of_their_own(tmp_path: Path) -> None:
    names = (b"a\n::error::b.yaml", b"\x1b[31mred.yaml", "\u202etxt.yaml".encode(), b"\xff.yaml")
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(CONFIG, encoding="utf-8")
    found = sorted(Path(place).name for place in places(tmp_path))
    assert found == [
        r"\u202etxt.yaml",
        r"\udcff.yaml",
        r"\x1b[31mred.yaml",
        r"a\n::error::b.yaml",
    ]


def test_directories_may_be_deep_only_so_far(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG, encoding="utf-8")
    deep = tmp_path / "/".join("d" * 300)
    deep.mkdir(parents=True)
    (deep / "b.yaml").write_text(CONFIG, encoding="utf-8")
    found = places(tmp_path)
    assert found[0] == f"{tmp_path.as_posix()}/a.yaml"
    assert found[1].startswith("SRC015 ")
    assert len(found) == 2
