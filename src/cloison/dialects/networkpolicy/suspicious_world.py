"""Suspicions about who is selected: selectors that fit nobody, or more than they seem to.

An input is often a part of a cluster. Where the missing part could explain what we see,
we say nothing, or say it as information.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from cloison.algebra import LabelSelector, Operator, TrafficSet
from cloison.base import Diagnostic, Severity
from cloison.base.words import few
from cloison.dialects.networkpolicy.case import Case, Item, closest
from cloison.dialects.networkpolicy.known import Known
from cloison.dialects.networkpolicy.suspicious_blocks import BLOCK_CHECKS
from cloison.dialects.reading.say import suspect
from cloison.ir.groups import named_there
from cloison.ir.peers import AnyMatch, BlockMatch, PodsMatch
from cloison.ir.policy import Direction, NamedPort, Rule, TrafficMatch
from cloison.resources.objects import NAMESPACE_NAME_LABEL

_DOCS = "Kubernetes docs, Network Policies"
_PEERS = f"{_DOCS}, Behavior of to and from selectors"
_DNS_PORT = 53
_DNS = TrafficSet.ports("UDP", _DNS_PORT) | TrafficSet.ports("TCP", _DNS_PORT)

WorldCheck = Callable[[Sequence[Case], Known], Iterator[Diagnostic]]


def _selects_nothing(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """A policy whose selector fits no pod of its namespace."""
    for case in cases:
        (subject,) = case.meaning.subjects
        if not subject.pods or not subject.pods.satisfiable() or known.select(subject):
            continue
        namespace = case.policy.namespace
        populated = known.populated(namespace)
        where = f"namespace {namespace}" + ("" if populated else ", of which no pod is known")
        yield suspect(
            "NPS010",
            case.policy,
            case.meaning.subject_span,
            f"`podSelector` {subject.pods} matches no pod of {where}",
            effect="the policy does nothing: it isolates no pod and allows nothing",
            help_=_remedy(subject.pods, [namespace], known),
            source=f"{_DOCS}, The NetworkPolicy resource",
            severity=_severity(subject.pods, known),
        )


def _peer_matches_nothing(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """A peer whose selectors fit no pod, where the input would show one."""
    for case in cases:
        for item in case.items():
            match = item.match
            if not isinstance(match, PodsMatch) or known.select(match):
                continue
            if not (match.pods.satisfiable() and match.namespaces.satisfiable()):
                continue
            if match.namespace is not None:
                if known.populated(match.namespace) and match.pods:
                    yield _no_pod(
                        item, match, known, [match.namespace], _severity(match.pods, known)
                    )
                continue
            found = [n.name for n in known.namespaces(match.namespaces)]
            if not found:
                yield from _no_namespace(item, match, known)
            elif match.namespaces and any(map(known.populated, found)):
                yield _no_pod(item, match, known, found, _severity(match.pods, known))
            elif match.pods and not match.namespaces:
                # The pods may live in a namespace that is not part of the input.
                yield _no_pod(item, match, known, found, Severity.INFO)


def _no_pod(
    item: Item, match: PodsMatch, known: Known, namespaces: Sequence[str], severity: Severity
) -> Diagnostic:
    if match.namespace is not None:
        where = f"namespace {match.namespace}"
    elif match.namespaces:
        where = f"the namespaces labelled {match.namespaces} ({few(namespaces)})"
    else:
        where = "any namespace of the input"
    return suspect(
        "NPS011",
        item.case.policy,
        item.pods_span,
        f"`podSelector` {match.pods} in {item.place} matches no pod of {where}",
        effect="this peer admits nobody",
        help_=_remedy(match.pods, namespaces, known),
        source=_PEERS,
        severity=severity,
    )


def _severity(selector: LabelSelector, known: Known) -> Severity:
    return Severity.INFO if known.made_by_operator(selector) else Severity.WARNING


def _remedy(selector: LabelSelector, namespaces: Sequence[str], known: Known) -> str:
    if known.made_by_operator(selector):
        return "if an operator makes these pods, add them to the input"
    return closest(selector, known.labels_in(namespaces)) or (
        "compare the selector with the labels of the pods it is meant for"
    )


def _no_namespace(item: Item, match: PodsMatch, known: Known) -> Iterator[Diagnostic]:
    """Report a selector without a namespace, unless the input has no say in it."""
    selector = match.namespaces
    by_name = selector.keys == {NAMESPACE_NAME_LABEL}
    if "name" in selector.keys and not any("name" in n.labels for n in known.declared):
        yield suspect(
            "NPS012",
            item.case.policy,
            item.namespaces_span,
            f"`namespaceSelector` {selector} in {item.place} asks for a label `name`, "
            "which no namespace of the input has",
            effect="this peer admits nobody, unless somebody puts that label on a namespace",
            help_=f"select by `{NAMESPACE_NAME_LABEL}`, which every namespace carries",
            source=f"{_DOCS}, Targeting a Namespace by its name",
        )
    elif by_name or known.declared:
        yield suspect(
            "NPS011",
            item.case.policy,
            item.namespaces_span,
            f"`namespaceSelector` {selector} in {item.place} matches no namespace of the input",
            effect="this peer admits nobody",
            help_=closest(selector, (n.labels for n in known.declared))
            or "add the namespace to the input, or compare the selector with its labels",
            source=_PEERS,
            severity=Severity.INFO if by_name else Severity.WARNING,
        )


def _unlabelled_namespaces(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """`NotIn` and `DoesNotExist` match namespaces that nobody labelled."""
    for item in (item for case in cases for item in case.items()):
        match = item.match
        if not isinstance(match, PodsMatch) or match.namespace is not None:
            continue
        for asked in match.namespaces.requirements:
            negative = asked.operator in (Operator.NOT_IN, Operator.DOES_NOT_EXIST)
            if not negative or asked.key == NAMESPACE_NAME_LABEL:
                continue
            bare = [
                n.name
                for n in known.namespaces(match.namespaces)
                if n.span is not None and asked.key not in n.labels
            ]
            if not bare:
                continue
            said = asked.operator is Operator.DOES_NOT_EXIST
            yield suspect(
                "NPS009",
                item.case.policy,
                item.namespaces_span,
                f"`namespaceSelector` {asked} in {item.place} matches namespaces "
                f"without the label `{asked.key}`: {few(bare)}",
                effect="a namespace that nobody labelled matches, today's and every future one",
                help_="name the values that are meant, or add the key with operator `Exists`",
                source="kubernetes/apimachinery pkg/labels/selector.go",
                severity=Severity.INFO if said else Severity.WARNING,
            )


def _unknown_port_name(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """A named port that no pod it is looked up on declares."""
    for case in cases:
        for rule, written in case.rules():
            for name in rule.traffic.named:
                problem = _name_problem(case, rule, name, known)
                if problem is None or named_there(rule, name, known.around.groups):
                    continue
                entry = next((p for p in written.ports or () if p.port == name.name), None)
                yield suspect(
                    "NPS013",
                    case.policy,
                    (entry.span if entry else None) or rule.span,
                    f"{problem} port `{name.name}` ({name.protocol}) of {rule.label}",
                    effect="the entry allows nothing; the pods stay isolated",
                    help_="name the port in `ports` of the container, with the same protocol, "
                    "or write the port's number",
                    source="kubernetes/api networking/v1/types.go, NetworkPolicyPort.port",
                )


def _name_problem(case: Case, rule: Rule, name: NamedPort, known: Known) -> str | None:
    if rule.direction is Direction.INGRESS:
        pods: Iterable[int] = known.select(case.meaning.subjects[0])
        problem = "no selected pod declares"
    else:
        matches = [peer.match for peer in rule.peers]
        if all(isinstance(m, BlockMatch) for m in matches):
            return "addresses declare no names, so nothing has"
        if any(isinstance(m, AnyMatch) for m in matches):
            pods = range(len(known.pods))
        else:
            pods = {i for m in matches if isinstance(m, PodsMatch) for i in known.select(m)}
        problem = "no peer pod declares"
    declared = [known.pods[i].ports for i in pods]
    wanted = (name.name, name.protocol)
    if not declared or any((p.name, p.protocol) == wanted for ports in declared for p in ports):
        return None
    return problem


def _no_dns(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """Pods that cannot look up a name.

    Those that may open other connections probably should; those that may open none at all
    probably are meant to be silent, which is only worth knowing.
    """
    selecting: dict[int, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        if Direction.EGRESS in case.meaning.isolates:
            for pod in known.select(case.meaning.subjects[0]):
                selecting[pod].append(place)
    mute: dict[int, set[str]] = defaultdict(set)
    silent: dict[int, set[str]] = defaultdict(set)
    judged: dict[tuple[int, ...], dict[int, set[str]] | None] = {}
    for pod, places in selecting.items():
        signature = tuple(places)
        if signature not in judged:
            rules = [r for p in places for r in cases[p].meaning.rules_for(Direction.EGRESS)]
            opened = any(_may_be_dns(r.traffic, known) for r in rules)
            judged[signature] = None if opened else mute if rules else silent
        found = judged[signature]
        if found is not None:
            for place in places:
                found[place].add(known.pods[pod].name)
    for place, names in mute.items():
        if cases[place].meaning.rules_for(Direction.EGRESS):
            yield _deaf(cases[place], f"no policy opens port 53 to {few(names)}")
    for place, names in silent.items():
        text = f"no policy lets {few(names)} open any connection"
        yield _deaf(cases[place], text, Severity.INFO)


def _deaf(case: Case, message: str, severity: Severity = Severity.WARNING) -> Diagnostic:
    return suspect(
        "NPS016",
        case.policy,
        case.policy.egress_span,
        f"{message}, so names cannot be looked up",
        effect="clients that connect by name fail before they connect",
        help_="add an egress rule with `ports: [{protocol: UDP, port: 53}, "
        "{protocol: TCP, port: 53}]` towards the cluster's DNS pods"
        + ("" if severity is Severity.WARNING else ", unless they are meant to be silent"),
        source=f"{_DOCS}, Default deny all egress traffic",
        severity=severity,
    )


def _may_be_dns(traffic: TrafficMatch, known: Known) -> bool:
    if not traffic.must.isdisjoint(_DNS):
        return True
    return any("dns" in n.name or n.name in known.names_of(_DNS_PORT) for n in traffic.named)


WORLD_CHECKS: tuple[WorldCheck, ...] = (
    _selects_nothing,
    _peer_matches_nothing,
    _unlabelled_namespaces,
    _unknown_port_name,
    _no_dns,
    *BLOCK_CHECKS,
)
