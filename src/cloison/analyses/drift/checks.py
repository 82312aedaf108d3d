"""Every check of drift: a row here and its module are all that it takes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Final

from cloison.analyses.drift.model import Code, Key, Sign
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
    Code.NEW_FLOW: (Code.NOT_ENFORCED, Code.BYPASS),
    Code.BYPASS: (Code.NOT_ENFORCED,),
}
"""Checks that say more of the same flow than another, which is silent then."""


def signs(scene: Scene, codes: Iterable[Code]) -> tuple[Sign, ...]:
    """Return what some checks see; of one flow, what says most.

    Args:
        scene: What they look at.
        codes: Which checks.
    """
    wanted = [code for code in CHECKS if code in set(codes)]
    seen = {code: list(_load(code)(scene)) for code in wanted}
    claimed = {code: {_flow(sign.key) for sign in found} for code, found in seen.items()}
    kept: list[Sign] = []
    for code in wanted:
        others = [claimed.get(other, set()) for other in _FIRST.get(code, ())]
        kept += (s for s in seen[code] if not any(_flow(s.key) in other for other in others))
    return tuple(kept)


def _flow(key: Key) -> tuple[str, ...]:
    return key.source, key.destination, key.protocol, key.port


def _load(code: Code) -> Check:
    module, _, function = CHECKS[code].partition(":")
    check: Check = getattr(import_module(f"cloison.analyses.drift.{module}"), function)
    return check
