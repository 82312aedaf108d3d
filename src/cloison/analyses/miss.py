"""Nearest misses: why a rule or policy that might have matched did not, in words."""

from dataclasses import dataclass

from cloison.algebra import EVERYTHING, LabelSelector, Requirement, TrafficSet
from cloison.analyses.question import Party
from cloison.engine import Engine, UnitKind
from cloison.ir.policy import (
    AnyMatch,
    BlockMatch,
    Direction,
    NodesMatch,
    Peer,
    PodsMatch,
    Policy,
    RelativeMatch,
    Rule,
    TrafficMatch,
    UnknownMatch,
)
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Labels


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


def rule_miss(
    engine: Engine, policy: Policy, rule: Rule, peer: Party, asked: TrafficSet
) -> Miss | None:
    """Return why `rule` does not match traffic with `peer`; None when it does.

    Args:
        engine: The engine that decided.
        policy: The rule's policy.
        rule: The rule.
        peer: The other end.
        asked: The traffic in question.
    """
    ports = traffic_text(rule.traffic)
    reaches = bool((rule.traffic.must | rule.traffic.may) & asked) or bool(rule.traffic.named)
    misses = sorted(_peer_miss(engine, policy, p, peer) for p in rule.peers)
    if not misses:
        return None
    nearest = misses[0]
    if nearest.distance == 0:
        if (rule.traffic.must & asked) and not rule.traffic.named:
            return None
        return Miss(1, f"allows {nearest.text} on {ports}, not on {asked}", rule.index)
    text = f"allows {nearest.text}"
    if not reaches:
        return Miss(nearest.distance + 1, f"{text}; and only on {ports}", rule.index)
    return Miss(nearest.distance, text, rule.index)


def policy_miss(
    engine: Engine, policy: Policy, direction: Direction, peer: Party, asked: TrafficSet
) -> Miss:
    """Return the nearest miss of a policy that selects the subject and allowed nothing."""
    rules = policy.rules_for(direction)
    if not rules:
        return Miss(99, f"has no {direction} rule: it isolates and allows nothing")
    misses = [m for r in rules if (m := rule_miss(engine, policy, r, peer, asked))]
    return min(misses, default=Miss(99, "matches only possibly"))


def subject_miss(policy: Policy, labels: Labels, name: str) -> Miss:
    """Return why a policy does not select an endpoint of its own namespace."""
    found = []
    for subject in policy.subjects:
        unmet = subject.pods.unmet(labels)
        held = _held(unmet, labels)
        found.append(Miss(len(unmet), f"selects {subject.pods}; {name} {held}"))
    return min(found, key=lambda miss: miss.distance)


def _peer_miss(engine: Engine, policy: Policy, peer: Peer, other: Party) -> Miss:
    text = peer_text(peer, policy)
    matched = engine.binder.peer(peer)
    if other.unit in matched.must:
        return Miss(0, text)
    unit = engine.table.units[other.unit]
    match = peer.match
    if isinstance(match, PodsMatch) and unit.kind is UnitKind.POD and other.endpoint:
        return _pods_miss(engine, match, text, other)
    if isinstance(match, PodsMatch):
        what = "is on its node's network" if unit.kind is UnitKind.HOST else "is not a pod"
        return Miss(4, f"{text}; {other.text} {what}, and selectors see pods only")
    if isinstance(match, BlockMatch):
        if unit.addresses is None:
            return Miss(5, f"{text}; the address of {other.text} is not known")
        return Miss(5, f"{text}; {other.text} is outside that block")
    return Miss(6, text)


def _pods_miss(engine: Engine, match: PodsMatch, text: str, other: Party) -> Miss:
    assert other.endpoint is not None  # noqa: S101 - pods have one
    home = other.endpoint.namespace
    said = []
    distance = 0
    labels = engine.world.namespaces[home].labels
    unmet = match.namespaces.unmet(labels) if match.namespace is None else ()
    # A namespace that was picked by its name is another one; nobody thinks of that as a label.
    elsewhere = match.namespace is not None and match.namespace != home
    by_label = tuple(r for r in unmet if r.key != NAMESPACE_NAME_LABEL)
    distance += len(unmet) + elsewhere
    if elsewhere or len(by_label) < len(unmet):
        said.append(f"{other.text} is in namespace {home}")
    if by_label:
        said.append(f"namespace {home} {_held(by_label, labels)}")
    missing = match.pods.unmet(other.endpoint.labels)
    if missing:
        distance += len(missing)
        held = _held(missing, other.endpoint.labels)
        told = said and said[-1].startswith(f"{other.text} ")
        said.append(held if told else f"{other.text} {held}")
    return Miss(distance, f"{text}; {' and '.join(said)}")


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
            return f"{said[0]} (it has {', '.join(shown[:4])}{', ...' if len(shown) > 4 else ''})"  # noqa: PLR2004
    return " and ".join(said)


def peer_text(peer: Peer, policy: Policy) -> str:
    """Return whom a peer means, in words."""
    match = peer.match
    match match:
        case AnyMatch():
            return "everybody"
        case PodsMatch():
            return _pods_text(match, policy)
        case BlockMatch():
            holes = f" except {', '.join(match.holes)}" if match.holes else ""
            return f"{match.cidr}{holes}"
        case NodesMatch():
            return f"nodes labelled {match.nodes}" if match.nodes else "every node"
        case RelativeMatch():
            return str(match.relation.value)
        case UnknownMatch():
            return match.reason
        case _:
            return str(match)


def _pods_text(match: PodsMatch, policy: Policy) -> str:
    pods = str(match.pods) if match.pods else "every pod"
    if match.namespace is not None:
        own = match.namespace == policy.id.namespace
        return f"{pods} in {'its own namespace ' if own else 'namespace '}{match.namespace}"
    return f"{pods} in {namespaces_text(match.namespaces)}"


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
    return ", ".join(names)
