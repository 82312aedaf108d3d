"""What two profiles say differently, fact by fact, and a profile with one fact of another.

A difference between two enforcers is owed to a fact if it is gone once both are of one mind about
that. Facts that no edge shows are told, too.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from cloison.ir.peers import Relative, RelativeMatch
from cloison.ir.policy import Action, Combine, Direction, LayerSpec, Rule, TierSpec
from cloison.ir.profile import NamedPorts, OtherProtocols, Place, Profile, Quirk
from cloison.platform.differences import (
    ISOLATION,
    REQUESTS,
    SAID,
    SCTP,
    SERVICES,
    Fact,
    Swap,
    kinds,
    known,
    late,
    noted,
    unknown,
)
from cloison.platform.factrow import Row, taking

_PORTS = {
    NamedPorts.PER_POD: "looked up on each pod",
    NamedPorts.UNION: "every number that any pod gives the name",
    NamedPorts.WHOLE_PROTOCOL: "every port of the protocol",
}
_OTHERS = {
    OtherProtocols.UNDEFINED: "nobody says",
    OtherProtocols.PORTLESS_RULES: "denied, but for rules without ports",
    OtherProtocols.DENIED: "denied",
    OtherProtocols.ALWAYS_ALLOWED: "always allowed",
}


def _layer(profile: Profile) -> LayerSpec:
    return profile.layers[0]


def _tier(profile: Profile) -> TierSpec | None:
    """Return the tier in which NetworkPolicies stand."""
    place = profile.places.get("NetworkPolicy")
    name = place.tier if place is not None else "networkpolicy"
    return next((tier for tier in _layer(profile).tiers if tier.name == name), None)


def _with_layer(profile: Profile, layer: LayerSpec) -> Profile:
    return replace(profile, layers=(layer, *profile.layers[1:]))


def _with_tier(profile: Profile, change: Callable[[TierSpec], TierSpec]) -> Profile:
    mine = _tier(profile)
    tiers = tuple(change(tier) if tier == mine else tier for tier in _layer(profile).tiers)
    return _with_layer(profile, replace(_layer(profile), tiers=tiers))


def _swap_others(profile: Profile, other: Profile) -> Profile:
    theirs = _tier(other)
    changed = replace(profile, other_protocols=other.other_protocols)
    if theirs is None:
        return changed
    scope, caveat = theirs.end_scope, theirs.end_caveat
    return _with_tier(changed, lambda tier: replace(tier, end_scope=scope, end_caveat=caveat))


def _swap_always(profile: Profile, other: Profile) -> Profile:
    layer = replace(_layer(profile), builtin=_layer(other).builtin)
    exemptions = _at_home(profile, other, "exemptions")
    changed = replace(profile, own_node_egress=other.own_node_egress, exemptions=exemptions)
    return _with_layer(changed, layer)


_WAYS = {
    (Direction.INGRESS, Relative.OWN_NODE): "a pod's own node in",
    (Direction.EGRESS, Relative.OWN_NODE): "pods to their own node",
    (Direction.INGRESS, Relative.SELF): "pods to themselves",
    (Direction.INGRESS, Relative.RETURNED): "pods to themselves by a Service",
}


def _always(profile: Profile) -> str:
    """Say what passes whatever policies allow, and of what also if one denies it."""
    layer = _layer(profile)
    said = dict.fromkeys(_passing(layer.builtin))
    for each in profile.exemptions:
        said |= dict.fromkeys(f"{way} unless it is denied" for way in _passing(each.rules))
    return ", ".join(said) or "nothing"


def _passing(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        for peer in rule.peers:
            if not isinstance(peer.match, RelativeMatch):
                yield f"{rule.traffic.must}"
            elif (rule.direction, peer.match.relation) in _WAYS:
                yield _WAYS[rule.direction, peer.match.relation]


def _returned(profile: Profile) -> str:
    tier = _tier(profile)
    action = tier.returned if tier is not None else None
    return "let through" if action is Action.ALLOW else "as its policies say"


def _swap_returned(profile: Profile, other: Profile) -> Profile | None:
    theirs = _tier(other)
    if theirs is None:
        return None
    return _with_tier(profile, lambda tier: replace(tier, returned=theirs.returned))


def _at_home(profile: Profile, other: Profile, name: str) -> tuple[Any, ...]:
    """Return what another profile puts into a tier, in the tier it would stand in here."""
    tier = _tier(profile)
    if tier is None:
        return ()
    last = len(tier.bands) - 1
    return tuple(
        replace(each, tier=tier.name, band=min(each.band, last)) for each in getattr(other, name)
    )


def _swap_around(profile: Profile, other: Profile) -> Profile:
    return replace(profile, around=_at_home(profile, other, "around"))


def _order(profile: Profile) -> str:
    tier = _tier(profile)
    if tier is None:
        return "none is looked at"
    ways = {
        Combine.UNION: "what any allows is allowed",
        Combine.FIRST_MATCH: "one after the other, the first match decides",
        Combine.DENY_OVERRIDES: "what any denies is denied, then what any allows is allowed",
    }
    return ways[tier.bands[0]]


def _swap_layers(profile: Profile, other: Profile) -> Profile:
    return replace(
        profile,
        enforces=other.enforces,
        layers=other.layers,
        places=other.places,
        exemptions=_at_home(other, profile, "exemptions"),
        around=_at_home(other, profile, "around"),
    )


def _swap_order(profile: Profile, other: Profile) -> Profile:
    """Return a profile with the tiers of another, and its own mind on all else they say."""
    mine, theirs = _tier(profile), _tier(other)
    layer = replace(_layer(other), builtin=_layer(profile).builtin)
    found = _with_layer(_swap_layers(profile, other), layer)
    if mine is None or theirs is None:
        return found
    places: dict[str, Place | None] = {}
    for kind, place in profile.places.items():
        there = other.places.get(kind)
        if place is None or there is None:
            # What only one enforces is a fact of its own; it stands with NetworkPolicies.
            places[kind] = place and replace(place, tier=theirs.name, band=0)
        else:
            places[kind] = replace(there, lacks=place.lacks, passes_unknown=place.passes_unknown)
    if "NetworkPolicy" in other.places:
        places["NetworkPolicy"] = other.places["NetworkPolicy"]
    found = replace(found, places=places)
    return _with_tier(
        found,
        lambda tier: replace(
            tier, end_scope=mine.end_scope, end_caveat=mine.end_caveat, returned=mine.returned
        ),
    )


def _read(name: str) -> Callable[[Profile], str]:
    """Return what says whether a profile reads NetworkPolicies in one of its own ways."""

    def said(profile: Profile) -> str:
        way = getattr(profile.reading, name)
        if isinstance(way, Quirk):
            return "yes" if way.reason is None else "unclear"
        return SAID[bool(way)]

    return said


def _taking_readings(*names: str) -> Swap:
    """Return what takes over some of these ways."""

    def swap(profile: Profile, other: Profile) -> Profile:
        ways: dict[str, Any] = {name: getattr(other.reading, name) for name in names}
        return replace(profile, reading=replace(profile.reading, **ways))

    return swap


def _way(id_: str, title: str, name: str) -> Row:
    return Row(id_, title, (), _read(name), _taking_readings(name))


def _beyond(profile: Profile) -> str:
    """Say who is no pod and is taken for one by what it is not."""
    way = profile.reading
    if way.beyond_pods is None:
        return SAID[False]
    said = SAID[True] if way.beyond_pods.reason is None else SAID[None]
    if not way.beyond_key:
        return said
    nodes = ", and other nodes" if way.beyond_nodes is not None else ""
    return f"{said}, for peers that also exclude clusters{nodes}"


def _own_node(profile: Profile) -> str:
    """Say what a pod's own node is to it once its policies let it."""
    if profile.own_node_then is not None:
        return "as its agent is set, which denies it unless the installation says otherwise"
    return SAID[None] if profile.own_node_egress is None else "reached"


_ROWS: tuple[Row, ...] = (
    Row("enforces", "NetworkPolicy is enforced", ("enforces",), swap=_swap_layers),
    Row(
        "blocks-match-pods",
        "an address block matches the addresses of pods",
        ("block_matches_pods",),
    ),
    Row(
        "blocks-match-nodes",
        "an address block matches the addresses of nodes",
        ("block_matches_nodes",),
    ),
    Row("end-port", "`endPort` is honoured", ("end_port",)),
    Row("sctp", "SCTP is supported", ("sctp",), edges=False, about=SCTP),
    Row(
        "named-ports",
        "a port name stands for",
        ("named_ports",),
        lambda p: _PORTS.get(p.named_ports, str(p.named_ports)),
    ),
    Row(
        "last-port-name",
        "of ports by one name only the last counts that a pod declares",
        ("last_port_name",),
    ),
    Row(
        "init-container-ports",
        "port names of init and sidecar containers count",
        ("init_container_ports",),
    ),
    Row(
        "other-protocols",
        "protocols but TCP, UDP and SCTP, once a policy isolates",
        ("other_protocols",),
        lambda p: _OTHERS[p.other_protocols],
        _swap_others,
        about=ISOLATION,
    ),
    Row(
        "labels-seen",
        "labels that policies see",
        ("visible",),
        lambda p: "all" if p.visible is None else "those its filter keeps",
    ),
    _way("every-list", "rules count whose direction `policyTypes` leaves out", "every_list"),
    _way(
        "cluster-names",
        "a port name towards others is one number for the whole cluster",
        "cluster_names",
    ),
    _way(
        "whole-outside",
        "a block that is a whole family only means what is outside",
        "whole_outside",
    ),
    _way("block-of-pods", "blocks may match pods in some way of their own", "block_of_pods"),
    _way(
        "block-and-own",
        "a block that lets in also lets in the pods of the policy's namespace",
        "block_and_own",
    ),
    Row(
        "beyond-pods",
        "namespaces by what they are not also are nodes, and what is outside",
        (),
        _beyond,
        _taking_readings("beyond_pods", "beyond_key", "beyond_nodes"),
    ),
    _way(
        "sticky-holes",
        "what `except` leaves out of a block no other block lets through",
        "sticky_holes",
    ),
    _way(
        "names-need-pods",
        "port names towards blocks, or everybody, stand for nothing",
        "names_need_pods",
    ),
    _way("host-pods", "a peer by labels also is pods on the network of nodes", "host_pods"),
    Row(
        "host-namespace",
        "a peer of whole namespaces may also be nodes",
        (),
        _read("host_namespace"),
        _taking_readings("host_namespace", "host_labels"),
    ),
    Row(
        "whole-v6",
        "`::/0` is all of IPv6",
        (),
        lambda p: ", ".join(p.reading.whole_v6) or "yes",
        _taking_readings("whole_v6"),
    ),
    Row(
        "around",
        "policies that no object states",
        ("around",),
        lambda p: ", ".join(str(e.id) for e in p.around) or "none",
        _swap_around,
    ),
    Row("always", "let through whatever policies allow", (), _always, _swap_always),
    Row(
        "host-objects",
        "its own objects say what becomes of traffic of hosts",
        ("host_objects",),
    ),
    Row(
        "own-node-whole",
        "what goes for a pod's own node goes for all addresses that the node has itself",
        ("own_node_whole",),
        edges=False,
    ),
    Row(
        "own-node-then",
        "a pod's own node, once the pod's policies let it",
        (),
        _own_node,
        taking(("own_node_then", "own_node_egress")),
        edges=False,
    ),
    Row(
        "returned",
        "what a Service leads back to the pod it comes from",
        (),
        _returned,
        _swap_returned,
        edges=False,
        about=SERVICES,
    ),
    Row(
        "groups",
        "a peer of namespaces also finds address groups",
        ("groups_prefix",),
        lambda p: SAID[p.groups_prefix is not None],
    ),
    Row(
        "http-segments",
        "paths of HTTP are compared by segments, normalised",
        ("http_segments",),
    ),
    Row(
        "normalises",
        "paths of HTTP are brought to one form before they are compared, by a setting",
        ("normalises", "tells_apart"),
        lambda p: "no" if p.normalises is None else f"`{p.normalises}`",
        edges=False,
        about=REQUESTS,
    ),
    Row(
        "refusals",
        "what a client meets whose request no rule lets through",
        ("refusals",),
        lambda p: ", ".join(f"{kind}: {said}" for kind, said in sorted(p.refusals.items())) or "-",
        edges=False,
        about=REQUESTS,
    ),
    Row(
        "order",
        "rules that disagree",
        (),
        _order,
        _swap_order,
    ),
    Row(
        "keeps-connections",
        "connections that are open pass whatever policies say by then",
        ("keeps_connections",),
        edges=False,
    ),
)
"""Every fact, those that are simplest to see first."""

_NO_FACTS = frozenset(
    (
        "bundles",
        "exemptions",
        "known",
        "layers",
        "name",
        "own_node_egress",
        "own_node_then",
        "places",
        "reading",
        "source",
        "title",
    )
)
"""Fields that say who a profile is, or are told in parts above."""


def differing(first: Profile, second: Profile) -> tuple[Fact, ...]:
    """Return what two profiles say differently; which kinds of policy they enforce comes first.

    >>> from cloison.platform import profile
    >>> found = differing(profile("cilium@1.19"), profile("calico@3.32"))
    >>> [f.first for f in found if f.id == "blocks-match-pods"]
    ['no']
    """
    rows = (row.compared(first, second) for row in (*_ROWS, *_others()))
    found = [fact for fact in rows if fact is not None]
    if first.enforces is not second.enforces:
        # One of the two asks no policy anything, and everything follows from that.
        found = [fact for fact in found if fact.id in ("enforces", "keeps-connections")]
        return (*found, *known(first, second))
    return (
        *kinds(first, second),
        *unknown(first, second),
        *late(first, second),
        *found,
        *noted(first, second),
        *known(first, second),
    )


def _others() -> Iterator[Row]:
    """Yield rows for what has no words of its own."""
    told = _NO_FACTS | {name for row in _ROWS for name in row.fields}
    for each in fields(Profile):
        if each.name not in told:
            yield Row(each.name.replace("_", "-"), each.name.replace("_", " "), (each.name,))
