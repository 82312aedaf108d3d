"""Deterministic automata over characters, minimal and in one form, so that equal is equivalent.

Characters that an automaton never tells apart are one *letter*. States are numbered from the
start, breadth first, letters by their first character; every state has a move for every letter.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cloison.algebra.budget import Budget
from cloison.algebra.characters import LAST, CharSet, character, number

_WELCOME = "abcdefghijklmnopqrstuvwxyz0123456789-_/.ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Characters that examples are made of, the most welcome first."""


class Alphabet(NamedTuple):
    """All characters, cut into letters.

    Args:
        starts: Numbers of the characters at which intervals begin, ascending, from 0.
        letters: The letter of each interval.
    """

    starts: tuple[int, ...]
    letters: tuple[int, ...]

    def letter(self, char: str) -> int:
        """Return the letter of a character."""
        return self.letters[bisect_right(self.starts, number(char)) - 1]

    def sets(self) -> list[CharSet]:
        """Return the characters of each letter."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(max(self.letters) + 1)]
        ends = (*(start - 1 for start in self.starts[1:]), LAST)
        for start, end, letter in zip(self.starts, ends, self.letters, strict=True):
            found[letter].append((start, end))
        return [CharSet(spans) for spans in found]

    def examples(self) -> list[tuple[str, int]]:
        """Return a character for each letter, the most welcome letters first."""
        found: dict[int, str] = {}
        for char in _WELCOME:
            found.setdefault(self.letter(char), char)
        by_printable = [*range(number("!"), number("~") + 1), *self.starts]
        for index in by_printable:
            char = character(index)
            found.setdefault(self.letter(char), char)
        return [(char, letter) for letter, char in found.items()]


class Dfa(NamedTuple):
    """An automaton in its one form. The start is state 0.

    Args:
        alphabet: The letters it reads.
        rows: For each state, the state that each letter leads to.
        final: The states that accept, ascending.
    """

    alphabet: Alphabet
    rows: tuple[tuple[int, ...], ...]
    final: tuple[int, ...]


def cut(sets: Iterable[CharSet]) -> tuple[Alphabet, list[int]]:
    """Return the letters that some sets tell apart, and for each the sets that hold it, as bits."""
    borders: dict[int, int] = {0: 0}
    for bit, each in enumerate(sets):
        for low, high in each:
            borders[low] = borders.get(low, 0) ^ 1 << bit
            borders[high + 1] = borders.get(high + 1, 0) ^ 1 << bit
    borders.pop(LAST + 1, None)
    numbers: dict[int, int] = {}
    starts, letters = [], []
    held = 0
    for start in sorted(borders):
        held ^= borders[start]
        starts.append(start)
        letters.append(numbers.setdefault(held, len(numbers)))
    return Alphabet(tuple(starts), tuple(letters)), list(numbers)


def joined(a: Alphabet, b: Alphabet) -> tuple[Alphabet, list[tuple[int, int]]]:
    """Return the letters that either tells apart, and what each is in both."""
    starts = sorted({*a.starts, *b.starts})
    pairs: dict[tuple[int, int], int] = {}
    letters = []
    i = j = 0
    for start in starts:
        i += i + 1 < len(a.starts) and a.starts[i + 1] == start
        j += j + 1 < len(b.starts) and b.starts[j + 1] == start
        letters.append(pairs.setdefault((a.letters[i], b.letters[j]), len(pairs)))
    return Alphabet(tuple(starts), tuple(letters)), list(pairs)


def product(a: Dfa, b: Dfa, keep: Callable[[bool, bool], bool], budget: Budget) -> Dfa:
    """Return what accepts a text when `keep` says so of whether each of the two does."""
    alphabet, pairs = joined(a.alphabet, b.alphabet)
    seen = {(0, 0): 0}
    queue = [(0, 0)]
    rows = []
    for one, other in queue:
        budget.spend(len(pairs))
        mine, theirs = a.rows[one], b.rows[other]
        row = []
        for i, j in pairs:
            target = mine[i], theirs[j]
            found = seen.get(target)
            if found is None:
                found = seen[target] = len(seen)
                queue.append(target)
                budget.hold(found)
            row.append(found)
        rows.append(row)
    first, second = set(a.final), set(b.final)
    final = {n for n, (i, j) in enumerate(queue) if keep(i in first, j in second)}
    return canonical(alphabet, rows, final, budget)


def meets(a: Dfa, b: Dfa, *, outside: bool, budget: Budget) -> bool:
    """Return whether a text is in `a` and in `b`, or where `outside` is asked, not in `b`."""
    _, pairs = joined(a.alphabet, b.alphabet)
    first, second = set(a.final), set(b.final)
    nowhere = dead(a)
    hopeless = alike(b, accepts=outside)
    seen = {(0, 0)}
    queue = [(0, 0)]
    for one, other in queue:
        if one in first and (other in second) is not outside:
            return True
        budget.spend(len(pairs))
        mine, theirs = a.rows[one], b.rows[other]
        for i, j in pairs:
            target = mine[i], theirs[j]
            if target not in seen and target[0] != nowhere and target[1] != hopeless:
                seen.add(target)
                queue.append(target)
    return False


def dead(a: Dfa) -> int | None:
    """Return the state from which nothing is accepted any more."""
    return alike(a, accepts=False)


def alike(a: Dfa, *, accepts: bool) -> int | None:
    """Return the state that is never left, of those that accept or of those that do not."""
    for state, row in enumerate(a.rows):
        if (state in a.final) is accepts and all(target == state for target in row):
            return state
    return None


def canonical(
    alphabet: Alphabet, rows: Sequence[Sequence[int]], final: set[int], budget: Budget
) -> Dfa:
    """Return an automaton's one form; every state must be reached from state 0."""
    budget.spend(len(rows) * (max(alphabet.letters) + 1))
    block = _blocks(rows, final)
    # One row for each block, and one letter for each column that differs from the others.
    speakers = {b: state for state, b in reversed(list(enumerate(block)))}
    merged = {b: [block[target] for target in rows[state]] for b, state in speakers.items()}
    columns: dict[tuple[int, ...], int] = {}
    kept: list[int] = []
    renamed: dict[int, int] = {}
    starts: list[int] = []
    letters: list[int] = []
    order = list(merged)
    for start, letter in zip(*alphabet, strict=True):
        if letter not in renamed:
            column = tuple([merged[b][letter] for b in order])
            renamed[letter] = columns.setdefault(column, len(columns))
            if renamed[letter] == len(kept):
                kept.append(letter)
        if not letters or letters[-1] != renamed[letter]:
            starts.append(start)
            letters.append(renamed[letter])
    names = {block[0]: 0}
    queue = [block[0]]
    made = []
    for b in queue:
        row = []
        for letter in kept:
            target = merged[b][letter]
            if target not in names:
                names[target] = len(names)
                queue.append(target)
            row.append(names[target])
        made.append(tuple(row))
    accepting = tuple(sorted({names[block[state]] for state in final}))
    return Dfa(Alphabet(tuple(starts), tuple(letters)), tuple(made), accepting)


def _blocks(rows: Sequence[Sequence[int]], final: set[int]) -> list[int]:
    """Return for each state the number of those it is equivalent to (Hopcroft's algorithm).

    States from which everything goes the same way for good are equivalent to each other and to no
    other. Where most transitions lead to them, none of these is looked at: what parts states that
    go there parts them from all others, too.
    """
    lasting = _lasting(rows, final)
    into = _into(rows, lasting)
    others = set(range(len(rows))) - lasting
    parts = (others & final, others - final, lasting)
    members = [part for part in parts if part]
    block = [0] * len(rows)
    for number_, part in enumerate(members):
        for state in part:
            block[state] = number_
    waiting = set(range(len(members) - bool(lasting)))
    while waiting:
        sources_of: dict[int, list[int]] = {}
        for target in members[waiting.pop()]:
            for letter, sources in into[target].items():
                sources_of.setdefault(letter, []).extend(sources)
        for sources in sources_of.values():
            touched: dict[int, list[int]] = {}
            for source in sources:
                touched.setdefault(block[source], []).append(source)
            for old, states in touched.items():
                if len(states) == len(members[old]):
                    continue
                members[old].difference_update(states)
                new = len(members)
                members.append(set(states))
                for state in states:
                    block[state] = new
                smaller = new if len(states) <= len(members[old]) else old
                waiting.add(new if old in waiting else smaller)
    return block


def _into(rows: Sequence[Sequence[int]], without: set[int]) -> list[dict[int, list[int]]]:
    """Return for each state where each letter leads to it from; some states do not count."""
    into: list[dict[int, list[int]]] = [{} for _ in rows]
    for source, row in enumerate(rows):
        if source not in without:
            for letter, target in enumerate(row):
                if target not in without:
                    into[target].setdefault(letter, []).append(source)
    return into


def _lasting(rows: Sequence[Sequence[int]], final: set[int]) -> set[int]:
    """Return the states from which nothing is accepted, or those from which everything is.

    Of the two those that more transitions lead to.
    """
    before: list[set[int]] = [set() for _ in rows]
    for source, row in enumerate(rows):
        for target in set(row):
            before[target].add(source)
    every = set(range(len(rows)))
    found = []
    for wanted in (final, every - final):
        seen, left = set(wanted), list(wanted)
        while left:
            fresh = before[left.pop()] - seen
            seen |= fresh
            left += fresh
        found.append(every - seen)
    if not (found[0] and found[1]):
        return found[0] or found[1]
    counts = [sum(map(row.count, states)) for states in found for row in rows]
    half = len(rows)
    return found[0] if sum(counts[:half]) >= sum(counts[half:]) else found[1]
