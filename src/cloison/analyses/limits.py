"""What a policy does not do. Every sentence is said only of a policy it is true of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloison.algebra import L4, NO_TRAFFIC, TrafficSet
from cloison.analyses.entries import Entry, beyond_text, tier_of
from cloison.analyses.resolve import covers, selects
from cloison.analyses.walk import adds_up
from cloison.base.words import some
from cloison.engine import Engine, UnitKind
from cloison.engine.bind import Binder
from cloison.ir.peers import Relative, RelativeMatch
from cloison.ir.policy import Action, Combine, Direction, Mode, Policy, TierSpec
from cloison.ir.profile import OtherProtocols
from cloison.ir.ruleset import BoundRule
from cloison.platform import DEFAULT_PROFILE

_DNS_PORT = 53
DNS = {p: TrafficSet.ports(p, _DNS_PORT) for p in ("UDP", "TCP")}


@dataclass(frozen=True, slots=True)
class Limit:
    """Something a policy does not do.

    Args:
        topic: `enforcement`, `subject`, `union`, `ports`, `direction`, `dns`, `outside`, `node`,
            `host-network`, `protocols`, `connections` or `meaning`.
        text: In a sentence.
    """

    topic: str
    text: str


@dataclass(frozen=True)
class Facts:
    """What the sentences about one policy are made from.

    Args:
        engine: Whose world.
        binder: Resolves the policy's selectors.
        policy: The policy.
        selected: Indices of the endpoints it selects.
        entries: What its rules say, by direction.
    """

    engine: Engine
    binder: Binder
    policy: Policy
    selected: tuple[int, ...]
    entries: Mapping[Direction, tuple[Entry, ...]]

    @cached_property
    def tier(self) -> TierSpec | None:
        """Where the policy stands."""
        return tier_of(self.engine, self.policy)

    @cached_property
    def adds_up(self) -> bool:
        """Whether it is one of a list of policies that only let through; the rest is denied."""
        tier = self.tier
        return tier is None or all(
            adds_up(tier, (self.policy,), d) for d in Direction if self.governs(self.policy, d)
        )

    @staticmethod
    def governs(policy: Policy, direction: Direction) -> bool:
        """Return whether a policy has something to say in a direction."""
        return direction in policy.isolates or bool(policy.rules_for(direction))

    @staticmethod
    def restricts(policy: Policy, direction: Direction) -> bool:
        """Return whether a policy can stop traffic in a direction."""
        denying = any(r.action is Action.DENY for r in policy.rules_for(direction))
        return direction in policy.isolates or denying

    @cached_property
    def companions(self) -> tuple[Policy, ...]:
        """Other policies that select some of the same pods and take part."""
        endpoints = [self.engine.table.endpoints[i] for i in self.selected]
        return tuple(
            p
            for p in self.engine.ordered
            if p.id != self.policy.id and any(selects(self.engine, p, e) for e in endpoints)
        )

    @cached_property
    def on_host(self) -> tuple[str, ...]:
        """Pods that have the labels and are not selected, being on their node's network."""
        endpoints = self.engine.table.endpoints
        return tuple(
            e.name
            for e in endpoints
            if e.shape.host_network and covers(self.engine, self.policy, e)
        )

    def lets(self, policy: Policy, direction: Direction, traffic: TrafficSet) -> bool:
        """Return whether a rule of `policy` lets some of `traffic` through, for somebody."""
        return any(b.traffic & traffic for b in self._allowing(policy, direction))

    def lets_look_up(self, policy: Policy, protocol: str) -> bool:
        """Return whether a rule of `policy` lets DNS over one protocol out.

        A rule for every port lets it out only where it reaches a pod that declares port 53,
        a node or an address: letting a client talk to its database is not DNS.
        """
        table = self.binder.table
        servers = table.kinds[UnitKind.EXTERNAL] | table.kinds[UnitKind.NODE]
        for unit in table.kinds[UnitKind.POD] | table.kinds[UnitKind.HOST]:
            ports = table.endpoints[table.units[unit].endpoints[0]].ports
            if any(p.number == _DNS_PORT for p in ports):
                servers.add(unit)
        whole = TrafficSet.protocol(protocol)
        return any(
            bool(b.traffic & DNS[protocol]) and (not whole <= b.traffic or b.must & servers)
            for b in self._allowing(policy, Direction.EGRESS)
        )

    def _allowing(self, policy: Policy, direction: Direction) -> Iterator[BoundRule]:
        """Yield the rules that let somebody through for some selected pod."""
        endpoints, table = self.engine.table.endpoints, self.binder.table
        mine = [i for i in self.selected if selects(self.engine, policy, endpoints[i])]
        shapes = {table.units[u].ports for i in mine for u in table.by_endpoint[i]}
        for ports in sorted(shapes or {()}, key=str):
            for bound in self.binder.rules(policy, direction, ports):
                if bound.rule.action is Action.ALLOW and bound.must:
                    yield bound

    def outside(self, policy: Policy) -> bool:
        """Return whether a rule of `policy` admits an address outside the cluster."""
        external = self.binder.table.kinds[UnitKind.EXTERNAL]
        return any(
            self.binder.peers(rule.peers).must & external
            for rule in policy.rules_for(Direction.INGRESS)
            if rule.action is Action.ALLOW
        )


def limits(facts: Facts) -> Iterator[Limit]:
    """Yield what a policy does not do, what matters most first."""
    policy, profile = facts.policy, facts.engine.profile
    if policy.opaque is not None:
        yield Limit("meaning", f"what it does is not known: {policy.opaque.reason}")
        return
    if not profile.enforces:
        text = f"it does nothing at all: {profile.title} enforces no policies"
        yield Limit("enforcement", text)
        return
    if policy.mode is not Mode.ENFORCED:
        yield Limit("enforcement", f"it does nothing yet: its mode is {policy.mode}")
    if not facts.selected and not facts.on_host:
        yield Limit("subject", "it protects nobody: no pod here has the labels it selects")
    for direction in Direction:
        yield from _other_direction(facts, direction)
    if facts.adds_up:
        yield from _of_a_list(facts)
    if facts.on_host:
        names = some(facts.on_host)
        text = f"{names}: has the labels, but is on its node's network, where it is not selected"
        yield Limit("host-network", text)
    yield from _union(facts)
    if policy.isolates and facts.adds_up:
        yield from _protocols(facts)
    if policy.isolates or policy.rules:
        text = "connections already open when it is applied: whether they end is up to the CNI"
        yield Limit("connections", text)
    if profile.name == DEFAULT_PROFILE:
        text = "anything, if the cluster's CNI does not enforce policies; it is taken to do so"
        yield Limit("enforcement", text)


def _of_a_list(facts: Facts) -> Iterator[Limit]:
    """Yield what a policy does not do that only lets through, the rest being denied."""
    for direction in Direction:
        if direction in facts.policy.isolates:
            yield from _ports(facts, direction)
    if Direction.EGRESS in facts.policy.isolates:
        yield from _dns(facts)
    if Direction.INGRESS in facts.policy.isolates:
        yield from _outside(facts)
    yield from _nodes(facts)


def _other_direction(facts: Facts, direction: Direction) -> Iterator[Limit]:
    """Say what holds in the direction the policy does not restrict."""
    if facts.restricts(facts.policy, direction) or not facts.selected:
        return
    others = [p for p in facts.companions if facts.restricts(p, direction)]
    if facts.policy.rules_for(direction):
        yield Limit("direction", f"{direction}: it stops nobody, no rule of it denies")
        return
    what = (
        "who connects to these pods"
        if direction is Direction.INGRESS
        else ("what these pods connect to")
    )
    text = f"{direction}: it does not restrict {what}"
    bare = _uncovered(facts, others)
    if not others:
        text += ", and no other policy does"
    elif bare:
        text += f"; {some([p.id.said for p in others])} does for some, but none for {some(bare)}"
    else:
        text += f"; {some([p.id.said for p in others])} {_does(others)}"
    yield Limit("direction", text)


def _uncovered(facts: Facts, policies: Sequence[Policy]) -> tuple[str, ...]:
    """Return the selected workloads with a pod that none of `policies` selects."""
    endpoints = (facts.engine.table.endpoints[i] for i in facts.selected)
    bare = {
        str(e.workload) for e in endpoints if not any(selects(facts.engine, p, e) for p in policies)
    }
    return tuple(sorted(bare))


def _ports(facts: Facts, direction: Direction) -> Iterator[Limit]:
    entries = [e for e in facts.entries[direction] if e.action is Action.ALLOW]
    if not entries:
        return
    opened = NO_TRAFFIC
    for entry in entries:
        opened |= entry.ports
    if opened >= L4:
        return
    if direction is Direction.EGRESS:
        text = f"other ports: it lets these pods out on {opened} only"
        if not any(e.resolved.kind == "any" for e in entries):
            text += ", each only to the peers of its rule"
        yield Limit("ports", text)
        return
    text = f"other ports: it opens {opened} of these pods and no other"
    closed: dict[str, TrafficSet] = {}
    for index in facts.selected:
        for port in facts.engine.table.endpoints[index].ports:
            traffic = TrafficSet.ports(port.protocol, port.number)
            if not traffic <= opened:
                name = f" ({port.name})" if port.name else ""
                closed[f"{port.protocol}/{port.number}{name}"] = traffic
    if closed:
        said = [_elsewhere(facts, name, closed[name]) for name in sorted(closed)]
        text += f"; they also declare {some(said)}"
    yield Limit("ports", text)


def _elsewhere(facts: Facts, name: str, traffic: TrafficSet) -> str:
    by = [p for p in facts.companions if facts.lets(p, Direction.INGRESS, traffic)]
    if not by:
        return f"{name}, which no policy opens"
    opens = "opens" if len(by) == 1 else "open"
    text = f"{name}, which {some([p.id.said for p in by])} {opens}"
    bare = _uncovered(facts, by)
    return f"{text}, though not for {some(bare)}" if bare else text


def _dns(facts: Facts) -> Iterator[Limit]:
    own = [p for p in DNS if facts.lets_look_up(facts.policy, p)]
    if len(own) == len(DNS):
        return
    missing = [p for p in DNS if p not in own]
    helpers = {p: [c for c in facts.companions if facts.lets_look_up(c, p)] for p in missing}
    wanted = " and ".join(f"{p} port 53" for p in missing)
    text = f"DNS: it does not let {wanted} out"
    by = list(dict.fromkeys(c for p in missing for c in helpers[p]))
    if by:
        text += f"; {some([c.id.said for c in by])} {_does(by)}"
    mute = _uncovered(facts, helpers[missing[0]]) if facts.selected else ()
    if not facts.selected:
        pass
    elif missing == ["TCP"] and mute:
        text += f", nor does another policy for {some(mute)}: answers too long for UDP fail"
    elif mute:
        text += f", {'but' if by else 'and'} no policy does for {some(mute)}: name lookups fail"
    yield Limit("dns", text)


def _outside(facts: Facts) -> Iterator[Limit]:
    if facts.outside(facts.policy):
        return
    text = (
        "callers outside the cluster: it admits none; an ingress gateway or load balancer gets "
        "through only as one of the peers it names"
    )
    by = [p for p in facts.companions if facts.outside(p)]
    if by:
        names = some([p.id.said for p in by])
        text = f"callers outside the cluster: it admits none; {names} {_does(by)}"
    elif not facts.entries[Direction.INGRESS]:
        text = "callers outside the cluster, or an ingress gateway: it admits none"
    yield Limit("outside", text)


def _nodes(facts: Facts) -> Iterator[Limit]:
    """Say what the policy cannot stop, or does not let through, between pods and nodes."""
    engine, policy = facts.engine, facts.policy
    built = {
        rule.direction
        for layer in engine.policies.layers
        for rule in layer.builtin
        for peer in rule.peers
        if isinstance(peer.match, RelativeMatch) and peer.match.relation is Relative.OWN_NODE
    }
    ingress, egress = Direction.INGRESS, Direction.EGRESS
    if ingress in policy.isolates and ingress in built:
        text = "the pods' own node: kubelet and health probes from it get in whatever is written"
        if not _names_nodes(facts):
            text += "; other nodes do not get in by it"
        yield Limit("node", text)
    if egress in policy.isolates and not _everybody(facts, egress):
        if egress in built:
            yield Limit("node", "the pods' own node: they reach it whatever is written")
        elif engine.profile.own_node_egress is None:
            text = "the pods' own node: whether they reach it without a rule depends on the CNI"
            yield Limit("node", text)


def _names_nodes(facts: Facts) -> bool:
    kinds = facts.binder.table.kinds
    hosts = kinds[UnitKind.NODE] | kinds[UnitKind.HOST] | kinds[UnitKind.EXTERNAL]
    rules = facts.policy.rules_for(Direction.INGRESS)
    return any(facts.binder.peers(r.peers).must & hosts for r in rules)


def _everybody(facts: Facts, direction: Direction) -> bool:
    return any(e.resolved.kind == "any" and e.ports >= L4 for e in facts.entries[direction])


def _union(facts: Facts) -> Iterator[Limit]:
    if facts.tier is None or not facts.policy.isolates:
        return
    if facts.tier.bands[facts.policy.band] is not Combine.UNION:
        return
    text = "denying: it cannot take away what another policy lets through"
    adding = [
        p
        for p in facts.companions
        if p.tier == facts.policy.tier and any(p.rules_for(d) for d in facts.policy.isolates)
    ]
    if adding:
        them = [p.id.said for p in adding]
        text += f"; the same pods, or some of them, are also selected by {some(them, 5)}"
    yield Limit("union", text)


def _protocols(facts: Facts) -> Iterator[Limit]:
    if facts.engine.profile.other_protocols is OtherProtocols.DENIED:
        return
    what = beyond_text(facts.engine)
    yield Limit("protocols", f"protocols other than TCP, UDP and SCTP: ICMP, for one, {what}")


def _does(policies: Sequence[Policy]) -> str:
    return "does" if len(policies) == 1 else "do"
