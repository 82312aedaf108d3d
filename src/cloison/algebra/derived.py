"""Automata made of others: one text after another, characters replaced, an ending left out."""

from collections.abc import Mapping

from cloison.algebra.automata import Dfa, canonical, cut, dead, joined
from cloison.algebra.budget import Budget
from cloison.algebra.characters import CharSet


def followed(a: Dfa, b: Dfa, budget: Budget) -> Dfa:
    """Return what accepts a text of `a` with one of `b` after it."""
    alphabet, pairs = joined(a.alphabet, b.alphabet)
    ends, ends_after, hopeless = set(a.final), set(b.final), dead(b)
    begun = frozenset({0})
    start = 0, begun if 0 in ends else frozenset()
    numbers = {start: 0}
    queue = [start]
    rows = []
    for state, others in queue:
        budget.spend(len(pairs) * (1 + len(others)))
        row = []
        for i, j in pairs:
            there = a.rows[state][i]
            after = frozenset(t for o in others if (t := b.rows[o][j]) != hopeless)
            target = there, after | begun if there in ends else after
            found = numbers.setdefault(target, len(numbers))
            if found == len(queue):
                queue.append(target)
                budget.hold(found)
            row.append(found)
        rows.append(row)
    final = {n for (_, others), n in numbers.items() if not ends_after.isdisjoint(others)}
    return canonical(alphabet, rows, final, budget)


def replaced(dfa: Dfa, changes: Mapping[str, str], budget: Budget) -> Dfa:
    """Return what accepts a text when `dfa` does once characters are replaced."""
    old = dfa.alphabet.sets()
    alphabet, holders = cut([*old, *(CharSet.of(char) for char in changes)])
    texts = list(changes.values())
    moves = []
    for holder in holders:
        changed = holder >> len(old)
        if changed:
            text = texts[changed.bit_length() - 1]
            moves.append([dfa.alphabet.letter(char) for char in text])
        else:
            moves.append([holder.bit_length() - 1])
    budget.spend(len(dfa.rows) * sum(map(len, moves)))
    rows = [[_led(dfa, state, move) for move in moves] for state in range(len(dfa.rows))]
    numbers = {0: 0}
    queue = [0]
    for state in queue:
        for target in rows[state]:
            if target not in numbers:
                numbers[target] = len(numbers)
                queue.append(target)
    reached = [[numbers[target] for target in rows[state]] for state in queue]
    final = {numbers[state] for state in dfa.final if state in numbers}
    return canonical(alphabet, reached, final, budget)


def before(dfa: Dfa, ending: str, budget: Budget) -> Dfa:
    """Return what accepts a text when `dfa` does once `ending` is written after it."""
    move = [dfa.alphabet.letter(char) for char in ending]
    budget.spend(len(dfa.rows) * len(move))
    final = {state for state in range(len(dfa.rows)) if _led(dfa, state, move) in dfa.final}
    return canonical(dfa.alphabet, dfa.rows, final, budget)


def _led(dfa: Dfa, state: int, letters: list[int]) -> int:
    for letter in letters:
        state = dfa.rows[state][letter]
    return state
