"""What policies of other languages mean, in Calico's words.

NetworkPolicy is written as Calico's own conversion reads it, ClusterNetworkPolicy and its
forerunners as GlobalNetworkPolicies in the tiers that are kept for them. Selectors name the
orchestrator everywhere: without it network sets and host endpoints would match, which the
source cannot have meant.
Source: projectcalico/calico libcalico-go/lib/backend/k8s/conversion, `conversion.go` and
`clusternetworkpolicy.go`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from cloison.algebra import AddressSet, LabelSelector, Requirement
from cloison.algebra.expressions import Test
from cloison.base import Span
from cloison.dialects.calico.selector import text_of
from cloison.dialects.writing import (
    At,
    Manifest,
    Refusals,
    Statement,
    Tree,
    WriteContext,
    Writer,
    Written,
    header,
    metadata,
    written_at,
)
from cloison.dialects.writing.blocks import by_family, cidrs, masked
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.names import Names
from cloison.dialects.writing.ports import Ports, port_groups
from cloison.ir.peers import (
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    PeerMatch,
    PodsMatch,
)
from cloison.ir.policy import Action, Combine, Direction, Peer, Policy, Rule
from cloison.ir.profile import Place
from cloison.resources.objects import ACCOUNT_NAME_LABEL

API_VERSION = "projectcalico.org/v3"
ORCHESTRATOR = "projectcalico.org/orchestrator == 'k8s'"
SOURCE = "Calico API reference, NetworkPolicy and GlobalNetworkPolicy"

_ADMIN, _BASELINE = "ClusterNetworkPolicy/Admin", "ClusterNetworkPolicy/Baseline"
_OLD_ADMIN, _OLD_BASELINE = "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"
_SAME_TIER = {
    _ADMIN: _OLD_ADMIN,
    _BASELINE: _OLD_BASELINE,
    _OLD_ADMIN: _ADMIN,
    _OLD_BASELINE: _BASELINE,
}
"""Kinds that share a tier: which of the two an enforcer knows depends on its version."""
_LONE_ORDER = 1000.0
"""Order of a policy that is the only one of its tier and says none."""
_ACTIONS = {
    Action.ALLOW: "Allow",
    Action.DENY: "Deny",
    Action.PASS: "Pass",
    Action.LOG: "Log",
}
_TYPES = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}


def write(statements: Sequence[Statement], context: WriteContext) -> Written:
    """Write policies of other languages as Calico's."""
    said = Refusals("Calico policy", SOURCE)
    names = Names(context.names)
    manifests: list[Manifest] = []
    for statement in statements:
        one = _One(statement, context, said, names)
        found = [manifest for policy in statement.policies for manifest in one.written(policy)]
        if not one.refused:
            manifests += found
    return Written(tuple(manifests), tuple(said.said))


@dataclass
class _One:
    """Writes one object; lives for one call."""

    statement: Statement
    context: WriteContext
    said: Refusals
    names: Names
    refused: bool = field(default=False)

    def written(self, policy: Policy) -> list[Manifest]:
        place = self._place(policy)
        if place is None:
            self._refuse(
                None,
                UnsayableError("there is no place for this kind of policy among Calico's tiers"),
            )
            return []
        if policy.nodes:
            self._refuse(
                policy.subject_span,
                UnsayableError("it is about traffic of nodes themselves"),
            )
            return []
        return [each for part in self._parts(policy, place) for each in self._made(*part)]

    def _parts(self, policy: Policy, place: Place) -> Iterator[tuple[Policy, Place]]:
        """Yield a policy, and where it goes; where every denial comes first, they go before."""
        denied = tuple(rule for rule in policy.rules if rule.action is Action.DENY)
        if not denied or not self._merged(policy):
            yield policy, place
            return
        first = replace(place, order=(_LONE_ORDER if place.order is None else place.order) - 1)
        name = replace(policy.id, name=f"{policy.id.name}-denied")
        yield replace(policy, id=name, rules=denied), first
        rest = tuple(rule for rule in policy.rules if rule.action is not Action.DENY)
        yield replace(policy, rules=rest), place

    def _merged(self, policy: Policy) -> bool:
        """Return whether a policy is one of many in which every denial comes first."""
        tiers = (tier for layer in self.context.layers for tier in layer.tiers)
        tier = next((tier for tier in tiers if tier.name == policy.tier), None)
        return tier is not None and tier.bands[policy.band] is Combine.DENY_OVERRIDES

    def _made(self, policy: Policy, place: Place) -> list[Manifest]:
        rules = {d: self._rules(policy, d) for d in Direction}
        open_ = [d for d in Direction if rules[d] and d not in policy.isolates]
        if open_ and self._merged(policy):
            self._refuse(
                policy.span,
                UnsayableError(
                    f"it does not isolate its pods for {open_[0]}, and a policy would",
                    "enableDefaultDeny",
                ),
            )
        types = [_TYPES[d] for d in Direction if d in policy.isolates or rules[d]]
        found = []
        for subject in policy.subjects:
            scope = subject.namespace
            kind = "GlobalNetworkPolicy" if scope is None else "NetworkPolicy"
            name = self._named(kind, scope, policy, place)
            spec: dict[str, Tree] = {}
            if place.tier != "default":
                spec["tier"] = place.tier
            spec["order"] = self._order(policy, place)
            spec |= self._subject(policy, subject)
            spec["types"] = types or ["Ingress"]
            spec |= {str(d): found_ for d, found_ in rules.items() if found_}
            tree = {
                **header(API_VERSION, kind, self.statement.document),
                "metadata": metadata(self.statement.document, name, scope),
                "spec": spec,
            }
            found.append(Manifest(self.statement, tree))
        return found

    def _place(self, policy: Policy) -> Place | None:
        kind = policy.id.kind
        if kind == "ClusterNetworkPolicy":
            tier = self.statement.document.root.get("spec", "tier")
            kind = f"{kind}/{tier.value}" if tier else kind
        places = self.context.profile.places
        if kind not in places and self._merged(policy):
            kind = "NetworkPolicy"  # it stands beside those
        return places.get(kind) or places.get(_SAME_TIER.get(kind, kind))

    def _order(self, policy: Policy, place: Place) -> Tree:
        first = policy.order[0] if policy.order else None
        order = place.order if place.order is not None else first
        order = order if isinstance(order, int | float) and isfinite(order) else _LONE_ORDER
        priority = self.statement.document.root.get("spec", "priority")
        value = int(order) if order == int(order) else order
        if priority is None:
            return value
        return At(value, priority.key_span(self.statement.document.file))

    def _named(self, kind: str, scope: str | None, policy: Policy, place: Place) -> str:
        # Up to 3.31 what is not in the default tier begins with the tier's name, which shows in
        # the names that policies are told apart by.
        own = self.context.profile.places.get(f"projectcalico.org/{kind}")
        old = own is not None and "{tier}" in (own.tie or "")
        prefix = f"{place.tier}." if old and place.tier != "default" else ""
        return self.names.free(kind, scope, f"{prefix}{policy.id.name}")

    def _subject(self, policy: Policy, subject: PodsMatch) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        text = selector_text(subject.pods, (ORCHESTRATOR,))
        found["selector"] = At(text, policy.subject_span)
        if subject.namespace is None:
            found["namespaceSelector"] = selector_text(subject.namespaces)
        if subject.accounts:
            found["serviceAccountSelector"] = account_text(subject.accounts)
        return found

    def _rules(self, policy: Policy, direction: Direction) -> list[Tree]:
        found: list[Tree] = []
        for rule in policy.rules_for(direction):
            try:
                found += self._rule(rule, policy)
            except UnsayableError as error:
                self._refuse(rule.span, error)
        return found

    def _rule(self, rule: Rule, policy: Policy) -> list[Tree]:
        if rule.conditions is not None:
            raise UnsayableError(f"it asks for more than addresses and ports: {rule.conditions}")
        if rule.subjects is not None or rule.sources is not None:
            raise UnsayableError("it says more about the subject than a policy can")
        if rule.traffic.excepted:
            raise UnsayableError("it leaves ports out by name", "notPorts", "ports")
        if rule.traffic.without:
            raise UnsayableError("it leaves numbers out of ports by name", "notPorts", "ports")
        entities = self._entities(rule.peers, policy)
        try:
            groups = port_groups(rule.traffic)
        except ValueError as error:
            raise UnsayableError(f"Calico cannot say {error}", "ports") from None
        return [
            At(At(self._plain_rule(rule, entity, ports), span), rule.span)
            for entity, span in entities
            for ports in groups
        ]

    def _plain_rule(
        self, rule: Rule, entity: Mapping[str, Tree], ports: Ports
    ) -> Mapping[str, Tree]:
        found: dict[str, Tree] = {}
        name = self._rule_name(rule)
        if name is not None:
            found["metadata"] = {"annotations": {"name": name}}
        found["action"] = _ACTIONS[rule.action]
        if ports.protocol is not None:
            found["protocol"] = _protocol(ports.protocol)
        if ports.icmp is not None:
            found["icmp"] = dict(zip(("type", "code"), ports.icmp, strict=False))
        source, destination = dict[str, Tree](), dict[str, Tree]()
        (source if rule.direction is Direction.INGRESS else destination).update(entity)
        items: list[Tree] = [low if low == high else f"{low}:{high}" for low, high in ports.numbers]
        items += ports.named
        if items:
            destination["ports"] = items
        if source:
            found["source"] = source
        if destination:
            found["destination"] = destination
        return found

    def _rule_name(self, rule: Rule) -> str | None:
        here = written_at(self.statement.document, rule.span)
        node = here[1].get("name") if here else None
        return node.value if node is not None and isinstance(node.value, str) else None

    def _entities(
        self, peers: Sequence[Peer], policy: Policy
    ) -> list[tuple[Mapping[str, Tree], Span | None]]:
        if any(isinstance(peer.match, AnyMatch) for peer in peers):
            return [({}, None)]
        found = []
        for peer in peers:
            found += [(entity, peer.span) for entity in self._entity(peer.match, policy)]
        return found

    def _entity(self, match: PeerMatch, policy: Policy) -> list[Mapping[str, Tree]]:
        home = policy.subjects[0].namespace if policy.subjects else None
        match match:
            case PodsMatch():
                return [_pods(match, home)]
            case AnyOf((PodsMatch() as pods, GroupsMatch() as groups)) if _quirk(pods, groups):
                return [{"namespaceSelector": selector_text(pods.namespaces)}]
            case AnyOf(matches):
                return [entity for each in matches for entity in self._entity(each, policy)]
            case BlockMatch():
                return _block(match)
            case NodesMatch():
                if not self.context.snapshot:
                    raise UnsayableError(
                        "Calico has no peer that is nodes by label: only their addresses of today, "
                        "or host endpoints",
                        "nodes",
                        choose=True,
                    )
                return self._nodes(match)
            case NamesMatch():
                raise UnsayableError(
                    "domain names are known to Calico Enterprise and Calico Cloud only",
                    "domainNames",
                    help_="name the address blocks, or keep this rule in the object as it is",
                )
        raise UnsayableError("Calico has no words for this peer")

    def _nodes(self, match: NodesMatch) -> list[Mapping[str, Tree]]:
        points = tuple(
            point
            for node in self.context.world.nodes.values()
            if match.nodes.matches(node.labels)
            and (match.names is None or node.name in match.names)
            for point in node.addresses
        )
        return [{"nets": nets} for nets in by_family(cidrs(AddressSet.points(points)))]

    def _refuse(self, within: Span | None, error: UnsayableError) -> None:
        self.refused = True
        self.said.unsayable(self.statement, within, error)


def _quirk(pods: PodsMatch, groups: GroupsMatch) -> bool:
    """Return whether a peer is namespaces as Calico reads them, network sets among them."""
    return not pods.pods and all(r.key.startswith("pcns.") for r in groups.labels.requirements)


def _pods(match: PodsMatch, home: str | None) -> Mapping[str, Tree]:
    found: dict[str, Tree] = {}
    if match.namespace is not None and match.namespace != home:
        found["namespaceSelector"] = selector_text(
            LabelSelector.of({"projectcalico.org/name": match.namespace})
        )
    elif match.namespace is None:
        found["namespaceSelector"] = selector_text(match.namespaces)
    found["selector"] = selector_text(match.pods, (ORCHESTRATOR,))
    if match.accounts:
        found["serviceAccounts"] = {"selector": account_text(match.accounts)}
    return found


def _block(match: BlockMatch) -> list[Mapping[str, Tree]]:
    if not match.addresses:
        return []
    found: dict[str, Tree] = {"nets": [masked(match.cidr)]}
    holes = [masked(hole) for hole in match.holes]
    if holes:
        found["notNets"] = holes
    return [found]


def _protocol(protocol: str) -> Tree:
    known = {"ICMPV6": "ICMPv6"}
    return int(protocol) if protocol.isdecimal() else known.get(protocol, protocol)


def selector_text(selector: LabelSelector, before: Sequence[str] = ()) -> str:
    """Return a selector in Calico's language; what matches everything is `all()`.

    Args:
        selector: The selector.
        before: Terms that must hold besides.

    >>> print(selector_text(LabelSelector.of({"app": "web"})))
    app == 'web'
    """
    terms = [*before, *(text_of(Test(r)) for r in selector.requirements)]
    return " && ".join(terms) or "all()"


def account_text(selector: LabelSelector) -> str:
    """Return a selector of service accounts."""
    renamed = (
        Requirement(
            "projectcalico.org/name" if r.key == ACCOUNT_NAME_LABEL else r.key, r.operator, r.values
        )
        for r in selector.requirements
    )
    return selector_text(LabelSelector(tuple(renamed)))


def writer() -> Writer:
    """Return how the language is written."""
    return Writer(
        "calico", write, places=("projectcalico.org/NetworkPolicy",), profile="calico@3.32"
    )
