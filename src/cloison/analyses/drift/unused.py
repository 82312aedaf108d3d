"""D1: what rules allow and nobody uses any more: policy, direction, peer and port by port.

A rule that lets a connection through counts as used by it, whichever other rule does so too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

from cloison.algebra import ANY, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap, union
from cloison.analyses.drift.edge import Edge
from cloison.analyses.drift.expired import EXPIRES, last_day
from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.nobody import enforced
from cloison.analyses.drift.scene import Scene
from cloison.analyses.ends import AddressEnd, End, NameEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.miss import match_text
from cloison.analyses.past.course import Course
from cloison.analyses.recommend.runs import runs
from cloison.analyses.reconcile.seen import Outside
from cloison.base import Severity
from cloison.base.words import plural
from cloison.engine import Engine, UnitKind
from cloison.ir.peers import AnyMatch, NamesMatch, RelativeMatch, UnknownMatch, plain_matches
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule
from cloison.resources.world import PodEndpoint, WorkloadId

_JOBS: Final = ("CronJob", "Job")
_INTERVALS: Final = 3
"""Longest intervals that have to pass without use."""
_RUNS: Final = 2
"""Runs of a Job that have to pass without use."""
_DAY: Final = 24
BREAK_GLASS: Final = "break-glass"
"""The annotation that says that a policy is for emergencies."""


@dataclass(frozen=True)
class RuleAtom:
    """A rule's part for one peer and one port.

    Args:
        policy: Whose rule.
        rule: The rule.
        peer: The peer.
        port: What of it, as people write it.
        traffic: That as a set.
        subjects: Units that it is about.
        peers: Units that the peer matches.
    """

    policy: Policy
    rule: Rule
    peer: Peer
    port: str
    traffic: TrafficSet
    subjects: BitMap = field(compare=False)
    peers: BitMap = field(compare=False)

    @property
    def key(self) -> Key:
        """What it is known by, wherever it stands among the rules."""
        word = "from" if self.rule.direction is Direction.INGRESS else "to"
        peer = f"{self.rule.direction} {word} {match_text(self.peer.match, self.policy)}"
        return Key(Code.UNUSED, f"{self.policy.id.kind}/{self.policy.id}", peer, "", self.port)


def unused(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each part of a rule by which nothing passes any more."""
    if not scene.watch:
        scene.skip(Code.UNUSED, "there are no flows", 1, "run")
        return
    everything = list(atoms(scene.engine))
    uses, beside = _Uses(scene), _Beside(everything)
    glass = dated = 0
    for atom in everything:
        if scene.annotation(atom.policy, BREAK_GLASS) is not None:
            glass += 1
            continue
        day = last_day(scene, atom.policy)
        if day is not None and day >= scene.today:
            dated += 1
            continue
        sign = _judged(scene, atom, uses, beside)
        if sign is not None:
            yield sign
    scene.skip(Code.UNUSED, "its policy is for emergencies (break-glass)", glass, "rule")
    # Somebody said until when it is needed, however seldom; that it is over is told as expired.
    scene.skip(Code.UNUSED, f"its policy says its last day ({EXPIRES})", dated, "rule")


def atoms(engine: Engine) -> Iterator[RuleAtom]:
    """Yield the parts of rules that allow something to somebody.

    Peers by relation (a pod's own node) and peers that nobody resolves are left out, and so are
    those that match nobody: another check tells of them.
    """
    for policy in enforced(engine):
        subjects = engine.binder.subject(policy)
        for rule in policy.rules:
            if rule.action is not Action.ALLOW or not subjects:
                continue
            for peer in rule.peers:
                plain = tuple(plain_matches(peer.match))
                if any(isinstance(m, RelativeMatch | UnknownMatch) for m in plain):
                    continue
                peers = engine.binder.peer(peer).possible
                if not peers and not any(isinstance(m, NamesMatch) for m in plain):
                    continue
                for port, traffic in _ports(engine, policy, rule):
                    yield RuleAtom(policy, rule, peer, port, traffic, subjects, peers)


def _ports(engine: Engine, policy: Policy, rule: Rule) -> Iterator[tuple[str, TrafficSet]]:
    """Yield a rule's ports one by one, those that are named by what they stand for here."""
    said = rule.traffic.must | rule.traffic.may
    if said == ANY or len(list(said.entries())) > _FEW:
        yield str(said), said
    else:
        for entry in said.entries():
            if entry.protocol in _PORTED and entry.low is not None:
                part = TrafficSet.ports(entry.protocol, entry.low, entry.high)
                yield str(part), part
            else:
                part = said & TrafficSet.protocol(entry.protocol)
                yield str(part), part
    for named in rule.traffic.named:
        found = TrafficSet()
        for pod in _declaring(engine, policy, rule):
            for port in pod.ports:
                if port.name == named.name and named.protocol in (None, port.protocol):
                    found |= TrafficSet.ports(port.protocol, *port.span)
        if found:
            yield f"{named.name} ({found})", found


_FEW: Final = 16
_PORTED: Final = ("TCP", "UDP", "SCTP")


def _declaring(engine: Engine, policy: Policy, rule: Rule) -> Iterator[PodEndpoint]:
    """Yield the pods on which a rule's port names are looked up."""
    units = engine.binder.subject(policy)
    if rule.direction is Direction.EGRESS:
        units = engine.binder.peers(rule.peers).possible
    table = engine.table
    for unit in units:
        for index in table.units[unit].endpoints:
            yield table.endpoints[index]


class _Uses:
    """What was seen, by the units of its ends; lives for one answer."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.seen = [edge for edge in scene.edges if edge.allowed]
        self._by_source = self._indexed(source=True)
        self._by_destination = self._indexed(source=False)
        self.heard: frozenset[WorkloadId] = frozenset(
            name for edge in scene.edges for name in edge.inside
        )
        active: dict[WorkloadId, set[int]] = {}
        for edge in scene.edges:
            for name in edge.inside:
                course = Course.together((edge.allowed, edge.denied))
                active.setdefault(name, set()).update(course.hours)
        self.runs = active

    def _units(self, end: End | Outside) -> BitMap:
        engine = self.scene.engine
        table = engine.table
        if isinstance(end, PodsEnd):
            return BitMap([unit for index in end.endpoints for unit in table.by_endpoint[index]])
        if isinstance(end, SomeNodeEnd):
            return table.kinds[UnitKind.HOST]
        address = end.address if isinstance(end, Outside) else end
        if isinstance(address, AddressEnd):
            return self.outside(address.addresses)
        return BitMap()

    def outside(self, addresses: AddressSet) -> BitMap:
        """Return the units of addresses."""
        return self.scene.engine.table.external_range(addresses)

    def _indexed(self, *, source: bool) -> dict[int, BitMap]:
        """Return the places of edges by the units of their sources, or destinations."""
        found: dict[int, BitMap] = defaultdict(BitMap)
        for place, edge in enumerate(self.seen):
            for link in edge.links:
                for unit in self._units(link.source if source else link.destination):
                    found[unit].add(place)
        return found

    def of(self, atom: RuleAtom) -> list[Edge]:
        """Return the edges that an atom lets through."""
        egress = atom.rule.direction is Direction.EGRESS
        here, there = self._by_source, self._by_destination
        if not egress:
            here, there = there, here
        mine, theirs = _at(here, atom.subjects), _at(there, atom.peers)
        return [
            edge
            for place in mine
            if (edge := self.seen[place]).links[0].traffic & atom.traffic
            and (place in theirs or (egress and self._named(atom, edge)))
        ]

    def wanted(self, atom: RuleAtom) -> list[str]:
        """Return the entries of the contract that want some of what an atom allows."""
        egress = atom.rule.direction is Direction.EGRESS
        found = set()
        for name, traffic, source, destination in self._meant:
            here, there = (source, destination) if egress else (destination, source)
            if traffic & atom.traffic and here & atom.subjects and there & atom.peers:
                found.add(name)
        return sorted(found)

    @cached_property
    def _meant(self) -> list[tuple[str, TrafficSet, BitMap, BitMap]]:
        return [
            (one.because.name, one.traffic, self._units(one.source), self._units(one.destination))
            for one in self.scene.wanted
            if not one.because.implied
        ]

    def _named(self, atom: RuleAtom, edge: Edge) -> bool:
        names = [
            name.name.text.removeprefix("dns:")
            for link in edge.links
            if isinstance(name := link.destination, Outside) and isinstance(name.name, NameEnd)
        ]
        matches = (m for m in plain_matches(atom.peer.match) if isinstance(m, NamesMatch))
        return any(match.covers(name) for match in matches for name in names)

    def last_runs(self, names: Iterable[WorkloadId], after: int) -> int:
        """Return how often each of some Jobs ran after an hour, the least of them."""
        world, watched = self.scene.engine.world, self.scene.watch.hours
        return min(
            runs(world.workloads[name], self._since(name, after), watched).seen for name in names
        )

    def _since(self, name: WorkloadId, after: int) -> set[int]:
        return {hour for hour in self.runs.get(name, ()) if hour > after}


def _at(found: Mapping[int, BitMap], units: BitMap) -> BitMap:
    """Return the places of all edges that some units have a part in."""
    if len(units) < len(found):
        return union(found[unit] for unit in units if unit in found)
    return union(places for unit, places in found.items() if unit in units)


def _judged(scene: Scene, atom: RuleAtom, uses: _Uses, beside: "_Beside") -> Sign | None:
    windows = scene.windows
    edges = uses.of(atom)
    course = Course.together(edge.allowed for edge in edges)
    if course.undated and not course.hours:
        scene.skip(Code.UNUSED, "nobody says when it was used", 1, "rule")
        return None
    began = windows.covered[0] if windows.covered else scene.watch.hours[0]
    last = course.hours[-1] if course.hours else began - 1
    gaps = [windows.between(a, b) for a, b in pairwise(course.hours)]
    # What was used has shown how often it is; of what never was, nobody knows.
    least = scene.bounds.stopped if course.hours else scene.bounds.unused
    wanted = max([least, *(_INTERVALS * gap for gap in gaps)])
    quiet = windows.between(last + 1, windows.end)
    if quiet <= wanted:
        return None
    names = _workloads(scene.engine, atom)
    if not set(names) & uses.heard:
        scene.skip(Code.UNUSED, "no source tells of the pods it is about", 1, "rule")
        return None
    jobs = _jobs(scene.engine, atom)
    if jobs and uses.last_runs(jobs, last) < _RUNS:
        scene.skip(Code.UNUSED, "a Job it is for has not run twice since", 1, "rule")
        return None
    used = (
        f"last used {quiet // _DAY} covered days ago"
        if course.hours
        else (f"never used in {quiet // _DAY} covered days")
    )
    others = beside.covering(atom)
    evidence = [Evidence(used, atom.peer.span or atom.rule.span)]
    if edges:
        evidence.append(Evidence(f"{plural(course.total, 'connection')} before that"))
    if others:
        evidence.append(Evidence(f"redundant with {others[0]}"))
    name = f"{atom.policy.id.said} {atom.rule.label}"
    word = "from" if atom.rule.direction is Direction.INGRESS else "to"
    peer = match_text(atom.peer.match, atom.policy)
    entries = ", ".join(uses.wanted(atom))
    if entries:
        evidence.append(Evidence(f"the contract wants it: {entries}"))
    settled = "take it out, or say what it is for: annotate its policy as break-glass, or accept it"
    asked = "ask who owns it whether it is still needed: the contract wants it"
    out = f"take this peer and port out of {name}: {word} {peer} on {atom.port}"
    return Sign(
        key=atom.key,
        severity=Severity.INFO,
        message=f"{name} allows {word} {peer} on {atom.port}, {used}",
        help=asked if entries else settled,
        workloads=names,
        brief=f"{word} {peer} on {atom.port}",
        evidence=tuple(evidence),
        atom=Atom(name, atom.peer.span or atom.rule.span or atom.policy.span),
        namespaces=(atom.policy.id.namespace,) if atom.policy.id.namespace else (),
        group=(atom.policy.id.said,),
        allow=Step(f"keep it: annotate {atom.policy.id.said} with {scene.prefix}/{BREAK_GLASS}"),
        remove=Step(f"take {entries} out of the contract, and {out}" if entries else out),
    )


def _workloads(engine: Engine, atom: RuleAtom, *, both: bool = False) -> tuple[WorkloadId, ...]:
    units = atom.subjects | atom.peers if both else atom.subjects
    table = engine.table
    if both and any(isinstance(m, AnyMatch) for m in plain_matches(atom.peer.match)):
        units = atom.subjects
    found = {table.endpoints[i].workload for unit in units for i in table.units[unit].endpoints}
    return tuple(sorted(found))


def _jobs(engine: Engine, atom: RuleAtom) -> frozenset[WorkloadId]:
    """Return the Jobs that a rule is for, or for calling: those that are to run again.

    One that is suspended among others is not waited for.
    """
    world = engine.world
    named = _workloads(engine, atom, both=True)
    found = [n for n in named if n.kind in _JOBS]
    if len(found) < len(named):
        schedules = {n: world.workloads[n].schedule for n in found}
        found = [n for n in found if (said := schedules[n]) is None or not said.suspended]
    return frozenset(found)


class _Beside:
    """All parts of rules, to be found by what they are about; lives for one answer."""

    def __init__(self, everything: Iterable[RuleAtom]) -> None:
        self._about: dict[tuple[Direction, int], list[RuleAtom]] = defaultdict(list)
        for atom in everything:
            for unit in atom.subjects:
                self._about[atom.rule.direction, unit].append(atom)

    def covering(self, atom: RuleAtom) -> list[str]:
        """Return the other rules that allow all that an atom allows."""
        # Whatever covers it is about each of its subjects, so that one is enough to look at.
        first = min(atom.subjects)
        return [
            f"{other.policy.id.said} {other.rule.label}"
            for other in self._about[atom.rule.direction, first]
            if other.rule is not atom.rule
            and atom.subjects <= other.subjects
            and atom.peers <= other.peers
            and atom.traffic <= other.traffic
        ]
