"""How Calico's selectors see labels, and whom of the IR they find.

To Calico a pod, a network set and a host endpoint are all labels and addresses: namespaces and
service accounts are labels too, under prefixes that nobody else may use. The IR keeps them
apart, so an expression is taken to pieces that are about a pod, its namespace or its account,
and besides asked of address groups, whose labels are given here as Calico would show them.

Source: projectcalico/calico libcalico-go/lib/backend/k8s/conversion and felix/labelindex.
"""

from collections.abc import Mapping
from dataclasses import replace

from cloison.algebra import EVERYTHING, LabelSelector, Operator, Requirement
from cloison.algebra.expressions import ALWAYS, NEVER, And, Const, Expression, Test
from cloison.dialects.calico import caveats
from cloison.ir.peers import GroupsMatch, PeerMatch, PodsMatch, UnknownMatch
from cloison.resources.objects import ACCOUNT_NAME_LABEL, NAMESPACE_NAME_LABEL, Labels

NAMESPACE = "projectcalico.org/namespace"
ORCHESTRATOR = "projectcalico.org/orchestrator"
SERVICE_ACCOUNT = "projectcalico.org/serviceaccount"
NAME = "projectcalico.org/name"
"""The name of a namespace, or of an account, among its labels."""

OF_NAMESPACE = "pcns."
OF_ACCOUNT = "pcsa."

LIMIT = 512
"""Alternatives that are followed; past them it is left open whom a selector finds."""

_NAMESPACE_NAME = OF_NAMESPACE + NAMESPACE_NAME_LABEL
_ACCOUNT_NAME = OF_ACCOUNT + ACCOUNT_NAME_LABEL
_SPELT = {
    NAMESPACE: _NAMESPACE_NAME,
    OF_NAMESPACE + NAME: _NAMESPACE_NAME,
    SERVICE_ACCOUNT: _ACCOUNT_NAME,
    OF_ACCOUNT + NAME: _ACCOUNT_NAME,
}
"""The many ways to say a name, and the one that is kept."""
_ALWAYS_THERE = frozenset((_NAMESPACE_NAME, _ACCOUNT_NAME))

TOO_LARGE = UnknownMatch("the selector has too many alternatives", caveats.SELECTOR_TOO_LARGE)
"""Whom a selector finds that has more alternatives than are followed."""

IN_A_NAMESPACE: Expression = Test(Requirement(NAMESPACE, Operator.EXISTS))
"""What `all()` comes to in a `namespaceSelector`."""
IN_NO_NAMESPACE: Expression = Test(Requirement(NAMESPACE, Operator.DOES_NOT_EXIST))
"""What `global()` comes to."""


def in_namespace(name: str) -> Expression:
    """Return what holds of everything in a namespace."""
    return Test(Requirement(NAMESPACE, Operator.IN, (name,)))


def with_account(names: tuple[str, ...]) -> Expression:
    """Return what holds of pods whose service account has one of these names."""
    return Test(Requirement(SERVICE_ACCOUNT, Operator.IN, tuple(sorted(set(names)))))


def prefixed(expression: Expression, prefix: str) -> Expression:
    """Return an expression about labels of a namespace or an account as one about endpoints."""
    return expression.with_keys(lambda key: prefix + key)


def pods(expression: Expression) -> tuple[PodsMatch, ...] | None:
    """Return the pods an expression finds, any of these; None when there are too many."""
    found = expression.mapped(_of_pods).selectors(LIMIT)
    return None if found is None else tuple(map(_pods, found))


def _of_pods(requirement: Requirement) -> Expression:
    """Return what a requirement says of a pod, one spelling for each fact."""
    if requirement.key == ORCHESTRATOR:
        return Const(requirement.matches({ORCHESTRATOR: "k8s"}))
    key = _SPELT.get(requirement.key, requirement.key)
    if key in _ALWAYS_THERE:
        if requirement.operator is Operator.EXISTS:
            return ALWAYS
        if requirement.operator is Operator.DOES_NOT_EXIST:
            return NEVER
    return Test(replace(requirement, key=key))


def _pods(selector: LabelSelector) -> PodsMatch:
    """Sort the requirements on a pod by whose labels they are about."""
    of_namespace, of_account, own = [], [], []
    for each in selector.requirements:
        if each.key.startswith(OF_NAMESPACE):
            of_namespace.append(replace(each, key=each.key.removeprefix(OF_NAMESPACE)))
        elif each.key.startswith(OF_ACCOUNT):
            of_account.append(replace(each, key=each.key.removeprefix(OF_ACCOUNT)))
        else:
            own.append(each)
    namespace = _only(of_namespace)
    return PodsMatch(
        namespace,
        EVERYTHING if namespace is not None else _selector(of_namespace),
        _selector(own),
        _selector(of_account),
    )


def _selector(requirements: list[Requirement]) -> LabelSelector:
    return LabelSelector(tuple(sorted(requirements))) if requirements else EVERYTHING


def _only(requirements: list[Requirement]) -> str | None:
    """Return the name of the one namespace that requirements ask for, and nothing else of it."""
    if len(requirements) != 1:
        return None
    (each,) = requirements
    named = each.key == NAMESPACE_NAME_LABEL and each.operator is Operator.IN
    return each.values[0] if named and len(each.values) == 1 else None


def groups(expression: Expression, known: frozenset[str]) -> tuple[GroupsMatch, ...] | None:
    """Return the address groups an expression finds, any of these; None when there are too many.

    Args:
        expression: About labels as `set_labels` gives them.
        known: Keys that some group has. What asks for another finds none, and is left out.
    """
    found = expression.selectors(LIMIT)
    if found is None:
        return None
    return tuple(
        GroupsMatch(each)
        for each in found
        if all(r.key in known or r.matches({}) for r in each.requirements)
    )


def sets(expression: Expression) -> tuple[GroupsMatch, ...]:
    """Return the network sets an expression would find if there were any, any of these.

    None where there are too many to say, or where it asks for what only pods have: an
    orchestrator, or a service account.
    """
    return tuple(
        GroupsMatch(each)
        for each in expression.selectors(LIMIT) or ()
        if not any(_only_of_pods(r.key) and not r.matches({}) for r in each.requirements)
    )


def _only_of_pods(key: str) -> bool:
    return key in (ORCHESTRATOR, SERVICE_ACCOUNT) or key.startswith(OF_ACCOUNT)


def selected(expression: Expression, known: frozenset[str] | None) -> tuple[PeerMatch, ...]:
    """Return everybody an expression finds, any of these.

    What can find nothing but network sets says so even where there is none today.

    Args:
        expression: About labels of endpoints.
        known: Keys that labels of address groups have; None when there are no groups.
    """
    found = pods(expression)
    if found is None:
        return (TOO_LARGE,)
    besides = () if known is None else groups(expression, known)
    if besides is None:
        return (TOO_LARGE,)
    return (*found, *besides) or sets(expression)


def set_labels(own: Labels, namespace: str | None, of_namespace: Labels) -> Mapping[str, str]:
    """Return the labels of a network set as selectors see them.

    Args:
        own: Those it is written with, which are stronger than those it inherits.
        namespace: Where it lives; None for one that lives in no namespace.
        of_namespace: Labels of that namespace.
    """
    if namespace is None:
        return dict(own)
    inherited = {OF_NAMESPACE + key: value for key, value in of_namespace.items()}
    named = {OF_NAMESPACE + NAME: namespace, _NAMESPACE_NAME: namespace}
    return inherited | named | dict(own) | {NAMESPACE: namespace}


def all_of(parts: list[Expression]) -> Expression:
    """Return what holds where all of these do."""
    return parts[0] if len(parts) == 1 else And(tuple(parts))
