"""Policies of other languages, where pods have identities that their own labels do not tell.

Selectors of Kubernetes find pods of the cluster only, unless they name one, and none of a reserved
identity. They may ask for labels that only identities have: the cluster, the service account. A
subject that only says which labels are not there is met by who has none, a reserved identity.

Source: cilium/cilium pkg/k8s/network_policy.go, cluster_network_policy.go; cilium issue 46949.
"""

from collections.abc import Iterator
from dataclasses import replace

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.dialects.cilium.caveats import CIDR_PODS
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import ACCOUNT, CLUSTER, reserved_key
from cloison.dialects.cilium.labels import of_mark, reserved_pods
from cloison.dialects.reading.negative import only_negative
from cloison.ir.peers import AllOf, AnyOf, BlockMatch, NoneOf, PeerMatch, PodsMatch, UnknownMatch
from cloison.ir.policy import Peer, Policy, Rule
from cloison.resources.objects import ACCOUNT_NAME_LABEL

_OF_IDENTITIES = frozenset({CLUSTER, ACCOUNT})


def asks_of_identities(policy: Policy) -> bool:
    """Return whether a selector of a policy asks for labels that only identities have."""
    peers = (peer.match for rule in policy.rules for peer in rule.peers)
    every = (match for each in (*policy.subjects, *peers) for match in _pods(each))
    return any(_OF_IDENTITIES.intersection(match.pods.keys) for match in every)


def _pods(match: PeerMatch) -> Iterator[PodsMatch]:
    if isinstance(match, PodsMatch):
        yield match
    elif isinstance(match, AnyOf | AllOf | NoneOf):
        for each in match.matches:
            yield from _pods(each)


def without_marks(policy: Policy, cluster: Cluster) -> Policy:
    """Return a policy whose selectors do not find pods of such identities."""
    reserved = tuple(
        Requirement(reserved_key(name), Operator.DOES_NOT_EXIST) for name in cluster.reserved
    )
    others = Requirement(CLUSTER, Operator.NOT_IN, cluster.clusters)
    # What nobody states is about everybody of the cluster, of a reserved identity, too.
    here = (*(reserved if policy.stated else ()), *((others,) if cluster.clusters else ()))
    there = here if cluster.switches.default_local_cluster else reserved
    found = replace(
        policy,
        subjects=tuple(_narrowed(each, here, cluster) for each in policy.subjects),
        rules=tuple(_rule(each, here, there, cluster) for each in policy.rules),
    )
    if policy.stated and any(map(only_negative, policy.subjects)):
        return _perhaps_reserved(found, cluster)
    return found


def _perhaps_reserved(policy: Policy, cluster: Cluster) -> Policy:
    """Return a policy that perhaps is about pods of reserved identities, too."""
    quirk = cluster.profile.reading.beyond_pods
    if quirk is None or not cluster.reserved:
        return policy
    also = tuple(map(reserved_pods, cluster.reserved))
    known = tuple(replace(rule, subjects=rule.subjects or policy.subjects) for rule in policy.rules)
    open_ = tuple(
        replace(
            rule,
            subjects=also,
            condition=quirk.reason if rule.condition is None else rule.condition,
            caveats=(*rule.caveats, quirk.caveat),
        )
        for rule in policy.rules
    )
    return replace(policy, subjects=(*policy.subjects, *also), rules=(*known, *open_))


_Wanted = tuple[Requirement, ...]


def _rule(rule: Rule, here: _Wanted, there: _Wanted, cluster: Cluster) -> Rule:
    subjects = rule.subjects
    if subjects is not None:
        subjects = tuple(_match(each, here, cluster) for each in subjects)
    peers = tuple(replace(peer, match=_peer(peer, there, cluster)) for peer in rule.peers)
    return replace(rule, peers=peers, subjects=subjects)


def _peer(peer: Peer, wanted: _Wanted, cluster: Cluster) -> PeerMatch:
    """Return whom a peer is, who is of another cluster where it names one, or demands none."""
    free = tuple(each for each in wanted if each.key != CLUSTER)
    named = peer.any_cluster or any(CLUSTER in each.pods.keys for each in _pods(peer.match))
    return _match(peer.match, free if named else wanted, cluster)


def _match(match: PeerMatch, wanted: _Wanted, cluster: Cluster) -> PeerMatch:
    if isinstance(match, AllOf) and any(map(_of_addresses, match.matches)):
        return match
    if isinstance(match, NoneOf):
        # Who is no pod is of no cluster.
        wanted = tuple(each for each in wanted if each.key != CLUSTER)
    if isinstance(match, AnyOf | AllOf | NoneOf):
        inner = tuple(_match(each, wanted, cluster) for each in match.matches)
        return replace(match, matches=inner)
    return _narrowed(match, wanted, cluster) if isinstance(match, PodsMatch) else match


def _of_addresses(match: PeerMatch) -> bool:
    """Return whether a part of a peer says that it goes by addresses, whoever has them."""
    if isinstance(match, UnknownMatch):
        return match.caveat == CIDR_PODS
    return isinstance(match, BlockMatch)


def _narrowed(match: PodsMatch, wanted: _Wanted, cluster: Cluster) -> PodsMatch:
    """Return pods of which more is wanted, and what is asked of identities where it is kept."""
    if not wanted and not _OF_IDENTITIES.intersection(match.pods.keys):
        return match
    accounts = list(match.accounts.requirements)
    pods = list(wanted)
    for each in match.pods.requirements:
        if each.key == CLUSTER:
            found = of_mark(each, cluster)
            pods += _NOBODY if found is None else found
        elif each.key == ACCOUNT:
            accounts.append(replace(each, key=ACCOUNT_NAME_LABEL))
        else:
            pods.append(each)
    of_accounts = LabelSelector.of({}, accounts) if accounts else match.accounts
    return replace(match, pods=LabelSelector.of({}, pods), accounts=of_accounts)


_NOBODY = [Requirement(CLUSTER, each) for each in (Operator.EXISTS, Operator.DOES_NOT_EXIST)]
"""Asked of one pod, no pod meets both."""
