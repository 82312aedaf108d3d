"""Surveying the engine's rectangles into a `Map`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import reduce
from itertools import combinations

from cloison.algebra import EVERY_ADDRESS, NO_TRAFFIC, AddressSet
from cloison.algebra.bitmaps import BitMap, union
from cloison.analyses.beside import Beside, Standing, Stands
from cloison.analyses.chosen import check_namespace
from cloison.analyses.connectivity import EndRef, Map, MapOptions, Passage, Row, unrestricted
from cloison.analyses.ends import Names
from cloison.analyses.hosts import hosts_of, mentioned_by
from cloison.analyses.part import asked_part
from cloison.engine import Engine, Rectangle, UnitKind
from cloison.engine.related import ON_ONE_NODE
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import BlockMatch, GroupsMatch, PeerMatch, PodsMatch, plain_matches
from cloison.resources.objects import NAMESPACE_NAME_LABEL
from cloison.resources.world import PodEndpoint, WorkloadId


def survey(engine: Engine, options: MapOptions, names: Names) -> Map:
    """Return everything permitted, as far as `options` ask.

    Raises:
        QuestionError: a filter names nothing, or a port that is none.
    """
    check_namespace(engine, options)
    return Survey(engine, options, names).map()


def policed_nodes(engine: Engine) -> frozenset[str]:
    """Return the nodes whose own traffic policies govern, by name."""
    units = engine.table.units
    found = (units[unit].node for unit in engine.table.kinds[UnitKind.NODE] & engine.governed)
    return frozenset(name for name in found if name is not None)


def ends_of(
    engine: Engine, options: MapOptions, hidden: Collection[WorkloadId] = ()
) -> tuple[tuple[EndRef, ...], dict[int, list[int]]]:
    """Return the ends of a map, sorted, and for each unit the ends that have endpoints in it."""
    table = engine.table
    refs: dict[EndRef, set[int]] = defaultdict(set)
    for index, endpoint in enumerate(table.endpoints):
        ref = ref_of(endpoint, options)
        if ref is not None and endpoint.workload not in hidden:
            refs[ref].update(table.by_endpoint[index])
    if options.nodes:
        for name, units in table.by_node.items():
            refs[EndRef("node", name=name)].update(units)
    ends = tuple(sorted(refs, key=lambda ref: ref.sort_key))
    of_unit: dict[int, list[int]] = defaultdict(list)
    for place, ref in enumerate(ends):
        for unit in refs[ref]:
            of_unit[unit].append(place)
    return ends, of_unit


def ref_of(endpoint: PodEndpoint, options: MapOptions) -> EndRef | None:
    """Return the end that a pod is, or is part of; None for one that takes part in nothing."""
    w = endpoint.workload
    if endpoint.pending and (w.kind == "Pod" or options.pods):
        return None  # it has no address yet
    if w.kind == "Pod" or (options.pods and endpoint.pod is not None):
        return EndRef("pod", w.namespace, endpoint.pod or w.name)
    return EndRef("workload", w.namespace, w.name, w.kind)


class Survey:
    """Collects rows; lives for one call.

    Args:
        engine: Who decides.
        options: What part of the map is asked for.
        names: Finds the ends that options name.
        hidden: Workloads that are no ends of the map.
    """

    def __init__(
        self,
        engine: Engine,
        options: MapOptions,
        names: Names,
        hidden: Collection[WorkloadId] = (),
    ) -> None:
        engine = engine.with_hosts(options.hosts)
        self.engine = engine
        self.options = options
        self.table = engine.table
        self.names = names
        self.ends, self.of_unit = ends_of(engine, options, hidden)
        hosts = hosts_of(engine, options.hosts or mentioned_by(engine))
        for ref, units in hosts.items():
            for unit in units:
                self.of_unit[unit].append(len(self.ends))
            self.ends = (*self.ends, ref)
        self.hosts = union(hosts.values())
        self.unplaced = BitMap(
            number
            for number in self.table.kinds[UnitKind.POD]
            if not self.table.units[number].exact
        )
        # What nodes send each other, or to the outside, is told where policies govern them.
        self.quiet = BitMap(
            unit
            for unit in self.table.kinds[UnitKind.NODE] - engine.governed
            if self.table.units[unit].node not in options.policed
        )
        self.rows: dict[int, Row] = defaultdict(dict)
        self.outward: dict[int, dict[Passage, AddressSet]] = defaultdict(dict)
        self.inward: dict[int, dict[Passage, AddressSet]] = defaultdict(dict)
        self.itself: dict[int, Passage] = {}
        self._refs: dict[bytes, BitMap] = {}
        self._passages: dict[object, Passage] = {}
        self._blocks: dict[bytes, AddressSet] = {}
        self.outer_out: dict[int, Row] = defaultdict(dict)
        self.outer_in: dict[int, Row] = defaultdict(dict)
        self._covered: dict[int, BitMap] = {}
        """By identity of rows: at least all that they speak of."""

    def map(self) -> Map:
        """Return the map."""
        inside = (
            self.table.kinds[UnitKind.POD]
            | self.table.kinds[UnitKind.HOST]
            | (self.table.kinds[UnitKind.NODE] if self.options.nodes else BitMap())
        )
        inside.discard(self.table.some_node)
        for rectangle in self.engine.rectangles():
            self._take(rectangle, inside)
        if self.options.nodes:
            self._own_nodes()
        self._settle()
        self._among_replicas()
        return asked_part(
            self,
            self.options,
            Map(
                self.ends,
                dict(self.rows),
                dict(self.outward),
                dict(self.inward),
                self.itself,
                tuple(sorted((*standing_caveats(self.engine), *outside_caveats(self.engine)))),
            ),
        )

    def _take(self, rectangle: Rectangle, inside: BitMap) -> None:
        outside = self.table.kinds[UnitKind.EXTERNAL]
        pods = inside - self.quiet
        for sources, by_source in self._split(rectangle.sources & inside, rectangle.from_address):
            for targets, by_target in self._split(
                rectangle.destinations & inside, rectangle.to_address
            ):
                stands = tuple(sorted({*by_source, *by_target}))
                if sources & pods:
                    self._inner(rectangle, sources & pods, targets, stands)
                if (sources - pods) and (targets & pods):
                    self._inner(rectangle, sources - pods, targets & pods, stands)
        self._leaving(rectangle, pods)
        atoms = rectangle.sources & outside
        if atoms:
            passage = self._passage(rectangle)
            for end in self._places(rectangle.destinations & pods):
                self._add(self.outer_in[end], passage, atoms)

    def _leaving(self, rectangle: Rectangle, pods: BitMap) -> None:
        """Add what passes from pods to the outside, by address and by name."""
        if self.hosts:
            self._named(rectangle, rectangle.destinations & self.hosts, pods)
        atoms = rectangle.destinations & self.table.kinds[UnitKind.EXTERNAL]
        if atoms:
            passage = self._passage(rectangle)
            for end in self._places(rectangle.sources & pods):
                self._add(self.outer_out[end], passage, atoms)

    def _named(self, rectangle: Rectangle, hosts: BitMap, pods: BitMap) -> None:
        """Add what passes to names outside."""
        if not hosts:
            return
        unknown = hosts & self.table.kinds[UnitKind.NAMED]
        for sources, caveats in self._split(rectangle.sources & pods, rectangle.from_address):
            for targets, more in ((hosts - unknown, ()), (unknown, (known.NAME_ADDRESS_UNKNOWN,))):
                if targets:
                    stands = tuple(sorted({*caveats, *more}))
                    self._inner(rectangle, sources, targets, stands)

    def _inner(
        self, rectangle: Rectangle, sources: BitMap, targets: BitMap, stands: tuple[Caveat, ...]
    ) -> None:
        senders, receivers = self._places(sources), self._places(targets)
        passage = self._passage(rectangle, stands)
        shared = senders & receivers
        for end in senders:
            self._add(
                self.rows[end], passage, receivers - BitMap([end]) if end in shared else receivers
            )

    def _split(
        self, units: BitMap, addressed: BitMap
    ) -> Iterator[tuple[BitMap, tuple[Caveat, ...]]]:
        """Split units by what an edge stands on, as a rule matches some by their address only."""
        if not units.intersect(addressed):
            if units:
                yield units, ()
            return
        pods = self.table.kinds[UnitKind.POD]
        here = units & addressed
        for part, caveats in (
            (units - addressed, ()),
            (here - pods, (known.CNI_IPBLOCK_NODE,)),
            ((here & pods) - self.unplaced, (known.CNI_IPBLOCK_POD,)),
            (here & self.unplaced, (known.CNI_IPBLOCK_POD, known.POD_ADDRESS_UNKNOWN)),
        ):
            if part:
                yield part, caveats

    def _add(self, row: Row, passage: Passage, members: BitMap) -> None:
        """Add destinations to a row, joining with what already passes to some of them."""
        left = members
        covered = self._covered.setdefault(id(row), BitMap())
        known = list(row.items()) if covered.intersect(members) else ()
        covered |= members
        for other, held in known:
            if other == passage:
                continue
            both = held & left
            if both:
                # What a join before added to `other` is in the row, not in `held`.
                row[other] = row[other] - both
                if not row[other]:
                    del row[other]
                joined = passage.join(other)
                row[joined] = row.get(joined, BitMap()) | both
                left = left - both
        if left:
            row[passage] = row.get(passage, BitMap()) | left

    def _among_replicas(self) -> None:
        """Find what passes between different pods of one workload."""
        place = {ref: number for number, ref in enumerate(self.ends)}
        for workload, indices in self.table.by_workload.items():
            ref = EndRef("workload", workload.namespace, workload.name, workload.kind)
            if ref not in place:
                continue
            units: dict[int, list[int]] = defaultdict(list)
            for index in indices:
                if not self.options.pods or self.table.endpoints[index].pod is None:
                    for unit in self.table.by_endpoint[index]:
                        units[unit].append(index)
            found: list[Passage] = []
            for one, ours in units.items():
                for other, theirs in units.items():
                    if self._two_pods(ours, theirs, len(indices)) and self._meet(one, other):
                        outcome = self.engine.outcome(one, other)
                        found.append(Passage.of(outcome))
            passage = reduce(Passage.join, found, Passage(NO_TRAFFIC))
            restricted = any(not unrestricted(p) for p in found)
            if passage and (restricted or self.options.self_edges):
                self.itself[place[ref]] = passage

    def _two_pods(self, ours: list[int], theirs: list[int], pods: int) -> bool:
        """Whether two groups hold two different pods. A template stands for many."""
        if pods == 1 or len(ours) > 1 or ours != theirs:
            return True
        return self.table.endpoints[ours[0]].pod is None

    def _meet(self, one: int, other: int) -> bool:
        """Whether two units have an address family in common."""
        families = {self.table.units[one].family, self.table.units[other].family} - {0}
        return len(families) <= 1

    def _places(self, units: BitMap) -> BitMap:
        key = units.serialize()
        found = self._refs.get(key)
        if found is None:
            found = BitMap([place for unit in units for place in self.of_unit[unit]])
            self._refs[key] = found
        return found

    def _passage(self, rectangle: Rectangle, more: tuple[Caveat, ...] = ()) -> Passage:
        key = (rectangle.outcome, rectangle.caveats, more)
        found = self._passages.get(key)
        if found is None:
            caveats = (*rectangle.caveats, *more)
            found = self._passages[key] = Passage.of(rectangle.outcome, caveats)
        return found

    def _own_nodes(self) -> None:
        """Make what is said of pods and nodes true of which node it is; see `beside`."""
        members: tuple[dict[int, set[Standing]], dict[int, set[Standing]]]
        members = defaultdict(set), defaultdict(set)
        places = {ref: place for place, ref in enumerate(self.ends)}
        for index, endpoint in enumerate(self.table.endpoints):
            ref = ref_of(endpoint, self.options)
            if ref is not None:
                for unit in self.table.by_endpoint[index]:
                    on_host = self.table.units[unit].kind is UnitKind.HOST
                    members[on_host][places[ref]].add((unit, endpoint.shape.node))
        for name, units in self.table.by_node.items():
            members[True][places[EndRef("node", name=name)]] |= {(unit, name) for unit in units}
        pods, hosts = ({p: frozenset(held) for p, held in each.items()} for each in members)
        Beside(self.engine, pods, hosts, self.rows, self._add).settle()
        self._among_hosts(hosts.values())

    def _among_hosts(self, hosts: Iterable[Stands]) -> None:
        """Add what those exchange that share the network of a node, where policies govern them."""
        sharing: dict[str, dict[int, None]] = defaultdict(dict)
        for unit, node in sorted(each for stands in hosts for each in stands if each[1]):
            if node is not None and unit in self.engine.governed:
                sharing[node][unit] = None
        for beside in sharing.values():
            for one, other in combinations(beside, 2):
                self._relate(one, other)

    def _relate(self, one: int, other: int) -> None:
        """Add what passes between two that share the network of a node."""
        if not self._meet(one, other):
            return
        for source, target in ((one, other), (other, one)):
            passage = Passage.of(self.engine.outcome(source, target, ON_ONE_NODE, ON_ONE_NODE))
            if passage:
                for end in self.of_unit[source]:
                    others = BitMap(self.of_unit[target]) - BitMap([end])
                    if others:
                        self._add(self.rows[end], passage, others)

    def _settle(self) -> None:
        """Turn atoms into address sets, and drop what is not to be shown."""
        for rows, addresses in ((self.outer_out, self.outward), (self.outer_in, self.inward)):
            for end, row in rows.items():
                addresses[end] = {p: self._addresses(atoms) for p, atoms in row.items()}
        if self.hosts and not self.options.hosts:
            self._leave_out_names()

    def _leave_out_names(self) -> None:
        """Leave names out where the same passes to every address outside, whatever its name."""
        names = BitMap(i for i, end in enumerate(self.ends) if end.kind == "external-name")
        for end, held in self.outward.items():
            if len(held) != 1:
                continue
            ((passage, addresses),) = held.items()
            if addresses != EVERY_ADDRESS:
                continue
            row = self.rows.get(end, {})
            for each in [p for p in row if p.split == passage.split]:
                row[each] = row[each] - names
                if not row[each]:
                    del row[each]

    def _addresses(self, atoms: BitMap) -> AddressSet:
        """Return the addresses of atoms, one object for all ends with the same: they are large."""
        key = atoms.serialize()
        found = self._blocks.get(key)
        if found is None:
            each = (self.table.units[atom].addresses for atom in atoms)
            found = AddressSet(span for where in each if where for span in where.spans)
            self._blocks[key] = found
        return found


def standing_caveats(engine: Engine) -> Iterator[Caveat]:
    """Yield what holds of the whole map, whoever its ends are."""
    profile = engine.profile
    if not profile.enforces and engine.policies.policies:
        yield known.CNI_NOT_ENFORCING
    isolating = [p for p in engine.ordered if p.isolates and p.opaque is None]
    ends = {tier.name: tier.end_caveat for la in engine.policies.layers for tier in la.tiers}
    beyond = {ends.get(policy.tier) for policy in isolating}
    yield from (caveat for caveat in beyond if caveat is not None)
    if any(isinstance(match, BlockMatch | GroupsMatch) for match in _asked(engine)):
        placed = engine.table.units
        pods = engine.table.kinds[UnitKind.POD]
        if any(not placed[u].exact for u in pods):
            yield known.POD_ADDRESS_UNKNOWN
    if engine.table.kinds[UnitKind.HOST] and isolating:
        yield known.HOSTNETWORK
    if any(endpoint.pending for endpoint in engine.table.endpoints):
        yield known.POD_PENDING
    if _labels_unread(engine):
        yield known.NAMESPACE_LABELS_UNKNOWN
    for policy in engine.ordered:
        if policy.opaque is not None:
            yield policy.opaque.caveat


def outside_caveats(engine: Engine) -> Iterator[Caveat]:
    """Yield what holds, besides, of all that is said of what is outside."""
    if not all(map(engine.binder.matcher.book.knows, engine.mentioned)):
        yield known.NAME_NOT_RESOLVED


def _labels_unread(engine: Engine) -> bool:
    """Whether rules ask for labels of namespaces, and there is a namespace nobody read."""
    if all(home.span is not None for home in engine.world.namespaces.values()):
        return False
    asked = (
        match.namespaces.keys
        for match in _asked(engine)
        if isinstance(match, PodsMatch) and match.namespace is None
    )
    return any(keys - {NAMESPACE_NAME_LABEL} for keys in asked)


def _asked(engine: Engine) -> Iterator[PeerMatch]:
    """Iterate over everything that rules ask of an end."""
    for policy in engine.ordered:
        for rule in policy.rules:
            for match in (*(peer.match for peer in rule.peers), *(rule.subjects or ())):
                yield from plain_matches(match)
