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
of the last command; every other command must exit with 0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})\s*(?P<info>.*?)\s*$")
_EXIT = re.compile(r"\bexit=(\d+)\b")


@dataclass(frozen=True, slots=True)
class Command:
    """One `$` line.

    Args:
        line: What the shell runs.
        exit: The exit code it must have.
        shown: The output the page shows, line by line; empty when it shows none.
    """

    line: str
    exit: int
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Console:
    """One console block."""

    page: Path
    line: int
    commands: tuple[Command, ...]


def consoles(page: Path) -> Iterator[Console]:
    """Yield the console blocks of a page, in order.

    Raises:
        ValueError: a console block shows something before its first `$` line, or is not closed.
    """
    block: list[str] | None = None
    start, info, closing, indent = 0, "", "", 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if block is None:
            if fence:
                block, start, info = [], number, fence["info"]
                closing, indent = fence["fence"], len(fence["indent"])
        elif fence and not fence["info"] and fence["fence"].startswith(closing):
            if info.split()[:1] == ["console"]:
                yield Console(page, start, _commands(page, start, info, block))
            block = None
        else:
            block.append(line[indent:] if not line[:indent].strip() else line)
    if block is not None:
        msg = f"{page}:{start}: the block is not closed"
        raise ValueError(msg)


def _commands(page: Path, start: int, info: str, lines: list[str]) -> tuple[Command, ...]:
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif found and found[-1][0].endswith("\\"):
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif found:
            found[-1][1].append(line)
        else:
            msg = f"{page}:{start}: a console block starts with a `$` line"
            raise ValueError(msg)
    match = _EXIT.search(info)
    last = int(match[1]) if match else 0
    return tuple(
        Command(line, last if place == len(found) else 0, _trimmed(shown))
        for place, (line, shown) in enumerate(found, 1)
    )


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
