"""Whom of the IR a selector on identity labels finds.

To Cilium everybody is a set of labels: pods, whose namespace, service account and cluster are
labels too; nodes; what is outside. The IR keeps them apart, so a selector is asked of each kind:
of pods it is taken to pieces, of the others, whose labels are few, it simply holds or not.

Source: cilium/cilium pkg/k8s/apis/cilium.io/utils/utils.go, pkg/policy/types/requirements.go,
pkg/labelsfilter/filter.go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import EVERYTHING, FAMILY, LabelSelector, Operator
from cloison.algebra import Requirement as Asked
from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import (
    ACCOUNT,
    ANY,
    API_SERVER,
    CLUSTER,
    HOST,
    INIT,
    K8S,
    NAMESPACE,
    NAMESPACE_LABELS,
    NODE,
    REMOTE_NODE,
    RESERVED,
    SEEN,
    WORLD,
    WORLD_V4,
    WORLD_V6,
    reserved_key,
)
from cloison.dialects.cilium.model_rules import Requirement, Selector
from cloison.ir.groups import exactly
from cloison.ir.peers import (
    AllOf,
    AnyOf,
    BlockMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
    UnknownMatch,
)
from cloison.resources.objects import ACCOUNT_NAME_LABEL, NAMESPACE_NAME_LABEL

OWN_NODE: tuple[PeerMatch, ...] = (
    RelativeMatch(Relative.OWN_NODE),
    RelativeMatch(Relative.LOOPBACK),
)
"""The node of the subject, and what is on its network."""
OTHER_NODES: tuple[PeerMatch, ...] = (RelativeMatch(Relative.OTHER_NODE),)
HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Scope:
    """What selectors of a policy are read with.

    Args:
        cluster: What it is compiled in.
        namespace: The policy's; None for a policy of the cluster.
        init: Whether its subjects' selector says anything of endpoints without an identity yet.
    """

    cluster: Cluster
    namespace: str | None
    init: bool = False


def in_namespace(name: str) -> Requirement:
    """Return what holds of everything in a namespace."""
    return Requirement(K8S, NAMESPACE, Operator.IN, (name,))


_IN_A_NAMESPACE = Requirement(K8S, NAMESPACE, Operator.EXISTS)


def subjects(selector: Selector, scope: Scope) -> tuple[PodsMatch, ...]:
    """Return the pods that an `endpointSelector` is about; none where it selects no pod."""
    wanted = list(selector.requirements)
    if scope.namespace is not None:
        wanted = [each for each in wanted if not _overwritten(each)]
        wanted.append(in_namespace(scope.namespace))
    return pods(wanted, scope.cluster, local=True)


def _overwritten(each: Requirement) -> bool:
    """Whether it is the pair of `matchLabels` in whose place the object's own namespace comes."""
    return each.pair and each.source == K8S and each.key == NAMESPACE


def selects_init(selector: Selector) -> bool:
    """Return whether a selector says anything of endpoints without an identity yet, even "no"."""
    return any(each.source == RESERVED and each.key == INIT for each in selector.requirements)


def peers(selector: Selector, scope: Scope) -> tuple[PeerMatch, ...]:
    """Return whom a selector of peers finds, any of these."""
    return found_by(injected(selector.requirements, scope), scope.cluster)


def injected(wanted: Sequence[Requirement], scope: Scope) -> tuple[Requirement, ...]:
    """Return what a selector of peers asks for, with what Cilium adds to it."""
    if any(each.source == RESERVED for each in wanted):
        return tuple(wanted)
    found = list(wanted)
    keys = {each.key for each in wanted if each.source in (K8S, ANY)}
    if NAMESPACE not in keys:
        if scope.namespace is None:
            found += () if scope.init else (_IN_A_NAMESPACE,)
        elif not any(key.startswith(NAMESPACE_LABELS) for key in keys):
            found.append(in_namespace(scope.namespace))
    return _of_cluster(found, scope.cluster)


def _of_cluster(wanted: Sequence[Requirement], cluster: Cluster) -> tuple[Requirement, ...]:
    named = any(each.key == CLUSTER for each in wanted)
    if named or not cluster.switches.default_local_cluster:
        return tuple(wanted)
    name = cluster.switches.cluster_name
    return (*wanted, Requirement(K8S, CLUSTER, Operator.IN, (name,)))


def found_by(wanted: Sequence[Requirement], cluster: Cluster) -> tuple[PeerMatch, ...]:
    """Return everybody that requirements find, any of these."""
    found: list[PeerMatch] = [*pods(wanted, cluster)]
    for kind, labels, others in _kinds(wanted, cluster):
        matches, known = kind, wanted
        if kind == OTHER_NODES and cluster.switches.node_selector_labels:
            matches, known = _of_nodes(wanted, labels, cluster)
        answer = bool(matches) and _holds(known, labels, others)
        if answer:
            found += matches
        elif answer is None:
            unclear = UnknownMatch("labels of nodes or of addresses", caveats.SELECTOR_UNCLEAR)
            found.append(AllOf((unclear, one(matches))))
    return tuple(found)


def _of_nodes(
    wanted: Sequence[Requirement], reserved: frozenset[str], cluster: Cluster
) -> tuple[tuple[PeerMatch, ...], Sequence[Requirement]]:
    """Return which nodes besides a pod's own it may be, and what is left to ask of all of them.

    Where rules may select them by label, those are labels of theirs, and one says of which cluster
    they are. Source: pkg/node/manager/manager.go.
    """
    here = {CLUSTER: cluster.switches.cluster_name}
    own: list[Asked] = []
    rest: list[Requirement] = []
    for each in wanted:
        if each.key == CLUSTER and each.source in (K8S, ANY):
            if not asked(each).matches(here):
                return (), rest
            continue
        if each.source in (ANY, NODE) and each.key not in reserved:
            if cluster.node_labels.keeps(each.key):
                own.append(asked(each))
            elif not asked(each).matches({}):
                return (), rest
        else:
            rest.append(each)
    selector = _selector(own)
    if not selector.satisfiable():
        return (), rest
    return ((AllOf((NodesMatch(selector), *OTHER_NODES)),) if own else OTHER_NODES), rest


def _kinds(
    wanted: Iterable[Requirement], cluster: Cluster
) -> Iterator[tuple[tuple[PeerMatch, ...], frozenset[str], frozenset[str]]]:
    """Yield what is no pod, with its reserved labels and those sources it may have more of."""
    of_nodes = frozenset({NODE, "cidr", "cidrgroup"})
    around = frozenset({"cidr", "cidrgroup", "fqdn"})
    if any(_names_api_server(each) for each in wanted):
        # Every API server is also a node, or outside.
        yield api_server(cluster), frozenset({API_SERVER}), frozenset({RESERVED, NODE, *around})
        return
    yield OWN_NODE, frozenset({HOST}), of_nodes
    yield OTHER_NODES, frozenset({REMOTE_NODE}), of_nodes
    for family, own in ((4, WORLD_V4), (6, WORLD_V6)):
        yield (
            (world(family, cluster),),
            _of_world(family, own, cluster),
            around,
        )


_OTHER: Mapping[int, int] = {4: 6, 6: 4}


def _of_world(family: int, own: str, cluster: Cluster) -> frozenset[str]:
    """Return which label what is outside may have: that of its family where there is another.

    Source: cilium/cilium pkg/labels/cidr.go, getWorldLabel.
    """
    other = cluster.switches.has_family(_OTHER[family])
    if other is None:
        return frozenset({WORLD, own})
    return frozenset({own if other else WORLD})


def _names_api_server(each: Requirement) -> bool:
    reserved = each.source == RESERVED and each.key == API_SERVER
    return reserved and not asked(each).matches({})


def _holds(
    wanted: Iterable[Requirement], labels: frozenset[str], others: frozenset[str]
) -> bool | None:
    """Return whether requirements hold of one of these kinds; None where nobody can say."""
    sure: bool | None = True
    for each in wanted:
        plain = asked(each)
        if each.source in (RESERVED, ANY) and each.key in labels:
            # Of several it has one, and nobody says which.
            answer = plain.matches({each.key: ""}) if len(labels) == 1 else None
        elif each.source in others or (each.source == RESERVED and each.key == API_SERVER):
            answer = None
        else:
            answer = plain.matches({})
        if answer is False:
            return False
        sure = sure and answer
    return sure


def asked(each: Requirement) -> Asked:
    """Return a requirement, its source aside."""
    return Asked(each.key, Operator(each.operator), tuple(sorted(set(each.values))))


def pods(
    wanted: Sequence[Requirement], cluster: Cluster, *, local: bool = False
) -> tuple[PodsMatch, ...]:
    """Return the pods that requirements find, any of these; none where they find none.

    Those of reserved identities, where there are any, have no other labels.

    Args:
        wanted: The requirements.
        cluster: What they are read in.
        local: Whether pods of other clusters are left out: they have policies of their own there.
    """
    here = Requirement(K8S, CLUSTER, Operator.IN, (cluster.switches.cluster_name,))
    plain = _plain_pods((*wanted, here) if local else wanted, cluster)
    reserved = (
        reserved_pods(name)
        for name in cluster.reserved
        if _holds(wanted, frozenset({name}), frozenset())
    )
    return (*(() if plain is None else (plain,)), *reserved)


def reserved_pods(name: str) -> PodsMatch:
    """Return the pods of a reserved identity."""
    return PodsMatch(pods=_selector([Asked(reserved_key(name), Operator.EXISTS)]))


def of_cluster(cluster: Cluster) -> tuple[PodsMatch, ...]:
    """Return the pods that Cilium counts among its cluster."""
    return pods((), cluster, local=True)


def _plain_pods(wanted: Iterable[Requirement], cluster: Cluster) -> PodsMatch | None:
    """Return the pods of no reserved identity that requirements find; None where there are none."""
    names: list[Asked] = []
    of_namespace: list[Asked] = []
    of_account: list[Asked] = []
    own = [Asked(reserved_key(name), Operator.DOES_NOT_EXIST) for name in cluster.reserved]
    for each in wanted:
        wants = asked(each)
        key = each.key
        if each.source not in (K8S, ANY):
            if not wants.matches({}):
                return None
        elif key == NAMESPACE:
            names.append(replace(wants, key=NAMESPACE_NAME_LABEL))
        elif key == CLUSTER:
            asked_of_mark = of_mark(wants, cluster)
            if asked_of_mark is None:
                return None
            own += asked_of_mark
        elif key == ACCOUNT:
            of_account.append(replace(wants, key=ACCOUNT_NAME_LABEL))
        elif key.startswith(NAMESPACE_LABELS) and cluster.keeps(key):
            bare = key.removeprefix(NAMESPACE_LABELS)
            into = names if bare == NAMESPACE_NAME_LABEL else of_namespace
            into.append(replace(wants, key=bare))
        elif cluster.keeps(key):
            own.append(wants)
        elif key in cluster.seen:
            own.append(replace(wants, key=SEEN + key))
        elif not wants.matches({}):
            return None
    return _pods(names, of_namespace, own, of_account)


def of_mark(wants: Asked, cluster: Cluster) -> list[Asked] | None:
    """Return what a requirement on the cluster asks of the mark that pods of other ones have.

    None where no pod can meet it.
    """
    able = {each for each in cluster.clusters if wants.matches({CLUSTER: each})}
    others = tuple(each for each in cluster.clusters if each not in able)
    if wants.matches({CLUSTER: cluster.switches.cluster_name}):
        return [Asked(CLUSTER, Operator.NOT_IN, others)] if others else []
    return [Asked(CLUSTER, Operator.IN, tuple(sorted(able)))] if able else None


def _pods(
    names: list[Asked], of_namespace: list[Asked], own: list[Asked], of_account: list[Asked]
) -> PodsMatch | None:
    """Sort requirements into a match. Every pod has a namespace and an account by some name."""
    said = [each for each in names if each.operator is not Operator.EXISTS]
    accounts = [each for each in of_account if each.operator is not Operator.EXISTS]
    selectors = [_selector(each) for each in ((*said, *of_namespace), own, accounts)]
    always_there = (*said, *accounts)
    if any(each.operator is Operator.DOES_NOT_EXIST for each in always_there):
        return None
    if not all(each.satisfiable() for each in selectors):
        return None
    namespaces, labels, account = selectors
    name = None if of_namespace else _only(said)
    return PodsMatch(name, EVERYTHING if name is not None else namespaces, labels, account)


def _selector(requirements: Iterable[Asked]) -> LabelSelector:
    return LabelSelector.of({}, requirements)


def _only(names: list[Asked]) -> str | None:
    """Return the one name that is asked for, where only names are."""
    lists = [set(each.values) for each in names if each.operator is Operator.IN]
    if not lists:
        return None
    left = [
        name
        for name in set.intersection(*lists)
        if all(each.matches({each.key: name}) for each in names)
    ]
    return left[0] if len(left) == 1 else None


def world(family: int, cluster: Cluster) -> PeerMatch:
    """Return everything of a family outside the cluster, whatever blocks match besides."""
    return outside(BlockMatch(FAMILY[family], WHOLE[family], whole=True), cluster)


WHOLE: Mapping[int, str] = {4: "0.0.0.0/0", 6: "::/0"}


def outside(block: BlockMatch, cluster: Cluster) -> PeerMatch:
    """Return whom of a block is outside the cluster, whatever blocks match besides."""
    profile = cluster.profile
    inside: list[PeerMatch] = []
    inside += [NodesMatch()] if profile.block_matches_nodes else []
    inside += [PodsMatch()] if profile.block_matches_pods else []
    return AllOf((block, NoneOf(tuple(inside)))) if inside else block


def api_server(cluster: Cluster) -> tuple[PeerMatch, ...]:
    """Return the API servers: nodes that run one, and addresses outside the cluster."""
    addresses = cluster.api_servers
    if addresses is None:
        unknown = UnknownMatch("the addresses of the API server", caveats.API_SERVER_UNKNOWN)
        anywhere = AnyOf((NodesMatch(), world(4, cluster), world(6, cluster)))
        return (AllOf((unknown, anywhere)),)
    others = addresses - cluster.node_addresses
    found: list[PeerMatch] = [outside(each, cluster) for each in exactly(others)]
    named = tuple(
        name
        for name, points in cluster.addresses_of.items()
        if any(point in addresses for point in points)
    )
    return (*found, *nodes_called(named, cluster))


def nodes_called(names: Sequence[str], cluster: Cluster) -> tuple[PeerMatch, ...]:
    """Return certain nodes, by the label that tells them apart, or else by name."""
    if not names:
        return ()
    every = cluster.world.nodes
    if set(names) == set(every) and not cluster.hosts_anywhere:
        return (NodesMatch(),)
    called = {name: node.labels.get(HOSTNAME) for name, node in every.items()}
    mine = {called[name] for name in names}
    others = {called[name] for name in every if name not in names}
    if None in mine | others or mine & others:
        return (NodesMatch(names=frozenset(names)),)
    values = tuple(sorted(each for each in mine if each is not None))
    return (NodesMatch(_selector([Asked(HOSTNAME, Operator.IN, values)])),)


def one(matches: Sequence[PeerMatch]) -> PeerMatch:
    """Return several matches as one."""
    return matches[0] if len(matches) == 1 else AnyOf(tuple(matches))


def nodes(selector: Selector, cluster: Cluster, source: str) -> tuple[LabelSelector, bool] | None:
    """Return what a selector asks of labels of nodes, and whether that is all it asks.

    None where no node can satisfy it.

    Args:
        selector: The selector.
        cluster: What it is read in.
        source: Of the labels: `node` where nodes are peers, which have a filter of their own, and
            `k8s` where they are subjects, whose labels are filtered as a pod's are. Source:
            pkg/endpoint/endpoint.go (InitWithNodeLabels), pkg/node/manager/manager.go.
    """
    own: list[Asked] = []
    plain = True
    keeps = cluster.keeps if source == K8S else cluster.node_labels.keeps
    here = {CLUSTER: cluster.switches.cluster_name}
    for each in selector.requirements:
        wants = asked(each)
        if source == NODE and each.key == CLUSTER and each.source in (ANY, K8S):
            if not wants.matches(here):
                return None
        elif each.source in (ANY, source):
            if keeps(each.key):
                own.append(wants)
            elif not wants.matches({}):
                return None
        elif each.source == RESERVED and each.key in (HOST, REMOTE_NODE):
            continue
        elif each.source == RESERVED and each.key == API_SERVER:
            plain = False
        elif not wants.matches({}):
            return None
    found = _selector(own)
    return (found, plain) if found.satisfiable() else None
