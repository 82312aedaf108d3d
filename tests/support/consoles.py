"""Console blocks of Markdown pages: what they run, and what they say comes out.

A block looks like this; the words after `console` are optional:

    ```console exit=1
    $ cloison verify -f examples/case-management-broken
    ...
    2 of 40 rows failed
    ```

Each `$` line is run by a shell in a copy of the checkout's examples. The lines below it, up to the
next `$`, are compared with standard output followed by standard error. A line `...` stands for any
lines. A command without output below it is run for its exit code only. `exit=` gives the exit code
of the last command; every other command must exit with 0. A command goes on after a backslash, and
to the end of its here-document.

What a page asks its reader to save as a file stands in a block with the file's name as caption:

    ```{code-block} yaml
    :caption: world.yaml

    kind: Pod
    ```

It is written before the commands that follow it on the page are run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})\s*(?P<info>.*?)\s*$")
_EXIT = re.compile(r"\bexit=(\d+)\b")
_HERE = re.compile(r"<<-?\s*(?P<quote>['\"]?)(?P<end>\w+)(?P=quote)")
_CAPTION = re.compile(r"^:caption:\s*(?P<name>\S+)\s*$")


@dataclass(frozen=True, slots=True)
class Command:
    """One `$` line.

    Args:
        line: What the shell runs.
        exit: The exit code it must have.
        shown: The output the page shows, line by line; empty when it shows none.
        place: Where the page shows it: the first line, counted from 0, and the one after the last.
    """

    line: str
    exit: int
    shown: tuple[str, ...]
    place: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Console:
    """One console block.

    Args:
        page: Where it stands.
        line: Its first line there, counted from 1.
        commands: What it runs, in order.
        files: Name and content of every file the page has shown until then.
        indent: By how many columns it is indented.
    """

    page: Path
    line: int
    commands: tuple[Command, ...]
    files: tuple[tuple[str, str], ...] = ()
    indent: int = 0


def consoles(page: Path) -> Iterator[Console]:
    """Yield the console blocks of a page, in order.

    Raises:
        ValueError: a console block shows something before its first `$` line, or is not closed;
            a file would be written outside the directory the commands run in.
    """
    block: list[str] | None = None
    files: dict[str, str] = {}
    start, info, closing, indent = 0, "", "", 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if block is None:
            if fence:
                block, start, info = [], number, fence["info"]
                closing, indent = fence["fence"], len(fence["indent"])
        elif fence and not fence["info"] and fence["fence"].startswith(closing):
            if info.split()[:1] == ["console"]:
                commands = _commands(page, start, info, block)
                yield Console(page, start, commands, tuple(files.items()), indent)
            elif info.startswith("{code-block}"):
                files |= _file(page, start, block)
            block = None
        else:
            block.append(line[indent:] if not line[:indent].strip() else line)
    if block is not None:
        msg = f"{page}:{start}: the block is not closed"
        raise ValueError(msg)


def _file(page: Path, start: int, lines: list[str]) -> dict[str, str]:
    """Return what a directive asks to save, by file name; nothing where it has no caption."""
    body = next((n for n, line in enumerate(lines) if not line.startswith(":")), len(lines))
    names = [match["name"] for line in lines[:body] if (match := _CAPTION.match(line))]
    for path in map(PurePosixPath, names):
        if path.is_absolute() or ".." in path.parts:
            msg = f"{page}:{start}: {path} is not inside the directory the commands run in"
            raise ValueError(msg)
    text = "\n".join(lines[body:]).strip("\n")
    return dict.fromkeys(names, f"{text}\n")


def _commands(page: Path, start: int, info: str, lines: list[str]) -> tuple[Command, ...]:
    found: list[tuple[str, list[str], int]] = []
    for number, line in enumerate(lines, start):
        if found and not found[-1][1] and _goes_on(found[-1][0]):
            found[-1] = (f"{found[-1][0]}\n{line}", [], number + 1)
        elif line.startswith("$ "):
            found.append((line.removeprefix("$ "), [], number + 1))
        elif found:
            found[-1][1].append(line)
        else:
            msg = f"{page}:{start}: a console block starts with a `$` line"
            raise ValueError(msg)
    match = _EXIT.search(info)
    last = int(match[1]) if match else 0
    return tuple(
        Command(
            line,
            last if place == len(found) else 0,
            _trimmed(shown),
            (below, below + len(shown)),
        )
        for place, (line, shown, below) in enumerate(found, 1)
    )


def _goes_on(command: str) -> bool:
    """Return whether the next line still belongs to a command."""
    here = _HERE.search(command)
    if here is None:
        return command.endswith("\\")
    return here["end"] not in command[here.end() :].split("\n")[1:]


def _trimmed(lines: list[str]) -> tuple[str, ...]:
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    return tuple(text.split("\n")) if text else ()


def agrees(shown: tuple[str, ...], printed: str) -> bool:
    """Return whether `printed` is what is `shown`, whose `...` lines stand for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n" for line in shown
    )
    lines = [line.rstrip() for line in printed.strip("\n").split("\n")]
    return re.fullmatch(pattern, "\n".join(lines) + "\n") is not None
