"""Suspicions about who is selected: selectors that fit nobody, or names that nobody has.

An input is often a part of a cluster. Where the missing part could explain what we see,
we say it as information.
"""

from collections.abc import Callable, Iterator, Sequence

from cloison.algebra import V6_BASE, LabelSelector, Operator
from cloison.base import Diagnostic, Severity, Span
from cloison.base.words import few
from cloison.dialects.adminpolicy.case import Case
from cloison.dialects.adminpolicy.seen import Seen
from cloison.dialects.dialect import Surroundings
from cloison.dialects.reading.say import suspect
from cloison.ir.groups import named_there
from cloison.ir.peers import BlockMatch, NodesMatch, PodsMatch, plain_matches
from cloison.ir.policy import Action, Direction, Rule
from cloison.resources.objects import NAMESPACE_NAME_LABEL

_SELECTORS = "Kubernetes docs, Labels and Selectors"
_OTHER = {4: "::/0", 6: "0.0.0.0/0"}
_NETWORKS = "kubernetes-sigs/network-policy-api npeps/npep-126-egress-traffic-control.md"


def _selects_nobody(cases: Sequence[Case], around: Surroundings) -> Iterator[Diagnostic]:
    """A subject that fits no pod of the input."""
    seen = Seen(around.world)
    for case in cases:
        subjects = case.meaning.subjects
        if not all(s.pods.satisfiable() and s.namespaces.satisfiable() for s in subjects):
            continue
        if seen.peers(subjects).pods or any(_absent(s.namespaces, around) for s in subjects):
            continue
        (subject,) = subjects
        yield suspect(
            "ADS003",
            case.policy,
            case.meaning.subject_span,
            f"the subject ({_text(subject)}) matches no pod of the input",
            effect="the policy does nothing, for the pods that are known",
            help_="compare the selectors with the labels of the namespaces and pods it is for",
            source=_SELECTORS,
        )


def _unknown_namespaces(cases: Sequence[Case], around: Surroundings) -> Iterator[Diagnostic]:
    """A selector that names a namespace the input does not have."""
    for case in cases:
        for what, span, match in _matches(case):
            missing = _absent(match.namespaces, around)
            if missing:
                yield suspect(
                    "ADS008",
                    case.policy,
                    span,
                    f"the {what} names namespaces that the input does not have: {few(missing)}",
                    effect="it matches no pod of theirs until they are there",
                    help_="add the namespaces to the input, or correct their names",
                    source=_SELECTORS,
                    severity=Severity.INFO,
                )


def _peer_matches_nobody(cases: Sequence[Case], around: Surroundings) -> Iterator[Diagnostic]:
    """A peer that fits no pod, where the input would show one."""
    seen = Seen(around.world)
    for case in cases:
        for what, span, match in _matches(case):
            if match in case.meaning.subjects and what == "subject":
                continue
            if not (match.namespaces.satisfiable() and match.pods.satisfiable()):
                continue
            if seen.match(match).pods or _absent(match.namespaces, around):
                continue
            yield suspect(
                "ADS009",
                case.policy,
                span,
                f"the {what} ({_text(match)}) matches no pod of the input",
                effect="this peer matches nobody that is known",
                help_="compare the selectors with the labels of the namespaces and pods",
                source=_SELECTORS,
                severity=Severity.INFO,
            )


def _nodes_match_nobody(cases: Sequence[Case], around: Surroundings) -> Iterator[Diagnostic]:
    """A `nodes` peer that fits no node; most inputs hold none, and then it decides nothing."""
    seen = Seen(around.world)
    for case in cases:
        for rule in case.meaning.rules:
            for peer in rule.peers:
                match = peer.match
                if not isinstance(match, NodesMatch) or not match.nodes.satisfiable():
                    continue
                if seen.match(match).addresses:
                    continue
                there = any(node.addresses for node in around.world.nodes.values())
                why = "it selects none of them" if there else "the input holds no node"
                yield suspect(
                    "ADS013",
                    case.policy,
                    peer.span,
                    f"the `nodes` peer of {rule.label} matches nothing: {why}",
                    effect="in these answers it decides nothing, though in the cluster it may",
                    help_="add the nodes to the input: `kubectl get nodes -o json`",
                    source=_NETWORKS,
                    severity=Severity.INFO,
                )


def _unknown_port_names(cases: Sequence[Case], around: Surroundings) -> Iterator[Diagnostic]:
    """A port name that no pod it is looked up on declares."""
    seen = Seen(around.world)
    declared = {pod.name: {port.name for port in pod.ports} for pod in seen.pods()}
    for case in cases:
        for rule in case.meaning.rules:
            pods = _destinations(case, rule, seen)
            for name in rule.traffic.named:
                if not pods or any(name.name in declared.get(str(pod), ()) for pod in pods):
                    continue
                if named_there(rule, name, around.groups):
                    continue
                yield suspect(
                    "ADS010",
                    case.policy,
                    rule.span,
                    f"no pod that {rule.label} is about declares a port `{name.name}`",
                    effect="the entry matches nothing",
                    help_="name the port in `ports` of the container, or write its number",
                    source="kubernetes-sigs/network-policy-api apis/v1alpha2",
                )


def _one_family(cases: Sequence[Case], around: Surroundings) -> Iterator[Diagnostic]:
    """Denying all of IPv4 leaves IPv6 open."""
    pods = (e for w in around.world.workloads.values() for e in w.endpoints)
    if not any(point >= V6_BASE for pod in pods for point in pod.addresses):
        return
    for case in cases:
        rules = [r for r in case.meaning.rules_for(Direction.EGRESS) if r.action is Action.DENY]
        blocks = [
            (rule, peer, peer.match)
            for rule in rules
            for peer in rule.peers
            if isinstance(peer.match, BlockMatch) and peer.match.whole
        ]
        families = {block.family for _, _, block in blocks}
        if len(families) != 1:
            continue
        rule, peer, block = blocks[0]
        other = _OTHER[block.family]
        yield suspect(
            "ADS011",
            case.policy,
            peer.span,
            f"{rule.label} denies {block.cidr} and nothing denies {other}, "
            "though pods have addresses of both families",
            effect="what goes to addresses of the other family is not denied",
            help_=f"add `{other}` to `networks`",
            source=_NETWORKS,
        )


WORLD_CHECKS: tuple[Callable[[Sequence[Case], Surroundings], Iterator[Diagnostic]], ...] = (
    _selects_nobody,
    _unknown_namespaces,
    _peer_matches_nobody,
    _nodes_match_nobody,
    _unknown_port_names,
    _one_family,
)


def _matches(case: Case) -> Iterator[tuple[str, Span | None, PodsMatch]]:
    """Iterate over the pods that a policy and its rules select, with what people call the place."""
    for subject in case.meaning.subjects:
        yield "subject", case.meaning.subject_span, subject
    for rule in case.meaning.rules:
        for peer in rule.peers:
            for match in plain_matches(peer.match):
                if isinstance(match, PodsMatch):
                    yield f"peer of {rule.label}", peer.span, match


def _destinations(case: Case, rule: Rule, seen: Seen) -> frozenset[object]:
    """Return the pods on which a rule looks port names up."""
    if rule.direction is Direction.INGRESS:
        return seen.peers(case.meaning.subjects).pods
    return seen.rule(rule).pods


def _absent(selector: LabelSelector, around: Surroundings) -> list[str]:
    """Return the namespaces that a selector asks for by name and the input does not have."""
    return [
        value
        for asked in selector.requirements
        if asked.key == NAMESPACE_NAME_LABEL and asked.operator is Operator.IN
        for value in asked.values
        if value not in around.world.namespaces
    ]


def _text(match: PodsMatch) -> str:
    where = f"namespaces {match.namespaces}" if match.namespaces else "every namespace"
    return f"pods {match.pods} in {where}" if match.pods else f"every pod in {where}"
