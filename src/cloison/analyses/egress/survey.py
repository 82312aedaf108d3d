"""Where workloads may go outside the cluster: what the engine decides, decision by decision.

Pods that the same policies govern have one decision, and one list of destinations is made of it,
however many workloads they are of.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from cloison.algebra import (
    EVERY_ADDRESS,
    FAMILY,
    L4,
    NO_ADDRESSES,
    AddressSet,
)
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import Passage
from cloison.analyses.egress.findings import findings
from cloison.analyses.egress.model import (
    Destination,
    Egress,
    Leaver,
    Opener,
    Outward,
    Reach,
    Seen,
)
from cloison.analyses.egress.way import Ways
from cloison.analyses.explain import rule_text
from cloison.analyses.hosts import hosts_of
from cloison.analyses.paths.site import Site
from cloison.analyses.survey import outside_caveats, standing_caveats
from cloison.engine import Engine, UnitKind
from cloison.engine.decide import Decision, Piece
from cloison.engine.steps import Cause
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Action, Direction, Policy, PolicyId, Rule
from cloison.platform.ranges import NamedRange, RangeKind, public_of
from cloison.resources.world import WorkloadId


@dataclass(frozen=True, slots=True)
class Outside:
    """What `egress` is asked with.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
        ranges: Address ranges with names.
        translation: What becomes of the source of what leaves, where nothing else decides.
        owner_of: Whose a policy is.
        owner_key: The annotation of pods that says whose they are.
        workloads: Only these; all when none is given.
        unread: What else of the input may count, and is not read.
    """

    engine: Engine
    site: Site
    ranges: tuple[NamedRange, ...]
    translation: Seen
    owner_of: Callable[[PolicyId], str | None]
    owner_key: str
    workloads: frozenset[WorkloadId] = frozenset()
    unread: tuple[str, ...] = ()


def survey(asked: Outside) -> Egress:
    """Return where workloads may go outside the cluster."""
    engine = asked.engine.with_hosts()
    ways = Ways(engine, asked.site, asked.translation)
    tellers = _Teller(engine, asked.owner_of)
    every = tuple(_leavers(engine, asked, ways, tellers))
    wanted = tuple(each for each in every if not asked.workloads or each.id in asked.workloads)
    return Egress(
        wanted,
        findings(wanted, asked.ranges, ways),
        asked.ranges,
        tuple(sorted(ways.proxies)),
        tuple(each.name for each in asked.site.leaving),
        (*_lacking(asked.ranges), *asked.unread),
        tuple(sorted({*standing_caveats(engine), *outside_caveats(engine)})),
    )


def _lacking(held: Sequence[NamedRange]) -> Iterator[str]:
    kinds = {each.kind for each in held}
    for kind, option in (
        (RangeKind.POD, "--pod-cidr"),
        (RangeKind.SERVICE, "--service-cidr"),
        (RangeKind.NODE, "--node-cidr"),
    ):
        if kind not in kinds:
            yield f"where {kind} addresses come from is not known: say {option}"


def _leavers(engine: Engine, asked: Outside, ways: Ways, teller: "_Teller") -> Iterator[Leaver]:
    for name, workload in engine.world.workloads.items():
        if not workload.endpoints:
            continue
        outward = _outward(engine, name, teller)
        if not outward:
            continue  # it has run to its end
        run = workload.endpoints[0].shape.runtime
        yield Leaver(
            name,
            outward,
            ways.seen(workload, outward),
            run.annotation(asked.owner_key) if run is not None else None,
            workload.span,
            ways.named(workload),
            name in ways.proxies,
        )


def _outward(engine: Engine, name: WorkloadId, teller: "_Teller") -> tuple[Outward, ...]:
    found: dict[int, Outward] = {}
    for index in engine.table.by_workload.get(name, ()):
        for unit in engine.table.by_endpoint[index]:
            one = teller.outward(unit)
            found.setdefault(id(one), one)
    return tuple(found.values())


@dataclass
class _Teller:
    """Tells what decisions open, and remembers it; lives for one answer."""

    engine: Engine
    owner_of: Callable[[PolicyId], str | None]
    _held: dict[object, Outward] = field(default_factory=dict)
    _kept: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        table = self.engine.table
        self._atoms = table.kinds[UnitKind.EXTERNAL]
        names = hosts_of(self.engine, self.engine.mentioned)
        unknown = table.kinds[UnitKind.NAMED]
        self._names = {ref.name: units & unknown for ref, units in names.items() if units & unknown}

    def outward(self, unit: int) -> Outward:
        """Return what a unit may reach outside."""
        if unit not in self.engine.governed:
            found = self._held.get(None)
            if found is None:
                found = self._held[None] = self._unasked()
            return found
        decision = self.engine.decision(unit, Direction.EGRESS)
        found = self._held.get(id(decision))
        if found is None:
            # Decisions are told apart by identity, so they have to stay.
            self._kept.append(decision)
            found = self._held[id(decision)] = self._of(decision, unit)
        return found

    def _unasked(self) -> Outward:
        """Return what pods may reach whose node no policy is about."""
        opener = Opener("no policy is asked: its pods are on their node's network")
        everything = Destination(EVERY_ADDRESS, None, L4, Verdict.ALLOWED, (opener,))
        return Outward((everything,), Reach.EVERYTHING, isolated=False, hosted=True)

    def _of(self, decision: Decision, unit: int) -> Outward:
        groups: dict[tuple[Passage, tuple[Opener, ...]], BitMap] = defaultdict(BitMap)
        named: dict[tuple[str, Passage, tuple[Opener, ...]], None] = {}
        for piece in decision.pieces:
            atoms = piece.peers & self._atoms
            names = [name for name, units in self._names.items() if units & piece.peers]
            if not atoms and not names:
                continue
            passage = Passage.of(piece.outcome, _doubts(piece))
            if not passage:
                continue
            if atoms:
                groups[passage, self._openers(unit, atoms, passage)] |= atoms
            for name in names:
                units = self._names[name] & piece.peers
                named[name, passage, self._openers(unit, units, passage)] = None
        isolated = any(not p.opaque for p in decision.isolating)
        found = [
            (self._addresses(atoms), None, passage, openers)
            for (passage, openers), atoms in groups.items()
        ]
        told = [(NO_ADDRESSES, name, passage, openers) for name, passage, openers in named]
        if len(found) == 1 and found[0][0] == EVERY_ADDRESS:
            told = [each for each in told if each[2].split != found[0][2].split]
        every = sorted(
            (*told, *found), key=lambda one: (one[1] is None, one[1] or "", one[0].spans)
        )
        destinations = tuple(d for one in every for d in _destinations(*one))
        hosted = self.engine.table.units[unit].kind is not UnitKind.POD
        return Outward(destinations, self._reach(destinations), isolated, hosted)

    def _openers(self, unit: int, peers: BitMap, passage: Passage) -> tuple[Opener, ...]:
        """Return who lets a piece of a decision through, as the layers are walked."""
        passing = passage.allowed | passage.undetermined
        point = self.engine.point(unit, min(peers), Direction.EGRESS)
        policies = point.decision.policies if point.decision is not None else ()
        found: dict[Opener, None] = {}
        for _, steps in self.engine.steps(point):
            for step in steps:
                if not step.traffic & passing:
                    continue
                if step.cause is Cause.RULE and step.action is Action.ALLOW and step.rule:
                    policy, rule = step.rule.policy, step.rule.rule
                    found[self._opener(rule_text(policy, rule), policy, rule)] = None
                elif step.cause is Cause.OPAQUE:
                    for policy in policies:
                        if policy.opaque is not None:
                            text = f"{policy.id.said} is not understood"
                            found[self._opener(text, policy)] = None
        if found:
            return tuple(found)
        if not self.engine.profile.enforces and self.engine.policies.policies:
            return (Opener("nobody enforces policies"),)
        return (Opener("no policy decides" if policies else "no policy restricts its egress"),)

    def _opener(self, text: str, policy: Policy, rule: Rule | None = None) -> Opener:
        owner = self.owner_of(policy.id)
        if rule is None:
            return Opener(text, policy.id, None, policy.span, owner)
        return Opener(text, policy.id, rule.index, rule.span, owner)

    def _addresses(self, atoms: BitMap) -> AddressSet:
        each = (self.engine.table.units[atom].addresses for atom in atoms)
        return AddressSet(span for where in each if where for span in where.spans)

    def _reach(self, destinations: Sequence[Destination]) -> Reach:
        """Return how much of the outside destinations are."""
        sure = [d for d in destinations if d.verdict is Verdict.ALLOWED]
        if not sure:
            return Reach.UNDETERMINED if destinations else Reach.NONE
        whole, some = NO_ADDRESSES, NO_ADDRESSES
        for each in sure:
            some |= each.addresses
            if each.traffic >= L4:
                whole |= each.addresses
        if self._is_internet(whole, every=True):
            return Reach.EVERYTHING
        return Reach.INTERNET if self._is_internet(some) else Reach.SOME

    def _is_internet(self, addresses: AddressSet, *, every: bool = False) -> bool:
        """Return whether addresses are those of the internet, or most of them."""
        for family in FAMILY:
            all_ = public_of(family)
            held = addresses & all_
            if held == all_ or (not every and 2 * held.size() > all_.size()):
                return True
        return False


def _doubts(piece: Piece) -> Iterator[Caveat]:
    """Yield what a piece stands on, because of how its rules are written."""
    for bound, _ in piece.rules:
        yield from bound.caveats
        yield from bound.rule.caveats


def _destinations(
    addresses: AddressSet, name: str | None, passage: Passage, openers: tuple[Opener, ...]
) -> Iterator[Destination]:
    caveats = passage.caveats
    if name is not None:
        caveats = tuple(sorted({*caveats, known.NAME_ADDRESS_UNKNOWN}))
    for verdict, traffic, requests, given in passage.parts:
        asks = "" if requests is None else str(requests)
        said = " and ".join(text for text in (asks, given) if text) or None
        yield Destination(addresses, name, traffic, verdict, openers, said, caveats)
