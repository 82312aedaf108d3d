"""What depends on who enforces: the shape of a CNI profile. The data is in `platform`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloison.ir.fidelity import Caveat
from cloison.ir.policy import LayerSpec, Order, PolicyId


class NamedPorts(StrEnum):
    """How an enforcer turns a named port into numbers."""

    PER_POD = "per-pod"
    """Looked up on each destination pod, as the API says."""
    UNION = "union"
    """Every number any selected pod gives the name, on all of them."""
    WHOLE_PROTOCOL = "whole-protocol"
    """Not resolved: every port of the protocol is open."""


class OtherProtocols(StrEnum):
    """What isolation does to protocols that NetworkPolicy does not define (ICMP, GRE...)."""

    UNDEFINED = "undefined"
    PORTLESS_RULES = "portless-rules"
    """A rule without ports covers them, the rest is denied."""
    DENIED = "denied"
    ALWAYS_ALLOWED = "always-allowed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an enforcer puts the policies of one kind.

    Args:
        tier: The tier's name.
        order: Their order in it, where it is the enforcer's to say.
        tie: How policies of equal order are told apart: a text to be filled with `{name}`,
            `{namespace}` and `{tier}`, compared character by character; None where nothing does.
        band: Which of the tier's bands.
        lacks: Fields of peers and ports that the enforcer does not know; a rule with one of them
            is to it a rule with a peer of no known kind.
        passes_unknown: Whether a rule that passes on what a peer of no known kind sends matches
            nothing; otherwise it denies everything, as the API demands.
        last: The last order it accepts; policies that ask for a later one are not enforced.
        caveats: What an answer that rests on a policy of the kind carries.
    """

    tier: str
    order: float | None = None
    tie: str | None = None
    band: int = 0
    lacks: frozenset[str] = frozenset()
    passes_unknown: bool = False
    last: float | None = None
    caveats: tuple[Caveat, ...] = ()

    def at(self, policy: PolicyId, order: float | None = None) -> Order:
        """Return where a policy stands.

        Args:
            policy: The policy.
            order: The order it asks for, where the enforcer has none for it.

        >>> Place("default", 1000, "{name}/{namespace}/NetworkPolicy").at(PolicyId("N", "x", "a"))
        (1000, 'a/x/NetworkPolicy')
        """
        said = self.order if order is None else order
        found: Order = () if said is None else (said,)
        if self.tie is None:
            return found
        namespace = policy.namespace or ""
        tie = self.tie.format(name=policy.name, namespace=namespace, tier=self.tier)
        return (*found, tie)


@dataclass(frozen=True, slots=True)
class Profile:
    """How one CNI, at one version, fills what the specification leaves open.

    Args:
        name: `generic`, or a product and its version, `name@1.2`.
        title: For people.
        enforces: Whether NetworkPolicy is enforced at all.
        block_matches_pods: Whether an address block matches pod addresses.
        block_matches_nodes: Whether an address block matches node addresses.
        end_port: Whether `endPort` is honoured; otherwise only `port` is.
        sctp: Whether SCTP is supported; None when it depends on the installation.
        named_ports: How named ports are resolved.
        init_container_ports: Whether names declared by init and sidecar containers count.
        other_protocols: Fate of protocols outside NetworkPolicy's scope.
        own_node_egress: Whether a pod may always reach its own node; None when unclear.
        keeps_connections: Whether connections that are open pass whatever policies say by then;
            None when unclear.
        layers: The tiers NetworkPolicy and its neighbours sit in.
        places: Where the policies of each kind stand among these, by the kind's name (with the
            tier for kinds that have a choice: `ClusterNetworkPolicy/Admin`). A kind
            with None is known not to be enforced; of one that is missing nobody knows.
        groups_prefix: What namespace labels are called on an `AddressGroup`, where a peer that
            names namespaces only also finds groups; None where it does not.
        http_segments: Whether HTTP paths of rules are compared by segments, normalised; None
            when it depends on the release.
        known: Facts that differ but are not modelled, as caveats every answer carries.
        source: Where the facts are from.
    """

    name: str
    title: str
    layers: tuple[LayerSpec, ...]
    source: str
    enforces: bool = True
    block_matches_pods: bool = True
    block_matches_nodes: bool = True
    end_port: bool = True
    sctp: bool | None = None
    named_ports: NamedPorts = NamedPorts.PER_POD
    init_container_ports: bool = False
    other_protocols: OtherProtocols = OtherProtocols.UNDEFINED
    own_node_egress: bool | None = None
    keeps_connections: bool | None = None
    places: Mapping[str, Place | None] = field(default_factory=dict, hash=False)
    groups_prefix: str | None = None
    http_segments: bool | None = None
    known: tuple[Caveat, ...] = field(default_factory=tuple)
