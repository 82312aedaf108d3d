"""D-DEAD: rules none of whose peers is anybody, and whose traffic nobody else gets through.

A peer beside others that matches nobody does no harm, and rules that are to fit several clusters
have such ones. Where nobody gets through at all, the rule is not what it is there for. Who looks
meant, and who cannot do without, earlier checks say: this one comes after their changes.
"""

from collections.abc import Iterator

from cloison.algebra import L4
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.deadblocks import dead_blocks
from cloison.analyses.doctor.finding import Finding, Mode
from cloison.analyses.doctor.nobody import to_come
from cloison.analyses.doctor.served import enforced, subjects_of
from cloison.analyses.miss import match_text
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.platform.component import Role
from cloison.platform.components import known

_SOURCE = "kubernetes/website services-networking/network-policies.md"
_SYSTEM = "kube-system"
_NAME = "kubernetes.io/metadata.name"


def dead(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each rule that lets nobody through, as far as the input shows."""
    for policy in enforced(clinic.engine):
        if not clinic.examines(policy.id.namespace):
            continue
        for rule in policy.rules:
            # What has no place was proposed by an earlier check, for somebody whom that knows.
            if rule.action is Action.ALLOW and rule.peers and rule.span is not None:
                yield from _rule(clinic, policy, rule)
                yield from dead_blocks(clinic, policy, rule)


def _rule(clinic: Clinic, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Yield a finding for a rule that lets nobody through.

    Of a namespace that is not in the input nothing is known. That is told where the input looks
    like a whole cluster; whoever reads single manifests knows that more is there.
    """
    engine = clinic.engine
    matches = [peer.match for peer in rule.peers if isinstance(peer.match, PodsMatch)]
    if not matches or len(matches) < len(rule.peers):
        return
    if any(engine.binder.peer(peer).possible for peer in rule.peers):
        return
    subjects = subjects_of(engine, policy)
    if not subjects or any(
        _waits(match) or to_come(clinic, match) or _serves(clinic, match) for match in matches
    ):
        return
    if _served(clinic, policy, rule):
        return
    homes = {name for match in matches for name in _homes(clinic, match)}
    inside = sorted(home for home in homes if clinic.homes.get(home))
    if any(_on_host(clinic, match, home) for match in matches for home in inside):
        return  # they are there, and on the network of their nodes: another matter
    whole = _is_whole(clinic)
    if not inside and not whole:
        return
    said = " and ".join(dict.fromkeys(match_text(match, policy) for match in matches))
    if inside:
        why = f"which matches no pod of {few(inside)}"
    elif homes:
        why = f"and nothing of the input runs in {few(homes)}"
    else:
        why = "and no namespace of the input is such a one"
    word = "from" if rule.direction is Direction.INGRESS else "to"
    yield Finding(
        code="DEA001",
        check="D-DEAD",
        severity=Severity.WARNING if inside and whole else Severity.INFO,
        message=f"{rule.label} of {policy.id} is for {said}, {why}",
        effect=f"the rule lets nothing through {word} anybody that the input shows",
        help="correct the selector, delete the rule, or add to the input whom it is for",
        mode=Mode.NO_EFFECT,
        workload=subjects[0] if len(subjects) == 1 else None,
        object=f"{policy.id.kind} {policy.id}",
        span=rule.span,
        source=_SOURCE,
    )


def _served(clinic: Clinic, policy: Policy, rule: Rule) -> bool:
    """Return whether the traffic of a rule gets through for anybody, by whatever lets it."""
    engine, wanted = clinic.engine, rule.traffic.must or L4
    return any(
        piece.outcome.passing & wanted
        for unit in engine.binder.subject(policy)
        for piece in engine.decision(unit, rule.direction).pieces
    )


def _homes(clinic: Clinic, match: PodsMatch) -> tuple[str, ...]:
    """Return the namespaces of the input that a match looks into."""
    if match.namespace is not None:
        return (match.namespace,)
    spaces = clinic.engine.world.namespaces.items()
    return tuple(name for name, each in spaces if match.namespaces.matches(each.labels))


def _on_host(clinic: Clinic, match: PodsMatch, home: str) -> bool:
    """Return whether a match has the labels of pods on the network of their nodes."""
    if home not in _homes(clinic, match):
        return False
    pods = (pod for each in clinic.homes[home] for pod in each.endpoints)
    return any(pod.shape.host_network and match.pods.matches(pod.labels) for pod in pods)


def _waits(match: PodsMatch) -> bool:
    """Return whether a match is of nobody on purpose, or of a resolver that may come."""
    if not match.pods.satisfiable() or not match.namespaces.satisfiable():
        return True
    return bool(match.pods) and any(
        each.role is Role.DNS and each.pod_labels and match.pods.matches(each.pod_labels)
        for each in known()
    )


def _serves(clinic: Clinic, match: PodsMatch) -> bool:
    """Return whether a match is of who serves an entry, of whom the input holds no pods."""
    for plane in (plane for entry in clinic.site.entries for plane in entry.planes):
        pods = plane.supposed or plane.somewhere
        if pods is None or not match.pods or not match.pods.matches(pods.labels):
            continue
        if not pods.namespace:
            return True
        home = clinic.engine.world.namespaces.get(pods.namespace)
        if match.namespace is not None:
            lives = match.namespace == pods.namespace
        else:
            labels = {_NAME: pods.namespace} if home is None else home.labels
            lives = match.namespaces.matches(labels)
        if lives:
            return True
    return False


def _is_whole(clinic: Clinic) -> bool:
    """Return whether the input looks like all that a cluster holds: its nodes, its system."""
    read = any(node.span is not None for node in clinic.engine.world.nodes.values())
    return read or bool(clinic.homes.get(_SYSTEM))
