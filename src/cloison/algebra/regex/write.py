"""Writes automata as regular expressions, as short as simple means find."""

from collections.abc import Iterable

from cloison.algebra.automata import Dfa, dead
from cloison.algebra.characters import EVERY_CHARACTER, CharSet, character
from cloison.algebra.regex.shapes import shaped, worded
from cloison.algebra.regex.simplify import either, star, then
from cloison.algebra.regex.syntax import EMPTY, NOTHING, Alt, Cat, Chars, Edge, Node, Repeat

MOST_STATES = 300
"""States of automata that are still written as a regular expression."""
MOST_SIZE = 400
"""Parts of a regular expression that is still worth reading."""

_NONE = CharSet()
_NO_NEWLINE = EVERY_CHARACTER - CharSet.of("\n")
_SPECIAL = frozenset("\\.+*?()|[]{}^$")
_IN_BRACKETS = frozenset("\\]^[")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\f": "\\f", "\v": "\\v"}
_OFTEN = 3
"""A letter so often in a row is counted."""


def write(dfa: Dfa, absent: CharSet = _NONE) -> str | None:
    """Return a regular expression that RE2 and Go read, of what an automaton accepts.

    Args:
        dfa: The automaton.
        absent: Characters that do not occur, so that `.` may be said of all others.

    Returns:
        The expression; None where it is longer than anybody reads.
    """
    trees = [tree for tree in (shaped(dfa), _tree(dfa)) if tree is not None]
    return min((_text(worded(tree), absent) for tree in trees), key=len, default=None)


def _tree(dfa: Dfa) -> Node | None:
    """Return the expression of an automaton, by leaving out one state after the other."""
    if len(dfa.rows) > MOST_STATES:
        return None
    nowhere, end = dead(dfa), len(dfa.rows)
    sets = dfa.alphabet.sets()
    start = end + 1
    ways: dict[int, dict[int, Node]] = {state: {} for state in (*range(end), end, start)}
    for state, row in enumerate(dfa.rows):
        for letter, target in enumerate(row):
            if target != nowhere:
                known = ways[state].get(target)
                chars = sets[letter]
                if isinstance(known, Chars):
                    chars |= known.chars
                ways[state][target] = Chars(chars)
    for state in dfa.final:
        ways[state][end] = EMPTY
    ways[start][0] = EMPTY
    return _Elimination(ways, set(range(end)) - {nowhere}).run(start, end)


class _Elimination:
    """Leaves out one state after the other; lives for one automaton.

    Args:
        ways: For each state, where it leads and by what.
        left: The states to leave out.
    """

    def __init__(self, ways: dict[int, dict[int, Node]], left: Iterable[int | None]) -> None:
        self.ways = {s: {t: (n, _size(n)) for t, n in out.items()} for s, out in ways.items()}
        self.into: dict[int, set[int]] = {state: set() for state in ways}
        for state, targets in ways.items():
            for target in targets:
                self.into[target].add(state)
        self.weights = {state: self._weight(state) for state in left if state is not None}

    def run(self, start: int, end: int) -> Node | None:
        """Return what leads from the start to the end; None where it is too long."""
        while self.weights:
            leave = min(self.weights, key=lambda state: (self.weights[state], -state))
            del self.weights[leave]
            if not self._leave(leave):
                return None
        found = self.ways[start].get(end)
        return NOTHING if found is None else found[0]

    def _leave(self, state: int) -> bool:
        """Leave a state out; return whether what comes of it is short enough."""
        outward = self.ways.pop(state)
        loop = outward.pop(state, None)
        sources = self.into.pop(state) - {state}
        for target in outward:
            self.into[target].discard(state)
        for source in sources:
            targets = self.ways[source]
            inward, _ = targets.pop(state)
            if loop is not None:
                inward = then(inward, star(loop[0]))
            for target, (onward, _) in outward.items():
                whole = then(inward, onward)
                known = targets.get(target)
                node = whole if known is None else either(known[0], whole)
                targets[target] = (node, _size(node))
                self.into[target].add(source)
                if targets[target][1] > MOST_SIZE:
                    return False
        for each in (sources | outward.keys()) & self.weights.keys():
            self.weights[each] = self._weight(each)
        return True

    def _weight(self, state: int) -> int:
        """Return about how much longer all becomes when a state is left out."""
        targets = self.ways[state]
        inward = [self.ways[source][state][1] for source in self.into[state] if source != state]
        outward = [size for target, (_, size) in targets.items() if target != state]
        loop = targets[state][1] if state in targets else 0
        pairs = len(inward) * len(outward)
        return sum(inward) * (len(outward) - 1) + sum(outward) * (len(inward) - 1) + loop * pairs


def _size(node: Node) -> int:
    match node:
        case Cat(parts) | Alt(parts):
            return sum(map(_size, parts))
        case Repeat(part):
            return _size(part)
    return 1


def _text(node: Node, absent: CharSet) -> str:
    match node:
        case Chars(chars):
            return _class(chars, absent)
        case Edge(at_end):
            return "$" if at_end else "^"
        case Cat(parts):
            texts = (_text(p, absent) for p in parts)
            return "".join(
                f"({t})" if isinstance(p, Alt) else t for p, t in zip(parts, texts, strict=True)
            )
        case Alt(parts):
            return (
                "|".join(_text(part, absent) for part in parts) if parts else "[^\\x00-\\x{10FFFF}]"
            )
        case _:
            return _repeated(node, absent)


def _repeated(node: Repeat, absent: CharSet) -> str:
    text = _text(node.part, absent)
    low, high = node.low, node.high
    if low == high and isinstance(node.part, Chars) and len(text) * low <= _OFTEN:
        return text * low
    if not isinstance(node.part, Chars):
        text = f"({text})"
    match low, high:
        case 0, None:
            return f"{text}*"
        case 1, None:
            return f"{text}+"
        case 0, 1:
            return f"{text}?"
    if low == high:
        return f"{text}{{{low}}}"
    return f"{text}{{{low},{'' if high is None else high}}}"


def _class(chars: CharSet, absent: CharSet) -> str:
    """Return the text of one character out of a set."""
    if chars | absent == EVERY_CHARACTER:
        return "." if absent else "(?s:.)"
    if chars | absent == _NO_NEWLINE:
        return "."
    if chars.size() == 1:
        return _escaped(character(chars.spans[0][0]), _SPECIAL)
    inside = f"[{_ranges(chars)}]"
    others = ~(chars | absent)
    outside = f"[^{_ranges(others)}]"
    return outside if others and len(outside) < len(inside) else inside


def _ranges(chars: CharSet) -> str:
    dash = CharSet.of("-")
    found = ["-"] if not dash.isdisjoint(chars) else []
    for low, high in chars - dash:
        first, last = (_escaped(character(i), _IN_BRACKETS) for i in (low, high))
        if high - low > 1:
            found.append(f"{first}-{last}")
        else:
            found.append(first if low == high else first + last)
    return "".join(found)


def _escaped(char: str, special: frozenset[str]) -> str:
    if char in special:
        return f"\\{char}"
    if char.isprintable():
        return char
    return _SHORT.get(char, f"\\x{{{ord(char):X}}}")
