"""What doubts are about, and what is known for judging them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloison.algebra import AddressSet
from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.cilium import model
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.labels import Scope, selects_init
from cloison.dialects.cilium.model_rules import Element
from cloison.dialects.cilium.names import patterns
from cloison.dialects.cilium.selected import Identities, Identity
from cloison.dialects.cilium.values import parse_address
from cloison.dialects.cilium.withheld import withheld
from cloison.dialects.dialect import Surroundings
from cloison.dialects.reading.blocks import together
from cloison.dialects.reading.say import suspect
from cloison.ir.names import NamePattern
from cloison.resources.objects import Service

INGRESS, EGRESS = "ingress", "egress"
_NO_ELEMENT = Element()


@dataclass(frozen=True, slots=True)
class Item:
    """A rule of a policy, or an element of it.

    Args:
        policy: The policy.
        rule: Its rule.
        element: An element of the rule; one that says nothing where it is about the rule.
        name: The list that the element stands in: `ingress`, `egressDeny`, ...
    """

    policy: model.Policy
    rule: model.Rule
    element: Element = _NO_ELEMENT
    name: str = ""

    @property
    def ingress(self) -> bool:
        """Whether it is about what comes in."""
        return self.name.startswith(INGRESS)

    @property
    def denies(self) -> bool:
        """Whether it denies."""
        return self.name.endswith("Deny")

    @property
    def label(self) -> str:
        """What it is called: `ingress[0]`."""
        return f"`{self.name}[{self.element.index - 1}]`"

    @property
    def side(self) -> str:
        """What the names of its peers begin with."""
        return "from" if self.ingress else "to"

    def doubt(
        self,
        code: str,
        span: Span | None,
        message: str,
        *,
        effect: str,
        help_: str,
        source: str,
        severity: Severity = Severity.WARNING,
    ) -> Diagnostic:
        """Return a diagnostic about it."""
        where = span or self.element.span or self.rule.span
        return suspect(
            code,
            self.policy,
            where,
            message,
            effect=effect,
            help_=help_,
            source=source,
            severity=severity,
        )


def elements_of(policy: model.Policy, rule: model.Rule) -> Iterator[Item]:
    """Yield the elements of a rule, in the order of its lists."""
    for name, elements in (
        ("ingress", rule.ingress),
        ("egress", rule.egress),
        ("ingressDeny", rule.ingress_deny),
        ("egressDeny", rule.egress_deny),
    ):
        for element in elements or ():
            yield Item(policy, rule, element, name)


class Known:
    """Everything that doubts are judged by. Built once; nothing of it is changed.

    Args:
        objects: Every object of the dialect.
        around: What they are applied to.
    """

    def __init__(self, objects: Sequence[model.CiliumObject], around: Surroundings) -> None:
        groups = {each.name: each for each in objects if isinstance(each, model.CiliumCIDRGroup)}
        self.objects = objects
        self.around = around
        self.cluster = Cluster(around.profile, around.world, dict(sorted(groups.items())))
        self.identities = Identities(self.cluster)
        self.policies = tuple(
            each
            for each in objects
            if isinstance(each, model.Policy) and not withheld(each, self.cluster.switches)
        )

    @cached_property
    def redirected(self) -> bool:
        """Whether some traffic goes elsewhere than it is addressed to."""
        return any(isinstance(each, model.CiliumLocalRedirectPolicy) for each in self.objects)

    @cached_property
    def pod_addresses(self) -> AddressSet:
        """Where pods are: addresses of those that are known, and blocks that somebody said."""
        points = (
            point
            for workload in self.around.world.workloads.values()
            for end in workload.endpoints
            if not end.shape.host_network
            for point in end.addresses
        )
        return self.around.pods | AddressSet.points(tuple(points))

    @cached_property
    def node_addresses(self) -> AddressSet:
        """Where nodes are."""
        return self.around.nodes | self.cluster.node_addresses

    @cached_property
    def service_addresses(self) -> AddressSet:
        """Where Services are: addresses of those that are known, and blocks that somebody said."""
        texts = (
            text
            for service in self.around.world.services.values()
            for text in service.cluster_ips
            if parse_address(text)
        )
        return self.around.services | together(texts)

    @cached_property
    def mapped(self) -> Mapping[int, tuple[Service, ...]]:
        """Services that select pods and lead a port elsewhere, by that port."""
        found: dict[int, list[Service]] = defaultdict(list)
        for service in self.around.world.services.values():
            for number in {p.port for p in service.ports if p.target not in (None, p.port)}:
                if service.selector:
                    found[number].append(service)
        return {number: tuple(services) for number, services in found.items()}

    @cached_property
    def resolving(self) -> Mapping[str | None, tuple[tuple[Item, frozenset[NamePattern]], ...]]:
        """Elements that let pods ask for names, with the names, by the policy's namespace."""
        found: dict[str | None, list[tuple[Item, frozenset[NamePattern]]]] = defaultdict(list)
        for policy in self.policies:
            for rule in policy.rules:
                for item in elements_of(policy, rule):
                    names = _names(item, self.cluster)
                    if names:
                        found[policy.namespace].append((item, names))
        return {namespace: tuple(each) for namespace, each in found.items()}

    @cached_property
    def resolved(self) -> frozenset[NamePattern]:
        """Names that some pod may ask for."""
        return frozenset(
            name for some in self.resolving.values() for _, names in some for name in names
        )

    def subjects(self, item: Item) -> tuple[Identity, ...]:
        """Return the pods that a rule is about."""
        chosen = item.rule.endpoints
        if chosen is None:
            return ()
        return self.identities.subjects(chosen, item.policy.namespace)

    def scope(self, item: Item) -> Scope:
        """Return what selectors of peers are read with."""
        chosen = item.rule.endpoints
        return Scope(
            self.cluster, item.policy.namespace, chosen is not None and selects_init(chosen)
        )

    @cached_property
    def rules(self) -> tuple[Item, ...]:
        """Every rule of every policy that is in force."""
        return tuple(Item(policy, rule) for policy in self.policies for rule in policy.rules)


def _names(item: Item, cluster: Cluster) -> frozenset[NamePattern]:
    return frozenset(
        each
        for rule in item.element.ports or ()
        if rule.rules is not None and rule.rules.dns
        for each in patterns(rule.rules.dns, cluster)
    )
