"""Doubts about whole policies, rules, and how elements say who the peer is."""

from collections.abc import Iterator

from cloison.base import Diagnostic, Severity
from cloison.dialects.cilium import model
from cloison.dialects.cilium.item import EGRESS, INGRESS, Item, Known
from cloison.dialects.cilium.validate_rules import asks
from cloison.dialects.reading.say import suspect

_RULES = "cilium/cilium pkg/policy/utils/rules.go"
_DENY = "Cilium documentation, Deny policies"


def _no_rules(policy: model.Policy) -> Iterator[Diagnostic]:
    if not policy.rules:
        yield suspect(
            "CIL201",
            policy,
            policy.span,
            "`specs` is empty",
            effect="the policy does nothing: it selects nobody, and allows and denies nothing",
            help_="write rules, or delete the policy",
            source="cilium/cilium pkg/k8s/apis/cilium.io/v2/cnp_types.go",
        )


def _default_deny_alone(item: Item, known: Known) -> Iterator[Diagnostic]:
    """A default deny is a matter of entries: where there are none, nothing is denied."""
    del known
    rule = item.rule
    for name, said, lists in (
        (INGRESS, rule.default_ingress, (rule.ingress, rule.ingress_deny)),
        (EGRESS, rule.default_egress, (rule.egress, rule.egress_deny)),
    ):
        if said and not any(lists):
            yield item.doubt(
                "CIL202",
                rule.span,
                f"`enableDefaultDeny.{name}` is true, and there is no rule of {name}",
                effect=f"it does nothing: {name} stays as other policies have it",
                help_=f"write `{name}: [{{}}]` to deny what nothing allows",
                source=_RULES,
            )


def _deny_only(item: Item, known: Known) -> Iterator[Diagnostic]:
    """A rule that only denies still denies everything else by default."""
    rule = item.rule
    for name, said, allows, denies in (
        (INGRESS, rule.default_ingress, rule.ingress, rule.ingress_deny),
        (EGRESS, rule.default_egress, rule.egress, rule.egress_deny),
    ):
        if not denies or allows or said is False:
            continue
        if not known.cluster.switches.non_default_deny or not _left_alone(item, name, known):
            continue
        nothing = "comes in" if name == INGRESS else "goes out"
        yield item.doubt(
            "CIL203",
            denies[0].span or rule.span,
            f"the rule denies some {name} and allows none, and nothing of Cilium's does for "
            "all of these pods",
            effect=f"whatever it does not name is denied, too: nothing {nothing}",
            help_=f"add `enableDefaultDeny: {{{name}: false}}`, or a rule that allows the rest",
            source=_DENY,
        )


def _left_alone(item: Item, name: str, known: Known) -> bool:
    """Return whether some pod of a rule is let talk by no rule, or nobody knows its pods."""
    mine = known.subjects(item)
    others = [
        set(map(id, known.subjects(each)))
        for each in known.rules
        if (each.rule.ingress if name == INGRESS else each.rule.egress)
    ]
    if not mine:
        return not others
    return any(not any(id(each) in found for found in others) for each in mine)


def _everything(item: Item, known: Known) -> Iterator[Diagnostic]:
    """`{}` of a policy of the cluster is more than its pods."""
    rule = item.rule
    wide = rule.endpoints is not None and not rule.endpoints.requirements
    if item.policy.namespaced or not wide or not _isolates(rule):
        return
    if any(_names_health(each.rule) for each in known.rules):
        return
    yield item.doubt(
        "CIL204",
        rule.endpoints_span or rule.span,
        "`endpointSelector: {}` also selects Cilium's own endpoints for health and ingress",
        effect="health checks between nodes, and traffic of Cilium's Ingress and Gateway, are "
        "denied unless some policy allows them",
        help_="allow them with a policy that selects `reserved:health` and one that selects "
        "`reserved:ingress`, or select pods: `k8s:io.kubernetes.pod.namespace` `Exists`",
        source="cilium/cilium pkg/k8s/apis/cilium.io/utils/utils.go; Cilium documentation, "
        "Troubleshooting",
        severity=Severity.INFO,
    )


def _isolates(rule: model.Rule) -> bool:
    into = bool(rule.ingress or rule.ingress_deny) and rule.default_ingress is not False
    return into or (bool(rule.egress or rule.egress_deny) and rule.default_egress is not False)


def _names_health(rule: model.Rule) -> bool:
    chosen = rule.endpoints.requirements if rule.endpoints is not None else ()
    return any(each.source == "reserved" and each.key in ("health", "ingress") for each in chosen)


def _no_firewall(item: Item, known: Known) -> Iterator[Diagnostic]:
    if item.rule.nodes is None or known.cluster.switches.host_firewall:
        return
    yield item.doubt(
        "CIL205",
        item.rule.endpoints_span or item.rule.span,
        "the rule is about nodes, and `enable-host-firewall` is off",
        effect="the rule does nothing",
        help_="turn the host firewall on, or say here that it is: `enable-host-firewall: true` in "
        "`cilium-config`",
        source="Cilium documentation, Host firewall",
    )


def _empty_peers(item: Item, known: Known) -> Iterator[Diagnostic]:
    """A list of peers that is there and empty selects nobody, and empties its element."""
    del known
    element = item.element
    for name, found in (
        ("Endpoints", element.endpoints),
        ("Nodes", element.nodes),
        ("Entities", element.entities),
        ("CIDR", element.cidrs),
        ("CIDRSet", element.cidr_sets),
    ):
        if found == ():
            yield item.doubt(
                "CIL206",
                element.span,
                f"`{item.side}{name}` of {item.label} is an empty list",
                effect="the element matches nobody, whatever else it says; without the list it "
                "could match everybody",
                help_="leave the list out for everybody, or name the peers",
                source=_RULES,
            )


def _empty_names(item: Item, known: Known) -> Iterator[Diagnostic]:
    """Other lists of peers that are empty are as if they were not there."""
    del known
    element = item.element
    opens = bool(element.ports) or element.icmps is not None
    for name, empty in (
        ("FQDNs", element.fqdns == ()),
        ("Services", element.services == ()),
        ("Groups", element.groups == 0),
    ):
        if not empty:
            continue
        yield item.doubt(
            "CIL207",
            element.span,
            f"`{item.side}{name}` of {item.label} is an empty list",
            effect="the element matches every destination on its ports: an empty list here is as "
            "if it were not written"
            if opens and not item.ingress
            else "it is as if it were not written",
            help_="name somebody, or remove the element",
            source=_RULES,
            severity=Severity.ERROR if opens and not item.denies else Severity.WARNING,
        )


def _nothing_allowed(item: Item, known: Known) -> Iterator[Diagnostic]:
    """An element of nothing but a list of ports without ports allows nothing."""
    del known
    for rule in item.element.ports or ():
        if not rule.ports:
            yield item.doubt(
                "CIL208",
                rule.span,
                f"`toPorts` of {item.label} has an element without ports",
                effect="that element matches nothing; it does not mean every port",
                help_='write `ports: [{port: "0", protocol: TCP}]` for every port, or leave '
                "`toPorts` out",
                source="cilium/cilium pkg/policy/l4.go",
            )


def _visibility(item: Item, known: Known) -> Iterator[Diagnostic]:
    """What is asked of requests does nothing where nothing is denied by default."""
    said = item.rule.default_ingress if item.ingress else item.rule.default_egress
    if said is not False or not known.cluster.switches.non_default_deny:
        return
    for rule in item.element.ports or ():
        if asks(rule.rules):
            yield item.doubt(
                "CIL209",
                rule.rules.span if rule.rules else None,
                f"{item.label} asks about requests, and its rule denies nothing by default",
                effect="unless another policy denies by default, every request is let through and "
                "only shown",
                help_="remove `enableDefaultDeny`, or rely on it for visibility only",
                source="cilium/cilium pkg/policy/l4.go; Cilium documentation, Layer 7 policies",
                severity=Severity.INFO,
            )
            return


POLICY_CHECKS = (_no_rules,)
RULE_CHECKS = (_default_deny_alone, _deny_only, _everything, _no_firewall)
ELEMENT_CHECKS = (_empty_peers, _empty_names, _nothing_allowed, _visibility)
