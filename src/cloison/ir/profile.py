"""What depends on who enforces: the shape of a CNI profile. The data is in `platform`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.ir.fidelity import Caveat
from cloison.ir.keypattern import KeyPattern
from cloison.ir.policy import LayerSpec, Order, Policy, PolicyId, Rule


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
        by_rule: Whether policies of equal order are tried side by side: the first rule of each,
            then the second ones, and of these what denies first, then what allows.
        last: The last order it accepts; policies that ask for a later one are not enforced.
        caveats: What an answer that rests on a policy of the kind carries.
        only: Caveats that are about rules with one of some fields, by id; others are about all.
    """

    tier: str
    order: float | None = None
    tie: str | None = None
    band: int = 0
    lacks: frozenset[str] = frozenset()
    passes_unknown: bool = False
    by_rule: bool = False
    last: float | None = None
    caveats: tuple[Caveat, ...] = ()
    only: tuple[tuple[str, frozenset[str]], ...] = ()

    def carried(self, fields: frozenset[str]) -> tuple[Caveat, ...]:
        """Return the caveats about a rule that has some fields."""
        only = dict(self.only)
        return tuple(each for each in self.caveats if each.id not in only or fields & only[each.id])

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
class LabelFilter:
    """Which labels policies see; one that is left out does not exist for any of them.

    A label is there if no pattern to ignore matches its key, or one to include matches more of it
    than the shortest of those.

    Args:
        include: Patterns of keys that are seen.
        ignore: Patterns of keys that are not.
        only: Whether nothing is seen but what is included.
        namespaces: What the keys of namespace labels are preceded by when they are compared.
        accounts: What the name of a service account is compared as; empty where none is.

    >>> seen = LabelFilter((KeyPattern("app.x"),), (KeyPattern("app"), KeyPattern("pod-hash")))
    >>> [seen.keeps(key) for key in ("app", "app.x", "pod-hash", "team")]
    [False, True, False, True]
    """

    include: tuple[KeyPattern, ...] = ()
    ignore: tuple[KeyPattern, ...] = ()
    only: bool = False
    namespaces: str = ""
    accounts: str = ""

    def keeps(self, key: str) -> bool:
        """Return whether policies see the pod label `key`."""
        shown = max((n for each in self.include if (n := each.taken(key))), default=0)
        hidden = min((n for each in self.ignore if (n := each.taken(key))), default=0)
        return shown > hidden or (not hidden and not self.only)

    def keeps_of_namespace(self, key: str) -> bool:
        """Return whether policies see the namespace label `key`."""
        return self.keeps(self.namespaces + key)

    def seen(self, selector: LabelSelector, *, namespaces: bool = False) -> LabelSelector:
        """Return what a selector comes to that is asked of the labels that policies see.

        To demand one that is left out is to match nobody; its absence is there for everybody.

        Args:
            selector: On the labels that there are.
            namespaces: Whether those are of namespaces.

        >>> hiding = LabelFilter(ignore=(KeyPattern("hash"),))
        >>> str(hiding.seen(LabelSelector.of({"app": "a", "hash": "b"})))
        'app=a,!hash,hash=b'
        """
        keeps = self.keeps_of_namespace if namespaces else self.keeps
        if all(keeps(key) for key in selector.keys):
            return selector
        found: list[Requirement] = []
        for each in selector.requirements:
            if keeps(each.key):
                found.append(each)
            elif not each.matches({}):
                found += (each, Requirement(each.key, Operator.DOES_NOT_EXIST))
        return LabelSelector.of({}, found)


@dataclass(frozen=True, slots=True)
class Quirk:
    """Something an enforcer does, or may do, that the API does not say.

    Args:
        caveat: What an answer carries that depends on it.
        reason: What it depends on, for people; None where it certainly does so.
    """

    caveat: Caveat
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How an enforcer reads NetworkPolicies, where that is not what the API says.

    Args:
        every_list: Whether rules count whose direction `policyTypes` leaves out.
        cluster_names: The name of a port in egress rules is one number for the whole cluster: the
            one that every pod with that name gives it, none where they differ.
        whole_outside: Whether a block that is a whole family only means what is outside the
            cluster, even where other blocks match nodes or pods.
        block_of_pods: Blocks also match pods, in a way that is not known.
        block_and_own: An ingress peer that is a block also is every pod of the policy's namespace.
        beyond_pods: A peer that only says which labels its pods and namespaces do not have also
            is whoever has none: nodes, and what is outside the cluster.
        beyond_key: The pod label that such a peer must speak of for that; empty where any is.
        beyond_nodes: Such a peer that does not speak of that label also is every node but the
            subject's own.
        whole_v6: What a block that is all of IPv6 comes to, where that is less.
        names_need_pods: Whether port names of egress rules stand for nothing where the peer is a
            block, or everybody.
        host_pods: Whether peers by label also are pods on the network of their node, by its
            address, and so the node.
        sticky_holes: Addresses that a block leaves out are not let through by other blocks either.
        host_namespace: Peers that are whole namespaces may also be nodes.
        host_labels: The labels of the namespace that stands for them.
    """

    every_list: bool = False
    cluster_names: Quirk | None = None
    whole_outside: bool = False
    block_of_pods: Quirk | None = None
    block_and_own: Quirk | None = None
    beyond_pods: Quirk | None = None
    beyond_key: str = ""
    beyond_nodes: Quirk | None = None
    whole_v6: tuple[str, ...] = ()
    names_need_pods: bool = False
    host_pods: bool = False
    sticky_holes: Quirk | None = None
    host_namespace: Quirk | None = None
    host_labels: tuple[tuple[str, str], ...] = ()

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What answers may carry that depend on one of these."""
        quirks = (
            self.cluster_names,
            self.block_of_pods,
            self.block_and_own,
            self.beyond_pods,
            self.beyond_nodes,
            self.sticky_holes,
            self.host_namespace,
        )
        return tuple(dict.fromkeys(each.caveat for each in quirks if each is not None))


class Against(StrEnum):
    """What an exemption does against a policy that denies."""

    FIRST = "first"
    """It comes first, as if nothing denied."""
    YIELDS = "yields"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Exemption:
    """Traffic that is let through whatever policies leave out, though one may deny it.

    Its rules are among those before every tier. Where some policy denies something, and that comes
    first or may, they are those of a policy about every pod instead.

    Args:
        id: What it goes by among policies.
        rules: Allow rules, whose peers are relative, as they stand before every tier.
        tier: Its tier.
        band: Its band.
        against: What becomes of it where a policy denies.
        caveat: What an answer carries that depends on that, where it is not known.
    """

    id: PolicyId
    rules: tuple[Rule, ...]
    tier: str
    band: int = 0
    against: Against = Against.YIELDS
    caveat: Caveat | None = None


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
        last_port_name: Whether a pod has one port by each name: the last that its containers
            declare, whatever the protocol.
        init_container_ports: Whether names declared by init and sidecar containers count.
        other_protocols: Fate of protocols outside NetworkPolicy's scope.
        own_node_egress: Whether a pod may always reach its own node; None when unclear.
        own_node_whole: Whether that goes for every address that a node has itself, as a cache for
            names does, and not only for those of its Node object.
        own_node_then: What the answer stands on that a pod reaches its own node once its policies
            let it, where that is still a setting of the enforcer's; None where nothing follows.
        host_objects: Whether objects of the enforcer's own say what becomes of traffic of hosts:
            host endpoints, settings of its agent.
        egress_before_translation: Whether what leaves a pod is judged by the address and port of
            the Service that is called; a rule about pods then also is about the Services whose
            selector its own finds.
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
        refusals: What who is let through to a proxy meets there with a request that no rule
            allows, by the kind of request: `http`, `dns`, `tls`.
        normalises: The setting by which a proxy brings paths to one form before it compares them;
            None where paths are compared as they are sent, or rules say how.
        tells_apart: Ways to write a path that it takes for different ones all the same, by their
            names in `algebra.variants`.
        bundles: The product it is built on, whose own kinds it may enforce, too.
        known: Facts that differ but are not modelled, as caveats every answer carries.
        visible: Which labels policies see; None for all of them.
        reading: How it reads NetworkPolicies.
        exemptions: What is let through whatever policies leave out.
        around: Policies that no object states.
        switches: Settings of the enforcer in the cluster, by the names it gives them; only those
            that somebody said. What they change is said above; dialects ask for the rest.
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
    last_port_name: bool = False
    init_container_ports: bool = False
    other_protocols: OtherProtocols = OtherProtocols.UNDEFINED
    own_node_egress: bool | None = None
    own_node_whole: bool = True
    own_node_then: Caveat | None = None
    host_objects: bool = False
    egress_before_translation: bool = False
    keeps_connections: bool | None = None
    places: Mapping[str, Place | None] = field(default_factory=dict, hash=False)
    groups_prefix: str | None = None
    http_segments: bool | None = None
    refusals: Mapping[str, str] = field(default_factory=dict, hash=False)
    normalises: str | None = None
    tells_apart: tuple[str, ...] = ()
    bundles: str = ""
    known: tuple[Caveat, ...] = field(default_factory=tuple)
    visible: LabelFilter | None = None
    reading: Reading = Reading()
    exemptions: tuple[Exemption, ...] = ()
    around: tuple[Policy, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict, hash=False)
