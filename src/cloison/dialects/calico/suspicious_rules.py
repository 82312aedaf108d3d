"""Doubts about single rules."""

from collections.abc import Iterator, Sequence

from cloison.base import Diagnostic, Severity
from cloison.dialects.calico import model
from cloison.dialects.calico.values import parse_block
from cloison.dialects.dialect import Surroundings
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.dialects.reading.say import suspect

_RULES = "projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors/rules.go"
_FAMILIES = "projectcalico/calico felix/rules/policy.go, FilterRuleToIPVersion"
_HTTP = "projectcalico/calico app-policy/checker/match.go; Calico documentation, Rule"
_NAT = "Calico documentation, About Kubernetes Services; netfilter hook order"


def rules(
    policy: model.Policy, objects: Sequence[model.CalicoObject], around: Surroundings
) -> Iterator[Diagnostic]:
    """Yield doubts about the rules of a policy that are in force."""
    for direction in PolicyType:
        if direction not in policy.effective_types:
            continue
        for number, rule in enumerate(policy.rules(direction), 1):
            case = _Rule(policy, rule, f"{direction.lower()} rule {number}")
            yield from case.services()
            yield from case.families()
            yield from case.http()
            yield from case.negative_namespaces()
            yield from case.global_sets(objects, around)
            yield from case.service_addresses(around)


class _Rule:
    """A rule in its policy."""

    __slots__ = ("label", "policy", "rule")

    def __init__(self, policy: model.Policy, rule: model.Rule, label: str) -> None:
        self.policy = policy
        self.rule = rule
        self.label = label

    def sides(self) -> Iterator[tuple[str, model.EntityRule]]:
        yield "source", self.rule.source
        yield "destination", self.rule.destination

    def services(self) -> Iterator[Diagnostic]:
        """A Service without a namespace is looked for in none, and never found."""
        for side, entity in self.sides():
            services = entity.services
            if services is not None and services.namespace is None:
                yield suspect(
                    "CAL210",
                    self.policy,
                    services.span or self.rule.span,
                    f"`{side}.services` of {self.label} names no namespace, so it never matches",
                    effect="the rule does nothing; the API's documentation promises the policy's "
                    "own namespace",
                    help_=f"add `namespace: {self.policy.namespace or 'NAME'}`",
                    source=f"{_RULES}; felix/serviceindex/serviceindex.go",
                )

    def families(self) -> Iterator[Diagnostic]:
        """A list of blocks takes its rule out of the family it has none of."""
        for side, entity in self.sides():
            found = [block for block in map(parse_block, entity.not_nets) if block is not None]
            families = {block.is_v4 for block in found}
            if len(families) != 1 or entity.nets or self.rule.ip_version is not None:
                continue
            here, other = ("IPv4", "IPv6") if families == {True} else ("IPv6", "IPv4")
            yield suspect(
                "CAL211",
                self.policy,
                entity.span or self.rule.span,
                f"`{side}.notNets` of {self.label} has only {here} blocks, so the rule is for "
                f"{here} only",
                effect=f"no {other} traffic matches it, though none of it is in these blocks",
                help_=f"write a second rule for {other}, or say `ipVersion: {here[-1]}`",
                source=_FAMILIES,
            )

    def http(self) -> Iterator[Diagnostic]:
        """Methods and paths count only where something looks into the connection."""
        http = self.rule.http
        if http is None or not (http.methods or http.paths):
            return
        prefix = any(path.prefix for path in http.paths)
        versions = (
            "; up to 3.31.5, `prefix: /pub` also matches /public, from 3.31.6 only whole segments"
            if prefix
            else ""
        )
        yield suspect(
            "CAL212",
            self.policy,
            http.span or self.rule.span,
            f"{self.label} asks for HTTP methods or paths, which the dataplane ignores",
            effect="the connection is allowed as if they were not there, unless application-layer "
            f"policy is active for the pod{versions}",
            help_="make sure that it is, or do not rely on this rule",
            source=_HTTP,
        )

    def negative_namespaces(self) -> Iterator[Diagnostic]:
        """What lacks every namespace label matches a negative selector of namespaces."""
        for side, entity in self.sides():
            selector = entity.namespace_selector
            if selector is None or selector.expression is None or "global(" in selector.text:
                continue
            # `all()` is rewritten to ask for a namespace; anything else is not.
            if "all(" in selector.text or not selector.text.strip(" \t"):
                continue
            if selector.expression.matches({}):
                yield suspect(
                    "CAL213",
                    self.policy,
                    selector.span or self.rule.span,
                    f"`{side}.namespaceSelector` of {self.label} also matches what is in no "
                    "namespace",
                    effect="host endpoints and global network sets match: they lack the label",
                    help_=f"add `has(projectcalico.org/name)`: `{_narrow(selector.text)}`",
                    source=_RULES,
                )

    def global_sets(
        self, objects: Sequence[model.CalicoObject], around: Surroundings
    ) -> Iterator[Diagnostic]:
        """A policy of a namespace sees a global set only through `global()`."""
        namespace = self.policy.namespace
        if namespace is None:
            return
        for side, entity in self.sides():
            selector = entity.selector
            if selector is None or selector.expression is None or entity.namespace_selector:
                continue
            expression = selector.expression
            meant = [
                each.name
                for each in objects
                if isinstance(each, model.GlobalNetworkSet) and expression.matches(each.labels)
            ]
            if not meant or expression.matches({}):
                continue
            own = [
                each.labels
                for each in objects
                if isinstance(each, model.NetworkSet) and each.namespace == namespace
            ]
            own += [
                endpoint.labels
                for workload in around.world.workloads.values()
                if workload.id.namespace == namespace
                for endpoint in workload.endpoints
            ]
            if not any(map(expression.matches, own)):
                yield suspect(
                    "CAL214",
                    self.policy,
                    selector.span or self.rule.span,
                    f"`{side}.selector` of {self.label} describes GlobalNetworkSet {min(meant)}, "
                    "which it does not see",
                    effect="the policy looks in its own namespace, where nothing matches",
                    help_="add `namespaceSelector: global()`",
                    source=_RULES,
                )

    def service_addresses(self, around: Surroundings) -> Iterator[Diagnostic]:
        """Addresses of Services are gone once policy is asked."""
        if self.policy.pre_dnat or self.policy.do_not_track or not around.services:
            return
        for text in self.rule.destination.nets:
            block = parse_block(text)
            if block is not None and block.addresses <= around.services:
                yield suspect(
                    "CAL215",
                    self.policy,
                    self.rule.destination.span or self.rule.span,
                    f"`destination.nets` of {self.label} has {text}, addresses of Services",
                    effect="it matches nothing: policy sees the address of the pod behind the "
                    "Service",
                    help_="select the pods, or use `destination: {services: ...}`",
                    source=_NAT,
                    severity=Severity.WARNING,
                )


def _narrow(text: str) -> str:
    bare = "||" not in text
    return f"has(projectcalico.org/name) && {text if bare else f'({text})'}"
