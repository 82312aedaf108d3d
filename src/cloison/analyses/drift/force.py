"""D8: enforcement that is not in force: flows that policy denies and that got through all the same.

What nodes send is left out: a pod's own node gets through whatever policies say, and records do not
tell whose node it is. Only new connections are held against policies, as what is established may
outlive them; and only those from after the policies became what they are.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from cloison.analyses.drift.edge import Edge
from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import FAST
from cloison.analyses.ends import SomeNodeEnd
from cloison.analyses.replay import Batch, columns, replay
from cloison.analyses.replay import Code as Told
from cloison.base import Severity
from cloison.base.words import plural
from cloison.engine import Engine
from cloison.ir.policy import Action, Mode

_UNKNOWN_CHANGE: Final = (
    "it got through before policies became what they are, for all that is known: an audit log in "
    "the store would tell when that was"
)
_NOBODY_SAYS: Final = (
    "nobody says since when policies are what they are: compare with what they were (--against), "
    "or remember it (--state)"
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
    unknown = 0
    for edge in denied:
        always = scene.before is not None and id(edge) in before
        from_ = None if always else since
        if not always and (
            edge.allowed.hours[-1] < from_ if from_ is not None else scene.before is not None
        ):
            unknown += 1
            continue
        doubt = None if always or from_ is not None or scene.memory.ran else _NOBODY_SAYS
        yield _sign(scene, edge, from_, doubt)
    scene.skip(Code.NOT_ENFORCED, _UNKNOWN_CHANGE, unknown)


def _since(scene: Scene) -> int | None:
    """Return the hour from which on policies are known to be what they are now."""
    return scene.memory.since if scene.changed is None else scene.changed


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


def _sign(scene: Scene, edge: Edge, since: int | None, doubt: str | None) -> Sign:
    times = plural(edge.allowed.total, "connection")
    return Sign(
        key=Key(Code.NOT_ENFORCED, edge.source, edge.destination, edge.protocol, edge.port_text),
        severity=Severity.ERROR,
        message=f"{edge.text} gets through, and policy denies it",
        help="look at the agent of the node where it arrives: it may not run, may not know the "
        "policy yet, or may have been told not to enforce it",
        workloads=edge.inside,
        course=edge.allowed,
        pace=FAST,
        evidence=(Evidence(f"{times} got through ({', '.join(edge.adapters)})"),),
        asked=scene.question(edge),
        brief=edge.text,
        namespaces=edge.namespaces,
        meant=edge.meant,
        remove=Step("see that the policy is enforced where it arrives"),
        since=since,
        doubt=doubt,
    )
