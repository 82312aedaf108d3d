"""Every check of drift: a row here and its module are all that it takes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain
from typing import Final

from cloison.analyses.drift.model import TITLES, Code, Evidence, Finding, Key, Sign, State
from cloison.analyses.drift.scene import Scene

Check = Callable[[Scene], Iterator[Sign]]

CHECKS: Final[Mapping[Code, str]] = {
    Code.UNUSED: "unused:unused",
    Code.DENIED: "denied:denied",
    Code.NEW_FLOW: "newflows:new_flows",
    Code.UNPROTECTED: "bare:bare",
    Code.SELECTS_NOBODY: "nobody:nobody",
    Code.LABELS: "labels:labels",
    Code.AGENT: "agents:agents",
    Code.NOT_ENFORCED: "force:force",
    Code.BROAD: "broad:broad",
    Code.BYPASS: "bypass:bypass",
    Code.EXPIRED: "expired:expired",
    Code.RANGES: "ranges:ranges",
}
"""Where each check is, by its code: module and function of this package."""

STANDING: Final = frozenset(
    (
        Code.UNPROTECTED,
        Code.SELECTS_NOBODY,
        Code.AGENT,
        Code.NOT_ENFORCED,
        Code.BROAD,
        Code.EXPIRED,
    )
)
"""Checks of what is so whoever looks: what was so before is nothing new."""

OF_POLICIES: Final = frozenset(
    (
        Code.UNUSED,
        Code.UNPROTECTED,
        Code.SELECTS_NOBODY,
        Code.LABELS,
        Code.NOT_ENFORCED,
        Code.BROAD,
        Code.BYPASS,
        Code.EXPIRED,
    )
)
"""Checks of what is declared: a document that nobody can read may settle what they find."""

_FIRST: Final[Mapping[Code, tuple[Code, ...]]] = {
    Code.DENIED: (Code.NOT_ENFORCED,),
    Code.NEW_FLOW: (Code.NOT_ENFORCED, Code.BROAD, Code.BYPASS),
    Code.BROAD: (Code.NOT_ENFORCED,),
    Code.BYPASS: (Code.NOT_ENFORCED, Code.BROAD),
}
"""Checks that say more of the same flow than another."""
_TOLD: Final = (State.CONFIRMED, State.ACKNOWLEDGED, State.RESOLVED)


def signs(scene: Scene, codes: Iterable[Code]) -> tuple[Sign, ...]:
    """Return what some checks see.

    Args:
        scene: What they look at.
        codes: Which checks.
    """
    wanted = [code for code in CHECKS if code in set(codes)]
    return tuple(sign for code in wanted for sign in _load(code)(scene))


def once(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings; of those about one flow the one that says most, which mentions the others.

    Of two that are as sure, that is the one whose check says more; else the one that is surer, as
    what is only suspected is nothing to get up for.
    """
    every = tuple(found)
    by_flow: dict[Key, list[int]] = defaultdict(list)
    for at, each in enumerate(every):
        for flow in _flows(each):
            by_flow[flow].append(at)
    told: dict[int, dict[str, None]] = defaultdict(dict)
    gone: set[int] = set()
    for at, each in enumerate(every):
        over = [_over(every, each, by_flow[flow]) for flow in _flows(each)]
        if over and all(over):
            gone.add(at)
            for other in chain.from_iterable(over):
                told[other][_mention(each)] = None
    return tuple(
        _with(each, told[at]) if at in told else each
        for at, each in enumerate(every)
        if at not in gone
    )


def _over(every: Sequence[Finding], one: Finding, others: Iterable[int]) -> list[int]:
    """Return the findings of some that are told in place of one."""
    found = []
    for at in others:
        other = every[at]
        more = other.key.code in _FIRST.get(one.key.code, ())
        less = one.key.code in _FIRST.get(other.key.code, ())
        surer = (other.state in _TOLD) - (one.state in _TOLD)
        if one.key.code is Code.DENIED:
            # What is over, or accepted, does not hide that there are denials now.
            more = more and other.state is State.CONFIRMED
        if (more and surer >= 0) or (less and surer > 0 and other.state is not State.RESOLVED):
            found.append(at)
    return found


def _mention(found: Finding) -> str:
    """Return a finding in a few words, for another one about the same flow."""
    said = f"as {found.key.code}, too: {TITLES[found.key.code]}"
    doubt = found.sign.doubt
    suspected = f", which is only suspected{f': {doubt}' if doubt else ''}"
    return said if found.state in _TOLD else f"{said}{suspected}"


def _with(found: Finding, more: Iterable[str]) -> Finding:
    """Return a finding with more to stand on."""
    evidence = (*found.sign.evidence, *map(Evidence, more))
    return replace(found, sign=replace(found.sign, evidence=evidence))


def _flows(found: Finding) -> tuple[Key, ...]:
    """Return the flows that a finding is about, as keys of one check."""
    keys = found.sign.covers or (found.key,)
    return tuple(replace(key, code=Code.NEW_FLOW) for key in keys)


def _load(code: Code) -> Check:
    module, _, function = CHECKS[code].partition(":")
    check: Check = getattr(import_module(f"cloison.analyses.drift.{module}"), function)
    return check
