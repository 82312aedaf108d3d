"""From Calico's objects to the policy IR.

Policies and tiers come to policies and tiers, network sets and host endpoints to groups of
addresses that selectors find. Host endpoints besides put their nodes under policy, and what
those forward under layers of their own (`hosts`, `forwarding`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import TypeVar

from cloison.algebra import PORT_PROTOCOLS, TrafficSet
from cloison.base import Diagnostic, Severity
from cloison.dialects.calico import hosts, labels
from cloison.dialects.calico.felix import Felix, left_to_hosts
from cloison.dialects.calico.forwarding import Compiled, forwarding
from cloison.dialects.calico.model import (
    API_GROUP,
    CalicoObject,
    FelixConfiguration,
    GlobalNetworkSet,
    HostEndpoint,
    NetworkSet,
    Policy,
    StagedKubernetesNetworkPolicy,
    Tier,
)
from cloison.dialects.calico.model import Action as CalicoAction
from cloison.dialects.calico.model import Profile as CalicoProfile
from cloison.dialects.calico.policies import (
    Surroundings,
    compile_policy,
    reading,
    unplaced,
)
from cloison.dialects.dialect import Compilation
from cloison.dialects.reading.blocks import together
from cloison.ir.policy import Action, AddressGroup, Combine, PolicyId, TierSpec
from cloison.ir.profile import Profile
from cloison.resources.names import shown
from cloison.resources.objects import Labels
from cloison.resources.world import World

T = TypeVar("T", bound=CalicoObject)

_OWN = f"{API_GROUP}/"
_IN_ORDER = (Combine.FIRST_MATCH,)
_ORDER = 1_000_000.0
"""Where a tier stands that does not say: with `default`, told apart from it by name."""
_MISSING = 1
"""Tiers that do not exist come after all that do."""


def compile_objects(objects: Sequence[CalicoObject], profile: Profile, world: World) -> Compilation:
    """Return what Calico's objects mean under a profile.

    Args:
        objects: The objects, as `decode` returns them.
        profile: Who enforces. Of a profile that has no place for Calico's policies nobody knows
            what its enforcer makes of them: they are opaque.
        world: Where network sets find their namespaces' labels, host endpoints their nodes, and
            rules the endpoints of Services.
    """
    numbered = [
        (place, each)
        for place, each in enumerate(objects)
        if isinstance(each, Policy | StagedKubernetesNetworkPolicy)
    ]
    if not any(name.startswith(_OWN) for name in profile.places):
        return Compilation(
            tuple(unplaced(policy) for _, policy in numbered),
            tuple(place for place, _ in numbered),
            diagnostics=tuple(_unplaced(objects, profile)),
        )
    # Where another one enforces, hosts have no policies of these objects either.
    counts = objects if profile.host_objects else ()
    endpoints = _numbered(counts, HostEndpoint)
    felix = Felix(_numbered(counts, FelixConfiguration), world)
    groups = tuple(sorted(_groups(objects, world), key=lambda g: (g.id.kind, str(g.id))))
    around = Surroundings(
        profile,
        world,
        hosts.active(endpoints, world),
        frozenset(key for group in groups for key in group.labels) if groups else None,
        tuple(group for group in groups if group.ports),
        any(each.policy_sync_path_prefix for each in felix.configurations),
    )
    compiled = []
    for number, policy in numbered:
        place = around.place(policy)
        if place is not None:
            read = reading(policy, around)
            compiled.append(Compiled(number, read, compile_policy(policy, read, place)))
    declared, said = _tiers(objects, profile)
    every = (*(tier for layer in profile.layers[:1] for tier in layer.tiers), *declared)
    beyond = forwarding(compiled, felix, every)
    profiles = {each.name: each for _, each in _numbered(objects, CalicoProfile)}
    on_hosts = tuple(hosts.policies(around.hosts, felix, around.setting(None), profiles))
    policies = [
        *((each.policy, each.number) for each in compiled),
        *on_hosts,
        *beyond.policies,
    ]
    return Compilation(
        tuple(policy for policy, _ in policies),
        tuple(number for _, number in policies),
        (*declared, *_early(compiled, every), *hosts.tiers(p for p, _ in on_hosts)),
        beyond.layers,
        groups,
        (*said, *left_to_hosts(felix.configurations)),
    )


def _numbered(objects: Sequence[CalicoObject], kind: type[T]) -> list[tuple[int, T]]:
    return [(place, each) for place, each in enumerate(objects) if isinstance(each, kind)]


def _early(compiled: Iterable[Compiled], every: Iterable[TierSpec]) -> Iterator[TierSpec]:
    """Yield the tiers of policies that come before everybody's. Nothing is denied at their end."""
    specs = {tier.name: tier for tier in every}
    found = {(each.read.early, each.read.policy.tier) for each in compiled}
    for stage, name in sorted((stage, name) for stage, name in found if stage is not None):
        order = (stage, *specs[name].order[1:])
        yield replace(
            specs[name],
            name=f"{hosts.STAGES[stage]} {name}",
            end=None,
            order=order,
            before_nat=stage == hosts.PRE_NAT,
        )


def _groups(objects: Iterable[CalicoObject], world: World) -> Iterator[AddressGroup]:
    """Yield what rule selectors find besides pods, labels as they see them."""
    for each in objects:
        if isinstance(each, NetworkSet | GlobalNetworkSet):
            namespace = world.namespaces.get(each.namespace or "")
            inherited = namespace.labels if namespace is not None else {}
            visible = labels.set_labels(each.labels, each.namespace, inherited)
            yield _group(each, visible, each.nets)
        elif isinstance(each, HostEndpoint) and each.expected_ips:
            found = _group(each, each.labels, each.expected_ips)
            yield replace(found, ports=tuple(_ports(each)))


def _group(
    each: NetworkSet | GlobalNetworkSet | HostEndpoint, visible: Labels, texts: Iterable[str]
) -> AddressGroup:
    name = PolicyId(each.kind, each.namespace, each.name)
    return AddressGroup(name, visible, together(texts), each.span)


def _ports(host: HostEndpoint) -> Iterator[tuple[str, TrafficSet]]:
    for port in host.ports:
        protocol = str(port.protocol)
        if protocol in PORT_PROTOCOLS:
            yield port.name, TrafficSet.ports(protocol, port.port)


def _tiers(
    objects: Iterable[CalicoObject], profile: Profile
) -> tuple[tuple[TierSpec, ...], tuple[Diagnostic, ...]]:
    """Return the tiers that objects declare, and those that policies name and nobody declares."""
    known = {tier.name for layer in profile.layers for tier in layer.tiers}
    found = []
    missing: dict[str, list[Policy]] = {}
    for each in objects:
        if isinstance(each, Tier) and each.name not in known:
            end = Action.DENY if each.default_action is CalicoAction.DENY else None
            order = _ORDER if each.order is None else each.order
            place = (0, order, each.name)
            found.append(TierSpec(each.name, _IN_ORDER, end, order=place, span=each.span))
    declared = known | {tier.name for tier in found}
    for each in objects:
        if isinstance(each, Policy) and each.tier not in declared:
            missing.setdefault(each.tier, []).append(each)
    found += (
        TierSpec(name, _IN_ORDER, Action.DENY, order=(_MISSING, inf, name))
        for name in sorted(missing)
    )
    return tuple(found), tuple(_missing(name, missing[name]) for name in sorted(missing))


def _missing(name: str, policies: list[Policy]) -> Diagnostic:
    first = min(policies, key=lambda p: (p.span is not None, p.span, str(p)))
    others = f", and {len(policies) - 1} more" if len(policies) > 1 else ""
    return Diagnostic(
        "CAL101",
        Severity.WARNING,
        f"the tier {shown(name)} is not in the input; {first}{others} names it",
        first.tier_span or first.span,
        str(first),
        effect="its policies are evaluated after all other tiers, and what none of them decides "
        "is denied",
        help="add the Tier, or correct the name",
        source="projectcalico/calico felix/calc/policy_sorter.go",
    )


def _unplaced(objects: Sequence[CalicoObject], profile: Profile) -> list[Diagnostic]:
    """Say that nobody knows what an enforcer makes of Calico's policies and host endpoints."""
    kinds = Policy | StagedKubernetesNetworkPolicy | HostEndpoint
    found = [each for each in objects if isinstance(each, kinds)]
    if not found:
        return []
    first = min(found, key=lambda each: (each.span is not None, each.span, str(each)))
    hosts_too = any(isinstance(each, HostEndpoint) for each in found)
    return [
        Diagnostic(
            "CAL102",
            Severity.WARNING,
            f"policies and host endpoints of Calico are not judged under the profile "
            f"{profile.name}; {len(found)} found",
            first.span,
            effect="answers about the pods that the policies select are undetermined"
            + (", and those about the nodes leave them out" if hosts_too else ""),
            help="if Calico enforces them, say so: --cni calico@3.32",
            source="Cloison interface, Verdicts",
        )
    ]
