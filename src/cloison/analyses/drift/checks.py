"""Every check of drift: a row here and its module are all that it takes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Final

from cloison.analyses.drift.model import Code, Finding, Key, Sign, State
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

_FIRST: Final[Mapping[Code, tuple[Code, ...]]] = {
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
    """Return findings; of those about one flow the one that says most, if it is as sure."""
    every = tuple(found)
    sure: dict[Code, set[Key]] = defaultdict(set)
    unsure: dict[Code, set[Key]] = defaultdict(set)
    for each in every:
        into = sure if each.state in _TOLD else unsure
        into[each.key.code].update(_flows(each))
    kept: list[Finding] = []
    for each in every:
        others = _FIRST.get(each.key.code, ())
        claimed = set[Key]().union(*(sure[code] for code in others))
        if each.state not in _TOLD:
            claimed.update(*(unsure[code] for code in others))
        if not others or not set(_flows(each)) <= claimed:
            kept.append(each)
    return tuple(kept)


def _flows(found: Finding) -> tuple[Key, ...]:
    """Return the flows that a finding is about, as keys of one check."""
    keys = found.sign.covers or (found.key,)
    return tuple(replace(key, code=Code.NEW_FLOW) for key in keys)


def _load(code: Code) -> Check:
    module, _, function = CHECKS[code].partition(":")
    check: Check = getattr(import_module(f"cloison.analyses.drift.{module}"), function)
    return check
