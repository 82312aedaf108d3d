"""Rules, policies, tiers and layers as chains. Equal ones are written once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cloison.algebra import EVERY_ADDRESS, FAMILY, NO_ADDRESSES, AddressSet, family_of
from cloison.dialects.nftables.matches import address_elements, traffic_matches
from cloison.dialects.nftables.names import comment
from cloison.ir.counters import PROXY_PORT, TO_PROXY, counter_name
from cloison.ir.enforcement import EnforcedBand, EnforcedLayer, EnforcedRule, EnforcedTier
from cloison.ir.peers import Relative
from cloison.ir.policy import Action, Combine, Direction, PolicyId

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeView:
    """What one node's filter sees of the world.

    Args:
        name: The node's name.
        pods: Addresses of pods that run on it, on a network of their own.
        own: Its own addresses, which pods on its network share.
        others: Addresses of the other nodes.
    """

    name: str
    pods: AddressSet
    own: AddressSet
    others: AddressSet = NO_ADDRESSES

    def peers(self, rule: EnforcedRule) -> AddressSet:
        """Return whom a rule means here, those told by how they stand to the subject included."""
        found, relations = rule.peers, rule.relations
        if relations & {Relative.OWN_NODE, Relative.LOOPBACK}:
            found |= self.own
        if Relative.OTHER_NODE in relations:
            found |= self.others
        found |= rule.others & self.others
        if Relative.OWN_POD in relations:
            found |= self.pods
        return found


_PRECEDENCE = {
    Combine.UNION: (Action.ALLOW, Action.DENY, Action.PASS),
    Combine.DENY_OVERRIDES: (Action.DENY, Action.ALLOW, Action.PASS),
}
"""Which action comes first where rules of a band have no order."""

_VERDICTS = {
    Action.ALLOW: "accept",
    Action.DENY: "drop",
    Action.PASS: "return",
    Action.LOG: "",
}
HEADERS = {4: "ip", 6: "ip6"}
"""What the headers of a family are called."""


_EARLY = {Action.ALLOW: "accept", Action.DENY: "accept", Action.PASS: "return"}
"""What rules do before connections are tracked: whatever they decide, only what is let through
without tracking is theirs to say there."""


@dataclass
class Chains:
    """Collects what one node's chains need.

    Args:
        node: The node.
        counters: What is counted, each with the name of its counter.
        sets: Addresses of one family that a set holds, each with the set's name.
        chains: Chains by what is in them, each with its name.
        selves: Families in which somebody asks what comes from its own target.
    """

    node: NodeView
    counters: dict[str, str] = field(default_factory=dict)
    sets: dict[AddressSet, str] = field(default_factory=dict)
    chains: dict[Lines, str] = field(default_factory=dict)
    selves: set[int] = field(default_factory=set)
    _known: dict[tuple[object, ...], str] = field(default_factory=dict)

    def early(self, layer: EnforcedLayer, direction: Direction) -> str | None:
        """Return the name of the chain that says what of a layer's traffic nobody tracks.

        None where all of it is tracked. Such a chain counts nothing, and stops nothing.
        """
        last = max((n for n, tier in enumerate(layer.tiers, 1) if _untracked(tier)), default=0)
        if not last:
            return None
        lines = [line for rule in layer.builtin for line in self._early(rule, direction)]
        for tier in layer.tiers[:last]:
            found = [
                line
                for band in tier.bands
                for rule in in_order(band)
                for line in self._early(rule, direction)
            ]
            if tier.end is not None:
                found += [_joined(what, "accept") for what in traffic_matches(tier.scope)]
            text = f"tier {tier.name}, {direction}, before tracking"
            lines.append(f"jump {self._chain('early_tier', text, found)}")
        return self._chain("early", f"layer {layer.name}, {direction}, before tracking", lines)

    def _early(self, rule: EnforcedRule, direction: Direction) -> Iterator[str]:
        verdict = _EARLY.get(rule.action)
        if verdict is None or rule.doubt is not None or rule.request is not None:
            return
        if rule.action is Action.ALLOW and not rule.tracked:
            verdict = f"notrack {verdict}"
        for who in self._peers(rule, direction):
            for what in traffic_matches(rule.traffic, rule.sources):
                yield _joined(who, what, verdict, comment(rule.key))

    def untranslated(self, layer: EnforcedLayer, direction: Direction) -> str | None:
        """Return the name of the chain that drops what a layer does before destinations change.

        None where nothing does. Whatever else it decides is for the layer's own chain to say.
        """
        last = max((n for n, tier in enumerate(layer.tiers, 1) if tier.before_nat), default=0)
        if not last:
            return None
        lines = [line for rule in layer.builtin for line in self._early(rule, direction)]
        for tier in layer.tiers[:last]:
            rules = [rule for band in tier.bands for rule in in_order(band)]
            drops = {rule.key for rule in rules if tier.before_nat and rule.action is Action.DENY}
            found = [
                line
                for rule in rules
                for line in (self._rule if rule.key in drops else self._early)(rule, direction)
            ]
            text = f"tier {tier.name}, {direction}, before translation"
            lines.append(f"jump {self._chain('untranslated_tier', text, found)}")
        text = f"layer {layer.name}, {direction}, before translation"
        return self._chain("untranslated", text, lines)

    def proxied(self, layer: EnforcedLayer, direction: Direction) -> str | None:
        """Return the name of the chain that hands a layer's connections to the proxy.

        None where no rule asks for a request. What a Service leads back to the pod that it comes
        from is handed to nobody: a pod takes nothing from its own address that it did not send.
        """
        rules = [r for tier in layer.tiers for band in tier.bands for r in in_order(band)]
        asking = [r for r in rules if r.request is not None and r.doubt is None]
        if not asking:
            return None
        lines = [f"{who} accept" for who in self._returned()]
        for rule in asking:
            for who in self._peers(rule, direction):
                handing = [text for word, text in _HANDING.items() if _may_be(word, who)]
                for what in traffic_matches(rule.traffic, rule.sources):
                    lines += (_joined(who, what, text) for text in handing)
        text = f"layer {layer.name}, {direction}, to the proxy"
        return self._chain("proxied", text, dict.fromkeys(lines))

    def layer(self, layer: EnforcedLayer, direction: Direction) -> str:
        """Return the name of the chain of a layer, as some subjects meet it.

        The chain of its only tier, where what that leaves undecided is open, is part of it.
        """
        known = (direction, id(layer))
        if known not in self._known:
            text = f"layer {layer.name}, {direction}"
            first = [line for rule in layer.builtin for line in self._rule(rule, direction)]
            lines = [f"jump {self._chain('built_in', text, first)}"] if first else []
            if layer.default is Action.ALLOW and len(layer.tiers) == 1:
                lines += self._of_tier(layer.tiers[0], direction)
            else:
                lines += [f"jump {self._tier(tier, direction)}" for tier in layer.tiers]
            if layer.default is Action.DENY:
                lines.append(f"{self._counter(f'layer {layer.name} {direction} default')} drop")
            self._known[known] = self._chain("layer", text, lines)
        return self._known[known]

    def _tier(self, tier: EnforcedTier, direction: Direction) -> str:
        known = (direction, id(tier))
        if known not in self._known:
            lines = self._of_tier(tier, direction)
            self._known[known] = self._chain("tier", f"tier {tier.name}, {direction}", lines)
        return self._known[known]

    def _of_tier(self, tier: EnforcedTier, direction: Direction) -> Iterator[str]:
        for band in tier.bands:
            yield from self._band(band, direction)
        if tier.end is not None:
            known = (direction, tier.key, tier.end, tier.scope, tier.returned)
            if known not in self._known:
                text = f"end of tier {tier.name}, {direction}"
                self._known[known] = self._chain("end", text, self._end(tier, tier.end))
            yield f"goto {self._known[known]}"

    def _band(self, band: EnforcedBand, direction: Direction) -> Iterator[str]:
        for action in _PRECEDENCE.get(band.combine, (None,)):
            for policy in band.policies:
                rules = tuple(r for r in policy.rules if action in (None, r.action))
                if rules:
                    yield from self._policy(policy.id, rules, direction)

    def _policy(
        self, policy: PolicyId, rules: Sequence[EnforcedRule], direction: Direction
    ) -> Iterator[str]:
        """Yield what leads to the rules of a policy, or these where they may leave the tier."""
        if any(rule.action is Action.PASS for rule in rules):
            for rule in rules:
                yield from self._rule(rule, direction)
            return
        known = (direction, *map(id, rules))
        if known not in self._known:
            lines = [line for rule in rules for line in self._rule(rule, direction)]
            text = f"{policy.kind} {policy}, {direction}"
            self._known[known] = self._chain("policy", text, lines) if lines else ""
        if self._known[known]:
            yield f"jump {self._known[known]}"

    def _end(self, tier: EnforcedTier, end: Action) -> Iterator[str]:
        """Yield what becomes of what no rule of a tier decided."""
        if tier.returned is not None:
            counter = self._counter(f"{tier.key}, returned")
            for who in self._returned():
                yield f"{who} {counter} {_VERDICTS[tier.returned]}"
        for what in traffic_matches(tier.scope):
            yield _joined(what, self._counter(tier.key), _VERDICTS[end])

    def _rule(self, rule: EnforcedRule, direction: Direction) -> Iterator[str]:
        if rule.doubt is not None:
            # Whether it matches is not for a filter to say, so it decides nothing here.
            return
        key = rule.key
        if rule.request is not None:
            if rule.action is not Action.ALLOW:
                return  # the proxy tells, where something lets the connection through to it
            key = f"{rule.key}, handed on"
        for who in self._peers(rule, direction):
            for what in traffic_matches(rule.traffic, rule.sources):
                yield _joined(who, what, self._counter(key), _VERDICTS[rule.action])

    def _peers(self, rule: EnforcedRule, direction: Direction) -> Iterator[str]:
        """Yield matches of the other end, any of which is enough."""
        peers = self.node.peers(rule)
        if peers == EVERY_ADDRESS:
            yield ""
            return
        word = "saddr" if direction is Direction.INGRESS else "daddr"
        for family, every in FAMILY.items():
            part = peers.family(family)
            if part == every:
                yield f"meta nfproto ipv{family}"
            elif part:
                yield f"{HEADERS[family]} {word} {self._addresses(part)}"
        if Relative.RETURNED in rule.relations:
            yield from self._returned()

    def _addresses(self, addresses: AddressSet) -> str:
        """Return a single address or range, or the name of the set that holds them."""
        if len(addresses) == 1:
            return address_elements(addresses)[0]
        name = self.sets.get(addresses)
        if name is None:
            number = len(self.sets) + 1
            family = family_of(addresses.spans[0][0])
            name = self.sets[addresses] = f"peers_{number}_v{family}"
        return f"@{name}"

    def _returned(self) -> Iterator[str]:
        """Yield what matches traffic of a pod that was led back to it."""
        for family, word in HEADERS.items():
            if self.node.pods.family(family):
                self.selves.add(family)
                yield f"{word} saddr . {word} daddr @self_v{family}"

    def _counter(self, key: str) -> str:
        name = self.counters.get(key)
        if name is None:
            name = self.counters[key] = counter_name(key)
        return f'counter name "{name}"'

    def _chain(self, kind: str, text: str, lines: Iterable[str]) -> str:
        """Return the name of the chain of some lines, which is new unless there is one."""
        whole = (comment(text), *lines)
        name = self.chains.get(whole)
        if name is None:
            name = self.chains[whole] = f"{kind}_{len(self.chains) + 1}"
        return name


_HANDING = {
    word: f"meta nfproto ipv{family} meta mark set {TO_PROXY} tproxy {word} to {to}:{PROXY_PORT}"
    for (family, word), to in zip(HEADERS.items(), ("127.0.0.1", "[::1]"), strict=True)
}


def _may_be(word: str, who: str) -> bool:
    """Whether a match of peers may be one of the family that has headers of a name."""
    return not who or who.partition(" ")[0] in (word, "meta")


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def in_order(band: EnforcedBand) -> Iterator[EnforcedRule]:
    """Yield the rules of a band in an order in which the first match decides."""
    for action in _PRECEDENCE.get(band.combine, (None,)):
        for policy in band.policies:
            yield from (rule for rule in policy.rules if action in (None, rule.action))


def _untracked(tier: EnforcedTier) -> bool:
    """Whether a rule of a tier lets anything through that nobody tracks."""
    return any(
        not rule.tracked and rule.action is Action.ALLOW
        for band in tier.bands
        for policy in band.policies
        for rule in policy.rules
    )
