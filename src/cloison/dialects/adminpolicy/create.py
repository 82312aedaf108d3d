"""From a policy of the IR to an object of the kind that its name says.

For what is put together from rules; whole policies of other languages are `from_ir`'s.
"""

from collections.abc import Iterator

from cloison.algebra import ANY, FAMILY, PORT_PROTOCOLS, LabelSelector, Operator, TrafficSet
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.write import write_policy
from cloison.ir.policy import (
    Action,
    AnyMatch,
    BlockMatch,
    Direction,
    NamedPort,
    NamesMatch,
    NodesMatch,
    Peer,
    PeerMatch,
    PodsMatch,
    Policy,
    Rule,
    TrafficMatch,
)
from cloison.resources.objects import NAMESPACE_NAME_LABEL

_NEW = model.ClusterNetworkPolicy.kind
_EVERYWHERE = ("0.0.0.0/0", "::/0")


def create(policy: Policy) -> str:
    """Return a policy that the IR declares, as YAML.

    Raises:
        ValueError: its kind cannot say it.
    """
    return write_policy(from_policy(policy))


def from_policy(policy: Policy) -> model.Policy:
    """Return a policy that the IR declares in the words of its kind.

    Raises:
        ValueError: its kind cannot say it.
    """
    if policy.isolates or policy.nodes or policy.opaque is not None or policy.preview is not None:
        raise _unsayable(policy)
    if len(policy.subjects) != 1:
        raise _unsayable(policy.subjects)
    kind = policy.id.kind
    (namespaces, pods) = _selected(policy.subjects[0], kind)
    subject = model.Subject(namespaces, pods)
    rules = {
        d: tuple(from_rule(rule, kind) for rule in policy.rules_for(d)) or None for d in Direction
    }
    ingress, egress = rules[Direction.INGRESS], rules[Direction.EGRESS]
    name = policy.id.name
    if kind == model.BaselineAdminNetworkPolicy.kind:
        return model.BaselineAdminNetworkPolicy(
            name=name, subject=subject, ingress=ingress, egress=egress
        )
    first = policy.order[0] if policy.order else None
    if not isinstance(first, int | float) or first != int(first):
        raise _unsayable(policy.order)
    priority = int(first)
    if kind == model.AdminNetworkPolicy.kind:
        return model.AdminNetworkPolicy(
            name=name, priority=priority, subject=subject, ingress=ingress, egress=egress
        )
    if kind != _NEW:
        raise _unsayable(policy.id)
    tier = model.Tier.BASELINE if "baseline" in policy.tier else model.Tier.ADMIN
    return model.ClusterNetworkPolicy(
        name=name, tier=tier, priority=priority, subject=subject, ingress=ingress, egress=egress
    )


def from_rule(rule: Rule, kind: str) -> model.Rule:
    """Return a rule in the words of a kind.

    Raises:
        ValueError: the kind cannot say it.
    """
    if rule.sources is not None or rule.condition is not None or rule.subjects is not None:
        raise _unsayable(rule)
    actions = {
        Action.ALLOW: "Accept" if kind == _NEW else "Allow",
        Action.DENY: "Deny",
        Action.PASS: "Pass",
    }
    if rule.action not in actions or not rule.peers:
        raise _unsayable(rule)
    if rule.action is Action.PASS and kind == model.BaselineAdminNetworkPolicy.kind:
        raise _unsayable(rule.action)
    peers = tuple(each for peer in rule.peers for each in _peers(peer, rule.direction, kind))
    traffic = rule.traffic
    if traffic.may or traffic.excepted:
        raise _unsayable(traffic)
    if traffic == TrafficMatch(ANY):
        return model.Rule(actions[rule.action], peers)
    if kind == _NEW:
        found = (*_protocols(traffic.must), *map(_named_protocol, traffic.named))
        return model.Rule(actions[rule.action], peers, protocols=found)
    ports = (*_ports(traffic.must), *map(_named_port, traffic.named))
    return model.Rule(actions[rule.action], peers, ports=ports)


def from_selector(selector: LabelSelector) -> model.LabelSelector:
    """Return a selector in the API's words.

    Raises:
        ValueError: the API has no such operator.
    """
    if any(r.operator.textual for r in selector.requirements):
        raise _unsayable(selector)
    single = [r for r in selector.requirements if r.operator is Operator.IN and len(r.values) == 1]
    once = {r.key for r in single if sum(o.key == r.key for o in single) == 1}
    labels = {r.key: r.values[0] for r in single if r.key in once}
    rest = (r for r in selector.requirements if r not in single or r.key not in once)
    asked = (model.LabelSelectorRequirement(r.key, r.operator.value, r.values) for r in rest)
    return model.LabelSelector(labels, tuple(asked))


def _selected(
    match: PodsMatch, kind: str
) -> tuple[model.LabelSelector | None, model.NamespacedPod | None]:
    """Return `namespaces` or `pods` for some pods."""
    if match.accounts or match.nodes is not None:
        raise _unsayable(match)
    where = (
        from_selector(match.namespaces)
        if match.namespace is None
        else model.LabelSelector({NAMESPACE_NAME_LABEL: match.namespace})
    )
    if not match.pods:
        return where, None
    left_out = kind == _NEW and where.empty
    return None, model.NamespacedPod(from_selector(match.pods), None if left_out else where)


def _peers(peer: Peer, direction: Direction, kind: str) -> Iterator[model.Peer]:
    match: PeerMatch = peer.match
    outward = direction is Direction.EGRESS
    match match:
        case PodsMatch():
            yield model.Peer(*_selected(match, kind))
        case BlockMatch() if outward and not match.holes:
            yield model.Peer(networks=(match.cidr,))
        case BlockMatch() if outward and match.addresses in FAMILY.values():
            yield model.Peer(networks=(match.cidr,))
        case AnyMatch() if outward:
            yield model.Peer(networks=_EVERYWHERE)
        case NodesMatch() if outward:
            yield model.Peer(nodes=from_selector(match.nodes))
        case NamesMatch() if outward and kind != model.BaselineAdminNetworkPolicy.kind:
            yield model.Peer(domain_names=match.names)
        case _:
            raise _unsayable(match)


def _spans(traffic: TrafficSet) -> Iterator[tuple[str, int, int]]:
    """Iterate over ranges of ports, each with its protocol.

    Raises:
        ValueError: there is traffic without ports among it.
    """
    for entry in traffic.entries():
        if entry.protocol not in PORT_PROTOCOLS or entry.low is None or entry.high is None:
            raise _unsayable(entry)
        yield entry.protocol, entry.low, entry.high


def _ports(traffic: TrafficSet) -> Iterator[model.Port]:
    for protocol, low, high in _spans(traffic):
        if low == high:
            yield model.Port(port_number=model.PortNumber(low, protocol))
        else:
            yield model.Port(port_range=model.PortRange(low, high, protocol))


def _protocols(traffic: TrafficSet) -> Iterator[model.Protocol]:
    for protocol, low, high in _spans(traffic):
        yield protocol_of(protocol, low, high)


def protocol_of(protocol: str, low: int, high: int) -> model.Protocol:
    """Return an entry of `protocols` for a range of ports, or for one."""
    port = (
        model.DestinationPort(number=low)
        if low == high
        else model.DestinationPort(range=(low, high))
    )
    match protocol:
        case "TCP":
            return model.Protocol(tcp=port)
        case "UDP":
            return model.Protocol(udp=port)
    return model.Protocol(sctp=port)


def _named_protocol(name: NamedPort) -> model.Protocol:
    if name.protocol is not None:
        raise _unsayable(name)
    return model.Protocol(destination_named_port=name.name)


def _named_port(name: NamedPort) -> model.Port:
    if name.protocol is not None:
        raise _unsayable(name)
    return model.Port(named_port=name.name)


def _unsayable(what: object) -> ValueError:
    return ValueError(f"the Network Policy API cannot say {what}")
