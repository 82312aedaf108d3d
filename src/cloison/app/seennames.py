"""What names stand for, as flows tell it: a call that was looked up by a name shows its address."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from cloison.algebra import AddressSet
from cloison.analyses.reconcile.seen import Seen
from cloison.intent import Contract, Dependency, Guardrail
from cloison.intent.read import ends_of
from cloison.ir.names import host_name, is_host_name

if TYPE_CHECKING:
    from cloison.app.session import Session

_DNS: Final = "dns:"
_MOST: Final = 4096
"""Addresses that a name may have; one with more is left as it is, not known."""


def taught(
    session: "Session", contract: Contract, seen: Iterable[Seen]
) -> tuple["Session", tuple[str, ...]]:
    """Return a session that knows the addresses that flows show, and the names it learned.

    Only names are learned that the contract or rules mention, and whose addresses nobody said.

    Args:
        session: The session.
        contract: What is meant.
        seen: Observed edges.
    """
    shown: dict[str, set[str]] = defaultdict(set)
    for each in seen:
        end = each.destination
        sure = each.sure and each.initiator != "unknown"
        if sure and end.name is not None and end.ip is not None and end.workload is None:
            shown[host_name(end.name)].add(end.ip)
    if not shown:
        return session, ()
    wanted = _meant(contract)
    patterns = session.engine.mentioned
    said = session.engine.networks
    found = {
        name: tuple(sorted(addresses))
        for name, addresses in sorted(shown.items())
        if len(addresses) <= _MOST
        and is_host_name(name)
        and not (said.complete or name in said.names)
        and (name in wanted or any(p.covers(name) for p in patterns))
        and all(map(_is_address, addresses))
    }
    if not found:
        return session, ()
    settings = session.settings
    known = settings.but(names={**settings.names, **found})
    return replace(session, settings=known), tuple(found)


def _is_address(text: str) -> bool:
    try:
        AddressSet.address(text)
    except ValueError:
        return False
    return True


def is_block(text: str) -> bool:
    """Return whether text is an address, or a block of them."""
    try:
        AddressSet.block(text)
    except ValueError:
        return False
    return True


def _meant(contract: Contract) -> set[str]:
    """Return the names that a contract mentions."""
    entries: tuple[Dependency | Guardrail, ...] = (*contract.dependencies, *contract.guardrails)
    ends = (end.text for entry in entries for end in ends_of(entry))
    named = {host_name(text.removeprefix(_DNS)) for text in ends if text.startswith(_DNS)}
    return named | {host_name(name) for each in contract.externals for name in each.hosts}


_MOST_SAID: Final = 32
"""Addresses of names that a command says."""


def names_said(
    session: "Session", ends: tuple[str, str], learned: Sequence[str]
) -> tuple[str, ...] | None:
    """Return the options that say what names are learned of two ends; None for too many."""
    found: list[str] = []
    for name in learned:
        known = session.settings.names[name]
        for end in ends:
            text = end.removeprefix("[").removesuffix("]")
            block = AddressSet.block(text) if is_block(text) else None
            # A pattern is answered by the names of it that are known.
            here = known if fnmatchcase(f"{_DNS}{name}", text) else ()
            if block is not None:
                here = tuple(each for each in known if AddressSet.address(each) <= block)
            found += (f"{name}={each}" for each in here)
    if len(found) > _MOST_SAID:
        return None
    return tuple(word for each in dict.fromkeys(found) for word in ("--dns-name", each))
