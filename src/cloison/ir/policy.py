"""Policy as declared: what every dialect compiles to.

Policies sit in bands, bands in tiers, tiers in layers. Nothing here knows a vendor or a
cluster; selectors are still selectors. `ruleset.py` holds what binding to a world makes
of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import TYPE_CHECKING, TypeAlias

from cloison.algebra import (
    ANY,
    L4,
    NO_ADDRESSES,
    NO_TRAFFIC,
    AddressSet,
    TrafficSet,
)
from cloison.base import Span
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import PeerMatch, PodsMatch, UnknownMatch
from cloison.ir.requests import RequestCondition

if TYPE_CHECKING:
    from cloison.algebra import Request


class Direction(StrEnum):
    """Seen from the subject."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Action(StrEnum):
    """What a matching rule does."""

    ALLOW = auto()
    DENY = auto()
    PASS = auto()
    """Leave the tier undecided."""
    LOG = auto()
    """Take note and go on."""


class Mode(StrEnum):
    """Whether a policy takes part."""

    ENFORCED = "enforced"
    STAGED = "staged"
    AUDIT = "audit"


class Combine(StrEnum):
    """How rules of one band that match the same flow are reconciled."""

    UNION = "union"
    """Any allow allows; there is no order."""
    FIRST_MATCH = "first-match"
    """Policies by order, rules top to bottom, the first match decides."""
    DENY_OVERRIDES = "deny-overrides"
    """Any deny denies, else any allow allows."""


ANY_NODE = ""
"""What stands for a node that nobody told of among the names of nodes."""


@dataclass(frozen=True, slots=True)
class PolicyId:
    """Names a policy object."""

    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        """Render as `namespace/name`, or the bare name of a cluster-wide object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def said(self) -> str:
        """How people name it: with its kind, but for a NetworkPolicy, which goes without saying."""
        return str(self) if self.kind == "NetworkPolicy" else f"{self.kind} {self}"


@dataclass(frozen=True, slots=True)
class AddressGroup:
    """Addresses under one name and labels, which policies select by label.

    Args:
        id: The object that declares them.
        labels: Its labels, as selectors see them.
        addresses: What it holds.
        span: Where it is written.
        ports: Ports that have a name at these addresses: the name, and the port.
    """

    id: PolicyId
    labels: Mapping[str, str] = field(hash=False)
    addresses: AddressSet = NO_ADDRESSES
    span: Span | None = None
    ports: tuple[tuple[str, TrafficSet], ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer of a rule.

    Args:
        match: Whom it matches.
        span: Where it is written.
        any_cluster: Whether its pods may be of any cluster, to an enforcer that knows several and
            takes selectors that name none for selectors of its own.
    """

    match: PeerMatch
    span: Span | None = None
    any_cluster: bool = False


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port by the name the destination's containers give it.

    Args:
        name: The declared name.
        protocol: Only declarations of this protocol count; None accepts any.
    """

    name: str
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class TrafficMatch:
    """Destination traffic of a rule, three-valued.

    Args:
        must: Traffic that certainly matches.
        may: Traffic that may match besides (outside what the specification defines).
        named: Ports by name, resolved on the destination.
        excepted: Ports by name that are left out of all that, resolved alike.
        without: Traffic that no name in `named` stands for; `must` and `may` hold none of it.
    """

    must: TrafficSet
    may: TrafficSet = NO_TRAFFIC
    named: tuple[NamedPort, ...] = ()
    excepted: tuple[NamedPort, ...] = ()
    without: TrafficSet = NO_TRAFFIC


EVERY_TRAFFIC = TrafficMatch(ANY)
L4_TRAFFIC = TrafficMatch(L4, ANY - L4)
"""All of TCP, UDP and SCTP; whether anything else is meant, the specification does not say."""


@dataclass(frozen=True, slots=True)
class Given:
    """A circumstance that is no part of any question, such as who has proven who they are.

    Args:
        text: What holds, as it follows "when".
        holds: Whether a rule counts where that is so; otherwise it counts where it is not.
    """

    text: str
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A match and what to do.

    Args:
        direction: Seen from the subject.
        action: What a match does.
        peers: Any of these; `(Peer(AnyMatch()),)` for everybody, empty for nobody.
        traffic: Destination protocol and ports.
        index: 1-based place among the rules of its policy and direction, as people count.
        span: Where it is written.
        sources: Source ports the traffic must come from; None when the rule does not ask.
        condition: Text of a condition that must also hold, which the IR has no words for; None
            when the rule has none.
        subjects: Those of the policy's subjects that the rule is about, any of these; None for
            all of them.
        caveats: What an answer that rests on this rule carries.
        request: What it asks of requests: only those that meet it are matched. None for nothing.
        tracked: Whether what it lets through is a connection, whose replies need no rule.
        listed: What the list is called that it is in, where a policy has several of a direction
            (`ingressDeny`); None where the direction says it.
        unmet: Traffic it would match, were it not known that another request is made.
        given: Where its condition is a circumstance that no question tells, and decides alone:
            that circumstance. None otherwise.
    """

    direction: Direction
    action: Action
    peers: tuple[Peer, ...]
    traffic: TrafficMatch
    index: int
    span: Span | None = None
    sources: TrafficSet | None = None
    condition: str | None = None
    subjects: tuple[PeerMatch, ...] | None = None
    caveats: tuple[Caveat, ...] = ()
    request: RequestCondition | None = None
    tracked: bool = True
    listed: str | None = None
    unmet: TrafficMatch | None = None
    given: "Given | None" = None

    @property
    def asks(self) -> bool:
        """Whether it matches some flows between its ends on its ports, and others not."""
        return self.condition is not None or self.request is not None or self.sources is not None

    @property
    def conditions(self) -> str | None:
        """Text of all that must also hold, besides source ports; None where nothing must."""
        request = None if self.request is None else str(self.request)
        return " and ".join(each for each in (request, self.condition) if each) or None

    @property
    def label(self) -> str:
        """The name people give it in its policy: `egress rule 2`."""
        return f"{self.listed or self.direction} rule {self.index}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a staged policy would be, were it enforced.

    Args:
        replaces: The enforced policy whose place it would take, if there is one of that name.
        removes: Whether it would only take that policy away.
        caveat: What whoever is shown the cluster with it enforced has to know: how the
            enforcer's own preview differs, say.
    """

    replaces: PolicyId
    removes: bool = False
    caveat: Caveat | None = None


Order: TypeAlias = tuple[float | str, ...]
"""A place among others, compared as tuples; in one list, equal places hold equal types."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy object's meaning.

    Args:
        id: The object.
        subjects: Pods it applies to: any of these. None of them where it is about nodes only.
        isolates: Directions in which what no rule allows meets the tier's end.
        rules: In order; ingress and egress separately numbered.
        tier: Name of the tier it belongs to.
        band: Place of its band in the tier.
        order: Place in the band; compared as tuples, equal means no order.
        nodes: Nodes whose own traffic it applies to, by name; `ANY_NODE` is one that is not in
            the input.
        doubtful: Those of them that it may not apply to, for all that is known.
        mode: Whether it takes part.
        preview: For a staged policy, what enforcing it would do.
        stated: Whether an object states its rules, to which more can be added; not where it is
            what an enforcer puts around policies, under the name of what that is about.
        span: Where the object starts.
        opaque: We know that it exists and whom it may select, not what it does: flows of
            its subject are undetermined. Holds the reason.
    """

    id: PolicyId
    subjects: tuple[PodsMatch, ...]
    isolates: frozenset[Direction]
    rules: tuple[Rule, ...]
    tier: str
    order: Order = ()
    mode: Mode = Mode.ENFORCED
    span: Span | None = None
    subject_span: Span | None = None
    opaque: UnknownMatch | None = None
    band: int = 0
    nodes: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()
    preview: Preview | None = None
    stated: bool = True

    def rules_for(self, direction: Direction) -> tuple[Rule, ...]:
        """Return the rules of one direction, in order."""
        return tuple(r for r in self.rules if r.direction is direction)


@dataclass(frozen=True, slots=True)
class TierSpec:
    """Where a tier's policies stand and what happens at its end.

    Args:
        name: What policies call it.
        bands: Its bands in the order they are evaluated, each by how it reconciles rules.
        end: What happens to traffic that no rule decided, where a selecting policy
            isolates; None passes on.
        end_scope: Traffic for which `end` is defined; beyond it the outcome is undetermined
            (with `end_caveat`).
        end_caveat: Caveat of answers beyond `end_scope`.
        passed_caveat: Caveat of answers that rest on its end, where that lets through.
        ends_both: Whether a policy of it that isolates one direction ends the other one too, by
            allowing there what the tier leaves undecided.
        order: Place among the tiers of its layer.
        span: Where it is declared, for one that an object declares.
        returned: What happens, where `end` would, to what a Service leads back to the pod it
            comes from; None for what happens to everything else.
        ending: The first of those bands that are only asked where a policy isolates, and the end
            is met; None for no such band.
        loose: The first of those bands that are only asked where none isolates; None likewise.
        late: Whether its end comes after all tiers of the layer, and not right after its bands.
        before_nat: Whether its policies see destinations as they are before Services lead to
            their endpoints.
    """

    name: str
    bands: tuple[Combine, ...]
    end: Action | None = None
    end_scope: TrafficSet = ANY
    end_caveat: Caveat | None = None
    passed_caveat: Caveat | None = None
    order: Order = ()
    span: Span | None = None
    ends_both: bool = False
    returned: Action | None = None
    ending: int | None = None
    loose: int | None = None
    late: bool = False
    before_nat: bool = False


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One enforcement layer: the CNI, the mesh, the host firewall.

    Args:
        name: For people: `cni`, `mesh`, `host`.
        tiers: In the order they are evaluated.
        default: What holds when no tier decided.
        builtin: Rules before every tier: own node, self. Their peers are relative.
    """

    name: str
    tiers: tuple[TierSpec, ...]
    default: Action = Action.ALLOW
    builtin: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Every policy of a snapshot, with the layers that give them their places.

    Args:
        policies: The policies.
        layers: The layers, tiers in the order they are evaluated.
        groups: Address groups that `GroupsMatch` finds.
        request: The request that is asked about, as far as it is told; None for all there are.
    """

    policies: tuple[Policy, ...] = ()
    layers: tuple[LayerSpec, ...] = field(default_factory=tuple)
    groups: tuple[AddressGroup, ...] = ()
    request: "Request | None" = None
