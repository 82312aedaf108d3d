"""From the policy IR to a policy that is proposed: a few rules, as somebody would write them.

A policy of a namespace is about its own pods, and what it lets through is added to what others do.
"""

from collections.abc import Iterator, Mapping

from cloison.algebra import ANY, L4, LabelSelector, Operator, Requirement, TrafficSet
from cloison.dialects.cilium.identities import (
    HOST,
    MARK,
    NAMESPACE,
    NAMESPACE_LABELS,
    REMOTE_NODE,
)
from cloison.dialects.cilium.model import API_VERSION
from cloison.dialects.writing import Tree
from cloison.dialects.writing.labels import requirements_tree
from cloison.dialects.writing.render import rendered
from cloison.ir.peers import AnyMatch, BlockMatch, PeerMatch, PodsMatch, Relative, RelativeMatch
from cloison.ir.policy import Direction, Policy, Rule
from cloison.resources.objects import NAMESPACE_NAME_LABEL

_IN_PLACE = Requirement(NAMESPACE, Operator.EXISTS)
_POSITIVE = (Operator.IN, Operator.EXISTS)
_WITH_PORTS = frozenset(entry.protocol for entry in L4.entries())


def create(policy: Policy) -> str:
    """Return a policy that the IR declares, as YAML.

    Raises:
        ValueError: It cannot be said so.
    """
    home = policy.id.namespace
    subject = policy.subjects[0]
    if len(policy.subjects) != 1 or subject.namespace != home:
        msg = f"{policy.id} is not about pods of one namespace"
        raise ValueError(msg)
    spec: dict[str, Tree] = {"endpointSelector": _selector(subject, home)}
    for direction in Direction:
        rules = [each for rule in policy.rules_for(direction) for each in _rules(rule, home)]
        if rules:
            spec[str(direction)] = rules
        elif direction in policy.isolates:
            spec[str(direction)] = [{}]
    metadata: dict[str, Tree] = {"name": policy.id.name}
    if home is not None:
        metadata["namespace"] = home
    return rendered(
        {"apiVersion": API_VERSION, "kind": policy.id.kind, "metadata": metadata, "spec": spec}
    )


def _rules(rule: Rule, home: str | None) -> Iterator[Mapping[str, Tree]]:
    """Yield a rule: an element for each kind of peer."""
    way = "from" if rule.direction is Direction.INGRESS else "to"
    kinds: dict[str, list[Tree]] = {}
    for peer in rule.peers:
        kind, tree = _peer(peer.match, home)
        kinds.setdefault(f"{way}{kind}", []).append(tree)
    traffic: dict[str, Tree] = {}
    ports = list(_ports(rule))
    if ports:
        traffic["toPorts"] = [{"ports": ports}]
    for kind, peers in sorted(kinds.items()):
        yield {kind: peers, **traffic}


def _peer(match: PeerMatch, home: str | None) -> tuple[str, Tree]:
    match match:
        case BlockMatch() if match.holes:
            return "CIDRSet", {"cidr": match.cidr, "except": list(match.holes)}
        case BlockMatch():
            return "CIDR", match.cidr
        case RelativeMatch(Relative.OWN_NODE):
            return "Entities", HOST
        case RelativeMatch(Relative.OTHER_NODE):
            return "Entities", REMOTE_NODE
        case AnyMatch():
            return "Entities", "all"
        case PodsMatch() if (entity := _entity(match.pods)) is not None:
            return "Entities", entity
        case PodsMatch():
            return "Endpoints", _selector(match, home)
        case _:
            msg = f"a proposal cannot say {match}"
            raise ValueError(msg)


def _entity(pods: LabelSelector) -> str | None:
    """Return the reserved identity that a selector finds, if it finds that alone."""
    if len(pods.requirements) != 1 or not pods.requirements[0].key.startswith(MARK):
        return None
    return pods.requirements[0].key.removeprefix(MARK)


def _selector(match: PodsMatch, home: str | None) -> Mapping[str, Tree]:
    if match.nodes is not None or match.accounts.requirements:
        msg = f"a proposal cannot say {match}"
        raise ValueError(msg)
    # In a namespace there are no reserved identities: that a pod is none goes without saying.
    found = [
        each
        for each in match.pods.requirements
        if home is None or not each.key.startswith(MARK) or each.operator in _POSITIVE
    ]
    return requirements_tree((*_where(match, home), *map(_marked, found)))


def _marked(asked: Requirement) -> Requirement:
    """Return what is asked of a reserved identity as people write it: that it is there."""
    marked = asked.key.startswith(MARK) and asked.operator is Operator.IN
    return Requirement(asked.key, Operator.EXISTS) if marked else asked


def _where(match: PodsMatch, home: str | None) -> Iterator[Requirement]:
    if match.namespace is not None:
        if match.namespace != home:
            yield Requirement(NAMESPACE, Operator.IN, (match.namespace,))
        return
    if not match.namespaces and home is not None:
        yield _IN_PLACE
    for each in match.namespaces.requirements:
        named = each.key == NAMESPACE_NAME_LABEL
        key = NAMESPACE if named else NAMESPACE_LABELS + each.key
        yield Requirement(key, each.operator, each.values)


def _ports(rule: Rule) -> Iterator[Tree]:
    traffic = rule.traffic.must
    if traffic in (L4, ANY):
        return
    for entry in traffic.entries():
        if entry.protocol not in _WITH_PORTS or entry.low is None:
            msg = f"a proposal cannot say {entry.protocol}"
            raise ValueError(msg)
        whole = TrafficSet.ports(entry.protocol, entry.low, entry.high)
        port: dict[str, Tree] = {"port": str(entry.low)}
        if whole == TrafficSet.protocol(entry.protocol):
            port = {"port": "0"}
        elif entry.high != entry.low:
            port["endPort"] = entry.high
        yield {**port, "protocol": entry.protocol}
    for name in rule.traffic.named:
        yield {"port": name.name, "protocol": name.protocol or "ANY"}
