"""Subjects, rules, peers and traffic of the IR in the words of ClusterNetworkPolicy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final

from cloison.algebra import AddressSet, LabelSelector
from cloison.base import Span
from cloison.dialects.writing import At, Refusals, Statement, Tree, WriteContext, written_at
from cloison.dialects.writing.blocks import batched, cidrs, masked
from cloison.dialects.writing.errors import GROUPS, NO_PEER, UnsayableError
from cloison.dialects.writing.labels import named_namespace, plain_selector, selector_tree
from cloison.dialects.writing.places import check_rule, only_groups
from cloison.dialects.writing.ports import Ports, everything, only_with_ports, port_groups
from cloison.ir.names import NamePattern, Stars
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
from cloison.ir.policy import Action, Direction, NamedPort, Peer, Policy, Rule

MOST: Final = 25
"""Rules of a direction, peers of a rule, protocols of a rule, blocks of a peer."""
WHOLE: Final = ("0.0.0.0/0", "::/0")
_LAST_PORT: Final = 65535
_ACTIONS: Final = {Action.ALLOW: "Accept", Action.DENY: "Deny", Action.PASS: "Pass"}


def subject_tree(subject: PodsMatch, context: WriteContext) -> Mapping[str, Tree] | None:
    """Return a subject; None where it is nobody, today.

    Raises:
        UnsayableError: It cannot be written.
    """
    return _pods_tree(subject, context)


@dataclass
class Rules:
    """Writes the rules of one policy; lives for one call."""

    statement: Statement
    policy: Policy
    context: WriteContext
    said: Refusals
    refused: bool = field(default=False)

    def written(self, direction: Direction) -> list[Tree]:
        """Return the rules of one direction."""
        found: list[Tree] = []
        for rule in self.policy.rules_for(direction):
            if rule.action is Action.LOG:
                self.said.note(
                    self.statement, rule, "`Log` is left out", "verdicts are the same", "action"
                )
                continue
            try:
                found += self._rule(rule)
            except UnsayableError as error:
                self.refused = True
                self.said.unsayable(self.statement, error.within or rule.span, error)
        return found

    def ends(self) -> bool:
        """Return whether a rule must say what the end of the tier denies on the way out."""
        closed = [d for d in Direction if d in self.policy.isolates and not self._open(d)]
        if not closed or not self._denying():
            return False
        if Direction.INGRESS in closed:
            self.refused = True
            self.said.refuse(
                self.statement,
                self.policy.span,
                "it isolates for ingress, and no rule of a ClusterNetworkPolicy can deny what "
                "comes from outside the cluster or from nodes",
                "keep it as it is: ClusterNetworkPolicies stand beside it",
                "policyTypes",
                "types",
                "ingress",
                "spec",
            )
        if Direction.EGRESS in closed and not self._reaches_all():
            self.refused = True
            self.said.refuse(
                self.statement,
                self.policy.span,
                f"it isolates for egress, and with {self.context.profile.name} a block matches "
                "neither pods nor nodes, so that no rule denies everything",
                "keep it as it is: ClusterNetworkPolicies stand beside it",
                "policyTypes",
                "types",
                "egress",
                "spec",
            )
        return Direction.EGRESS in closed

    def _reaches_all(self) -> bool:
        """Return whether blocks of both families are everybody."""
        profile = self.context.profile
        return profile.block_matches_pods and profile.block_matches_nodes

    def _denying(self) -> bool:
        tiers = (tier for layer in self.context.layers for tier in layer.tiers)
        return any(t.name == self.policy.tier and t.end is Action.DENY for t in tiers)

    def _open(self, direction: Direction) -> bool:
        """Return whether a rule lets everything pass, so that the tier's end is never met."""
        for rule in self.policy.rules_for(direction):
            if rule.action is not Action.ALLOW:
                return False
            anybody = any(isinstance(peer.match, AnyMatch) for peer in rule.peers)
            if anybody and everything(rule.traffic) and _plain(rule):
                return True
        return False

    def _rule(self, rule: Rule) -> Iterator[Tree]:
        check_rule(self.statement, rule, self.context)
        peers = list(self._peers(rule))
        ports = list(self._ports(rule))
        if not peers:
            return
        if any(isinstance(p, At) and _blocks(p.value) for p in peers) and rule.traffic.named:
            raise UnsayableError(
                "ports by name are looked up on pods, and cannot stand beside blocks of addresses",
                "ports",
                "protocols",
            )
        if max(len(peers), len(ports)) > MOST:
            self.said.note(
                self.statement,
                rule,
                f"more than {MOST} peers or ports: the rule becomes several",
                "they match the same together",
            )
        name = self._name(rule)
        key = "from" if rule.direction is Direction.INGRESS else "to"
        for some, of in product(batched(peers, MOST), batched(ports, MOST) if ports else [()]):
            tree: dict[str, Tree] = {}
            if name is not None:
                tree["name"] = name
            tree["action"] = _ACTIONS[rule.action]
            tree[key] = list(some)
            if of:
                tree["protocols"] = list(of)
            yield At(tree, rule.span)

    def _name(self, rule: Rule) -> str | None:
        here = written_at(self.statement.document, rule.span)
        node = here[1].get("name") if here else None
        if node is None and here is not None:
            node = here[1].get("metadata", "annotations", "name")
        return node.value if node is not None and isinstance(node.value, str) else None

    def _ports(self, rule: Rule) -> Iterator[Tree]:
        if everything(rule.traffic):
            return
        only_with_ports(rule.traffic.must)
        self._check_names(rule.traffic.named)
        for group in port_groups(replace(rule.traffic, named=())):
            yield from _protocols(group)
        for name in dict.fromkeys(each.name for each in rule.traffic.named):
            yield {"destinationNamedPort": name}

    def _check_names(self, asked: Sequence[NamedPort]) -> None:
        """Check that names mean ports of the protocols they are asked for with.

        Raises:
            UnsayableError: A pod gives one to a port of another protocol, too.
        """
        protocols: dict[str, set[str | None]] = {}
        for each in asked:
            protocols.setdefault(each.name, set()).add(each.protocol)
        for workload in self.context.world.workloads.values():
            for endpoint in workload.endpoints:
                for port in endpoint.ports:
                    meant = protocols.get(port.name or "", {None})
                    if None in meant or port.protocol in meant:
                        continue
                    raise UnsayableError(
                        f"a port by name is one of any protocol, and {endpoint.name} calls one "
                        f"of {port.protocol} {port.name}",
                        "ports",
                        help_="name the number, or give one of the two ports another name",
                    )

    def _peers(self, rule: Rule) -> Iterator[Tree]:
        """Yield the peers of a rule, the blocks of one field together."""
        blocks: list[str] = []
        where: Span | None = None
        for peer in rule.peers:
            if not isinstance(peer.match, BlockMatch):
                yield from self._networks(blocks, where)
                blocks = []
                yield from self._peer(peer, rule)
                continue
            if peer.span != where:
                yield from self._networks(blocks, where)
                blocks = []
            where = peer.span
            self._outward(rule, "ipBlock", "nets", "networks")
            match = peer.match
            if match.holes:
                blocks += cidrs(match.addresses)
            elif match.addresses:
                blocks.append(masked(match.cidr))
        yield from self._networks(blocks, where)

    def _networks(self, blocks: Sequence[str], span: Span | None) -> Iterator[Tree]:
        for some in batched(dict.fromkeys(blocks), MOST):
            yield At({"networks": list(some)}, span)

    def _outward(self, rule: Rule, *keys: str) -> None:
        if rule.direction is Direction.INGRESS:
            raise UnsayableError("peers by address are for egress only", *keys)

    def _peer(self, peer: Peer, rule: Rule) -> Iterator[Tree]:
        for tree in self._match(peer.match, rule):
            yield At(tree, peer.span)

    def _match(self, match: PeerMatch, rule: Rule) -> Iterator[Mapping[str, Tree]]:
        match match:
            case PodsMatch():
                # Of namespaces alone some enforcers think more than pods.
                alone = self.context.profile.groups_prefix is not None
                tree = _pods_tree(match, self.context, pods=alone)
                if tree is not None:
                    yield tree
            case AnyOf((PodsMatch() as pods, GroupsMatch() as groups)) if self._both(pods, groups):
                yield {"namespaces": selector_tree(pods.namespaces)}
            case AnyMatch():
                yield from self._anybody(rule)
            case AnyOf(matches):
                for each in matches:
                    yield from self._match(each, rule)
            case GroupsMatch():
                yield from self._groups(match, rule)
            case BlockMatch():
                self._outward(rule, "nets", "ipBlock")
                for some in batched(cidrs(match.addresses), MOST):
                    yield {"networks": list(some)}
            case NodesMatch():
                yield self._nodes(match, rule)
            case NamesMatch():
                self._outward(rule, "domains", "domainNames")
                if rule.action is not Action.ALLOW:
                    raise UnsayableError(
                        "domain names can be accepted only", "domains", "domainNames"
                    )
                for names in batched([*map(_domain, match.names)], MOST):
                    yield {"domainNames": list(names)}
            case _:
                raise UnsayableError(*NO_PEER)

    def _nodes(self, match: NodesMatch, rule: Rule) -> Mapping[str, Tree]:
        self._outward(rule, "nodes")
        if match.names is not None:
            raise UnsayableError("nodes can be named by their labels only", "nodes")
        return {"nodes": selector_tree(match.nodes)}

    def _both(self, pods: PodsMatch, groups: GroupsMatch) -> bool:
        """Return whether a peer is namespaces as who enforces it reads them."""
        prefix = self.context.profile.groups_prefix
        return (
            prefix is not None
            and not pods.pods
            and all(each.key.startswith(prefix) for each in groups.labels.requirements)
        )

    def _anybody(self, rule: Rule) -> Iterator[Mapping[str, Tree]]:
        if rule.direction is Direction.EGRESS and self._reaches_all():
            yield {"networks": list(WHOLE)}
        elif rule.direction is Direction.EGRESS:
            raise UnsayableError(
                f"it is about everybody, and with {self.context.profile.name} a block matches "
                "neither pods nor nodes",
                "to",
                "egress",
                "toEntities",
                "action",
            )
        elif rule.action is Action.DENY:
            raise UnsayableError(
                "it denies everybody, and no rule can deny what comes from outside the cluster or "
                "from nodes",
                "action",
                help_="deny the namespaces, and keep a policy that isolates for the rest",
            )
        else:
            # Whoever is outside the cluster meets no rule at all, and passes.
            yield {"namespaces": {}}

    def _groups(self, match: GroupsMatch, rule: Rule) -> Iterator[Mapping[str, Tree]]:
        found = AddressSet()
        for group in self.context.groups:
            if match.labels.matches(group.labels):
                found |= group.addresses
        if not found and (self.context.snapshot or not only_groups(rule)):
            return
        if found:
            self._outward(rule, "selector", "notSelector")
        if not self.context.snapshot:
            raise UnsayableError(*GROUPS, choose=True)
        for some in batched(cidrs(found), MOST):
            yield {"networks": list(some)}


def deny_everything() -> Mapping[str, Tree]:
    """Return the rule that stands for what a tier denies at its end, on the way out."""
    return {"action": "Deny", "to": [{"networks": list(WHOLE)}]}


def _domain(pattern: NamePattern) -> str:
    """Return names as this language writes them.

    Raises:
        UnsayableError: it has no words for them.
    """
    match pattern.stars:
        case Stars.NONE | Stars.LABELS:
            return pattern.text
        case Stars.PARTS_OR_LABELS if "*" not in pattern.text.removeprefix("**"):
            return pattern.text[1:]
    raise UnsayableError(
        f"a domain name can start with `*.` for any number of labels, and {pattern} means others",
        "toFQDNs",
    )


def _blocks(tree: Tree) -> bool:
    return isinstance(tree, Mapping) and "networks" in tree


def _plain(rule: Rule) -> bool:
    return not rule.asks and rule.subjects is None


def _protocols(group: Ports) -> Iterator[Tree]:
    ranges = group.numbers
    if not ranges:
        ranges = ((1, _LAST_PORT),)
    for low, high in ranges:
        port: dict[str, Tree] = (
            {"number": low} if low == high else {"range": {"start": low, "end": high}}
        )
        yield {str(group.protocol).lower(): {"destinationPort": port}}


def _pods_tree(
    match: PodsMatch, context: WriteContext, *, pods: bool = False
) -> Mapping[str, Tree] | None:
    """Return pods, where asked as such even if all of some namespaces; None if none are today."""
    if match.accounts or match.nodes is not None:
        raise UnsayableError(
            "pods cannot be told by their service account",
            "serviceAccountSelector",
            "serviceAccounts",
        )
    namespaces = match.namespaces if match.namespace is None else named_namespace(match.namespace)
    where, which = _tree(namespaces, context, namespaces=True), _tree(match.pods, context)
    if where is None or which is None:
        return None
    if not match.pods and not pods:
        return {"namespaces": where}
    found: dict[str, Tree] = {"namespaceSelector": where} if namespaces else {}
    found["podSelector"] = which
    return {"pods": found}


def _tree(
    selector: LabelSelector, context: WriteContext, *, namespaces: bool = False
) -> Mapping[str, Tree] | None:
    """Return a selector; None where nothing has what it looks for, today."""
    found = plain_selector(selector, context, namespaces=namespaces)
    return None if found is None else selector_tree(found)
