"""The reader of console blocks, which every other documentation test leans on."""

from pathlib import Path

import pytest

from tests.support.consoles import Command, agrees, consoles
from tests.support.pages import Desk

PAGE = """\
Text.

```sh
make demo
```

```console exit=1
$ cloison map \\
    -f a
one
...
three

$ cloison verify
```

- item

  ```console
  $ cloison demo
  shown
  ```
"""


def test_reads_commands_output_and_exit_codes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    first, second = consoles(page)
    assert first.line == 7
    assert first.commands == (
        Command("cloison map \\\n    -f a", 0, ("one", "...", "three")),
        Command("cloison verify", 1, ()),
    )
    assert second.commands == (Command("cloison demo", 0, ("shown",)),)


HERE = """\
```console
$ cloison map -f - <<'EOF'
kind: Pod
$ not a command
EOF
nothing is permitted
$ cloison verify \\
    -f - <<END
END
```
"""


def test_a_command_goes_on_to_the_end_of_its_here_document(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(HERE, encoding="utf-8")
    (block,) = consoles(page)
    assert block.commands == (
        Command(
            "cloison map -f - <<'EOF'\nkind: Pod\n$ not a command\nEOF",
            0,
            ("nothing is permitted",),
        ),
        Command("cloison verify \\\n    -f - <<END\nEND", 0, ()),
    )
    lines = HERE.splitlines()
    assert [lines[slice(*each.place)] for each in block.commands] == [["nothing is permitted"], []]


FILES = """\
```{{code-block}} yaml
:caption: {name}
:linenos:

kind: Pod
```

```console
$ cloison map -f {name}
```
"""


def test_a_block_with_a_caption_is_a_file(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(FILES.format(name="in/world.yaml"), encoding="utf-8")
    (block,) = consoles(page)
    assert block.files == (("in/world.yaml", "kind: Pod\n"),)


@pytest.mark.parametrize("name", ["/etc/world.yaml", "../world.yaml"])
def test_files_stay_inside(tmp_path: Path, name: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(FILES.format(name=name), encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md:1: .* is not inside"):
        list(consoles(page))


@pytest.mark.parametrize("text", ["```console\nshown\n```\n", "```console\n$ cloison\n"])
def test_refuses_blocks_nobody_can_run(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md:1"):
        list(consoles(page))


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (("a", "b"), "a\nb\n", True),
        (("a", "b"), "a\nb\nc\n", False),
        (("a", "..."), "a\nb\nc\n", True),
        (("...", "c"), "a\nb\nc\n", True),
        (("...", "b"), "a\nb\nc\n", False),
        (("a", "...", "c"), "a\nc\n", True),
        (("a.c",), "abc\n", False),
        (("a",), "a   \n", True),
    ],
)
def test_compares_with_elisions(shown: tuple[str, ...], printed: str, *, same: bool) -> None:
    assert agrees(shown, printed) is same


def test_what_is_printed_goes_to_the_file_that_a_line_names(tmp_path: Path) -> None:
    desk = Desk.under(tmp_path)
    shown = desk.run(Command("cloison --version", 0, ()))
    assert desk.run(Command("cloison --version > said.txt", 0, ())) == (0, "")
    assert (0, (desk.checkout / "said.txt").read_text("utf-8")) == shown
    code, printed = desk.run(Command("cloison map -f nowhere > said.txt", 2, ()))
    assert (code, (desk.checkout / "said.txt").read_text("utf-8")) == (2, "")
    assert "nowhere" in printed
