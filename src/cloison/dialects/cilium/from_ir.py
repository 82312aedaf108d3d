"""What policies of other languages mean, in Cilium's words.

A NetworkPolicy is written as Cilium itself reads it: one element for each kind of peer, `all` where
no peer is written, an empty element where nothing is allowed. What comes in an order is written
where that does not matter, since every denial comes first there.
Source: cilium/cilium pkg/k8s/network_policy.go.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloison.algebra import L4
from cloison.dialects.cilium.from_ir_order import Level
from cloison.dialects.cilium.from_ir_peers import Peers
from cloison.dialects.cilium.model import API_VERSION
from cloison.dialects.writing import (
    At,
    Refusals,
    Statement,
    Tree,
    WriteContext,
    Writer,
    Written,
    header,
    metadata,
)
from cloison.dialects.writing.blocks import batched
from cloison.dialects.writing.errors import GROUPS, UnsayableError, within
from cloison.dialects.writing.labels import only_namespaces
from cloison.dialects.writing.names import Names
from cloison.dialects.writing.places import check_rule, only_groups
from cloison.dialects.writing.ports import Ports, port_groups
from cloison.dialects.writing.settling import manifests, settled
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Action, Direction, Policy, Rule

ONE, ALL = "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"
GROUP = "cilium.io"
SOURCE = "Cilium documentation, Layer 3 and Layer 4 policies"
MOST = 40
"""Ports of one list, and types of ICMP of one element."""
_NUMBERED = (("ICMP", "IPv4"), ("ICMPV6", "IPv6"))
_PASSING = {Action.ALLOW: "", Action.DENY: "Deny"}


def write(statements: Sequence[Statement], context: WriteContext) -> Written:
    """Write policies of other languages as Cilium's."""
    said = Refusals("Cilium policy", SOURCE)

    def beside(going: Sequence[Statement]) -> Callable[[Statement], Iterator[_Document]]:
        order = Level.of(going, context)
        return lambda statement: _documents(statement, order, context)

    made = settled(statements, said, beside)
    for statement, _ in made:
        _notes(statement, said)
    return Written(manifests(made, context, _tree), tuple(said.said))


@dataclass(frozen=True, slots=True)
class _Document:
    """A policy to be, without its name.

    Args:
        home: Its namespace; None for one of all namespaces.
        rules: Its rules: `spec`, or `specs` where there are several.
    """

    home: str | None
    rules: tuple[Mapping[str, Tree], ...]


def _tree(statement: Statement, document: _Document, names: Names) -> Mapping[str, Tree]:
    kind = ALL if document.home is None else ONE
    name = names.free(kind, document.home, statement.policies[0].id.name)
    many = len(document.rules) > 1
    return {
        **header(API_VERSION, kind, statement.document),
        "metadata": metadata(statement.document, name, document.home),
        "specs" if many else "spec": list(document.rules) if many else document.rules[0],
    }


def _documents(statement: Statement, order: Level, context: WriteContext) -> Iterator[_Document]:
    """Yield the documents for one object.

    Raises:
        UnsayableError: Some of it cannot be said.
    """
    found: dict[str | None, list[Mapping[str, Tree]]] = {}
    for policy in statement.policies:
        if not policy.isolates and not policy.rules:
            continue
        with within(policy.span):
            if policy.nodes:
                raise UnsayableError("it is about traffic of nodes themselves", "selector", "spec")
            order.check(policy)
        for subject in policy.subjects:
            for home in _homes(subject):
                rule = _rule(statement, policy, subject, home, order, context)
                if rule is not None:
                    found.setdefault(home, []).append(rule)
    for home, rules in found.items():
        yield _Document(home, tuple(rules))


def _homes(subject: PodsMatch) -> tuple[str | None, ...]:
    """Return the namespaces that a subject is in, where it names them; None for any."""
    if subject.namespace is not None:
        return (subject.namespace,)
    return only_namespaces(subject.namespaces) or (None,)


def _rule(
    statement: Statement,
    policy: Policy,
    subject: PodsMatch,
    home: str | None,
    order: Level,
    context: WriteContext,
) -> Mapping[str, Tree] | None:
    peers = Peers(home, context)
    with within(policy.subject_span):
        chosen = peers.selector(subject, subject=True)
    if chosen is None:
        return None
    lists: dict[str, Tree] = {}
    default: dict[str, Tree] = {}
    for direction in Direction:
        rules = policy.rules_for(direction)
        # A denial of everything at the end is said by isolating.
        rules = rules[:-1] if order.closes(policy, direction) else rules
        found = _lists(statement, rules, direction, peers)
        closes = order.isolates(policy, direction)
        if found and not closes:
            default[str(direction)] = False
        if not found and closes:
            found = {str(direction): [{}]}
        lists |= found
    if not lists:
        return None
    tree: dict[str, Tree] = {"endpointSelector": At(chosen, policy.subject_span)}
    if default:
        tree["enableDefaultDeny"] = default
    return {**tree, **lists}


def _lists(
    statement: Statement, rules: Sequence[Rule], direction: Direction, peers: Peers
) -> dict[str, Tree]:
    """Return the rules of a direction: what is let through, and what is denied."""
    found: dict[str, list[Tree]] = {}
    for rule in rules:
        if rule.action in (Action.LOG, Action.PASS):
            continue  # what is passed on at the end is what is left open
        with within(rule.span):
            check_rule(statement, rule, peers.context)
            if only_groups(rule) and not peers.context.snapshot:
                raise UnsayableError(*GROUPS, choose=True)
            name = f"{direction}{_PASSING[rule.action]}"
            elements = list(_elements(rule, peers))
        if elements:
            found.setdefault(name, []).extend(At(each, rule.span) for each in elements)
    return {name: found[name] for name in sorted(found)}


def _elements(rule: Rule, peers: Peers) -> Iterator[Mapping[str, Tree]]:
    """Yield a rule: an element for each kind of peer, and for ports and ICMP apart."""
    if not rule.traffic.must and not rule.traffic.named:
        return
    try:
        groups = port_groups(rule.traffic)
    except ValueError as error:
        raise UnsayableError(f"Cilium cannot say {error}", "ports", "protocol") from None
    traffic = list(_traffic(groups))
    for members in peers.elements(rule.peers, rule.direction):
        for each in traffic:
            yield {**members, **each}


def _traffic(groups: Sequence[Ports]) -> Iterator[Mapping[str, Tree]]:
    """Yield the traffic of a rule as elements say it; an empty one is all of it.

    Raises:
        UnsayableError: Some of it is of a protocol that a rule does not name.
    """
    if list(groups) == [Ports()]:
        yield {}
        return
    ports = [port for group in groups for port in _ports(group)]
    if ports:
        yield {"toPorts": [{"ports": list(some)} for some in batched(ports, MOST)]}
    fields = [_icmp(group) for group in groups if group.protocol in dict(_NUMBERED)]
    for some in batched(fields, MOST):
        yield {"icmps": [{"fields": list(some)}]}


def _ports(group: Ports) -> Iterator[Mapping[str, Tree]]:
    if group.protocol in dict(_NUMBERED):
        return
    if group.protocol is not None and group.protocol not in _WITH_PORTS:
        raise UnsayableError(
            f"rules do not name protocol {group.protocol}", "protocol", "notProtocol"
        )
    protocol = group.protocol or "ANY"
    if not group.numbers and not group.named:
        yield {"port": "0", "protocol": protocol}
    for low, high in group.numbers:
        port: dict[str, Tree] = {"port": str(low)}
        if low != high:
            port["endPort"] = high
        yield {**port, "protocol": protocol}
    for name in group.named:
        yield {"port": name, "protocol": protocol}


_WITH_PORTS = tuple(dict.fromkeys(entry.protocol for entry in L4.entries()))


def _icmp(group: Ports) -> Mapping[str, Tree]:
    if group.icmp is None or len(group.icmp) > 1:
        what = "every type of ICMP at once" if group.icmp is None else "the code of an ICMP type"
        raise UnsayableError(f"rules cannot say {what}", "icmp", "protocol")
    return {"family": dict(_NUMBERED)[group.protocol or ""], "type": group.icmp[0]}


def _notes(statement: Statement, said: Refusals) -> None:
    """Say what is to be known of an object that is written."""
    rules = [rule for policy in statement.policies for rule in policy.rules]
    if not any(policy.isolates or policy.rules for policy in statement.policies):
        said.note(statement, None, "it has no rules", "nothing is written for it", "spec")
    for rule in rules:
        if rule.action is Action.LOG:
            said.note(statement, rule, "`Log` is left out", "verdicts are the same", "action")


def writer() -> Writer:
    """Return how the language is written."""
    return Writer(
        "cilium",
        write,
        kinds=frozenset((ONE, ALL)),
        places=(f"{GROUP}/{ONE}",),
        profile="cilium",
    )
