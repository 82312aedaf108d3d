"""Shapes that leaving out states would hide: what ends with a text, or has one in it."""

from collections.abc import Iterator

from cloison.algebra.automata import Dfa, dead
from cloison.algebra.budget import Budget, TooLargeError
from cloison.algebra.characters import CharSet, character
from cloison.algebra.members import example
from cloison.algebra.regex.build import build
from cloison.algebra.regex.syntax import Alt, Cat, Chars, Node, alt, cat, literal, repeat

_STEPS = 20_000
"""Transitions that trying a shape may take."""
_SPARE = 5
"""States of a shape, at most, besides one for each letter of its text."""


def shaped(dfa: Dfa) -> Node | None:
    """Return `text.*text` or `text.*text.*`, for any set in the dot's place, if that is it."""
    nowhere = dead(dfa)
    sets = dfa.alphabet.sets()
    state, begun = 0, ""
    while state not in dfa.final:
        alive = [letter for letter, t in enumerate(dfa.rows[state]) if t != nowhere]
        if len(alive) != 1 or sets[alive[0]].size() != 1:
            break
        begun += _only(sets[alive[0]])
        state = dfa.rows[state][alive[0]]
    chars = CharSet(
        span for letter, t in enumerate(dfa.rows[state]) if t != nowhere for span in sets[letter]
    )
    text = example(dfa)
    if not chars or text is None or not _likely(dfa, state, chars, nowhere, len(text)):
        return None
    try:
        for tree in _candidates(begun, text[len(begun) :], chars):
            if build(tree, Budget(_STEPS)) == dfa:
                return tree
    except TooLargeError:
        return None
    return None


def _likely(dfa: Dfa, state: int, chars: CharSet, nowhere: int | None, size: int) -> bool:
    """Return whether it may be one of the shapes: building one takes its time.

    Args:
        dfa: The automaton.
        state: Where the shape begins.
        chars: Characters that go on from there.
        nowhere: The state from which nothing is accepted.
        size: Letters of a shortest text.
    """
    if len(dfa.rows) > size + _SPARE:
        return False  # a shape has few states besides those of its letters
    every = chars - CharSet.of("./")
    letters = [n for n, each in enumerate(dfa.alphabet.sets()) if not each.isdisjoint(every)]
    found, waiting = {state}, [state]
    while waiting:
        row = dfa.rows[waiting.pop()]
        onward = {row[letter] for letter in letters}
        if nowhere in onward:
            return False  # what may be in a shape's middle may be so any number of times
        fresh = onward - found
        found |= fresh
        waiting += fresh
    return True


def _only(chars: CharSet) -> str:
    return character(chars.spans[0][0])


def _candidates(begun: str, rest: str, chars: CharSet) -> Iterator[Node]:
    start = literal(begun)
    for low, ending in ((0, rest), (1, rest[1:])):
        if ending:
            hole = repeat(Chars(chars), low, None)
            yield cat((start, hole, literal(ending)))
            yield cat((start, hole, literal(ending), repeat(Chars(chars), 0, None)))
    for separator in "./":
        end = CharSet.of(separator)
        inside = chars - end
        if inside:
            # Where the text may begin with what separates, there may be nothing before it.
            low = 0 if end <= chars else 1
            part = cat((repeat(Chars(inside), low, None), Chars(end)))
            yield cat((start, repeat(part, 0, None), literal(rest)))
            yield cat((start, repeat(part, 1, None), literal(rest[low + 1 :])))


def worded(node: Node) -> Node:
    """Return an expression in which choices between words have them whole: not `(us|ord)ers`."""
    if isinstance(node, Alt):
        choices = [worded(part) for part in node.parts]
        return alt(sorted(choices, key=_word) if all(map(_is_word, choices)) else choices)
    if not isinstance(node, Cat):
        return node
    parts = [worded(part) for part in node.parts]
    at = 0
    while at < len(parts):
        each = parts[at]
        if isinstance(each, Alt) and all(map(_is_word, each.parts)):
            low, high = at, at + 1
            while low and _letter(parts[low - 1]):
                low -= 1
            while high < len(parts) and _letter(parts[high]):
                high += 1
            whole = [cat((*parts[low:at], word, *parts[at + 1 : high])) for word in each.parts]
            parts[low:high] = [worded(alt(whole))]
            at = low
        at += 1
    made = cat(parts)
    return worded(made) if isinstance(made, Alt) else made


def _letter(node: Node) -> bool:
    """Return whether it is one letter or digit."""
    return isinstance(node, Chars) and node.chars.size() == 1 and _only(node.chars).isalnum()


def _is_word(node: Node) -> bool:
    return all(map(_letter, node.parts)) if isinstance(node, Cat) else _letter(node)


def _word(node: Node) -> str:
    parts = node.parts if isinstance(node, Cat) else (node,)
    return "".join(_only(part.chars) for part in parts if isinstance(part, Chars))
