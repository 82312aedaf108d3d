"""What policies of other languages mean, as NetworkPolicies.

A NetworkPolicy isolates its pods and allows; there is no order. What earlier policies deny or
pass on is taken out of what later ones allow, pod by pod of the subject as its labels say, and
what is left is written. A policy that does not isolate can be written only where others
isolate its pods.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloison.dialects.networkpolicy.peers import peer_tree, port_trees
from cloison.dialects.networkpolicy.ranks import Ranks
from cloison.dialects.networkpolicy.regions import homes, regions
from cloison.dialects.networkpolicy.remains import Remains
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
from cloison.dialects.writing.errors import UnsayableError, within
from cloison.dialects.writing.labels import plain_selector, selector_tree
from cloison.dialects.writing.names import Names
from cloison.dialects.writing.places import check_rule
from cloison.dialects.writing.settling import manifests, settled
from cloison.dialects.writing.shadow import Piece
from cloison.ir.peers import AnyMatch, PodsMatch
from cloison.ir.policy import Action, Direction, Policy, Rule

API_VERSION = "networking.k8s.io/v1"
KIND = "NetworkPolicy"
SOURCE = "Kubernetes API reference, NetworkPolicy"
_TYPES = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}


@dataclass(frozen=True, slots=True)
class _Document:
    """A NetworkPolicy to be, without its name."""

    namespace: str
    spec: Mapping[str, Tree]


def write(statements: Sequence[Statement], context: WriteContext) -> Written:
    """Write policies of other languages as NetworkPolicies."""
    said = Refusals(KIND, SOURCE)

    def beside(going: Sequence[Statement]) -> Callable[[Statement], Iterator[_Document]]:
        ranks = Ranks.of(going, context)
        return lambda statement: _documents(statement, ranks, context)

    made = settled(statements, said, beside)
    for statement, _ in made:
        _notes(statement, said)
    return Written(manifests(made, context, _tree), tuple(said.said))


def _tree(statement: Statement, document: _Document, names: Names) -> Mapping[str, Tree]:
    own = statement.policies[0].id.name
    name = names.free(KIND, document.namespace, own)
    return {
        **header(API_VERSION, KIND, statement.document),
        "metadata": metadata(statement.document, name, document.namespace),
        "spec": document.spec,
    }


def _documents(statement: Statement, ranks: Ranks, context: WriteContext) -> Iterator[_Document]:
    """Yield the documents for one object.

    Raises:
        UnsayableError: Some of it cannot be said.
    """
    for policy in statement.policies:
        if not policy.isolates and not policy.rules:
            continue
        with within(policy.span):
            if policy.nodes:
                raise UnsayableError("it is about traffic of nodes themselves", "selector", "spec")
            ranks.check(policy)
            for subject in policy.subjects:
                places = list(homes(subject, context))
                for home in places:
                    yield from _at_home(statement, policy, home, ranks, context)


def _at_home(
    statement: Statement, policy: Policy, home: PodsMatch, ranks: Ranks, context: WriteContext
) -> Iterator[_Document]:
    directions = [d for d in Direction if d in policy.isolates or policy.rules_for(d)]
    remains = Remains(policy, ranks, context)
    earlier = remains.relevant(home, directions)
    for pods, active in regions(home, earlier, context):
        with within(policy.subject_span):
            chosen = plain_selector(pods.pods, context)
            if pods.accounts:
                raise UnsayableError(
                    "pods cannot be told by their service account",
                    "serviceAccountSelector",
                )
        if chosen is None:
            continue
        spec: dict[str, Tree] = {
            "podSelector": At(selector_tree(chosen), policy.subject_span),
            "policyTypes": [_TYPES[d] for d in directions],
        }
        for direction in directions:
            rules = [
                tree
                for rule, left in remains.left(active, direction)
                for tree in _rules(statement, rule, left, home.namespace or "", context)
            ]
            if rules:
                spec[str(direction)] = rules
        yield _Document(home.namespace or "", spec)


def _rules(
    statement: Statement, rule: Rule, left: Sequence[Piece], namespace: str, context: WriteContext
) -> Iterator[Tree]:
    """Yield what is left of a rule: a rule for each set of ports, its peers together."""
    with within(rule.span):
        check_rule(statement, rule, context)
        groups: dict[tuple[object, ...], list[Piece]] = {}
        for piece in left:
            if piece.traffic or piece.named:
                groups.setdefault((piece.traffic, piece.named), []).append(piece)
        key = "from" if rule.direction is Direction.INGRESS else "to"
        for pieces in groups.values():
            tree: dict[str, Tree] = {}
            if not any(isinstance(piece.peer.match, AnyMatch) for piece in pieces):
                peers = [
                    At(each, piece.peer.span)
                    for piece in pieces
                    for each in peer_tree(piece.peer.match, namespace, context)
                ]
                if not peers:
                    continue
                tree[key] = peers
            ports = port_trees(pieces[0])
            if ports is not None:
                tree["ports"] = ports
            yield At(tree, rule.span)


def _notes(statement: Statement, said: Refusals) -> None:
    for policy in statement.policies:
        if not policy.isolates and not policy.rules:
            said.note(statement, None, "it has no rules", "nothing is written for it", "spec")
        for rule in policy.rules:
            if rule.action is Action.LOG:
                said.note(statement, rule, "`Log` is left out", "verdicts are the same", "action")


def writer() -> Writer:
    """Return how the language is written."""
    return Writer("networkpolicy", write)
