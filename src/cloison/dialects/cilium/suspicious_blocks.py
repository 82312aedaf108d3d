"""Doubts about blocks of addresses: pods and nodes are no addresses to Cilium."""

from collections.abc import Iterator

from cloison.algebra import FAMILY, AddressSet
from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.cilium.blocks import groups_of
from cloison.dialects.cilium.item import Item, Known
from cloison.dialects.cilium.model_rules import CidrRule
from cloison.dialects.cilium.switches import CidrMatch
from cloison.dialects.reading.blocks import block

_LAYER3 = "Cilium documentation, Layer 3 policies, CIDR"
_LABELS = "cilium/cilium pkg/labels/cidr.go"
_GROUPS = "Cilium documentation, CiliumCIDRGroup"

_Written = tuple[str, AddressSet, Span | None]


def _blocks(item: Item, known: Known) -> Iterator[_Written]:
    """Yield the blocks of an element as they are written, and what is left of them."""
    for text in item.element.cidrs or ():
        yield text, block(text), item.element.span
    for rule in item.element.cidr_sets or ():
        texts = (rule.cidr,) if rule.cidr is not None else ()
        for text in texts or (each for g in groups_of(rule, known.cluster) for each in g.cidrs):
            yield text, _left(block(text), rule), rule.span


def _left(addresses: AddressSet, rule: CidrRule) -> AddressSet:
    for hole in rule.holes:
        addresses -= block(hole)
    return addresses


def _not_outside(item: Item, known: Known) -> Iterator[Diagnostic]:
    """What is of the cluster is not found by its address."""
    modes = known.cluster.switches.cidr_match
    services = known.service_addresses
    for text, left, span in _blocks(item, known):
        if block(text) in FAMILY.values():
            yield item.doubt(
                "CIL222",
                span,
                f"{text} in {item.label} is every address outside the cluster",
                effect="pods are not among them, nor are nodes; other enforcers count them in",
                help_="for everybody write the entity `all`, for the cluster `cluster`",
                source=_LABELS,
                severity=Severity.INFO,
            )
        elif left and left <= services:
            yield item.doubt(
                "CIL220",
                span,
                f"{text} in {item.label} is an address of Services",
                effect="it matches nothing: policy sees the address of the pod behind the Service",
                help_="select the pods with `toEndpoints`, or name the Service with `toServices`",
                source="Cilium documentation, Layer 4 policies",
            )
        else:
            for what, addresses, mode in (
                ("pods", known.pod_addresses, CidrMatch.PODS),
                ("nodes", known.node_addresses, CidrMatch.NODES),
            ):
                if mode not in modes and not left.isdisjoint(addresses):
                    yield _inside(item, text, span, what)


def _inside(item: Item, text: str, span: Span | None, what: str) -> Diagnostic:
    instead = "`fromEndpoints`" if item.ingress else "`toEndpoints`"
    if what == "nodes":
        instead = "the entity `remote-node` or `host`"
    return item.doubt(
        "CIL221",
        span,
        f"{text} in {item.label} has {what} of the cluster in it, which it does not match",
        effect=f"the element is about addresses outside the cluster only: not about these {what}",
        help_=f"select them with {instead}; or Cilium's setting `policy-cidr-match-mode` is not "
        "the default, then say so",
        source=_LAYER3,
    )


def _wide_holes(item: Item, known: Known) -> Iterator[Diagnostic]:
    del known
    for rule in item.element.cidr_sets or ():
        if rule.cidr is not None and rule.holes and not _left(block(rule.cidr), rule):
            yield item.doubt(
                "CIL223",
                rule.span,
                f"`except` takes all of {rule.cidr} away in {item.label}",
                effect="the block matches nothing",
                help_="cut out less, or remove the block",
                source="cilium/cilium pkg/policy/api/cidr.go",
            )


def _no_group(item: Item, known: Known) -> Iterator[Diagnostic]:
    for rule in item.element.cidr_sets or ():
        if rule.groups is None or groups_of(rule, known.cluster):
            continue
        yield item.doubt(
            "CIL224",
            rule.span,
            f"`cidrGroupSelector` of {item.label} selects no CiliumCIDRGroup",
            effect="it matches nobody until there is one",
            help_="add the group to the input, or correct the labels",
            source=_GROUPS,
        )


BLOCK_CHECKS = (_not_outside, _wide_holes, _no_group)
