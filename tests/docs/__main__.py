"""Write the output in console blocks anew: `python -m tests.docs [PAGE...]`.

Output that is shown whole is replaced by what the command prints now. Where a page leaves lines
out, only a person can say what it should show: such blocks are named when they no longer agree.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.docs.pages import PAGES
from tests.support.cli import ROOT
from tests.support.consoles import agrees, consoles
from tests.support.pages import Desk


def refresh(page: Path) -> list[str]:
    """Refresh a page; return what a person must look at."""
    lines = page.read_text(encoding="utf-8").splitlines()
    replaced: list[tuple[tuple[int, int], list[str]]] = []
    left = []
    for console in consoles(page):
        with tempfile.TemporaryDirectory() as directory:
            desk = Desk.under(Path(directory))
            desk.lay_out(console)
            for command in console.commands:
                code, printed = desk.run(command)
                where = f"{page.relative_to(ROOT)}:{command.place[0]}: $ {command.line}"
                if code != command.exit:
                    left.append(f"{where}\n    exits with {code}, not {command.exit}")
                    continue
                if not command.shown or agrees(command.shown, printed):
                    continue
                if any(line.strip() == "..." for line in command.shown):
                    left.append(f"{where}\n    prints something else around `...`")
                    continue
                indent = " " * console.indent
                text = printed.strip("\n").split("\n")
                replaced.append((command.place, [f"{indent}{line}".rstrip() for line in text]))
            desk.clear()
    for (first, last), text in sorted(replaced, reverse=True):
        lines[first:last] = text
    if replaced:
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return left


def main(names: Iterable[str]) -> int:
    """Refresh the pages named, or all of them."""
    left = [each for page in [Path(n).resolve() for n in names] or PAGES for each in refresh(page)]
    print(*left, sep="\n", end="\n" if left else "")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
