"""From v1alpha1 to v1alpha2: the same policies as ClusterNetworkPolicies.

Order is kept, among rules and among policies. What is too long for the newer API goes on in the
next rule, or in the next policy at the next priority; policies further on move where they must.
A BaselineAdminNetworkPolicy becomes the last of the Baseline tier.

Source: Network Policy API documentation, versioning; npeps/npep-285-cluster-network-policy.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, TypeVar

from cloison.base import Diagnostic, Severity
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.checking import LIMITS
from cloison.dialects.adminpolicy.create import protocol_of
from cloison.dialects.adminpolicy.say import said
from cloison.dialects.adminpolicy.terms import PROTOCOLS
from cloison.dialects.adminpolicy.validate import MAX_PRIORITY

T = TypeVar("T")

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST_NAME = 253
_MOST = LIMITS["ClusterNetworkPolicy"]
_SOURCE = "Network Policy API documentation, Versioning"
_ACTIONS = {"Allow": "Accept", "Deny": "Deny", "Pass": "Pass"}

Migrated = tuple[list[model.ClusterNetworkPolicy], list[Diagnostic]]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one object comes to: its rules in as many pieces as it takes."""

    origin: model.Policy
    tier: model.Tier
    priority: int
    last: bool
    pieces: tuple[tuple[tuple[model.Rule, ...], tuple[model.Rule, ...]], ...]


def migrate(objects: Sequence[model.Object]) -> Migrated:
    """Return policies of v1alpha1 as ClusterNetworkPolicies that mean the same.

    ClusterNetworkPolicies among `objects` come back too, at another priority where others had
    to move; all that is returned takes the place of all that was given.

    Args:
        objects: Policies that the API server accepts.

    Returns:
        Policies by tier, priority and name, and what was done that somebody should know: an error
        for every object that cannot be said, which is left out.
    """
    diagnostics: list[Diagnostic] = []
    parts: list[_Part] = []
    for each in sorted(objects, key=lambda o: (o.span is not None, o.span or 0, o.kind, o.name)):
        part = _part(each, diagnostics)
        if part is not None:
            parts.append(part)
    names = _Names({p.origin.name for p in parts if p.origin.kind == "ClusterNetworkPolicy"})
    found = [
        policy
        for tier in model.Tier
        for policy in _placed([p for p in parts if p.tier is tier], names, diagnostics)
    ]
    order = list(model.Tier)
    found.sort(key=lambda policy: (order.index(policy.tier), policy.priority, policy.name))
    return found, diagnostics


def _part(policy: model.Object, diagnostics: list[Diagnostic]) -> _Part | None:
    """Return what an object comes to; None where it cannot be said."""
    if isinstance(policy, model.Unreadable):
        diagnostics.append(_left_out(policy, policy.reason))
        return None
    if isinstance(policy, model.ClusterNetworkPolicy):
        piece = (policy.ingress or (), policy.egress or ())
        return _Part(policy, policy.tier, policy.priority, False, (piece,))
    for rule in (*(policy.ingress or ()), *(policy.egress or ())):
        problem = _problem(rule)
        if problem:
            diagnostics.append(_left_out(policy, problem, rule))
            return None
    ingress, egress = (
        tuple(new for rule in rules or () for new in _rules(policy, rule, diagnostics))
        for rules in (policy.ingress, policy.egress)
    )
    ins, outs = _chunks(ingress, _MOST.rules), _chunks(egress, _MOST.rules)
    count = max(len(ins), len(outs), 1)
    pieces = tuple(
        (ins[i] if i < len(ins) else (), outs[i] if i < len(outs) else ()) for i in range(count)
    )
    if isinstance(policy, model.BaselineAdminNetworkPolicy):
        return _Part(policy, model.Tier.BASELINE, MAX_PRIORITY, True, pieces)
    return _Part(policy, model.Tier.ADMIN, policy.priority, False, pieces)


def _problem(rule: model.Rule) -> str | None:
    """Return why a rule cannot be said in the newer API, None when it can."""
    if rule.unknown or not all(peer.known for peer in rule.peers):
        return "a rule holds a field that is not known"
    for port in rule.ports or ():
        for each in (port.port_number, port.port_range):
            if each is not None and each.protocol not in (None, *PROTOCOLS):
                return f"`{each.protocol}` is not a protocol"
    return None


def _rules(
    policy: model.Policy, rule: model.Rule, diagnostics: list[Diagnostic]
) -> Iterator[model.Rule]:
    """Iterate over the rules that one of v1alpha1 comes to, one right after the other."""
    action = _ACTIONS[rule.action]
    peers = _chunks(rule.peers, _MOST.items)
    if rule.ports is None:
        for some in peers:
            yield model.Rule(action, some, name=rule.name, span=rule.span)
        return
    entries = tuple(entry for port in rule.ports if (entry := _protocol(port)) is not None)
    if len(entries) < len(rule.ports):
        diagnostics.append(
            said(
                "ADL041",
                policy,
                rule.span,
                "a range of ports that goes down matches nothing and is left out",
                effect="none: it never had any"
                if entries
                else "none: the rule, which has no other port, never matched anything",
                help_="if the ends were swapped by mistake, swap them before migrating",
                source=_SOURCE,
            )
        )
    for some, protocols in product(peers, _chunks(entries, _MOST.items)):
        yield model.Rule(action, some, protocols=protocols, name=rule.name, span=rule.span)


def _protocol(port: model.Port) -> model.Protocol | None:
    if port.port_number is not None:
        number = port.port_number
        return protocol_of(number.protocol or "TCP", number.port, number.port)
    if port.port_range is not None:
        several = port.port_range
        if several.start > several.end:
            return None
        return protocol_of(several.protocol or "TCP", several.start, several.end)
    return model.Protocol(destination_named_port=port.named_port)


def _placed(
    parts: Sequence[_Part], names: "_Names", diagnostics: list[Diagnostic]
) -> Iterator[model.ClusterNetworkPolicy]:
    """Iterate over the policies of one tier, each at its priority."""
    groups: dict[tuple[bool, int], list[_Part]] = {}
    for part in parts:
        groups.setdefault((part.last, part.priority), []).append(part)
    ordered = sorted(groups)
    starts = _starts([(key[1], max(len(p.pieces) for p in groups[key])) for key in ordered])
    if starts is None:
        diagnostics += [
            _left_out(part.origin, "its tier needs more priorities than there are")
            for part in parts
        ]
        return
    for key, start in zip(ordered, starts, strict=True):
        tied = len(groups[key]) > 1
        for part in groups[key]:
            diagnostics += _about(part, start, tied=tied)
            for number, (ingress, egress) in enumerate(part.pieces):
                yield _policy(part, names, number, start + number, ingress, egress)


def _policy(
    part: _Part,
    names: "_Names",
    number: int,
    priority: int,
    ingress: tuple[model.Rule, ...],
    egress: tuple[model.Rule, ...],
) -> model.ClusterNetworkPolicy:
    origin = part.origin
    if isinstance(origin, model.ClusterNetworkPolicy):
        return replace(origin, priority=priority)
    return model.ClusterNetworkPolicy(
        name=names.fresh(origin.name, part.tier, number),
        tier=part.tier,
        priority=priority,
        subject=origin.subject,
        ingress=ingress or None,
        egress=egress or None,
        labels=origin.labels,
        annotations={k: v for k, v in origin.annotations.items() if k != LAST_APPLIED},
        span=origin.span,
    )


def _starts(groups: Sequence[tuple[int, int]]) -> list[int] | None:
    """Return where groups of consecutive priorities start, each as near to its own as can be.

    Args:
        groups: The priority of each, ascending, and how many it needs.

    >>> _starts([(10, 2), (11, 1), (20, 1)])
    [10, 12, 20]
    >>> _starts([(999, 1), (1000, 2)])
    [998, 999]
    """
    starts: list[int] = []
    end = 0
    for priority, count in groups:
        starts.append(max(priority, end))
        end = starts[-1] + count
    limit = MAX_PRIORITY + 1
    for i in reversed(range(len(groups))):
        starts[i] = min(starts[i], limit - groups[i][1])
        limit = starts[i]
    return None if limit < 0 else starts


def _about(part: _Part, start: int, *, tied: bool) -> Iterator[Diagnostic]:
    """Say what became of an object's priority and rules, where it is not what it was."""
    origin, count = part.origin, len(part.pieces)
    if count > 1:
        yield said(
            "ADL042",
            origin,
            origin.span,
            f"{origin} needs {count} ClusterNetworkPolicies, at priorities {start} to "
            f"{start + count - 1}",
            effect="together they mean the same",
            help_="keep their priorities next to each other",
            source=_SOURCE,
            severity=Severity.INFO,
        )
    if not part.last and start != part.priority:
        yield said(
            "ADL043",
            origin,
            origin.span,
            f"{origin} moves from priority {part.priority} to {start}, to make room for others",
            effect="the order of policies is what it was",
            help_="look for priorities that people or programs rely on",
            source=_SOURCE,
            severity=Severity.INFO,
        )
    if tied and count > 1:
        yield said(
            "ADL044",
            origin,
            origin.span,
            f"{origin} shares its priority with another policy and is split",
            effect="of rules that disagree, those of the later parts now come last for certain",
            help_="give the policies different priorities before migrating",
            source=_SOURCE,
        )


def _left_out(policy: model.Object, problem: str, rule: model.Rule | None = None) -> Diagnostic:
    return said(
        "ADL040",
        policy,
        rule.span if rule is not None else policy.span,
        f"{policy} cannot be said as a ClusterNetworkPolicy: {problem}",
        effect="it is left out",
        help_="mend the object, then migrate it",
        source=_SOURCE,
        severity=Severity.ERROR,
    )


def _chunks(items: tuple[T, ...], size: int) -> list[tuple[T, ...]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


class _Names:
    """Hands out names that nobody has yet."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)
        self.firsts: dict[tuple[str, model.Tier], str] = {}

    def fresh(self, name: str, tier: model.Tier, number: int) -> str:
        """Return the name of a part of what was called `name`."""
        if number:
            wanted = f"{self.firsts[name, tier]}-{number + 1}"
        else:
            wanted = name.partition("*")[0].rstrip("-.") or "policy"
            if wanted in self.taken:
                wanted = f"{wanted}-{tier.lower()}"
        found, count = wanted[:_LONGEST_NAME], 1
        while found in self.taken:
            count += 1
            tail = f"-{count}"
            found = wanted[: _LONGEST_NAME - len(tail)] + tail
        self.taken.add(found)
        if not number:
            self.firsts[name, tier] = found
        return found
