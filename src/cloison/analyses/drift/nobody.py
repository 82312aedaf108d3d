"""D5: policies that select nobody, and peers that match nobody.

Templates of controllers count as pods, so that what is scaled to zero, or runs once a month, is
somebody.
"""

from collections.abc import Iterator

from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.scene import Scene
from cloison.analyses.miss import match_text
from cloison.base import Severity
from cloison.engine import Engine
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Action, Mode, Policy, Rule
from cloison.platform.components import Role, known


def nobody(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each policy and each peer by labels that matches nobody."""
    for policy in enforced(scene.engine):
        if not policy.nodes and policy.subjects and not scene.engine.binder.subject(policy):
            if not _empty(scene, policy):
                yield _policy(policy)
            continue
        for rule in policy.rules:
            if rule.action is Action.ALLOW:
                yield from _peers(scene, policy, rule)


def enforced(engine: Engine) -> Iterator[Policy]:
    """Yield the policies that take part and that an object states."""
    for policy in engine.policies.policies:
        if policy.mode is Mode.ENFORCED and policy.stated and policy.opaque is None:
            yield policy


def _empty(scene: Scene, policy: Policy) -> bool:
    """Return whether a policy is for everybody of namespaces that are empty so far, or hosts."""
    if all(not match.pods for match in policy.subjects):
        return True
    return any(
        pod.shape.host_network and match.pods.matches(pod.labels)
        for match in policy.subjects
        for workload in scene.workloads()
        for pod in workload.endpoints
        if match.namespace in (None, workload.id.namespace)
    )


def _policy(policy: Policy) -> Sign:
    match = policy.subjects[0]
    return Sign(
        key=Key(Code.SELECTS_NOBODY, f"{policy.id.kind}/{policy.id}"),
        severity=Severity.WARNING,
        message=f"{policy.id.said} selects nobody: no pod or template is {match.pods}",
        help="correct its selector, or remove it",
        evidence=(Evidence("its selector is written here", policy.subject_span or policy.span),),
        atom=Atom(policy.id.said, policy.subject_span or policy.span),
        namespaces=(policy.id.namespace,) if policy.id.namespace else (),
        allow=Step("correct its selector"),
        remove=Step(f"remove {policy.id.said}"),
    )


def _peers(scene: Scene, policy: Policy, rule: Rule) -> Iterator[Sign]:
    for peer in rule.peers:
        match = peer.match
        if not isinstance(match, PodsMatch) or scene.engine.binder.peer(peer).possible:
            continue
        if _waits(match) or _unread(scene, match):
            continue
        said = match_text(match, policy)
        yield Sign(
            key=Key(
                Code.SELECTS_NOBODY,
                f"{policy.id.kind}/{policy.id}",
                f"{rule.direction} {said}",
                "",
                str(rule.traffic.must),
            ),
            severity=Severity.INFO,
            message=f"{rule.label} of {policy.id.said} is for {said}: there is nobody like that",
            help="correct the selector, or remove the peer",
            atom=Atom(f"{policy.id.said} {rule.label}", peer.span or rule.span or policy.span),
            namespaces=(policy.id.namespace,) if policy.id.namespace else (),
            allow=Step("correct the selector"),
            remove=Step("remove the peer, and the rule where it was the only one"),
        )


def _waits(match: PodsMatch) -> bool:
    """Return whether a match is of nobody on purpose, or of what a cluster may have in any case."""
    if not match.pods.satisfiable() or not match.namespaces.satisfiable():
        return True
    return bool(match.pods) and any(
        each.role is Role.DNS and each.pod_labels and match.pods.matches(each.pod_labels)
        for each in known()
    )


def _unread(scene: Scene, match: PodsMatch) -> bool:
    """Return whether a match looks into namespaces of which nothing was read, or that are empty."""
    world = scene.engine.world
    if match.namespace is not None:
        homes = {match.namespace} & world.namespaces.keys()
    else:
        spaces = world.namespaces.items()
        homes = {name for name, each in spaces if match.namespaces.matches(each.labels)}
    lived = {each.id.namespace for each in scene.workloads()}
    if not homes:
        # A namespace that is not there at all: where it is named, somebody meant one.
        return match.namespace is not None and match.namespace not in world.namespaces
    held = any(
        pod.shape.host_network and match.pods.matches(pod.labels)
        for workload in scene.workloads()
        for pod in workload.endpoints
        if workload.id.namespace in homes
    )
    return held or not homes & lived
