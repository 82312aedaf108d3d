"""Puts expressions together so that what comes out is short."""

from collections.abc import Sequence

from cloison.algebra.regex.syntax import EMPTY, Alt, Cat, Chars, Node, Repeat, alt, cat, repeat


def star(part: Node) -> Node:
    """Return a part any number of times."""
    if isinstance(part, Alt):
        # (a|b*)* is (a|b)*.
        part = alt(p.part if isinstance(p, Repeat) and p.low <= 1 else p for p in part.parts)
    return repeat(part, 0, None)


def optional(part: Node) -> Node:
    """Return a part, or nothing."""
    return repeat(part, 0, 1)


def then(one: Node, other: Node) -> Node:
    """Return one expression after another; equal parts that meet are counted."""
    left, right = list(_parts(one)), list(_parts(other))
    while left and right:
        met = _met(left[-1], right[0])
        if met is not None:
            left[-1] = met
            del right[0]
        elif _swallows(left, right[0]):
            repeated = right.pop(0)
            del left[-len(_parts(_core(repeated))) :]
            left.append(_more(repeated))
        else:
            break
    return cat((*left, *right))


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Cat) else (node,)


def _core(node: Node) -> Node:
    return node.part if isinstance(node, Repeat) else node


def _counts(node: Node) -> tuple[int, int | None]:
    return (node.low, node.high) if isinstance(node, Repeat) else (1, 1)


def _met(one: Node, other: Node) -> Node | None:
    """Return two repeats of one part as one; letters are left as they are."""
    core = _core(one)
    if core != _core(other):
        return None
    (low, high), (more, most) = _counts(one), _counts(other)
    if isinstance(core, Chars) and core.chars.size() == 1 and high is not None and most is not None:
        return None
    return Repeat(core, low + more, None if high is None or most is None else high + most)


def _swallows(left: Sequence[Node], repeated: Node) -> bool:
    """Return whether what is repeated next is what was just said."""
    core = _parts(_core(repeated))
    return isinstance(repeated, Repeat) and tuple(left[-len(core) :]) == core and len(core) > 1


def _more(repeated: Node) -> Node:
    low, high = _counts(repeated)
    return repeat(_core(repeated), low + 1, None if high is None else high + 1)


def either(one: Node, other: Node) -> Node:
    """Return a choice of two; what all begin or end with is said once."""
    choices = [
        c for each in (one, other) for c in (each.parts if isinstance(each, Alt) else (each,))
    ]
    empty = EMPTY in choices
    rest = [_parts(each) for each in choices if each != EMPTY]
    rest = _shared(_shared(rest, first=True), first=False)
    made = alt(cat(each) for each in rest)
    if not empty:
        return made
    if isinstance(made, Repeat) and made.low <= 1:
        return repeat(made.part, 0, made.high)
    return optional(made)


def _shared(choices: list[tuple[Node, ...]], *, first: bool) -> list[tuple[Node, ...]]:
    """Return choices; those that begin (or end) alike are put together."""
    groups: dict[Node, list[tuple[Node, ...]]] = {}
    for each in choices:
        groups.setdefault(each[0 if first else -1], []).append(each)
    found = []
    for same in groups.values():
        if len(same) == 1:
            found.append(same[0])
            continue
        length = _common(same, first=first)
        inner: Node | None = None
        for each in same:
            part = cat(each[length:] if first else each[: len(each) - length])
            inner = part if inner is None else either(inner, part)
        ends = same[0][:length] if first else same[0][len(same[0]) - length :]
        rest = inner if inner is not None else EMPTY
        whole = then(cat(ends), rest) if first else then(rest, cat(ends))
        found.append(_parts(whole))
    return found


def _common(choices: list[tuple[Node, ...]], *, first: bool) -> int:
    """Return how many parts all choices begin, or end, with."""
    ways = choices if first else [each[::-1] for each in choices]
    length = 0
    for parts in zip(*ways, strict=False):
        if any(part != parts[0] for part in parts):
            break
        length += 1
    return length
