"""Texts that an automaton accepts: one of the shortest, all of a few."""

from collections.abc import Iterator

from cloison.algebra.automata import Dfa
from cloison.algebra.budget import Budget, TooLargeError
from cloison.algebra.characters import LAST, character


def example(dfa: Dfa) -> str | None:
    """Return one of the shortest texts, of welcome characters; None where there is none."""
    distance = _distances(dfa)
    if 0 not in distance:
        return None
    welcome = dfa.alphabet.examples()
    state, found = 0, []
    while distance[state]:
        row = dfa.rows[state]
        char, state = next(
            (char, row[letter])
            for char, letter in welcome
            if distance.get(row[letter]) == distance[state] - 1
        )
        found.append(char)
    return "".join(found)


def _distances(dfa: Dfa) -> dict[int, int]:
    """Return how many characters each state is away from accepting, where it ever does."""
    sources = _sources(dfa)
    found = dict.fromkeys(dfa.final, 0)
    queue = list(dfa.final)
    for state in queue:
        for source in sources[state]:
            if source not in found:
                found[source] = found[state] + 1
                queue.append(source)
    return found


def _sources(dfa: Dfa) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in dfa.rows]
    for state, row in enumerate(dfa.rows):
        for target in row:
            found[target].add(state)
    return found


def finite(dfa: Dfa) -> bool:
    """Return whether an automaton accepts finitely many texts."""
    alive = _distances(dfa)
    waits = {state: {t for t in dfa.rows[state] if t in alive} for state in alive}
    sources = _sources(dfa)
    done = [state for state, targets in waits.items() if not targets]
    for state in done:
        for source in sources[state]:
            waits[source].remove(state)
            if not waits[source]:
                done.append(source)
    return len(done) == len(alive)


def texts(dfa: Dfa, most: int) -> tuple[str, ...] | None:
    """Return all texts, shortest first, then by character; None where there are more."""
    if not finite(dfa):
        return None
    found: list[str] = []
    try:
        for level in _levels(dfa):
            for text in _spelled(dfa, 0, level):
                found.append(text)
                if len(found) > most:
                    return None
    except TooLargeError:
        return None
    return tuple(found)


def _levels(dfa: Dfa) -> Iterator[list[set[int]]]:
    """Iterate over the lengths of texts; with the states so many characters from accepting."""
    budget = Budget()
    sources = _sources(dfa)
    levels = [set(dfa.final)]
    while levels[-1]:
        yield levels
        budget.spend(len(levels[-1]))
        levels.append({source for state in levels[-1] for source in sources[state]})


def _spelled(dfa: Dfa, state: int, levels: list[set[int]]) -> Iterator[str]:
    """Iterate over the texts that lead from a state to the first level, from the last."""
    if state not in levels[-1]:
        return
    stack: list[tuple[str, Iterator[tuple[str, int]]]] = []
    if len(levels) == 1:
        yield ""
        return
    stack.append(("", _moves(dfa, state, levels[-2])))
    while stack:
        text, moves = stack[-1]
        step = next(moves, None)
        if step is None:
            stack.pop()
        elif len(stack) == len(levels) - 1:
            yield text + step[0]
        else:
            rest = levels[-2 - len(stack)]
            stack.append((text + step[0], _moves(dfa, step[1], rest)))


def _moves(dfa: Dfa, state: int, targets: set[int]) -> Iterator[tuple[str, int]]:
    starts, letters = dfa.alphabet
    ends = (*(start - 1 for start in starts[1:]), LAST)
    for start, end, letter in zip(starts, ends, letters, strict=True):
        target = dfa.rows[state][letter]
        if target in targets:
            for index in range(start, end + 1):
                yield character(index), target
