"""Every reason at once: what each enforcement point does with everybody, for reports that look up.

`explain` answers one question. A report that is read without the engine has to answer any of
millions, so it takes along the decisions themselves, which are few: ends that the same policies
govern share one, and each is a short list of peers with the rules that match them.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from cloison.algebra import L4, NO_ADDRESSES, AddressSet, TrafficSet, parse_address
from cloison.algebra.bitmaps import BitMap, FrozenBitMap, union
from cloison.analyses.connectivity import EndRef
from cloison.analyses.walk import one_list, walks
from cloison.engine import Engine, Point, UnitKind
from cloison.engine.decide import Decision
from cloison.engine.related import ON_ONE_NODE, ON_OTHER_NODES, ON_UNKNOWN_NODES, Relations
from cloison.engine.steps import Cause
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import Relative, RelativeMatch
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.ir.ruleset import BoundRule, Outcome
from cloison.resources.world import WorkloadId

OWN, OTHER, UNKNOWN, SELF = "own", "other", "unknown", "self"
"""How a peer can stand to a pod: its own node, another, nobody knows; or the pod itself."""

_RELATIONS = {
    OWN: ON_ONE_NODE,
    OTHER: ON_OTHER_NODES,
    UNKNOWN: ON_UNKNOWN_NODES,
    SELF: Relations(frozenset({Relative.SELF})),
}


@dataclass(frozen=True, slots=True)
class Act:
    """Something done to some traffic, where policies are asked in turn.

    Args:
        tier: The tier it is done in; empty outside of every tier.
        action: What is done; None where either may be.
        traffic: To what.
        rule: The rule that does it, if one does.
        policies: Those that bring it about, where no rule does.
    """

    tier: str
    action: Action | None
    traffic: TrafficSet
    rule: BoundRule | None = None
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reason:
    """What one enforcement point does with peers that the same rules match.

    Two reasons of one ledger are the same object if they say the same.

    Args:
        outcome: What becomes of their traffic; undetermined only as far as `L4`.
        rules: The rules that match, each with whether it certainly does.
        builtin: The built-in rule that matches, in words.
        sure: Whether the built-in rule certainly does, and so decides alone.
        caveats: Why some traffic is undetermined.
        acts: What is done to the traffic of `L4`, in order; empty where the policies are one
            list of what is let through, and the rules that match are all there is to tell.
    """

    outcome: Outcome
    rules: tuple[tuple[BoundRule, bool], ...] = ()
    builtin: str = ""
    sure: bool = False
    caveats: tuple[Caveat, ...] = ()
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a subject's peers.

    Args:
        peers: Their units.
        reason: What becomes of their traffic.
        related: The same for peers that stand to the subject in a way that matters.
    """

    peers: BitMap
    reason: Reason
    related: Mapping[str, Reason]


@dataclass(frozen=True, slots=True)
class Governed:
    """One direction of every unit that the same policies govern.

    Args:
        direction: Seen from the governed.
        policies: Who governs it, in the order of evaluation.
        isolating: Those of them that isolate.
        parts: Disjoint; together they hold every unit.
        by_family: Parts to look in first, by the family of the flow, for peers whose own
            family is not known.
    """

    direction: Direction
    policies: tuple[Policy, ...]
    isolating: tuple[Policy, ...]
    parts: tuple[Part, ...]
    by_family: Mapping[int, tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Member:
    """The pods of an end that no policy can tell apart.

    Args:
        unit: Their unit.
        example: What to call one of them.
        alone: Tells a single live pod from others; None for several, or a template's.
        nodes: Nodes they are on, None among them where that is not known.
    """

    unit: int
    example: str
    alone: int | None = None
    nodes: tuple[str | None, ...] = (None,)


@dataclass(frozen=True, slots=True)
class Place:
    """What a unit is to the enforcement points.

    Args:
        family: 4, 6, or 0 where not known.
        policed: Whether policies apply to it at all.
        hosted: Whether it is a node, or on its node's network.
        egress: Place of its decision among the decisions, None where it is not policed.
        ingress: Likewise.
    """

    family: int
    policed: bool
    hosted: bool
    egress: int | None
    ingress: int | None


@dataclass(frozen=True, slots=True)
class Outside:
    """Addresses outside the cluster that no rule tells apart.

    Args:
        addresses: All of them.
        units: One unit for each family; whatever holds of it holds of all.
    """

    addresses: AddressSet
    units: tuple[int, ...]


@dataclass(frozen=True)
class Ledger:
    """Every decision of one world, and who stands where in it.

    Args:
        places: Every unit.
        decisions: Every decision.
        members: Units of every workload, pod and node that can be an end, under both names.
        outside: Address space.
        names: What to call an end in a question, where its plain name means another.
        taken: Addresses that mean somebody: a pod, a node, a Service.
        pending: Ends that hold pods which wait for an address.
    """

    places: tuple[Place, ...]
    decisions: tuple[Governed, ...]
    members: Mapping[EndRef, tuple[Member, ...]]
    outside: tuple[Outside, ...]
    names: Mapping[EndRef, str]
    taken: AddressSet
    pending: frozenset[EndRef]

    @cached_property
    def _starts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """First addresses of all intervals, ascending, with the groups they belong to."""
        found = sorted(
            (low, number)
            for number, group in enumerate(self.outside)
            for low, _ in group.addresses.spans
        )
        return tuple(low for low, _ in found), tuple(number for _, number in found)

    def units_at(self, addresses: AddressSet) -> tuple[int, ...]:
        """Return units that stand for addresses outside, one for each family.

        They are those of the first address of each family; the others are alike if `addresses`
        lies within one of `outside`.
        """
        starts, groups = self._starts
        found = []
        for family in (4, 6):
            here = addresses.family(family)
            if here:
                group = self.outside[groups[bisect_right(starts, here.spans[0][0]) - 1]]
                found += [u for u in group.units if self.places[u].family == family]
        return tuple(found)


def ledger(engine: Engine) -> Ledger:
    """Return every decision of an engine, in a form that outlives it.

    Cost: linear in the pieces of all decisions; no pair of ends is looked at.
    """
    return _Collector(engine).ledger()


class _Collector:
    """Collects decisions; lives for one call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.table = engine.table
        kinds = engine.table.kinds
        self.hosts = kinds[UnitKind.HOST] | kinds[UnitKind.NODE]
        self.pods = kinds[UnitKind.POD]
        self.decisions: dict[int, tuple[int, Decision, int]] = {}
        """By identity: place, decision, a unit it governs."""
        self._reasons: dict[tuple[object, ...], Reason] = {}

    def ledger(self) -> Ledger:
        places = tuple(self._place(unit) for unit in range(len(self.table.units)))
        members = self._members()
        own = self._own(members)
        governed = tuple(
            self._governed(decision, unit, own.get(key, BitMap()))
            for key, (_, decision, unit) in self.decisions.items()
        )
        return Ledger(
            places,
            governed,
            members,
            tuple(self._outside()),
            self._names(members),
            AddressSet.points(tuple(self._taken())),
            self._pending(),
        )

    def _place(self, number: int) -> Place:
        unit = self.table.units[number]
        policed = number in self.engine.governed
        egress = self._decision(number, Direction.EGRESS) if policed else None
        ingress = self._decision(number, Direction.INGRESS) if policed else None
        return Place(unit.family, policed, number in self.hosts, egress, ingress)

    def _decision(self, unit: int, direction: Direction) -> int:
        found = self.engine.decision(unit, direction)
        fresh = (len(self.decisions), found, unit)
        return self.decisions.setdefault(id(found), fresh)[0]

    def _own(self, members: Mapping[EndRef, tuple[Member, ...]]) -> dict[int, BitMap]:
        """Return the units that single pods, of a decision's subjects, have themselves."""
        found: dict[int, BitMap] = defaultdict(BitMap)
        for ref, parts in members.items():
            if ref.kind == "pod":
                units = [m.unit for m in parts if m.unit not in self.hosts]
                for unit in units:
                    for direction in Direction:
                        found[id(self.engine.decision(unit, direction))].update(units)
        return found

    def _governed(self, decision: Decision, subject: int, own: BitMap) -> Governed:
        parts = []
        for piece in decision.pieces:
            reason = self._reason(
                Point(decision.direction, subject, 0, piece.outcome, decision, piece)
            )
            related: dict[str, Reason] = {}
            hosts = piece.peers & (self.pods if subject in self.hosts else self.hosts)
            kinds = (OWN, OTHER, UNKNOWN) if hosts else ()
            themselves = piece.peers & own
            if themselves:
                kinds = (*kinds, SELF)
            for kind in kinds:
                peer = themselves[0] if kind is SELF else hosts[0]
                point = self.engine.point(subject, peer, decision.direction, _RELATIONS[kind])
                found = self._reason(point)
                if found != reason:
                    related[kind] = found
            parts.append(Part(piece.peers, reason, related))
        return Governed(
            decision.direction,
            decision.policies,
            decision.isolating,
            tuple(parts),
            {f: tuple(self._of_family(decision, subject, f)) for f in (4, 6)},
        )

    def _of_family(self, decision: Decision, subject: int, family: int) -> Iterator[Part]:
        """Yield peers without a known family that a flow's family tells more about."""
        floating = self.table.families[4] & self.table.families[6]
        for piece in decision.pieces:
            blocks = union(r.blocks for r, _ in piece.rules if r.blocks is not None)
            peers = piece.peers & blocks & floating
            found: dict[Reason, BitMap] = {}
            related: dict[Reason, dict[str, Reason]] = {}
            for peer in peers:
                point = self.engine.point(subject, peer, decision.direction, family=family)
                if point.piece is piece:
                    continue
                reason = self._reason(point)
                found.setdefault(reason, BitMap()).add(peer)
                if peer in self.hosts and reason not in related:
                    related[reason] = {
                        kind: self._reason(
                            self.engine.point(
                                subject, peer, decision.direction, _RELATIONS[kind], family
                            )
                        )
                        for kind in (OWN, OTHER, UNKNOWN)
                    }
            for reason, members in found.items():
                yield Part(members, reason, related.get(reason, {}))

    def _reason(self, point: Point) -> Reason:
        piece, decision = point.piece, point.decision
        rules = piece.rules if piece is not None else ()
        undetermined = point.outcome.undetermined & L4
        outcome = point.outcome.within(undetermined)
        doubts: set[Caveat] = set()
        if undetermined:
            doubts = {p.opaque.caveat for p in decision.policies if p.opaque} if decision else set()
            if any(not sure and rule.blocks for rule, sure in rules):
                doubts.add(known.POD_ADDRESS_UNKNOWN)
            if point.builtin is not None and not point.builtin_sure:
                doubts.add(known.OWN_NODE_UNKNOWN)
            doubts.update(doubt for each in outcome.when for doubt in each.doubts)
        builtin = _words(point.builtin) if point.builtin is not None else ""
        acts = tuple(self._acts(point))
        key = (
            point.outcome.allowed,
            undetermined,
            outcome.when,
            tuple((id(rule), sure) for rule, sure in rules),
            builtin,
            point.builtin_sure,
            frozenset(doubts),
            id(decision) if acts else None,
        )
        found = self._reasons.get(key)
        if found is None:
            said = _relevant(rules)
            sure = point.builtin_sure
            found = Reason(outcome, said, builtin, sure, tuple(sorted(doubts)), acts)
            self._reasons[key] = found
        return found

    def _acts(self, point: Point) -> Iterator[Act]:
        """Yield what is done in turn, where there is more to it than one list."""
        decision, layers = point.decision, self.engine.policies.layers
        if decision is None or one_list(layers, decision):
            return
        for walk in walks(self.engine, point, L4):
            if walk.plain:
                continue
            ends = {t.spec.name: t.policies for t in walk.tiers}
            for step in walk.steps:
                ending = step.cause is Cause.END
                if step.cause is Cause.ENTRY or step.action is Action.LOG:
                    continue
                isolating = tuple(
                    p
                    for p in ends.get(step.tier or "", ())
                    if ending and point.direction in p.isolates and not p.opaque
                )
                yield Act(step.tier or "", step.action, step.traffic, step.rule, isolating)

    def _members(self) -> dict[EndRef, tuple[Member, ...]]:
        """Return the units of every end, as workloads and as pods."""
        grouped: dict[EndRef, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, endpoint in enumerate(self.table.endpoints):
            workload = endpoint.workload
            refs = [EndRef("workload", workload.namespace, workload.name, workload.kind)]
            if workload.kind == "Pod" or endpoint.pod is not None:
                refs.append(EndRef("pod", workload.namespace, endpoint.pod or workload.name))
            for unit in self.table.by_endpoint[index]:
                for ref in refs:
                    grouped[ref][unit].append(index)
        members = {
            ref: tuple(self._member(unit, indices) for unit, indices in sorted(units.items()))
            for ref, units in grouped.items()
        }
        for name, units in self.table.by_node.items():
            members[EndRef("node", name=name)] = tuple(
                Member(unit, f"node:{name}", None, (name,)) for unit in units
            )
        return members

    def _member(self, unit: int, indices: list[int]) -> Member:
        first = self.table.endpoints[indices[0]]
        alone = indices[0] if len(indices) == 1 and first.pod is not None else None
        nodes = dict.fromkeys(self.table.endpoints[i].shape.node for i in indices)
        return Member(unit, first.name, alone, tuple(nodes))

    def _names(self, members: Iterable[EndRef]) -> dict[EndRef, str]:
        """Return names for those ends whose plain name is another's, or nobody's."""
        kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
        for workload in self.engine.world.workloads:
            kinds[workload.namespace, workload.name].add(workload.kind)
        found = {}
        for ref in members:
            sharing = kinds.get((ref.namespace, ref.name), set())
            own = "Pod" if ref.kind == "pod" else ref.type
            if ref.kind == "node":
                found[ref] = f"node:{ref.name}"
            elif own == "Pod" and sharing - {"Pod"}:
                found[ref] = f"{ref.namespace}/pod/{ref.name}"
            elif own != "Pod" and len(sharing - {"Pod"}) > 1:
                found[ref] = f"{ref.namespace}/{own.lower()}/{ref.name}"
        return found

    def _taken(self) -> Iterator[int]:
        yield from self.engine.holders
        yield from self.engine.node_addresses
        for service in self.engine.world.services.values():
            for text in (*service.cluster_ips, *service.external_ips):
                with suppress(ValueError):  # `None` marks a headless Service
                    yield parse_address(text)

    def _pending(self) -> frozenset[EndRef]:
        ids: set[WorkloadId] = {e.workload for e in self.table.endpoints if e.pending}
        return frozenset(EndRef("workload", w.namespace, w.name, w.kind) for w in ids)

    def _outside(self) -> Iterator[Outside]:
        """Yield the address space, sorted by what any decision can tell apart."""
        atoms = self.table.kinds[UnitKind.EXTERNAL]
        distinct = {
            FrozenBitMap(piece.peers & atoms): None
            for _, decision, _ in self.decisions.values()
            for piece in decision.pieces
        }
        signatures: dict[int, list[int]] = {atom: [] for atom in atoms}
        for number, part in enumerate(distinct):
            # Of a set and what it leaves over, the smaller tells as much.
            for atom in part if 2 * len(part) <= len(atoms) else atoms - part:
                signatures[atom].append(number)
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for atom, signature in signatures.items():
            groups[tuple(signature)].append(atom)
        for members in groups.values():
            spans = [s for u in members for s in self._addresses(u).spans]
            first = {self.table.units[u].family: u for u in reversed(members)}
            yield Outside(AddressSet(spans), tuple(u for _, u in sorted(first.items())))

    def _addresses(self, unit: int) -> AddressSet:
        return self.table.units[unit].addresses or NO_ADDRESSES


def _relevant(
    rules: tuple[tuple[BoundRule, bool], ...],
) -> tuple[tuple[BoundRule, bool], ...]:
    """Leave out rules that only write a log."""
    return tuple((rule, sure) for rule, sure in rules if rule.rule.action is not Action.LOG)


def _words(rule: Rule) -> str:
    relations = [p.match.relation for p in rule.peers if isinstance(p.match, RelativeMatch)]
    return str(relations[0].value).replace("-", " ") if relations else "built-in rule"
