"""Policies resolved for whoever enforces them: selectors replaced by addresses, nothing decided.

Who has a say and what their rules match is taken from the engine. What follows from it is not:
that is for the packet filter to show.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cloison.algebra import ANY, EVERY_ADDRESS, NO_ADDRESSES, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.engine.decide import Terms
from cloison.engine.engine import Engine
from cloison.engine.related import HOSTS
from cloison.engine.units import UnitKind
from cloison.ir.enforcement import (
    EnforcedBand,
    EnforcedLayer,
    EnforcedPolicy,
    EnforcedRule,
    EnforcedTier,
    Enforcement,
    Ruleset,
)
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
    UnknownMatch,
    plain_matches,
)
from cloison.ir.policy import Action, Direction, LayerSpec, Policy, PolicyId, Rule, TierSpec
from cloison.ir.requests import RequestCondition, of_http
from cloison.ir.ruleset import BoundRule

_OF_PODS = frozenset({Relative.SELF, Relative.RETURNED, Relative.OWN_NODE, Relative.OTHER_NODE})
_OF_HOSTS = frozenset(
    {Relative.SELF, Relative.RETURNED, Relative.LOOPBACK, Relative.OTHER_NODE, Relative.OWN_POD}
)
"""How peers can stand to a pod, and to a node."""
_TCP = TrafficSet.protocol("TCP")


def rule_key(policy: PolicyId, listed: str, index: int) -> str:
    """Name a declared rule by its list, or its direction; its counter goes by that name.

    >>> rule_key(PolicyId("NetworkPolicy", "web", "front"), Direction.INGRESS, 1)
    'NetworkPolicy web/front ingress 1'
    """
    return f"{policy.kind} {policy} {listed} {index}"


def end_key(tier: str, direction: Direction) -> str:
    """Name the end of a tier.

    >>> end_key("default", Direction.EGRESS)
    'tier default egress end'
    """
    return f"tier {tier} {direction} end"


def builtin_key(layer: str, direction: Direction, index: int) -> str:
    """Name a rule before every tier of a layer.

    >>> builtin_key("cni", Direction.INGRESS, 1)
    'layer cni ingress built-in 1'
    """
    return f"layer {layer} {direction} built-in {index}"


def resolve(engine: Engine) -> Ruleset:
    """Return what the enforcement points of a world are told.

    Args:
        engine: Policies bound to a world. Ends without addresses are left out of everything, so
            it is best one in which all have some.

    Cost: linear in policies, in the addresses they are about and in those that they name, each
    distinct set of peers once.
    """
    return _Resolver(engine).ruleset()


class _Addresses:
    """Finds the addresses that units stand for.

    An address of the inventory belongs to who has it, and not to what is outside.
    """

    def __init__(self, engine: Engine) -> None:
        self._everybody = engine.binder.everybody
        self._outside = engine.table.kinds[UnitKind.EXTERNAL]
        self._atoms = engine.table.units
        self._points = [_points(engine, number) for number in range(len(engine.table.units))]
        of: dict[int, list[int]] = defaultdict(list)
        for number, points in enumerate(self._points):
            for point in points:
                of[point].append(number)
        self._known = sorted(of)
        self._units = [of[point] for point in self._known]
        self._found: dict[int, tuple[BitMap, AddressSet]] = {}

    def points(self, units: BitMap) -> list[int]:
        """Return the addresses of units that are not outside, ascending."""
        return sorted({p for number in units for p in self._points[number]})

    def of(self, units: BitMap) -> AddressSet:
        """Return the addresses of units. They are kept for as long as this is."""
        found = self._found.get(id(units))
        if found is None:
            found = self._found[id(units)] = (units, self._of(units))
        return found[1]

    def _of(self, units: BitMap) -> AddressSet:
        if len(units) == len(self._everybody):
            return EVERY_ADDRESS
        points = [(p, p) for number in units - self._outside for p in self._points[number]]
        atoms = (self._atoms[number].addresses for number in units & self._outside)
        around = AddressSet(span for atom in atoms if atom is not None for span in atom)
        return (around - AddressSet(self._others(units, around))) | AddressSet(points)

    def _others(self, units: BitMap, around: AddressSet) -> Iterator[tuple[int, int]]:
        """Yield what belongs to other units than those."""
        for low, high in around:
            first, last = bisect_left(self._known, low), bisect_right(self._known, high)
            for place in range(first, last):
                if not any(number in units for number in self._units[place]):
                    yield self._known[place], self._known[place]


def _points(engine: Engine, number: int) -> tuple[int, ...]:
    """Return the addresses of the inventory that a unit stands for."""
    unit = engine.table.units[number]
    if unit.kind is UnitKind.EXTERNAL or unit.addresses is None or not unit.exact:
        return ()
    node = engine.world.nodes.get(unit.node or "")
    own = node.addresses if node is not None else ()
    if unit.kind is UnitKind.NODE:
        every: Iterable[int] = own
    else:
        ends = (engine.table.endpoints[index] for index in unit.endpoints)
        on_host = unit.kind is UnitKind.HOST
        every = (p for e in ends for p in (e.addresses or (own if on_host else ())))
    return tuple(dict.fromkeys(point for point in every if point in unit.addresses))


class _Resolver:
    """Resolves one engine's policies; lives for one call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.addresses = _Addresses(engine)
        self._rules: dict[tuple[int, bool, bool], tuple[EnforcedRule, ...]] = {}
        self._policies: dict[tuple[object, ...], EnforcedPolicy] = {}
        self._tiers: dict[tuple[object, ...], EnforcedTier | None] = {}
        self._unclear: list[tuple[AddressSet, str]] = []

    def ruleset(self) -> Ruleset:
        found = [each for direction in Direction for each in self._enforcements(direction)]
        keeps = self.engine.profile.keeps_connections is not False
        layers = tuple(layer.name for layer in self.engine.policies.layers)
        return Ruleset(tuple(found), tuple(self._unclear), layers, keeps_connections=keeps)

    def _enforcements(self, direction: Direction) -> Iterator[Enforcement]:
        groups = sorted(self._groups(direction), key=lambda group: group[0].min())
        seen: set[int] = set()
        for units, terms, rules in groups:
            points = self.addresses.points(units)
            twice = tuple(point for point in points if point in seen)
            if twice:
                self._unclear.append((AddressSet.points(twice), "several ends have this address"))
            subjects = AddressSet.points(tuple(p for p in points if p not in seen))
            seen.update(points)
            if not subjects:
                continue
            on_host = self.engine.table.units[units.min()].kind in HOSTS
            self._unclear += ((subjects, reason) for reason in self._open(terms))
            layers = tuple(self._layers(units, terms, rules, on_host=on_host))
            if layers:
                yield Enforcement(direction, subjects, on_host, layers)

    def _groups(
        self, direction: Direction
    ) -> Iterator[tuple[BitMap, Terms, tuple[BoundRule, ...]]]:
        """Iterate over units that are governed alike, those no policy is about included."""
        told = BitMap()
        for group in self.engine.told(direction):
            told |= group[0]
            yield group
        if any(_closed(layer, direction) for layer in self.engine.policies.layers):
            pods = self.engine.table.kinds[UnitKind.POD]
            rest = self.engine.governed - told
            for units in (rest & pods, rest - pods):
                if units:
                    yield units, Terms(direction), ()

    def _open(self, terms: Terms) -> Iterator[str]:
        """Yield what the policies leave open about their subjects, whoever the peer."""
        if terms.optional:
            yield "it is not known which node's policies it is under"
        for policy in terms.policies:
            if policy.opaque is not None:
                yield f"{policy.id.said}: {policy.opaque.reason}"
        unsure = {id(policy) for policy in terms.unsure}
        for policy in (*terms.isolating, *terms.closing):
            if id(policy) in unsure:
                yield f"{policy.id.said} may select it or not"

    def _layers(
        self, units: BitMap, terms: Terms, rules: Sequence[BoundRule], *, on_host: bool
    ) -> Iterator[EnforcedLayer]:
        unsure = {id(policy) for policy in terms.unsure}
        of: dict[int, list[EnforcedRule]] = defaultdict(list)
        for bound in rules:
            sure = id(bound.policy) not in unsure and self._about(bound.rule, units.min())
            of[id(bound.policy)] += self._resolved(bound, sure=sure, on_host=on_host)
        for spec in self.engine.policies.layers:
            tiers = tuple(t for t in (self._tier(tier, terms, of) for tier in spec.tiers) if t)
            tiers = _ends_last(tiers, {tier.name for tier in spec.tiers if tier.late})
            if tiers or _closed(spec, terms.direction):
                builtin = tuple(_builtin(spec, terms.direction, on_host=on_host))
                yield EnforcedLayer(spec.name, builtin, tiers, spec.default)

    def _about(self, rule: Rule, unit: int) -> bool:
        """Whether a rule is certainly about a subject of its policy."""
        if rule.subjects is None:
            return True
        return unit in self.engine.binder.matcher.any_of(rule.subjects).must

    def _tier(
        self, tier: TierSpec, terms: Terms, of: dict[int, list[EnforcedRule]]
    ) -> EnforcedTier | None:
        unsure = {id(policy) for policy in terms.unsure}
        isolating, closing = (
            tuple(p.id for p in each if p.tier == tier.name and id(p) not in unsure)
            for each in (terms.isolating, terms.closing)
        )
        told = [
            (p.band, self._policy(p, of[id(p)]))
            for p in terms.policies
            if p.tier == tier.name and of[id(p)]
        ]
        places = tuple((band, id(policy)) for band, policy in told)
        key = (tier.name, terms.direction, isolating, bool(closing), places)
        if key not in self._tiers:
            self._tiers[key] = _tier(tier, terms.direction, isolating, closing, told)
        return self._tiers[key]

    def _policy(self, policy: Policy, rules: Sequence[EnforcedRule]) -> EnforcedPolicy:
        key = (id(policy), *map(id, rules))
        found = self._policies.get(key)
        if found is None:
            found = EnforcedPolicy(policy.id, policy.order, tuple(rules))
            self._policies[key] = found
        return found

    def _resolved(self, bound: BoundRule, *, sure: bool, on_host: bool) -> tuple[EnforcedRule, ...]:
        key = (id(bound), sure, on_host)
        found = self._rules.get(key)
        if found is None:
            able = bound.relations & (_OF_HOSTS if on_host else _OF_PODS)
            found = self._rules[key] = tuple(self._split(bound, able, sure=sure))
        return found

    def _split(
        self, bound: BoundRule, relations: frozenset[Relative], *, sure: bool
    ) -> Iterator[EnforcedRule]:
        """Yield what a rule certainly matches, and apart from it what it may match."""
        rule = bound.rule
        certain, nested = self.addresses.of(bound.must), False
        others = self._others(bound) if relations == {Relative.OTHER_NODE} else None
        if others is not None:
            relations = frozenset()
        if relations:
            direct = {m.relation for m in _either(rule) if isinstance(m, RelativeMatch)}
            # Towards whom its port names mean something, nodes and the pod itself are not told.
            nested = not relations <= direct or bound.domain is not None
        plain = EnforcedRule(
            rule_key(bound.policy.id, rule.listed or rule.direction, rule.index),
            rule.action,
            certain,
            bound.traffic,
            frozenset() if nested else relations,
            rule.sources,
            rule.tracked,
            others=others or NO_ADDRESSES,
        )
        every = bound.traffic | bound.may_traffic
        possible = certain | self.addresses.of(bound.may) if bound.may else certain
        request = _for_a_proxy(rule)
        if request is not None:
            plain = replace(plain, traffic=bound.traffic & _TCP, request=request)
        if rule.conditions is not None:
            rest = every if request is None else every - _TCP
            if rest:
                doubt = rule.conditions
                yield replace(plain, peers=possible, traffic=rest, doubt=doubt, request=None)
            every &= _TCP
            if request is None or not every:
                return
        if not sure:
            reason = "the rule may be about this end or not"
            yield replace(plain, peers=possible, traffic=every, doubt=reason)
            return
        if nested:
            reason = "how the peer stands to this end counts among other things"
            yield replace(plain, peers=possible, traffic=every, relations=relations, doubt=reason)
            return
        if plain.traffic and (plain.peers or plain.relations or plain.others):
            yield plain
        if bound.may_traffic & every:
            reason = "whether the rule means this traffic is not defined"
            yield replace(plain, traffic=bound.may_traffic & every, doubt=reason)
        if bound.may:
            unsure = replace(plain, relations=frozenset(), others=NO_ADDRESSES)
            may = self.addresses.of(bound.may)
            yield replace(unsure, peers=may, traffic=every, doubt=_unknown(rule))

    def _others(self, bound: BoundRule) -> AddressSet | None:
        """Return which nodes a rule means of those that are not the subject's own.

        None where that is not all that its peers' standing to the subject counts for.
        """
        found = NO_ADDRESSES
        if bound.domain is not None:
            return None
        for match in _either(bound.rule, whole=True):
            plain = [m for m in plain_matches(match) if isinstance(m, RelativeMatch)]
            if not plain:
                continue
            parts = match.matches if isinstance(match, AllOf) else ()
            rest = tuple(part for part in parts if not isinstance(part, RelativeMatch))
            if len(parts) - len(rest) != 1 or len(plain) != 1 or not rest:
                return None
            meant = self.engine.binder.matcher.match(AllOf(rest))
            if self.addresses.of(meant.may):
                return None  # nobody read the labels of a node that is there
            found |= self.addresses.of(meant.must)
        return found


def _tier(
    tier: TierSpec,
    direction: Direction,
    isolating: tuple[PolicyId, ...],
    closing: tuple[PolicyId, ...],
    told: Sequence[tuple[int, EnforcedPolicy]],
) -> EnforcedTier | None:
    """Return a tier; None when it has nothing to say."""
    end: Action | None = None
    because: tuple[PolicyId, ...] = ()
    scope, returned = ANY, None
    if tier.end is not None and isolating:
        end, scope, because, returned = tier.end, tier.end_scope, isolating, tier.returned
    elif tier.end is not None and closing:
        end, because = Action.ALLOW, closing
    asked = {*range(len(tier.bands))}
    if tier.ending is not None:
        last = len(tier.bands) if tier.loose is None else tier.loose
        asked -= {*range(last, len(tier.bands))} if end else {*range(tier.ending, last)}
    told = [(band, policy) for band, policy in told if band in asked]
    if end is None and not told:
        return None
    bands = tuple(
        EnforcedBand(combine, tuple(policy for band, policy in told if band == number))
        for number, combine in enumerate(tier.bands)
    )
    return EnforcedTier(
        tier.name,
        end_key(tier.name, direction),
        tuple(band for band in bands if band.policies),
        end,
        scope,
        because,
        returned,
        tier.before_nat,
    )


def _ends_last(tiers: tuple[EnforcedTier, ...], late: set[str]) -> tuple[EnforcedTier, ...]:
    """Return tiers with what ends some of them after all of them."""
    if not late:
        return tiers
    ends = tuple(replace(each, bands=()) for each in tiers if each.name in late and each.end)
    others = (replace(each, end=None) if each.name in late else each for each in tiers)
    return (*(each for each in others if each.bands or each.end), *ends)


def _closed(layer: LayerSpec, direction: Direction) -> bool:
    """Whether a layer stops something of ends that no policy is about."""
    denies = (r.action is Action.DENY for r in layer.builtin if r.direction is direction)
    return layer.default is Action.DENY or any(denies)


def _builtin(layer: LayerSpec, direction: Direction, *, on_host: bool) -> Iterator[EnforcedRule]:
    """Yield the rules before every tier, as far as they can come to bear."""
    able = _OF_HOSTS if on_host else _OF_PODS
    for rule in layer.builtin:
        if rule.direction is not direction:
            continue
        matches = [peer.match for peer in rule.peers]
        anybody = any(isinstance(match, AnyMatch) for match in matches)
        relations = able & {m.relation for m in matches if isinstance(m, RelativeMatch)}
        if anybody or relations:
            yield EnforcedRule(
                builtin_key(layer.name, direction, rule.index),
                rule.action,
                EVERY_ADDRESS if anybody else NO_ADDRESSES,
                rule.traffic.must,
                relations,
            )


def _either(rule: Rule, *, whole: bool = False) -> Iterator[PeerMatch]:
    """Yield the matches any of which is enough; if `whole`, those too that ask for several."""

    def parts(match: PeerMatch) -> Iterator[PeerMatch]:
        if isinstance(match, AnyOf):
            for each in match.matches:
                yield from parts(each)
        elif whole or not isinstance(match, AllOf | NoneOf):
            yield match

    for peer in rule.peers:
        yield from parts(peer.match)


def _for_a_proxy(rule: Rule) -> RequestCondition | None:
    """Return what a rule asks of requests, if that is all it asks and a proxy of HTTP can tell."""
    if rule.request is None or rule.condition is not None:
        return None
    return of_http(rule.request)


def _unknown(rule: Rule) -> str:
    """Say why it is not known whether a rule matches some peers."""
    for peer in rule.peers:
        for match in plain_matches(peer.match):
            match match:
                case UnknownMatch():
                    return match.reason
                case NamesMatch():
                    return f"not all addresses of {', '.join(map(str, match.names))} are known"
                case NodesMatch():
                    return "labels of nodes are not known"
                case PodsMatch(nodes=nodes) if nodes:
                    return "the nodes of pods are not known"
                case _:
                    pass
    return "addresses are not known"
