"""What policies of other languages mean, as ClusterNetworkPolicies; v1alpha1 among the others.

A ClusterNetworkPolicy isolates nobody: what a tier denies at its end becomes a rule that
denies everything, at a later priority than every rule that allows. It knows no peers outside
the cluster on the way in, so what isolates for ingress cannot be written.
Source: kubernetes-sigs/network-policy-api apis/v1alpha2/clusternetworkpolicy_types.go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cloison.dialects.adminpolicy.from_ir_places import Draft, Planned, moved, plan
from cloison.dialects.adminpolicy.from_ir_rules import Rules, subject_tree
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
)
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.labels import meet
from cloison.dialects.writing.names import Names
from cloison.ir.policy import Direction, Policy

API_VERSION = "policy.networking.k8s.io/v1alpha2"
KIND = "ClusterNetworkPolicy"
SOURCE = "Network Policy API reference, ClusterNetworkPolicy v1alpha2"


def write(statements: Sequence[Statement], context: WriteContext) -> Written:
    """Write policies of other languages, and of v1alpha1, as ClusterNetworkPolicies."""
    said = Refusals(KIND, SOURCE)
    drafts = [draft for each in statements for draft in _drafts(each, context, said)]
    drafts = _alone(drafts, statements, context, said)
    planned = plan(drafts, context, said)
    return Written(tuple(_manifests(planned, Names(context.names))), tuple(said.said))


def _drafts(statement: Statement, context: WriteContext, said: Refusals) -> Iterator[Draft]:
    """Yield what a statement comes to, nothing if any of it cannot be written."""
    found = []
    refused = False
    for policy in statement.policies:
        rules = Rules(statement, policy, context, said)
        try:
            subjects = list(_subjects(policy, context))
        except UnsayableError as error:
            said.unsayable(statement, policy.subject_span, error)
            refused = True
            continue
        ingress, egress = rules.written(Direction.INGRESS), rules.written(Direction.EGRESS)
        ends = rules.ends()
        refused = refused or rules.refused
        found += [
            Draft(statement, policy, At(subject, policy.subject_span), ingress, egress, ends)
            for subject in subjects
        ]
    if not refused:
        yield from found


def _subjects(policy: Policy, context: WriteContext) -> Iterator[Mapping[str, Tree]]:
    """Yield what a policy is about, but for who is nobody, today.

    Raises:
        UnsayableError: It cannot be written.
    """
    if policy.nodes:
        msg = "it is about traffic of nodes themselves, which no ClusterNetworkPolicy is"
        raise UnsayableError(msg, "selector", "spec")
    for subject in policy.subjects:
        tree = subject_tree(subject, context)
        if tree is not None:
            yield tree


def _alone(
    drafts: Sequence[Draft],
    statements: Sequence[Statement],
    context: WriteContext,
    said: Refusals,
) -> list[Draft]:
    """Return those whose neighbours can all be written, or are about other pods.

    What stays would be decided before or after what is written, and not beside it any more.
    """
    kept = list(drafts)
    policies = [policy for each in statements for policy in each.policies]
    while True:
        ours = {draft.policy.id for draft in kept}
        staying = _by_namespace(p for p in (*policies, *context.standing) if p.id not in ours)
        stuck = {
            id(draft.statement): other
            for draft in kept
            for other in _near(draft.policy, staying)
            if _neighbours(draft.policy, other, context)
        }
        if not stuck:
            return kept
        told = set()
        for draft in kept:
            other = stuck.get(id(draft.statement))
            if other is not None and id(draft.statement) not in told:
                told.add(id(draft.statement))
                said.refuse(
                    draft.statement,
                    draft.policy.subject_span,
                    "another policy that stays as it is is about some of the same pods, and the "
                    "two are evaluated together",
                    f"convert both, or leave both: the other is {other.id.kind} {other.id}",
                )
        kept = [draft for draft in kept if id(draft.statement) not in stuck]


def _by_namespace(policies: Iterable[Policy]) -> Mapping[str | None, list[Policy]]:
    """Return policies by the namespace they live in: those of two never meet."""
    found: dict[str | None, list[Policy]] = {}
    for policy in policies:
        found.setdefault(policy.id.namespace, []).append(policy)
    return found


def _near(policy: Policy, others: Mapping[str | None, list[Policy]]) -> Iterator[Policy]:
    own = policy.id.namespace
    for namespace, found in others.items():
        if own is None or namespace is None or own == namespace:
            yield from found


def _neighbours(policy: Policy, other: Policy, context: WriteContext) -> bool:
    """Return whether what is written would stand otherwise to what stays than it does now."""
    if policy.tier == other.tier:
        if other.id.kind == KIND:
            return False
    elif not moved(policy, other, context):
        return False
    directions = [
        {*each.isolates, *(rule.direction for rule in each.rules)} for each in (policy, other)
    ]
    return bool(directions[0] & directions[1]) and any(
        meet(a, b, context.world) for a in policy.subjects for b in other.subjects
    )


def _manifests(planned: Sequence[Planned], names: Names) -> Iterator[Manifest]:
    """Yield documents: the parts of one object after one another, in the order of the source."""
    for each in planned:
        draft = each.draft
        own = draft.policy.id
        wanted = [own.name] if own.namespace is None else [own.name, f"{own.name}-{own.namespace}"]
        if each.suffix:
            wanted = [f"{name}-{each.suffix}" for name in wanted]
        name = names.free(KIND, None, *wanted)
        document = draft.statement.document
        spec: dict[str, Tree] = {
            "tier": each.tier,
            "priority": _said(each.priority, draft),
            "subject": draft.subject,
        }
        if each.ingress:
            spec["ingress"] = each.ingress
        if each.egress:
            spec["egress"] = each.egress
        yield Manifest(
            draft.statement,
            {
                **header(API_VERSION, KIND, document),
                "metadata": metadata(document, name),
                "spec": spec,
            },
        )


def _said(priority: int, draft: Draft) -> Tree:
    document = draft.statement.document
    node = document.root.get("spec", "priority") or document.root.get("spec", "order")
    return priority if node is None else At(priority, node.key_span(document.file))


def writer() -> Writer:
    """Return how the language is written."""
    return Writer(
        "clusternetworkpolicy",
        write,
        kinds=frozenset({KIND}),
        places=("ClusterNetworkPolicy/Admin", "ClusterNetworkPolicy/Baseline"),
        profile="generic",
    )
