"""Openings put together as the policies of a file, in an order that nothing but they decide."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cloison.algebra import LabelSelector
from cloison.analyses.contract.compile.model import Sheet, Subject, joined
from cloison.analyses.contract.compile.peers import rank
from cloison.analyses.contract.placed import NOWHERE, Placed
from cloison.intent import Dependency
from cloison.ir.allowlist import Allowlist, Asked, Opening, PeerOf, PortRange
from cloison.ir.policy import Direction
from cloison.resources.names import printable
from cloison.resources.world import WorkloadId

_LONGEST: Final = 200
"""Characters of a policy's name, so that languages may add to it."""
DENY: Final = "default-deny"

_Key = tuple[Direction, PeerOf, Asked | None, bool]


@dataclass
class _Page:
    """What is written for some pods; lives for one compilation."""

    workloads: set[WorkloadId] = field(default_factory=set)
    openings: dict[_Key, list[Opening]] = field(default_factory=lambda: defaultdict(list))
    entries: dict[str, Dependency] = field(default_factory=dict)


@dataclass
class Written:
    """What is written so far, by namespace and labels; lives for one compilation."""

    pages: dict[tuple[str, LabelSelector | None], _Page] = field(
        default_factory=lambda: defaultdict(_Page)
    )

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Whom policies are written for."""
        return tuple(
            Subject(home, pods, tuple(sorted(page.workloads)))
            for (home, pods), page in self.pages.items()
            if pods is not None
        )

    def sheet(self, subject: Subject) -> None:
        """Make room for some pods, whatever they may do."""
        self.pages[subject.namespace, subject.pods].workloads.update(subject.workloads)

    def add(self, here: Subject | str, opening: Opening, entry: Dependency | None) -> None:
        """Write an opening for some pods, or for all of a namespace."""
        if isinstance(here, Subject):
            self.sheet(here)
            page = self.pages[here.namespace, here.pods]
        else:
            page = self.pages[here, None]
        key = (opening.direction, opening.peer, opening.http, opening.lookup)
        page.openings[key].append(opening)
        if entry is not None:
            page.entries[entry.name] = entry


def sheets(written: Written, namespaces: Iterable[str], placed: Placed, prefix: str) -> list[Sheet]:
    """Return files: of each namespace its default deny first, then its workloads by name.

    Args:
        written: What is written.
        namespaces: Those that get a default deny.
        placed: Whose the workloads are.
        prefix: What annotations begin with.
    """
    found: list[Sheet] = []
    for namespace in sorted(namespaces):
        page = written.pages.get((namespace, None)) or _Page()
        owner = joined(
            [
                each.owner or ""
                for each in placed.contract.workloads
                if each.match.namespace == namespace and each.match.rank == 0
            ]
        )
        reason = (
            "Nothing in this namespace talks or listens unless a policy beside this one says so"
        )
        notes = _notes(page, owner, prefix, reason)
        openings = _merged(page)
        one = Allowlist(DENY, namespace, LabelSelector(), openings, notes)
        found.append(Sheet(namespace, (), (one,), tuple(sorted(page.entries))))
        found += _of(namespace, written, placed, prefix)
    return found


def _of(namespace: str, written: Written, placed: Placed, prefix: str) -> list[Sheet]:
    mine = [
        (tuple(sorted(page.workloads)), pods, page)
        for (home, pods), page in written.pages.items()
        if home == namespace and pods is not None
    ]
    times = Counter(workloads[0].name for workloads, _, _ in mine)
    found: list[Sheet] = []
    taken = {DENY}
    for workloads, pods, page in sorted(mine, key=lambda each: (each[0], each[1].requirements)):
        first = workloads[0]
        base = first.name if times[first.name] == 1 else f"{first.name}-{first.kind.lower()}"
        name = _free(base, taken)
        taken.add(name)
        owners = [placed.places.get(each, NOWHERE).owner or "" for each in workloads]
        owner = joined(owners) or joined([e.owner or "" for _, e in sorted(page.entries.items())])
        one = Allowlist(
            name,
            namespace,
            pods,
            _merged(page),
            _notes(page, owner, prefix),
        )
        found.append(Sheet(namespace, workloads, (one,), tuple(sorted(page.entries))))
    return found


def _free(base: str, taken: set[str]) -> str:
    if len(base) > _LONGEST:
        digest = hashlib.sha256(base.encode()).hexdigest()[:8]
        base = f"{base[: _LONGEST - 9].rstrip('.-')}-{digest}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _notes(page: _Page, owner: str, prefix: str, reason: str = "") -> dict[str, str]:
    """Return the annotations of a policy: whose it is, and why."""
    entries = [each for _, each in sorted(page.entries.items())]
    reasons = joined([reason, *(f"{e.name}: {e.reason}" for e in entries if e.reason)])
    tickets = sorted({each.ticket for each in entries if each.ticket})
    expiry = min((each.expires for each in entries if each.expires), default=None)
    said = {
        "owner": owner,
        "reason": reasons,
        "ticket": ", ".join(tickets),
        "expires": expiry.isoformat() if expiry else "",
    }
    return {f"{prefix}/{key}": printable(value) for key, value in said.items() if value}


def _merged(page: _Page) -> tuple[Opening, ...]:
    """Return openings in order, those of one peer together."""
    found: list[Opening] = []
    for (direction, peer, http, lookup), some in page.openings.items():
        reasons = tuple(sorted({printable(r) for each in some for r in each.reasons}))
        found.append(Opening(direction, peer, _ports(some), http, reasons, lookup))
    return tuple(sorted(found, key=_order))


def _ports(openings: Iterable[Opening]) -> tuple[PortRange, ...]:
    """Return the ports of some openings: everything, where one of them is for that."""
    held = [each.ports for each in openings]
    if not all(held):
        return ()
    return tuple(sorted({p: p for ports in held for p in ports}, key=_port))


def _port(port: PortRange) -> tuple[str, int, int, str]:
    return port.protocol, port.first or 0, port.last or 0, port.name or ""


def _order(opening: Opening) -> tuple[object, ...]:
    egress = opening.direction is Direction.EGRESS
    ports = tuple(map(_port, opening.ports))
    return egress, opening.lookup, rank(opening.peer), ports, str(opening.http or "")
