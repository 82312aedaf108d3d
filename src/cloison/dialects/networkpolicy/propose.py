"""From the policy IR to the model: proposed policies and rules, as somebody would write them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.algebra import ANY, L4, LabelSelector, Operator, TrafficSet
from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.compile import DIRECTIONS
from cloison.dialects.networkpolicy.write import plain_to_yaml, rule_to_dict, to_yaml
from cloison.ir.peers import AnyMatch, BlockMatch, PeerMatch, PodsMatch
from cloison.ir.policy import Direction, Policy, Rule

_TYPES = {direction: type_ for type_, direction in DIRECTIONS.items()}


def create(policy: Policy) -> str:
    """Return a policy that the IR declares, as YAML.

    Raises:
        ValueError: NetworkPolicy cannot say it.
    """
    return to_yaml(_meant(policy))


def rewrite(policy: model.NetworkPolicy, was: Policy, meant: Policy) -> str:
    """Return `policy` as the IR declares it, what is not changed as it was written, as YAML.

    Args:
        policy: The policy as it is written.
        was: What it means.
        meant: What it is to mean.

    Raises:
        ValueError: NetworkPolicy cannot say it.
    """
    ingress, egress = (tuple(_rewritten(policy, was, meant, d)) for d in Direction)
    return to_yaml(
        replace(
            policy,
            pod_selector=policy.pod_selector
            if was.subjects == meant.subjects
            else from_selector(meant.subjects[0].pods),
            policy_types=policy.policy_types
            if was.isolates == meant.isolates
            else tuple(_TYPES[d].value for d in Direction if d in meant.isolates),
            ingress=ingress or (None if policy.ingress is None else ()),
            egress=egress or (None if policy.egress is None else ()),
        )
    )


def _rewritten(
    policy: model.NetworkPolicy, was: Policy, meant: Policy, direction: Direction
) -> Iterator[model.NetworkPolicyRule]:
    """Yield the rules of a direction; what is not changed as it was written."""
    written = (policy.ingress if direction is Direction.INGRESS else policy.egress) or ()
    before = {rule.index: rule for rule in was.rules_for(direction)}
    for rule in meant.rules_for(direction):
        old = before.get(rule.index)
        if old is None:
            yield from_rule(rule, policy.namespace)
        elif old == rule:
            yield written[rule.index - 1]
        else:
            yield _changed(written[rule.index - 1], old, rule, policy.namespace)


def _changed(
    written: model.NetworkPolicyRule, was: Rule, meant: Rule, namespace: str
) -> model.NetworkPolicyRule:
    """Return a rule as it is to be: peers and ports that stay, as they were written."""
    peers = written.peers or ()
    kept = dict(zip(was.peers, peers, strict=True)) if len(peers) == len(was.peers) else {}
    found = tuple(kept.get(p) or from_peer(p.match, namespace) for p in meant.peers)
    if was.traffic == meant.traffic:
        return replace(written, peers=found)
    return replace(from_rule(meant, namespace), peers=found)


def _meant(policy: Policy) -> model.NetworkPolicy:
    namespace = policy.id.namespace or ""
    rules = {d: tuple(from_rule(r, namespace) for r in policy.rules_for(d)) for d in Direction}
    return model.NetworkPolicy(
        namespace,
        policy.id.name,
        from_selector(policy.subjects[0].pods),
        tuple(_TYPES[d].value for d in Direction if d in policy.isolates),
        rules[Direction.INGRESS] or None,
        rules[Direction.EGRESS] or None,
    )


def amend(policy: model.NetworkPolicy, rules: Sequence[Rule]) -> str:
    """Return `policy` with more rules, as YAML.

    Raises:
        ValueError: NetworkPolicy cannot say one of them.
    """
    added = {
        d: tuple(from_rule(r, policy.namespace) for r in rules if r.direction is d)
        for d in Direction
    }
    ingress = (*(policy.ingress or ()), *added[Direction.INGRESS])
    egress = (*(policy.egress or ()), *added[Direction.EGRESS])
    return to_yaml(
        replace(policy, ingress=ingress or policy.ingress, egress=egress or policy.egress)
    )


def fragment(rules: Sequence[Rule], namespace: str) -> str:
    """Return the lines to add under `spec` for rules of one policy, as YAML.

    Raises:
        ValueError: NetworkPolicy cannot say one of them.
    """
    found: dict[str, list[object]] = {}
    for rule in rules:
        lines = rule_to_dict(from_rule(rule, namespace), _TYPES[rule.direction])
        found.setdefault(str(rule.direction), []).append(lines)
    return plain_to_yaml(found)


def from_rule(rule: Rule, namespace: str) -> model.NetworkPolicyRule:
    """Return an allow rule of a policy in `namespace` in the API's words.

    Raises:
        ValueError: NetworkPolicy cannot say it.
    """
    everybody = any(isinstance(p.match, AnyMatch) for p in rule.peers)
    peers = None if everybody else tuple(from_peer(p.match, namespace) for p in rule.peers)
    traffic = rule.traffic.must
    ports: tuple[model.NetworkPolicyPort, ...] | None = None
    if traffic not in (L4, ANY):
        named = tuple(model.NetworkPolicyPort(n.protocol, n.name) for n in rule.traffic.named)
        ports = (*_ports(traffic), *named)
    return model.NetworkPolicyRule(peers, ports)


def from_peer(match: PeerMatch, namespace: str) -> model.NetworkPolicyPeer:
    """Return a peer of a policy in `namespace` in the API's words.

    Raises:
        ValueError: NetworkPolicy cannot say it.
    """
    match match:
        case BlockMatch():
            return model.NetworkPolicyPeer(ip_block=model.IPBlock(match.cidr, match.holes))
        case PodsMatch() if match.namespace == namespace:
            return model.NetworkPolicyPeer(pod_selector=from_selector(match.pods))
        case PodsMatch() if match.namespace is None:
            return model.NetworkPolicyPeer(
                from_selector(match.pods) if match.pods else None,
                from_selector(match.namespaces),
            )
        case _:
            msg = f"a NetworkPolicy cannot say {match}"
            raise ValueError(msg)


def from_selector(selector: LabelSelector) -> model.LabelSelector:
    """Return a selector in the API's words.

    Raises:
        ValueError: It asks for what is no label of Kubernetes.
    """
    labels = {}
    expressions = []
    for requirement in selector.requirements:
        if ":" in requirement.key:
            msg = f"no label is called {requirement.key}"
            raise ValueError(msg)
        single = requirement.operator is Operator.IN and len(requirement.values) == 1
        if single and requirement.key not in labels:
            labels[requirement.key] = requirement.values[0]
        else:
            expressions.append(
                model.LabelSelectorRequirement(
                    requirement.key, str(requirement.operator), requirement.values
                )
            )
    return model.LabelSelector(labels, tuple(expressions))


def _ports(traffic: TrafficSet) -> tuple[model.NetworkPolicyPort, ...]:
    found = []
    for entry in traffic.entries():
        if entry.protocol not in ("TCP", "UDP", "SCTP") or entry.low is None:
            msg = f"a NetworkPolicy cannot say {entry.protocol}"
            raise ValueError(msg)
        whole = TrafficSet.ports(entry.protocol, entry.low, entry.high)
        if whole == TrafficSet.protocol(entry.protocol):
            found.append(model.NetworkPolicyPort(entry.protocol))
        elif entry.low == entry.high:
            found.append(model.NetworkPolicyPort(entry.protocol, entry.low))
        else:
            found.append(model.NetworkPolicyPort(entry.protocol, entry.low, entry.high))
    return tuple(found)
