"""Nearest misses: why a rule or policy that might have matched did not, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloison.algebra import EVERYTHING, LabelSelector, Operator, Requirement, TrafficSet
from cloison.analyses.parties import Party
from cloison.analyses.resolve import relation_text
from cloison.base.words import begun
from cloison.engine import Engine, Point, Unit, UnitKind
from cloison.engine.related import HOSTS
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    RelativeMatch,
    UnknownMatch,
)
from cloison.ir.policy import Action, Peer, Policy, Rule, TrafficMatch
from cloison.resources.objects import ACCOUNT_NAME_LABEL, NAMESPACE_NAME_LABEL, Labels
from cloison.resources.world import APART, PodEndpoint, World


@dataclass(frozen=True, slots=True, order=True)
class Miss:
    """How far a rule, or a policy's selector, was from matching.

    Args:
        distance: Conditions that did not hold; 0 would be a match.
        text: What is allowed or selected, and what was met instead.
        rule: 1-based rule of the policy, 0 when its selector missed.
    """

    distance: int
    text: str
    rule: int = 0


_VERBS = {
    Action.ALLOW: "allows",
    Action.DENY: "denies",
    Action.PASS: "passes",
    Action.LOG: "logs",
}


def verb(action: Action) -> str:
    """Return what a rule of an action does, in words that a peer can follow."""
    return _VERBS[action]


def rule_miss(
    engine: Engine, policy: Policy, rule: Rule, point: Point, peer: Party, asked: TrafficSet
) -> Miss | None:
    """Return why `rule` does not match traffic with `peer`; None when it does.

    Args:
        engine: The engine that decided.
        policy: The rule's policy.
        rule: The rule.
        point: The enforcement point; the rule may be about some subjects only.
        peer: The other end.
        asked: The traffic in question.
    """
    traffic = rule.unmet or rule.traffic
    ports = said_traffic(traffic)
    does = verb(rule.action)
    reaches = bool((traffic.must | traffic.may) & asked) or bool(traffic.named)
    misses = sorted(_peer_miss(engine, policy, p, peer) for p in rule.peers)
    if not misses:
        return None
    nearest = misses[0]
    others = _not_about(engine, policy, rule, point)
    text = f"{does} {nearest.text}"
    if others is not None:
        return Miss(nearest.distance + 1, f"{text}, but only for {others}", rule.index)
    if nearest.distance == 0:
        if rule.unmet is not None and reaches:
            return Miss(0, f"{text} on {ports}, but only where {rule.conditions}", rule.index)
        if (rule.traffic.must & asked) and not rule.traffic.named:
            return _unsaid(rule, text)
        return Miss(1, f"{text} on {ports}, not on {asked}", rule.index)
    if not reaches:
        return Miss(nearest.distance + 1, f"{text}; and only on {ports}", rule.index)
    return Miss(nearest.distance, text, rule.index)


def _unsaid(rule: Rule, text: str) -> Miss | None:
    """Return what a rule asks for besides, of which a question says nothing."""
    if rule.sources is not None:
        return Miss(1, f"{text}, but only from source ports {rule.sources}", rule.index)
    if rule.conditions is not None:
        return Miss(1, f"{text}, but only where {rule.conditions}", rule.index)
    return None


def _not_about(engine: Engine, policy: Policy, rule: Rule, point: Point) -> str | None:
    """Return whom a rule is about, where that is not the subject."""
    if rule.subjects is None:
        return None
    for match in rule.subjects:
        if engine.binder.matcher.holds(match, point.subject) is not None:
            return None
    return " or ".join(match_text(match, policy) for match in rule.subjects) or "nobody"


def policy_miss(
    engine: Engine, policy: Policy, point: Point, peer: Party, asked: TrafficSet
) -> Miss:
    """Return the nearest miss of a policy that selects the subject and did nothing.

    Args:
        engine: The engine that decided.
        policy: The policy.
        point: The enforcement point.
        peer: The other end.
        asked: The traffic in question.
    """
    direction = point.direction
    rules = policy.rules_for(direction)
    if not rules:
        return Miss(99, f"has no {direction} rule: it isolates and allows nothing")
    if direction in policy.isolates:
        # Nobody looks for the rule that would have denied what was denied anyway.
        opening = tuple(r for r in rules if r.action in (Action.ALLOW, Action.PASS))
        rules = opening or rules
    misses = [m for r in rules if (m := rule_miss(engine, policy, r, point, peer, asked))]
    return min(misses, default=Miss(99, "matches only possibly"))


def subject_miss(world: World, policy: Policy, endpoint: PodEndpoint, name: str) -> Miss:
    """Return why a policy does not select an endpoint.

    Args:
        world: Whose namespaces and accounts.
        policy: The policy.
        endpoint: The endpoint.
        name: What it is called in the answer.
    """
    found = []
    for subject in policy.subjects:
        distance, reasons = pods_lack(world, subject, endpoint, name)
        plain = not (subject.accounts or subject.nodes is not None) and subject.namespace
        what = str(subject.pods) if plain else match_text(subject, policy)
        found.append(Miss(distance, f"selects {what}; {' and '.join(reasons)}"))
    return min(found, default=Miss(99, "selects no pod"))


def _peer_miss(engine: Engine, policy: Policy, peer: Peer, other: Party) -> Miss:
    text = peer_text(peer, policy)
    lack = _lack(engine, peer.match, policy, other)
    if lack is None:
        return Miss(0, text)
    distance, reason = lack
    return Miss(distance, f"{text}; {reason}" if reason else text)


def _lack(engine: Engine, match: PeerMatch, policy: Policy, other: Party) -> tuple[int, str] | None:
    """Return what keeps a match from matching, and how much; None where it does match."""
    if engine.binder.matcher.match(match).holds(other.unit):
        return None
    match match:
        case AnyOf():
            parts = [_lack(engine, m, policy, other) for m in match.matches]
            return min((p for p in parts if p is not None), default=(6, ""))
        case AllOf():
            every = [_lack(engine, m, policy, other) for m in match.matches]
            lacking = [p for p in every if p is not None]
            distance = sum(n for n, _ in lacking)
            # What matches in part is nearer than what is about other things altogether.
            near = distance if len(lacking) == len(every) else min(distance, _HALF)
            return near, " and ".join(t for _, t in lacking if t)
        case NoneOf():
            met = [m for m in match.matches if _lack(engine, m, policy, other) is None]
            said = " and ".join(match_text(m, policy) for m in met)
            return 2, f"{other.text} is {said}" if said else ""
        case PodsMatch() if other.endpoint and not other.endpoint.shape.host_network:
            distance, reasons = pods_lack(engine.world, match, other.endpoint, other.text)
            return distance, " and ".join(reasons)
    return _out_of_place(engine, match, other)


def _out_of_place(engine: Engine, match: PeerMatch, other: Party) -> tuple[int, str]:
    """Return what keeps a match from matching that goes by what an end is, or its address."""
    unit = engine.table.units[other.unit]
    match match:
        case PodsMatch():
            what = "is on its node's network" if unit.kind is UnitKind.HOST else "is not a pod"
            return 4, f"{other.text} {what}, and selectors see pods only"
        case BlockMatch() if unit.kind in HOSTS and not engine.profile.block_matches_nodes:
            who = engine.profile.title
            return 5, f"{who} takes {other.text} for a node, and its blocks match no nodes"
        case BlockMatch():
            return 5, _outside_block(match, unit, other)
        case GroupsMatch():
            return 5, _outside_groups(engine, match, other)
        case NamesMatch():
            return 5, _not_called(engine, match, other)
        case NodesMatch():
            return 5, _other_node(engine, match, other)
    return 6, ""


def _outside_block(match: BlockMatch, unit: Unit, other: Party) -> str:
    """Return what keeps a block from matching."""
    if unit.kind is UnitKind.NAMED and unit.family not in (0, match.family):
        return f"as an IPv{unit.family} address, {other.text} is outside that block"
    if unit.kind is UnitKind.NAMED:
        return f"which addresses {other.text} stands for is not known"
    if unit.addresses is None:
        return f"the address of {other.text} is not known"
    return f"{other.text} is outside that block"


def _not_called(engine: Engine, match: NamesMatch, other: Party) -> str:
    """Return what keeps names from matching."""
    one = len(match.names) == 1
    if engine.table.units[other.unit].kind is UnitKind.NAMED:
        return f"{other.text} is {'another name' if one else 'none of those names'}"
    if all(map(engine.binder.matcher.book.knows, match.names)):
        return f"{other.text} is no address of {'that name' if one else 'those names'}"
    return f"which addresses {'that name stands' if one else 'those names stand'} for is not known"


def _other_node(engine: Engine, match: NodesMatch, other: Party) -> str:
    unit = engine.table.units[other.unit]
    if unit.kind not in (UnitKind.NODE, UnitKind.HOST):
        return f"{other.text} is no node"
    if match.names is not None and unit.node is not None and unit.node not in match.names:
        return f"{unit.node} is another node"
    node = engine.world.nodes.get(unit.node or "")
    if node is None or node.span is None:
        return f"the labels of node {unit.node or '?'} are not known"
    return f"node {node.name} {_held(match.nodes.unmet(node.labels), node.labels)}"


def _outside_groups(engine: Engine, match: GroupsMatch, other: Party) -> str:
    held = [g for g in engine.policies.groups if match.labels.matches(g.labels)]
    if not held:
        return "no such group is known"
    names = ", ".join(str(g.id) for g in held[:_SHOWN]) + (", ..." if len(held) > _SHOWN else "")
    return f"{other.text} is not in {names}"


_SHOWN = 3
_HALF = 2
"""Distance of a combination of which a part matches."""


def pods_lack(
    world: World, match: PodsMatch, endpoint: PodEndpoint, name: str
) -> tuple[int, list[str]]:
    """Return how many conditions of a match a pod does not meet, and what it has instead."""
    home = endpoint.namespace
    if home == APART:
        return 1, [f"{name} is no pod"]
    said: list[str] = []
    labels = world.namespaces[home].labels
    unmet = match.namespaces.unmet(labels) if match.namespace is None else ()
    # A namespace that was picked by its name is another one; nobody thinks of that as a label.
    elsewhere = match.namespace is not None and match.namespace != home
    by_label = tuple(r for r in unmet if r.key != NAMESPACE_NAME_LABEL)
    distance = len(unmet) + elsewhere
    if elsewhere or len(by_label) < len(unmet):
        said.append(f"{name} is in namespace {home}")
    if by_label:
        said.append(f"namespace {home} {_held(by_label, labels)}")
    own = (
        [_held(missing, endpoint.labels)] if (missing := match.pods.unmet(endpoint.labels)) else []
    )
    distance += len(missing)
    account = endpoint.shape.service_account
    held = world.account_labels(home, account)
    lacking = match.accounts.unmet(held)
    distance += len(lacking)
    if any(r.key == ACCOUNT_NAME_LABEL for r in lacking):
        own.append(f"runs as service account {account}")
    of_account = tuple(r for r in lacking if r.key != ACCOUNT_NAME_LABEL)
    if match.nodes is not None and endpoint.shape.node not in match.nodes:
        distance += 1
        node = endpoint.shape.node
        own.append(f"runs on node {node}" if node else "runs on a node that is not known")
    for text in own:
        told = said and said[-1].startswith(f"{name} ")
        said.append(text if told else f"{name} {text}")
    if of_account:
        said.append(f"its service account {account} {_held(of_account, held)}")
    return distance, said


def _held(unmet: tuple[Requirement, ...], labels: Labels) -> str:
    said = []
    for requirement in unmet:
        key = requirement.key
        if key in labels:
            said.append(f"is labelled {key}={labels[key]}")
        else:
            said.append(f"has no label {key}")
    if len(said) == 1 and labels and "has no label" in said[0]:
        shown = [f"{k}={v}" for k, v in sorted(labels.items()) if k != NAMESPACE_NAME_LABEL]
        if shown:
            return f"{said[0]} (it has {begun(shown, 4)})"
    return " and ".join(said)


def peer_text(peer: Peer, policy: Policy) -> str:
    """Return whom a peer means, in words."""
    return match_text(peer.match, policy)


def match_text(match: PeerMatch, policy: Policy) -> str:
    """Return whom a match means, in words."""
    match match:
        case PodsMatch():
            return _pods_text(match, policy)
        case BlockMatch():
            holes = f" except {', '.join(match.holes)}" if match.holes else ""
            return f"{match.cidr}{holes}"
        case NodesMatch():
            return f"nodes labelled {match.nodes}" if match.nodes else "every node"
        case GroupsMatch():
            groups = "address groups"
            return f"{groups} labelled {match.labels}" if match.labels else f"all {groups}"
        case NamesMatch():
            names = [str(name) for name in match.names]
            return f"DNS name{'' if len(names) == 1 else 's'} {_few(names)}"
        case AnyOf() | AllOf() | NoneOf():
            return _combined_text(match, policy)
    return _simple_text(match)


def _simple_text(match: AnyMatch | RelativeMatch | UnknownMatch) -> str:
    if isinstance(match, RelativeMatch):
        return relation_text(match.relation)
    return match.reason if isinstance(match, UnknownMatch) else "everybody"


def _combined_text(match: AnyOf | AllOf | NoneOf, policy: Policy) -> str:
    parts = []
    for each in match.matches:
        text = match_text(each, policy)
        mixed = isinstance(each, AnyOf | AllOf | NoneOf) and len(each.matches) > 1
        parts.append(f"({text})" if mixed and len(match.matches) > 1 else text)
    if isinstance(match, AnyOf):
        return _few(parts, " or ") if parts else "nobody"
    if isinstance(match, AllOf):
        return _few(parts, " and also ") if parts else "everybody"
    return f"everybody but {_few(parts, ' and ')}" if parts else "everybody"


_FEW = 4


def _few(parts: Sequence[str], word: str = ", ") -> str:
    """Return parts in a row, of many the first ones with the number of the others."""
    if len(parts) <= _FEW:
        return word.join(parts)
    return f"{word.join(parts[: _FEW - 1])}{word}{len(parts) - _FEW + 1} more"


def _pods_text(match: PodsMatch, policy: Policy) -> str:
    pods = str(match.pods) if match.pods else "every pod"
    if match.accounts:
        pods += f" of {_accounts_text(match.accounts)}"
    if match.nodes is not None:
        names = sorted(match.nodes)
        pods += f" on node{'' if len(names) == 1 else 's'} {_few(names) or 'nowhere'}"
    if match.namespace is not None:
        own = match.namespace == policy.id.namespace
        return f"{pods} in {'its own namespace ' if own else 'namespace '}{match.namespace}"
    return f"{pods} in {namespaces_text(match.namespaces)}"


def _accounts_text(selector: LabelSelector) -> str:
    names = [r for r in selector.requirements if r.key == ACCOUNT_NAME_LABEL]
    if len(names) != 1 or names[0].operator is not Operator.IN:
        return f"service accounts labelled {selector}"
    values = names[0].values
    word = "service account" if len(values) == 1 else "service accounts"
    rest = LabelSelector(tuple(r for r in selector.requirements if r is not names[0]))
    return f"{word} {_few(sorted(values))}" + (f" labelled {rest}" if rest else "")


def namespaces_text(selector: LabelSelector) -> str:
    """Return which namespaces a selector means, in words."""
    if selector == EVERYTHING:
        return "every namespace"
    if len(selector.requirements) == 1:
        only = selector.requirements[0]
        if only.key == NAMESPACE_NAME_LABEL and only.operator.value == "In":
            word = "namespace" if len(only.values) == 1 else "namespaces"
            return f"{word} {', '.join(only.values)}"
    return f"namespaces labelled {selector}"


def traffic_text(traffic: TrafficMatch) -> str:
    """Return the traffic of a rule in words, names unresolved."""
    names = [f"{n.protocol}/{n.name}" if n.protocol else n.name for n in traffic.named]
    if traffic.must or not names:
        names.insert(0, str(traffic.must))
    left = [f"{n.protocol}/{n.name}" if n.protocol else n.name for n in traffic.excepted]
    if traffic.without:
        left.insert(0, str(traffic.without))
    return ", ".join(names) + (f" except {', '.join(left)}" if left else "")


def said_traffic(traffic: TrafficMatch) -> str:
    """Return the traffic of a rule as it stands in a sentence."""
    text = traffic_text(traffic)
    return "any traffic" if text == "any" else text
