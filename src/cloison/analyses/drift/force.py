"""D8: enforcement that is not in force: flows that policy denies and that got through all the same.

What nodes send is left out: a pod's own node gets through whatever policies say, and records do not
tell whose node it is. Only new connections are held against policies, as what is established may
outlive them; and only those from after the policies became what they are. Where records do not show
which are new, those that go on without a silence are a suspicion.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from cloison.algebra.bitmaps import BitMap
from cloison.analyses.drift.edge import Edge
from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.nobody import enforced
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import FAST
from cloison.analyses.ends import PodsEnd, SomeNodeEnd
from cloison.analyses.past.begun import NOT_TOLD, Begun, new
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.link import LinkKey
from cloison.analyses.replay import Batch, columns, replay
from cloison.analyses.replay import Code as Told
from cloison.base import Severity
from cloison.base.words import plural
from cloison.engine import Engine
from cloison.ir.policy import Action, Direction, Mode
from cloison.resources.world import WorkloadId

_UNKNOWN_CHANGE: Final = (
    "it got through before policies became what they are, for all that is known: an audit log in "
    "the store would tell when that was"
)
_OLDER: Final = "its connections go on from before policies became what they are, by its records"
_GOES_ON: Final = (
    "no record shows a connection that is surely newer than the policies, as it never fell silent: "
    "what is established outlives a change of policies"
)
_NOBODY_SAYS: Final = (
    "nobody says since when policies are what they are: compare with what they were (--against); "
    "with --state, that is known of what comes after its first run"
)


def force(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each policy that is not enforced, and each flow that shows it."""
    yield from _off(scene)
    yield from _audited(scene)
    if scene.engine.profile.enforces:
        yield from _contradicted(scene)


def _off(scene: Scene) -> Iterator[Sign]:
    told = [p for p in scene.engine.policies.policies if p.mode is Mode.ENFORCED and p.stated]
    if scene.agents.off is None or not told:
        return
    yield Sign(
        key=Key(Code.NOT_ENFORCED, "cluster", "plugin"),
        severity=Severity.ERROR,
        message=f"nobody enforces policies here: {scene.agents.off}",
        help="install an agent that enforces, or switch it on; `cloison cni` says what was found",
        evidence=(Evidence(f"{len(told)} policies do nothing"),),
        atom=Atom(told[0].id.said, told[0].span),
        remove=Step("switch enforcement on"),
    )


def _audited(scene: Scene) -> Iterator[Sign]:
    policies = [p for p in scene.engine.ordered if p.stated and p.isolates]
    for tier in (t for layer in scene.engine.policies.layers for t in layer.tiers):
        held = [p for p in policies if p.tier == tier.name]
        if held and tier.end is Action.ALLOW and tier.passed_caveat is not None:
            yield Sign(
                key=Key(Code.NOT_ENFORCED, "cluster", f"audit of {tier.name}"),
                severity=Severity.ERROR,
                message="policies are audited only: what they deny gets through",
                help="switch audit mode off, or say until when it is to be on",
                evidence=(Evidence(tier.passed_caveat.text.rstrip(".")),),
                atom=Atom(held[0].id.said, held[0].span),
                remove=Step("switch audit mode off"),
            )
    for policy in scene.engine.policies.policies:
        if policy.mode is Mode.AUDIT and policy.stated:
            yield Sign(
                key=Key(Code.NOT_ENFORCED, f"{policy.id.kind}/{policy.id}", "audit"),
                severity=Severity.ERROR,
                message=f"{policy.id.said} is audited only: what it denies gets through",
                help="switch audit mode off, or say until when it is to be on",
                atom=Atom(policy.id.said, policy.span),
                namespaces=(policy.id.namespace,) if policy.id.namespace else (),
                remove=Step("switch audit mode off"),
            )


def _contradicted(scene: Scene) -> Iterator[Sign]:
    passed = [e for e in scene.edges if e.allowed.hours]
    wanted = [e for e in passed if not any(isinstance(end, SomeNodeEnd) for end in e.ends)]
    denied = _denied(scene, scene.engine, wanted)
    before = frozenset[int]()
    if scene.before is not None:
        before = frozenset(map(id, _denied(scene, scene.before.engine, denied)))
    since = _since(scene)
    made = _Made(scene)
    held: list[tuple[Edge, int | None, str | None]] = []
    unknown = 0
    for edge in denied:
        always = scene.before is not None and id(edge) in before
        known = None if always else since
        created = None if always else made.since(edge)
        from_ = max((each for each in (known, created) if each is not None), default=None)
        if not always and known is None and scene.before is not None:
            unknown += 1
            continue
        if from_ is not None and edge.allowed.hours[-1] < from_:
            unknown += 1
            continue
        # That nothing was created since does not say that nothing was changed.
        sure = always or known is not None
        held.append((edge, from_, None if sure else _NOBODY_SAYS))
    scene.skip(Code.NOT_ENFORCED, _UNKNOWN_CHANGE, unknown)
    yield from _newer(scene, held)


def _newer(scene: Scene, held: Sequence[tuple[Edge, int | None, str | None]]) -> Iterator[Sign]:
    """Yield a sign for each edge with connections that are newer than the policies, or may be."""
    # To tell which are new takes reading the flows themselves: not for what is only suspected.
    asked = [(edge, since) for edge, since, doubt in held if doubt is None]
    begun: Mapping[LinkKey, Begun] = {}
    if asked:
        first = min(e.allowed.hours[0] if since is None else since for e, since in asked)
        begun = scene.begun([edge for edge, _ in asked], first)
    older = 0
    for edge, since, doubt in held:
        told = [begun.get(link.key, NOT_TOLD) for link in edge.links]
        found = new(edge.allowed.hours, since, told, scene.watch)
        if found.surely:
            yield _sign(scene, edge, found.surely, doubt)
        elif found.maybe:
            yield _sign(scene, edge, found.maybe, doubt or _GOES_ON)
        else:
            older += 1
    scene.skip(Code.NOT_ENFORCED, _OLDER, older)


def _since(scene: Scene) -> int | None:
    """Return the hour from which on policies are known to be what they are now."""
    return scene.memory.since if scene.changed is None else scene.changed


class _Made:
    """Tells since when the policies that restrict an edge can have denied it, as far as known.

    When a policy was created says nothing of what was changed of it since, and what was deleted
    since nobody knows: it is a lower bound, and no more.

    Args:
        scene: The policies, and when servers say that they were created.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._known: dict[tuple[WorkloadId, Direction], int | None] = {}

    def since(self, edge: Edge) -> int | None:
        """Return the first hour after they were created; None where nobody says."""
        if not self._scene.made:
            return None
        ways = zip(edge.ends, (Direction.EGRESS, Direction.INGRESS), strict=True)
        times = [self._at(end.workload.id, way) for end, way in ways if isinstance(end, PodsEnd)]
        return max((each for each in times if each is not None), default=None)

    def _at(self, name: WorkloadId, way: Direction) -> int | None:
        if (name, way) not in self._known:
            self._known[name, way] = self._found(name, way)
        return self._known[name, way]

    def _found(self, name: WorkloadId, way: Direction) -> int | None:
        engine, made = self._scene.engine, self._scene.made
        table = engine.table
        units = BitMap(u for at in table.by_workload.get(name, ()) for u in table.by_endpoint[at])
        policies = [
            each
            for each in enforced(engine)
            if (way in each.isolates or each.rules_for(way)) and engine.binder.subject(each) & units
        ]
        times = [made[each.id] for each in policies if each.id in made]
        if all(rule.action is Action.ALLOW for each in policies for rule in each.rules_for(way)):
            # The first of them denied whatever none of them allows.
            times = [min(times)] if times and len(times) == len(policies) else []
        if not times:
            return None
        return (max(times) + 2 * self._scene.bounds.propagation) // HOUR + 1


def _denied(scene: Scene, engine: Engine, edges: Sequence[Edge]) -> list[Edge]:
    """Return the edges of which an engine denies all that was seen."""
    asked = [(edge, scene.question(edge)) for edge in edges]
    known = [(edge, question) for edge, question in asked if question is not None]
    if not known:
        return []
    ends = [end for _, q in known for end in (q.source, q.destination)]
    traffics = [q.traffic for _, q in known]
    batch = Batch(
        ends,
        traffics,
        *columns([(2 * at, 2 * at + 1, at) for at in range(len(known))]),
    )
    codes = replay(engine, batch)
    return [edge for (edge, _), code in zip(known, codes, strict=True) if code == Told.DENIED]


def _sign(scene: Scene, edge: Edge, hours: Collection[int], doubt: str | None) -> Sign:
    kept = frozenset(hours)
    course = Course.of((h, n) for h, n in edge.allowed.rows() if h in kept)
    times = plural(course.total, "connection")
    return Sign(
        key=Key(Code.NOT_ENFORCED, edge.source, edge.destination, edge.protocol, edge.port_text),
        severity=Severity.ERROR,
        message=f"{edge.text} gets through, and policy denies it",
        help="look at the agent of the node where it arrives: it may not run, may not know the "
        "policy yet, or may have been told not to enforce it",
        workloads=edge.inside,
        course=course,
        pace=FAST,
        evidence=(Evidence(f"{times} got through ({', '.join(edge.adapters)})"),),
        asked=scene.question(edge),
        brief=edge.text,
        namespaces=edge.namespaces,
        meant=edge.meant,
        remove=Step("see that the policy is enforced where it arrives"),
        doubt=doubt,
    )
