"""What two profiles say differently, fact by fact, and a profile with one fact of another.

A difference between two enforcers is owed to a fact if it is gone once both are of one mind about
that. Facts that no edge shows are told, too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from cloison.ir.policy import (
    Action,
    Combine,
    Direction,
    LayerSpec,
    Relative,
    RelativeMatch,
    Rule,
    TierSpec,
)
from cloison.ir.profile import NamedPorts, OtherProtocols, Place, Profile, Quirk

_SAID = {True: "yes", False: "no", None: "unclear"}
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


Swap = Callable[[Profile, Profile], Profile | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something two profiles do not agree on.

    Args:
        id: Stable name, `blocks-match-pods`.
        title: What it is about, as a sentence without an end.
        first: What the first profile says.
        second: What the second one says.
        swap: Returns the profile given first with this fact as the profile given second has it;
            None where it could not stand there.
        edges: Whether it can change who may talk to whom.
    """

    id: str
    title: str
    first: str
    second: str
    swap: Swap
    edges: bool = True


@dataclass(frozen=True, slots=True)
class _Row:
    """A fact of every profile.

    Args:
        id: As of a fact.
        title: As of a fact.
        fields: The fields of a profile that say it.
        said: What a profile says, in words; the value of the first field when not given.
        swap: As of a fact; takes over the fields when not given.
        edges: As of a fact.
    """

    id: str
    title: str
    fields: tuple[str, ...] = ()
    said: Callable[[Profile], str] | None = None
    swap: Swap | None = None
    edges: bool = True

    def compared(self, first: Profile, second: Profile) -> Fact | None:
        """Return the fact, if the two are not of one mind."""
        if self.fields:
            same = all(getattr(first, name) == getattr(second, name) for name in self.fields)
        else:
            same = self.tell(first) == self.tell(second)
        if same:
            return None
        swap = self.swap or _taking(self.fields)
        return Fact(self.id, self.title, self.tell(first), self.tell(second), swap, self.edges)

    def tell(self, profile: Profile) -> str:
        """Return what a profile says."""
        if self.said is not None:
            return self.said(profile)
        return _word(getattr(profile, self.fields[0]))


def _word(value: object) -> str:
    if value is None or isinstance(value, bool):
        return _SAID[value]
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={text}" for key, text in sorted(value.items())) or "none"
    return str(value) if isinstance(value, str) else "of its own" if value else "none"


def _taking(names: tuple[str, ...]) -> Swap:
    """Return what takes over fields as they are."""

    def swap(profile: Profile, other: Profile) -> Profile:
        values: dict[str, Any] = {name: getattr(other, name) for name in names}
        return replace(profile, **values)

    return swap


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
        return _SAID[bool(way)]

    return said


def _reading(name: str) -> Swap:
    """Return what takes over one of these ways."""

    def swap(profile: Profile, other: Profile) -> Profile:
        way: dict[str, Any] = {name: getattr(other.reading, name)}
        return replace(profile, reading=replace(profile.reading, **way))

    return swap


def _way(id_: str, title: str, name: str) -> _Row:
    return _Row(id_, title, (), _read(name), _reading(name))


_ROWS: tuple[_Row, ...] = (
    _Row("enforces", "NetworkPolicy is enforced", ("enforces",), swap=_swap_layers),
    _Row(
        "blocks-match-pods",
        "an address block matches the addresses of pods",
        ("block_matches_pods",),
    ),
    _Row(
        "blocks-match-nodes",
        "an address block matches the addresses of nodes",
        ("block_matches_nodes",),
    ),
    _Row("end-port", "`endPort` is honoured", ("end_port",)),
    _Row("sctp", "SCTP is supported", ("sctp",)),
    _Row(
        "named-ports",
        "a port name stands for",
        ("named_ports",),
        lambda p: _PORTS.get(p.named_ports, str(p.named_ports)),
    ),
    _Row(
        "last-port-name",
        "of ports by one name only the last counts that a pod declares",
        ("last_port_name",),
    ),
    _Row(
        "init-container-ports",
        "port names of init and sidecar containers count",
        ("init_container_ports",),
    ),
    _Row(
        "other-protocols",
        "protocols but TCP, UDP and SCTP, once a policy isolates",
        ("other_protocols",),
        lambda p: _OTHERS[p.other_protocols],
        _swap_others,
    ),
    _Row(
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
    _way(
        "beyond-pods",
        "namespaces by what they are not also are nodes, and what is outside",
        "beyond_pods",
    ),
    _Row(
        "around",
        "policies that no object states",
        ("around",),
        lambda p: ", ".join(str(e.id) for e in p.around) or "none",
        _swap_around,
    ),
    _Row("always", "let through whatever policies allow", (), _always, _swap_always),
    _Row(
        "returned",
        "what a Service leads back to the pod it comes from",
        (),
        _returned,
        _swap_returned,
    ),
    _Row(
        "groups",
        "a peer of namespaces also finds address groups",
        ("groups_prefix",),
        lambda p: _SAID[p.groups_prefix is not None],
    ),
    _Row(
        "http-segments",
        "paths of HTTP are compared by segments, normalised",
        ("http_segments",),
    ),
    _Row(
        "order",
        "rules that disagree",
        (),
        _order,
        _swap_order,
    ),
    _Row(
        "keeps-connections",
        "connections that are open pass whatever policies say by then",
        ("keeps_connections",),
        edges=False,
    ),
)
"""Every fact, those that are simplest to see first."""

_NO_FACTS = frozenset(
    (
        "exemptions",
        "known",
        "layers",
        "name",
        "own_node_egress",
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
        return tuple(fact for fact in found if fact.id == "enforces" or not fact.edges)
    return (*_kinds(first, second), *_unknown(first, second), *found)


def _others() -> Iterator[_Row]:
    """Yield rows for what has no words of its own."""
    told = _NO_FACTS | {name for row in _ROWS for name in row.fields}
    for each in fields(Profile):
        if each.name not in told:
            yield _Row(each.name.replace("_", "-"), each.name.replace("_", " "), (each.name,))


def _kinds(first: Profile, second: Profile) -> Iterator[Fact]:
    """Yield the kinds of policy that only one of two enforces."""
    # A NetworkPolicy has a place of its own only where there is something to say of it.
    for kind in sorted({*first.places, *second.places} - {"NetworkPolicy"}):
        one, two = _enforced(first, kind), _enforced(second, kind)
        if one != two:
            yield Fact(
                f"enforces-{kind.replace('/', '-')}",
                f"{kind} is enforced",
                _SAID[one],
                _SAID[two],
                _without(kind),
            )


def _unknown(first: Profile, second: Profile) -> Iterator[Fact]:
    """Yield what only one of two knows in the policies of a kind that both enforce."""
    for kind in sorted(first.places.keys() & second.places.keys()):
        one, two = first.places[kind], second.places[kind]
        if one is None or two is None:
            continue
        if (one.lacks, one.passes_unknown) != (two.lacks, two.passes_unknown):
            yield Fact(
                f"unknown-{kind.replace('/', '-')}",
                f"fields of a {kind} whose rules fail closed, because they are not known",
                _lacking(one),
                _lacking(two),
                _knowing(kind),
            )


def _lacking(place: Place) -> str:
    said = ", ".join(sorted(place.lacks)) or "none"
    return f"{said}; what such a rule passes on, none" if place.passes_unknown else said


def _knowing(kind: str) -> Swap:
    def swap(profile: Profile, other: Profile) -> Profile | None:
        mine, theirs = profile.places[kind], other.places[kind]
        if mine is None or theirs is None:
            return None
        place = replace(mine, lacks=theirs.lacks, passes_unknown=theirs.passes_unknown)
        return replace(profile, places={**profile.places, kind: place})

    return swap


def _enforced(profile: Profile, kind: str) -> bool | None:
    """Return whether a profile enforces a kind; None where nobody knows."""
    if kind not in profile.places:
        return None
    return profile.places[kind] is not None


def _without(kind: str) -> Swap:
    def swap(profile: Profile, other: Profile) -> Profile | None:
        match _enforced(other, kind):
            case True:
                return None
            case False:
                return replace(profile, places={**profile.places, kind: None})
        rest = {each: place for each, place in profile.places.items() if each != kind}
        return replace(profile, places=rest)

    return swap
