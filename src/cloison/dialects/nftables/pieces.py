"""A script in pieces: the kernel takes only so much at a time from who is not root outside.

Sockets of a user's own namespace send about 200 kB at once, and a transaction cannot be sent twice.
So what nothing leads to yet is loaded piece by piece, into a table beside the one in force. The
last piece is small: it brings the base chains and takes the other table away, in one transaction.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.dialects.nftables.write import BESIDE, TABLE

MOST = 32_000
"""Bytes of text that are loaded at once; the kernel is sent up to six times as many."""
_HELD = re.compile(r"\t(set|map) (\S+) \{ (.*?;) elements = \{ (.*) \}; \}")
_BASE = re.compile(r"\ttype filter hook ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Loading:
    """How a script is loaded.

    Args:
        before: Scripts to be loaded first, in order. By them, nothing is enforced differently.
        last: The script from which on all is enforced that there is.
        undo: A script that drops what those before have left, where `last` is not loaded.
    """

    before: tuple[str, ...]
    last: str
    undo: str


def loading(script: str, tables: str) -> Loading:
    """Return how to load a script: whole, where it is short or not from here.

    Args:
        script: As `write` returns it.
        tables: The tables there are, as `nft list tables` prints them.
    """
    start = f"table {TABLE} {{\n"
    if len(script) <= MOST or start not in script:
        return Loading((), script, "")
    held = {line.removeprefix("table ") for line in tables.splitlines()}
    table, other = (TABLE, BESIDE) if BESIDE in held else (BESIDE, TABLE)
    declared = list(_declared(script.partition(start)[2]))
    before = [_dropped(table)]
    for each in declared:
        if not _BASE.search(each):
            before += _commands(each, table)
    bases = "".join(each for each in declared if _BASE.search(each))
    last = f"table {table} {{\n{bases}}}\n{_dropped(other)}"
    parts = tuple("".join(some) for some in _grouped(before, MOST))
    return Loading(parts, last, _dropped(table))


def _dropped(table: str) -> str:
    return f"add table {table}\ndelete table {table}\n"


def _declared(body: str) -> Iterator[str]:
    """Yield what a table declares, each with its lines."""
    lines = ""
    for line in body.splitlines(keepends=True)[:-1]:
        lines += line
        inside = line.startswith("\t\t") or (line.startswith("\tchain ") and line.endswith("{\n"))
        if not inside:
            yield lines
            lines = ""


def _commands(declared: str, table: str) -> Iterator[str]:
    """Yield what declares one thing: of what is large the elements, or the rules, in parts."""
    first, *lines = declared.splitlines(keepends=True)
    if len(declared) > MOST and lines:
        for some in _grouped(lines[:-1], MOST // 2):
            yield f"table {table} {{\n{first}{''.join(some)}\t}}\n}}\n"
        return
    held = _HELD.match(declared) if len(declared) > MOST else None
    if held is None:
        yield f"table {table} {{\n{declared}}}\n"
        return
    word, name, kind, elements = held.groups()
    yield f"table {table} {{\n\t{word} {name} {{ {kind} }}\n}}\n"
    for some in _grouped(elements.split(", "), MOST // 2, ", "):
        yield f"add element {table} {name} {{ {', '.join(some)} }}\n"


def _grouped(texts: Iterable[str], most: int, between: str = "") -> Iterator[list[str]]:
    """Group texts, in order, so that each group is short enough."""
    group: list[str] = []
    size = 0
    for each in texts:
        if group and size + len(each) > most:
            yield group
            group, size = [], 0
        group.append(each)
        size += len(each) + len(between)
    if group:
        yield group
