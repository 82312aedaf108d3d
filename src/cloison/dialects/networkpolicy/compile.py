"""From the model to the policy IR: what a NetworkPolicy means.

Everything here is the API's own definition. What an enforcer makes of it (whether a block
matches pods, how a named port becomes a number, what happens to ICMP) is decided where the
policy meets a world. What it reads otherwise in the first place is in `reading`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import reduce

from cloison.algebra import (
    FAMILY,
    NO_TRAFFIC,
    AddressSet,
    TrafficSet,
)
from cloison.base import Span
from cloison.dialects.dialect import Compilation
from cloison.dialects.networkpolicy import model, ways
from cloison.dialects.networkpolicy.cidr import Cidr, parse_cidr
from cloison.dialects.networkpolicy.reading import Reader
from cloison.dialects.reading.selectors import compile_selector
from cloison.ir.caveats import CIDR_STRICT
from cloison.ir.peers import AllOf, AnyMatch, BlockMatch, PeerMatch, PodsMatch
from cloison.ir.policy import (
    L4_TRAFFIC,
    Action,
    Direction,
    NamedPort,
    Peer,
    Policy,
    PolicyId,
    Rule,
    TrafficMatch,
)
from cloison.ir.profile import Place, Profile
from cloison.resources.world import World

TIER = "networkpolicy"
KIND = "NetworkPolicy"

_ALONE = Place(TIER)

DIRECTIONS = {
    model.PolicyType.INGRESS: Direction.INGRESS,
    model.PolicyType.EGRESS: Direction.EGRESS,
}


def compile_policies(
    policies: Sequence[model.NetworkPolicy], profile: Profile, world: World | None = None
) -> Compilation:
    """Return what each of `policies` means under `profile`, whatever the world.

    Raises:
        ValueError: one of them holds a value that `validate` refuses.
    """
    if KIND in profile.places and profile.places[KIND] is None:
        return Compilation((), ())
    return Compilation.each(_compiled(policies, Reader(profile, world)))


def _compiled(policies: Sequence[model.NetworkPolicy], reader: Reader) -> Iterator[Policy]:
    """Yield what each of some policies means.

    Those that were read as one specification (see `plain`) mean the same, each in its namespace.
    """
    profile = reader.profile
    known: dict[tuple[int, ...], Policy] = {}
    for policy in policies:
        parts = (policy.pod_selector, policy.policy_types, policy.ingress, policy.egress)
        # By identity: `policies` keeps them alive.
        key = tuple(map(id, parts))
        like = known.get(key)
        if like is None:
            like = known[key] = _policy(policy, reader)
            yield like
        else:
            yield _elsewhere(like, policy, profile)


def _elsewhere(like: Policy, policy: model.NetworkPolicy, profile: Profile) -> Policy:
    """Return what a policy means that says the same as another one, perhaps elsewhere."""
    (subject,) = like.subjects
    home = policy.namespace
    own = PodsMatch(namespace=home, pods=subject.pods)
    name = PolicyId(KIND, home, policy.name)
    place = profile.places.get(KIND) or _ALONE
    rules = [
        Rule(
            rule.direction,
            rule.action,
            tuple([_peer_elsewhere(peer, own) for peer in rule.peers]),
            rule.traffic,
            rule.index,
            policy.span,
        )
        for rule in like.rules
    ]
    return Policy(
        name,
        (own,),
        like.isolates,
        tuple(rules),
        like.tier,
        place.at(name),
        span=policy.span,
        band=like.band,
        subject_span=policy.span,
    )


def _peer_elsewhere(peer: Peer, own: PodsMatch) -> Peer:
    """Return what a peer means to a policy whose subjects are `own`."""
    match = _match_elsewhere(peer.match, own)
    return peer if match is peer.match else Peer(match)


def _match_elsewhere(match: PeerMatch, own: PodsMatch) -> PeerMatch:
    if isinstance(match, AllOf):
        return AllOf(tuple(_match_elsewhere(each, own) for each in match.matches))
    if not isinstance(match, PodsMatch) or match.namespace is None:
        return match
    return own if match.pods is own.pods else replace(match, namespace=own.namespace)


def compile_policy(policy: model.NetworkPolicy, profile: Profile) -> Policy:
    """Return what `policy` means under `profile`.

    Rules of a direction the policy does not isolate do nothing and are left out; the
    others keep the number they have in the object.

    Args:
        policy: A policy that passed `validate`.
        profile: Who enforces.

    Raises:
        ValueError: the policy holds a value that `validate` refuses.
    """
    return _policy(policy, Reader(profile))


def _policy(policy: model.NetworkPolicy, reader: Reader) -> Policy:
    share = reader.share
    types = reader.types(policy)
    rules = tuple(
        each
        for type_ in model.PolicyType
        if type_ in types
        for index, rule in enumerate(policy.rules(type_), 1)
        for each in ways.rules(
            _rule(rule, DIRECTIONS[type_], index, policy.namespace, reader, policy.span),
            reader.profile.reading,
        )
    )
    subject = policy.pod_selector
    selector = reader.visible(compile_selector(subject))
    name = PolicyId(KIND, policy.namespace, policy.name)
    place = reader.profile.places.get(KIND) or _ALONE
    return Policy(
        name,
        share((share(PodsMatch(namespace=policy.namespace, pods=selector)),)),
        share(frozenset(DIRECTIONS[type_] for type_ in types)),
        rules,
        place.tier,
        place.at(name),
        span=policy.span,
        band=place.band,
        subject_span=(subject.span if subject else None) or policy.span,
    )


def compile_peer(peer: model.NetworkPolicyPeer, namespace: str) -> PeerMatch:
    """Return whom a peer matches, in a policy that lives in `namespace`.

    Raises:
        ValueError: the peer has no field, or its block is no block.
    """
    if peer.ip_block is not None:
        return compile_block(peer.ip_block)
    if peer.namespace_selector is not None:
        return PodsMatch(
            namespaces=compile_selector(peer.namespace_selector),
            pods=compile_selector(peer.pod_selector),
        )
    if peer.pod_selector is None:
        msg = "a peer without any field matches nobody and is refused"
        raise ValueError(msg)
    return PodsMatch(namespace=namespace, pods=compile_selector(peer.pod_selector))


def compile_block(block: model.IPBlock) -> BlockMatch:
    """Return the addresses of a block, holes cut out.

    Raises:
        ValueError: a block or a hole is no address block.
    """
    holes = reduce(AddressSet.__or__, (_cidr(h).addresses for h in block.except_), AddressSet())
    addresses = _cidr(block.cidr).addresses
    whole = addresses in FAMILY.values()
    loose = any(_cidr(text).loose for text in (block.cidr, *block.except_))
    caveat = CIDR_STRICT if loose else None
    return BlockMatch(addresses - holes, block.cidr, block.except_, whole, caveat)


def compile_ports(
    ports: tuple[model.NetworkPolicyPort, ...] | None,
    profile: Profile,
    numbers: Callable[[str, str], TrafficSet] | None = None,
) -> TrafficMatch:
    """Return the traffic that a rule's `ports` match; absent and empty are all of it.

    Args:
        ports: The ports.
        profile: Who enforces.
        numbers: What a name of a protocol stands for, where that does not depend on the pod.
    """
    if not ports:
        return L4_TRAFFIC
    must = NO_TRAFFIC
    named: list[NamedPort] = []
    for entry in ports:
        protocol = entry.protocol or "TCP"
        if entry.port is None:
            must |= TrafficSet.protocol(protocol)
        elif isinstance(entry.port, str):
            if numbers is None:
                named.append(NamedPort(entry.port, protocol))
            else:
                must |= numbers(entry.port, protocol)
        else:
            last = entry.end_port if profile.end_port else None
            must |= TrafficSet.ports(protocol, entry.port, last)
    return TrafficMatch(must, named=tuple(dict.fromkeys(named)))


def _rule(
    rule: model.NetworkPolicyRule,
    direction: Direction,
    index: int,
    namespace: str,
    reader: Reader,
    place: Span | None,
) -> Rule:
    share = reader.share
    if rule.peers:
        plain = ((compile_peer(each, namespace), each) for each in rule.peers)
        reading = reader.profile.reading
        peers = tuple(
            Peer(share(match), each.span)
            for written, each in plain
            for match in (
                *reader.matches(written, direction, namespace),
                *ways.besides(each, written, reading, reader.world),
            )
        )
    else:
        peers = (Peer(AnyMatch(), rule.span),)
    by_number = reader.profile.reading.cluster_names is not None and reader.world is not None
    numbers = reader.numbers if by_number and direction is Direction.EGRESS else None
    traffic = share(compile_ports(rule.ports, reader.profile, numbers))
    caveats = tuple(reader.caveats(rule, direction, peers))
    span = rule.span or place
    return Rule(direction, Action.ALLOW, peers, traffic, index, span, caveats=caveats)


def _cidr(text: str) -> Cidr:
    cidr = parse_cidr(text)
    if cidr is None:
        msg = f"{text!r} is not an address block"
        raise ValueError(msg)
    return cidr
