"""Whom a policy is about: the endpoints its top-level selectors find.

Source: projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors/selectors.go.
"""

from cloison.algebra.expressions import ALWAYS, Expression
from cloison.dialects.calico import labels
from cloison.dialects.calico.model import Policy, Selector
from cloison.dialects.calico.selector import SelectorError, parse, text_of

_ALL = "all()"
_IN_A_NAMESPACE = f"has({labels.NAMESPACE})"
_OF_AN_ACCOUNT = f"has({labels.SERVICE_ACCOUNT})"


def selection(policy: Policy) -> Expression:
    """Return what a policy asks of the labels of its subjects.

    In a policy of the cluster the text `all()` means something else beside a
    `namespaceSelector` or a `serviceAccountSelector`: that there is a namespace, or an account,
    at all. That is done to the text, and in `selector` only where it is spelt exactly so.
    Either of the two that is no selector is left out, as Felix leaves it out.
    """
    parts = [_own(policy)]
    place = _parsed(policy.namespace_selector)
    if place is not None:
        place = labels.prefixed(place, labels.OF_NAMESPACE)
        parts.append(_scoped(text_of(place), _IN_A_NAMESPACE, place))
    account = _parsed(policy.service_account_selector)
    if account is not None:
        account = labels.prefixed(account, labels.OF_ACCOUNT)
        scoped = not policy.namespaced
        parts.append(_scoped(text_of(account), _OF_AN_ACCOUNT, account) if scoped else account)
    if policy.namespace is not None:
        parts.append(labels.in_namespace(policy.namespace))
    return labels.all_of([part for part in parts if part != ALWAYS] or [ALWAYS])


def _own(policy: Policy) -> Expression:
    """Return what `selector` says once the text has been changed as Calico changes it."""
    if policy.selector is None:
        return ALWAYS
    said = policy.selector.expression or ALWAYS
    if policy.namespaced:
        return said
    if _parsed(policy.namespace_selector) is not None:
        return _scoped(policy.selector.text, _IN_A_NAMESPACE, said)
    if _parsed(policy.service_account_selector) is not None:
        return _scoped(policy.selector.text, _OF_AN_ACCOUNT, said)
    return said


def _scoped(text: str, all_is: str, said: Expression) -> Expression:
    """Return what a text says once every `all()` in it has become something else.

    Args:
        text: The text.
        all_is: What `all()` becomes.
        said: What the text says as it is.
    """
    if _ALL not in text:
        return said
    try:
        return parse(text.replace(_ALL, all_is))
    except SelectorError:
        return said  # longer than anything we read


def _parsed(selector: Selector | None) -> Expression | None:
    return selector.expression if selector is not None else None
