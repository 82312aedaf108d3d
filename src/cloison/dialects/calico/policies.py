"""Calico's policies, one by one, as policies of the IR."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from cloison.algebra.expressions import Expression
from cloison.base import Sharing, Span
from cloison.dialects.calico import caveats, labels
from cloison.dialects.calico.entities import Scope
from cloison.dialects.calico.hosts import PRE_NAT, STAGES, UNTRACKED, Host
from cloison.dialects.calico.kubernetes import as_calico
from cloison.dialects.calico.model import (
    API_GROUP,
    NetworkPolicy,
    StagedAction,
    StagedKubernetesNetworkPolicy,
)
from cloison.dialects.calico.model import Policy as CalicoPolicy
from cloison.dialects.calico.rules import Setting, compiled
from cloison.dialects.calico.selection import selection
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.ir.peers import PodsMatch, UnknownMatch
from cloison.ir.policy import AddressGroup, Direction, Mode, Policy, PolicyId, Preview, Rule
from cloison.ir.profile import Place, Profile
from cloison.resources.world import World

PolicyObject = CalicoPolicy | StagedKubernetesNetworkPolicy

KINDS: Mapping[str, str] = {NetworkPolicy.kind: "CalicoNetworkPolicy"}
"""What a kind is called in the IR, where Kubernetes has one of its name."""
_STAGED_KINDS = {
    "StagedNetworkPolicy": "CalicoNetworkPolicy",
    "StagedGlobalNetworkPolicy": "GlobalNetworkPolicy",
    "StagedKubernetesNetworkPolicy": "NetworkPolicy",
}
"""The kinds whose place staged ones would take."""

DIRECTIONS = {
    PolicyType.INGRESS: Direction.INGRESS,
    PolicyType.EGRESS: Direction.EGRESS,
}


@dataclass(frozen=True)
class Surroundings:
    """What policies are compiled in.

    Args:
        profile: Who enforces.
        world: The inventory.
        hosts: The hosts under policy, by their node's name.
        known: Keys that labels of address groups have; None when there are no groups.
        named: The addresses of host endpoints whose ports have names.
        http: Whether somebody may enforce the application's part of rules.
        share: Keeps what policies have in common.
    """

    profile: Profile
    world: World
    hosts: Mapping[str, Host] = field(default_factory=dict)
    known: frozenset[str] | None = None
    named: tuple[AddressGroup, ...] = ()
    http: bool = False
    share: Sharing = field(default_factory=Sharing)

    def place(self, policy: PolicyObject) -> Place | None:
        """Return where policies of a kind stand; None where nobody knows."""
        return self.profile.places.get(f"{API_GROUP}/{policy.kind}")

    def setting(self, namespace: str | None) -> Setting:
        """Return what the rules of a policy are read in."""
        scope, segments = Scope(namespace, self.known), self.profile.http_segments
        return Setting(scope, self.world, self.named, self.http, segments)


@dataclass(frozen=True)
class Reading:
    """A policy and what it is read with: the pieces of which its meaning is made.

    Args:
        policy: The policy; one of Kubernetes in Calico's words.
        around: What it is compiled in.
    """

    policy: CalicoPolicy
    around: Surroundings

    @cached_property
    def expression(self) -> Expression:
        """What it asks of the labels of its subjects."""
        return selection(self.policy)

    @cached_property
    def pods(self) -> tuple[PodsMatch, ...] | None:
        """The pods it is about; None when the selector is too large to say."""
        return labels.pods(self.expression)

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts it is about."""
        if self.policy.namespaced:
            return ()
        hosts = self.around.hosts.values()
        return tuple(each for each in hosts if each.found_by(self.expression))

    @property
    def early(self) -> int | None:
        """The stage before everybody's tiers in which it is asked, about hosts only."""
        if self.policy.do_not_track:
            return UNTRACKED
        return PRE_NAT if self.policy.pre_dnat else None

    @cached_property
    def directions(self) -> frozenset[Direction]:
        """The directions it governs."""
        return frozenset(DIRECTIONS[type_] for type_ in self.policy.effective_types)

    def rules(self, type_: PolicyType) -> tuple[Rule, ...]:
        """Return its rules of a direction, if it governs that."""
        if DIRECTIONS[type_] not in self.directions:
            return ()
        setting = self.around.setting(self.policy.namespace)
        caveat = caveats.UNTRACKED if self.policy.do_not_track else None
        found = compiled(self.policy.rules(type_), DIRECTIONS[type_], setting, caveat)
        return tuple(self._shared(rule) for rule in found)

    def _shared(self, rule: Rule) -> Rule:
        share = self.around.share
        peers = tuple(replace(peer, match=share(peer.match)) for peer in rule.peers)
        return replace(rule, peers=peers, traffic=share(rule.traffic))


def reading(policy: PolicyObject, around: Surroundings) -> Reading:
    """Return a policy with what it is compiled in."""
    if isinstance(policy, StagedKubernetesNetworkPolicy):
        return Reading(as_calico(policy), around)
    return Reading(policy, around)


def policy_id(policy: PolicyObject) -> PolicyId:
    """Return what a policy is called in the IR."""
    return PolicyId(KINDS.get(policy.kind, policy.kind), policy.namespace, policy.name)


def compile_policy(policy: PolicyObject, read: Reading, place: Place) -> Policy:
    """Return what a policy means for pods, and for hosts themselves.

    Args:
        policy: The policy.
        read: What it is made of.
        place: Where policies of its kind stand.
    """
    stands = replace(place, tier=read.policy.tier)
    early = read.early
    pods = () if early else read.pods
    found = Policy(
        policy_id(policy),
        pods or (),
        frozenset() if early else read.directions,
        (*read.rules(PolicyType.INGRESS), *read.rules(PolicyType.EGRESS)),
        f"{STAGES[early]} {stands.tier}" if early else stands.tier,
        stands.at(_named(policy, place), read.policy.order),
        span=policy.span,
        subject_span=_subject_span(read.policy),
        nodes=frozenset(
            host.node for host in read.hosts if early != UNTRACKED or not host.everywhere
        ),
        mode=Mode.STAGED if policy.kind in _STAGED_KINDS else Mode.ENFORCED,
        preview=_preview(policy),
    )
    return found if pods is not None else opaque(found, read.policy.namespace, labels.TOO_LARGE)


def _named(policy: PolicyObject, place: Place) -> PolicyId:
    """Return the name that decides between equal orders.

    Calico up to 3.31 puts the tier's name before it, unless it is there already.
    """
    name = policy.name
    if place.tie is not None and "{tier}" in place.tie and isinstance(policy, CalicoPolicy):
        name = name.removeprefix(f"{policy.tier}.")
    return PolicyId(policy.kind, policy.namespace, name)


def _preview(policy: PolicyObject) -> Preview | None:
    kind = _STAGED_KINDS.get(policy.kind)
    if kind is None:
        return None
    twin = PolicyId(kind, policy.namespace, policy.name)
    action = policy.staged_action
    if action is StagedAction.DELETE:
        return Preview(twin, removes=True, caveat=caveats.STAGED_DELETE)
    return Preview(twin, caveat=caveats.STAGED_TWIN)


def _subject_span(policy: CalicoPolicy) -> Span | None:
    for each in (
        policy.selector,
        policy.namespace_selector,
        policy.service_account_selector,
    ):
        if each is not None and each.span is not None:
            return each.span
    return policy.span


def opaque(policy: Policy, namespace: str | None, why: UnknownMatch) -> Policy:
    """Return a policy of which we know that it exists, and not whom it selects."""
    return replace(policy, subjects=(PodsMatch(namespace=namespace),), rules=(), opaque=why)


def unplaced(policy: PolicyObject) -> Policy:
    """Return what a policy is under a profile that says nothing of its kind."""
    read = as_calico(policy) if isinstance(policy, StagedKubernetesNetworkPolicy) else policy
    name = policy_id(policy)
    found = labels.pods(selection(read))
    why = UnknownMatch(f"{policy.kind} ({API_GROUP}) is Calico's", caveats.CALICO_POLICY)
    early = read.pre_dnat or read.do_not_track
    return Policy(
        name,
        () if early else found or (PodsMatch(namespace=policy.namespace),),
        frozenset(DIRECTIONS[type_] for type_ in read.effective_types),
        (),
        "calico",
        span=policy.span,
        subject_span=_subject_span(read),
        mode=Mode.STAGED if policy.kind in _STAGED_KINDS else Mode.ENFORCED,
        preview=_preview(policy),
        opaque=why,
    )
