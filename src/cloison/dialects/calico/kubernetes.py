"""A NetworkPolicy of Kubernetes in Calico's words, for those that are staged as such.

Source: projectcalico/calico libcalico-go/lib/backend/k8s/conversion/conversion.go,
K8sNetworkPolicyToCalico.
"""

from cloison.algebra import Operator, Requirement
from cloison.algebra.expressions import ALWAYS, And, Expression, Test
from cloison.dialects.calico import labels
from cloison.dialects.calico.model import (
    EMPTY_ENTITY,
    Action,
    EntityRule,
    Port,
    Rule,
    Selector,
    StagedKubernetesNetworkPolicy,
    StagedNetworkPolicy,
)
from cloison.dialects.calico.selector import text_of
from cloison.dialects.networkpolicy.model import (
    LabelSelector,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicyRule,
    PolicyType,
)

ORDER = 1000.0
"""Where such a policy stands in the tier `default`."""

_OF_KUBERNETES = Test(Requirement(labels.ORCHESTRATOR, Operator.IN, ("k8s",)))


def as_calico(staged: StagedKubernetesNetworkPolicy) -> StagedNetworkPolicy:
    """Return the same policy as a Calico policy of the namespace."""
    policy = staged.policy
    both = staged.policy.egress is not None and bool(policy.egress)
    types = policy.policy_types or (("Ingress", "Egress") if both else ("Ingress",))
    return StagedNetworkPolicy(
        name=staged.name,
        namespace=staged.namespace,
        group=staged.group,
        span=staged.span,
        order=ORDER,
        selector=_selector(policy.pod_selector),
        types=tuple(PolicyType(type_) for type_ in types),
        ingress=_rules(policy.ingress, PolicyType.INGRESS),
        egress=_rules(policy.egress, PolicyType.EGRESS),
        staged_action=staged.staged_action,
        ingress_span=policy.ingress_span,
        egress_span=policy.egress_span,
    )


def _selector(selector: LabelSelector | None) -> Selector:
    """Return a selector that finds pods only, as Calico writes it."""
    expression = And((_OF_KUBERNETES, *_tests(selector)))
    return Selector(text_of(expression), expression, selector.span if selector else None)


def _tests(selector: LabelSelector | None) -> list[Expression]:
    if selector is None:
        return []
    found = [Requirement(k, Operator.IN, (v,)) for k, v in sorted(selector.match_labels.items())]
    found += [
        Requirement(e.key, Operator(e.operator), e.values) for e in selector.match_expressions
    ]
    return [Test(each) for each in found]


def _rules(
    rules: tuple[NetworkPolicyRule, ...] | None, type_: PolicyType
) -> tuple[Rule, ...] | None:
    if rules is None:
        return None
    return tuple(each for rule in rules for each in _each(rule, type_))


def _each(rule: NetworkPolicyRule, type_: PolicyType) -> list[Rule]:
    """Return a rule for each protocol and peer."""
    entities = [_peer(peer) for peer in rule.peers or ()] or [EMPTY_ENTITY]
    found = []
    for protocol, ports in _ports(rule.ports):
        for entity in entities:
            source, destination = entity, EntityRule(ports=ports)
            if type_ is PolicyType.EGRESS:
                source, destination = EMPTY_ENTITY, _with_ports(entity, ports)
            found.append(
                Rule(
                    Action.ALLOW,
                    protocol=protocol,
                    source=source,
                    destination=destination,
                    span=rule.span,
                )
            )
    return found


def _with_ports(entity: EntityRule, ports: tuple[Port, ...]) -> EntityRule:
    return EntityRule(
        nets=entity.nets,
        not_nets=entity.not_nets,
        selector=entity.selector,
        namespace_selector=entity.namespace_selector,
        ports=ports,
        span=entity.span,
    )


def _ports(
    ports: tuple[NetworkPolicyPort, ...] | None,
) -> list[tuple[str | None, tuple[Port, ...]]]:
    """Return ports by protocol; one without a number takes in all of its protocol."""
    if not ports:
        return [(None, ())]
    found: dict[str, list[Port] | None] = {}
    for each in ports:
        protocol = each.protocol or "TCP"
        known = found.setdefault(protocol, [])
        if each.port is None:
            found[protocol] = None
        elif known is not None:
            end = each.end_port
            last = end if isinstance(each.port, int) and end is not None else None
            known.append(each.port if last is None else (int(each.port), last))
    return [(protocol, tuple(listed or ())) for protocol, listed in sorted(found.items())]


def _peer(peer: NetworkPolicyPeer) -> EntityRule:
    if peer.ip_block is not None:
        block = peer.ip_block
        return EntityRule(nets=(block.cidr,), not_nets=block.except_, span=peer.span)
    namespaces = peer.namespace_selector
    scope = None
    if namespaces is not None:
        tests = _tests(namespaces)
        expression: Expression = And(tuple(tests)) if tests else ALWAYS
        scope = Selector(text_of(expression), expression, namespaces.span)
    return EntityRule(
        selector=_selector(peer.pod_selector), namespace_selector=scope, span=peer.span
    )
