"""Edges that policies name: whom a rule lets through by labels, a name or a block."""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.analyses.backends import own_port
from cloison.analyses.doctor.served import enforced, numbers, workloads_of
from cloison.analyses.draft.model import (
    WORLD,
    Doubt,
    Edge,
    Found,
    Hint,
    Need,
    Outside,
    Party,
    Sure,
)
from cloison.analyses.draft.sight import Sight
from cloison.ir.names import NamePattern
from cloison.ir.peers import AnyMatch, BlockMatch, NamesMatch, PodsMatch, plain_matches
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule
from cloison.platform.component import Role
from cloison.resources.objects import NAMESPACE_NAME_LABEL
from cloison.resources.world import APART, WorkloadId

_MANY = 24
"""Edges of one rule that are drafted one by one; a rule that opens more is about groups."""
_PORTS = 16
"""Ports of one rule that are drafted one by one."""
_SOME = (Operator.IN, Operator.EXISTS)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Whom a selector means.

    Args:
        workloads: They.
        mended: What was changed for it to mean anybody; None where it does as written.
        plain: Whether it names them by labels, and does not take in everybody.
        every: Where it is about every pod of a namespace, or of all: that, as contracts write it.
    """

    workloads: tuple[WorkloadId, ...]
    mended: str | None = None
    plain: bool = True
    every: str | None = None


def ruled(sight: Sight) -> Iterator[Found]:
    """Yield the edges that policies name."""
    engine = sight.clinic.engine
    for policy in enforced(engine):
        subjects = _subjects(sight, policy)
        for rule in policy.rules:
            if rule.action is Action.ALLOW:
                yield from _rule(sight, policy, rule, subjects)


def _subjects(sight: Sight, policy: Policy) -> _Chosen:
    engine = sight.clinic.engine
    found = workloads_of(engine, engine.binder.subjects(policy).must)
    plain = bool(policy.subjects) and all(_named(each) for each in policy.subjects)
    if found or not policy.subjects:
        only = policy.subjects[0] if len(policy.subjects) == 1 else None
        return _Chosen(found, None, plain, _every(only) if only is not None else None)
    texts: list[str] = []
    meant: list[WorkloadId] = []
    for each in policy.subjects:
        mended = _mended(sight, each)
        meant += mended.workloads
        texts += [mended.mended] if mended.mended else []
    return _Chosen(tuple(sorted(set(meant))), ", ".join(texts) or None, plain)


def _named(match: PodsMatch) -> bool:
    """Return whether pods are selected by what they have, and not by what they lack or all."""
    said = (*match.pods.requirements, *match.accounts.requirements)
    return any(each.operator in _SOME for each in said)


def _every(match: PodsMatch) -> str | None:
    """Return pods as `any:` where every pod of a namespace, or of all, is selected."""
    if match.pods or match.accounts or match.nodes is not None:
        return None
    if match.namespace is not None:
        return f"any:{match.namespace}"
    if not match.namespaces:
        return "any:"
    said = match.namespaces.requirements
    named = said[0] if len(said) == 1 else None
    if named is not None and named.key == NAMESPACE_NAME_LABEL and named.operator is Operator.IN:
        return f"any:{named.values[0]}" if len(named.values) == 1 else None
    return None


def _mended(sight: Sight, match: PodsMatch) -> _Chosen:
    """Return whom a selector that means nobody would mean, were one letter of it another."""
    world, asked = sight.world, match.pods.requirements
    found: dict[str, _Chosen] = {}
    for index, each in enumerate(asked):
        if each.operator is not Operator.IN or len(each.values) != 1:
            continue
        for value in sorted(_values(sight, match, each.key)):
            if not one_edit(each.values[0], value):
                continue
            other = (
                *asked[:index],
                Requirement(each.key, Operator.IN, (value,)),
                *asked[index + 1 :],
            )
            selector = LabelSelector(other)
            there = tuple(
                name
                for name, workload in world.workloads.items()
                if _lives(sight, match, name.namespace)
                and any(selector.matches(pod.labels) for pod in workload.endpoints)
            )
            if there:
                text = f"{each.key}={each.values[0]} read as {each.key}={value}"
                found[text] = _Chosen(there, text)
    # Two ways to mend it would be a guess.
    return next(iter(found.values())) if len(found) == 1 else _Chosen(())


def _values(sight: Sight, match: PodsMatch, key: str) -> set[str]:
    return {
        pod.labels[key]
        for name, workload in sight.world.workloads.items()
        if _lives(sight, match, name.namespace)
        for pod in workload.endpoints
        if key in pod.labels
    }


def _lives(sight: Sight, match: PodsMatch, namespace: str) -> bool:
    if namespace == APART:
        return False
    if match.namespace is not None:
        return match.namespace == namespace
    home = sight.world.namespaces.get(namespace)
    return home is not None and match.namespaces.matches(home.labels)


def one_edit(one: str, other: str) -> bool:
    """Return whether two texts differ by one letter that is missing, too many or another.

    >>> one_edit("cart", "carts"), one_edit("cart", "card"), one_edit("cart", "user")
    (True, True, False)
    """
    short, long = sorted((one, other), key=len)
    if one == other or len(long) - len(short) > 1:
        return False
    at = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    rest = short[at:] if len(short) < len(long) else short[at + 1 :]
    return rest == long[at + 1 :]


def _rule(sight: Sight, policy: Policy, rule: Rule, subjects: _Chosen) -> Iterator[Found]:
    if not subjects.workloads:
        return
    inwards = rule.direction is Direction.INGRESS
    word = "from" if inwards else "to"
    resolvers = {
        name
        for found in sight.clinic.site.components
        if found.component.role is Role.DNS
        for name in found.workloads
    }
    label = f"{rule.label} of {policy.id.said}"
    for peer in rule.peers:
        others, mended, plain, every = _peer(sight, peer)
        where = peer.span or rule.span or policy.span
        if not others:
            continue
        if _open(peer):
            if subjects.plain and not _any_port(rule):
                yield from _opened(sight, rule, subjects, label)
            continue
        if (resolvers.issuperset(others) and not inwards) or (
            inwards and resolvers.issuperset(subjects.workloads)
        ):
            yield Need("dns", label, where)
            continue
        here: tuple[Party, ...] = subjects.workloads if subjects.plain else ()
        there: tuple[Party, ...] = others if plain else ()
        if not here and subjects.every is not None:
            here = (subjects.every,)
        if not there and every is not None:
            there = (every,)
        if not here or not there or len(here) * len(there) > _MANY:
            text = f"{label} is about groups and names no single call"
            yield Doubt(f"{text}: {word} {len(others)} workloads", where)
            continue
        notes = [f"label mended: {t}" for t in (subjects.mended, mended) if t]
        for one in here:
            for other in there:
                pair = (other, one) if inwards else (one, other)
                # Replicas among each other, where a rule is about nobody else.
                other_one = pair[0] != pair[1] or (len(here) == 1 and here == there)
                if other_one and pair[1] not in resolvers:
                    yield from _edges(sight, rule, pair, label, peer, notes)


def _open(peer: Peer) -> bool:
    """Return whether a peer is everybody."""
    match = peer.match
    return isinstance(match, AnyMatch) or (isinstance(match, BlockMatch) and match.whole)


def _any_port(rule: Rule) -> bool:
    return not list(numbers(rule.traffic.must)) and not rule.traffic.named


def _opened(sight: Sight, rule: Rule, subjects: _Chosen, label: str) -> Iterator[Hint]:
    """Yield the ports of workloads that a rule opens to everybody, or on which they may go out."""
    for one in subjects.workloads:
        inwards = rule.direction is Direction.INGRESS
        pair: tuple[Party, Party] = (WORLD, one) if inwards else (one, WORLD)
        text = f"{label} is open to everybody"
        for protocol, port in _numbers(sight, rule, one):
            yield Hint(Edge(*pair, protocol, port), text, rule.span, Sure.LOW, ask=True)


def _peer(sight: Sight, peer: Peer) -> tuple[tuple[Party, ...], str | None, bool, str | None]:
    """Return whom a peer means, what was mended for it, whether it names them, and `any:` if so."""
    engine, match = sight.clinic.engine, peer.match
    if isinstance(match, BlockMatch) and not match.whole and not match.holes:
        return (Outside(match.cidr, block=True),), None, True, None
    if isinstance(match, NamesMatch):
        names = [Outside(n) for each in match.names if (n := _host(each))]
        return tuple(names), None, True, None
    parts = list(plain_matches(match))
    if not parts or not all(isinstance(each, PodsMatch) for each in parts):
        return ((WORLD,), None, False, None) if _open(peer) else ((), None, False, None)
    pods = [each for each in parts if isinstance(each, PodsMatch)]
    found = workloads_of(engine, engine.binder.peer(peer).must)
    plain = any(map(_named, pods))
    if found or not isinstance(match, PodsMatch):
        every = _every(match) if isinstance(match, PodsMatch) else None
        return tuple(n for n in found if n.namespace != APART), None, plain, every
    mended = _mended(sight, match)
    return mended.workloads, mended.mended, plain, None


def _host(pattern: NamePattern) -> str | None:
    """Return the DNS name of a pattern where it is one name, or all below one."""
    text = str(pattern)
    rest = text.removeprefix("*.")
    return text if rest and not set(rest) - set("abcdefghijklmnopqrstuvwxyz0123456789.-_") else None


def _edges(
    sight: Sight,
    rule: Rule,
    pair: tuple[Party, Party],
    label: str,
    peer: Peer,
    notes: list[str],
) -> Iterator[Hint]:
    source, destination = pair
    groups = [each for each in pair if isinstance(each, str) and each.startswith("any:")]
    sure = Sure.MEDIUM if notes or groups else Sure.HIGH
    ports = list(_numbers(sight, rule, destination))
    ask = len(groups) > 1
    if destination in groups:
        for named in rule.traffic.named:
            edge = Edge(source, destination, named.protocol or "TCP", None, named.name)
            yield Hint(edge, "; ".join((label, *notes)), peer.span or rule.span, sure, ask)
        if rule.traffic.named and not ports:
            return
    if not ports:
        port = None
        if isinstance(destination, WorkloadId):
            port = sight.only_port(sight.world.workloads[destination])
        notes = [*notes, "the rule is open on every port"]
        sure = min(sure, Sure.MEDIUM)
        if port is not None:
            ports = [("TCP", port)]
        else:
            text = "; ".join((label, *notes))
            yield Hint(Edge(source, destination), text, peer.span or rule.span, sure, ask=True)
    for protocol, port in ports:
        more = [*notes]
        if _denied(sight, pair, protocol, port):
            more.append("denied at present")
            sure = min(sure, Sure.MEDIUM)
        text = "; ".join((label, *more))
        span = peer.span or rule.span
        yield Hint(Edge(source, destination, protocol, port), text, span, sure, ask)


def _numbers(sight: Sight, rule: Rule, destination: Party) -> Iterator[tuple[str, int]]:
    """Yield the protocols and ports of a rule, by name as the destination has them."""
    found = list(numbers(rule.traffic.must))[:_PORTS]
    if isinstance(destination, WorkloadId):
        pods = sight.world.workloads[destination].endpoints
        for named in rule.traffic.named:
            for pod in pods[:1]:
                port = own_port(pod, named.name, named.protocol or "TCP")
                if port is not None:
                    found.append((named.protocol or "TCP", port))
    yield from dict.fromkeys(found)


def _denied(sight: Sight, pair: tuple[Party, Party], protocol: str, port: int) -> bool:
    """Return whether a call is certainly denied now."""
    source, destination = pair
    if not isinstance(source, WorkloadId) or not isinstance(destination, WorkloadId):
        return False
    clinic = sight.clinic
    said = clinic.denied(clinic.pods(source), clinic.pods(destination), (protocol, port))
    return bool(said)
