"""Which questions are about a call of several hops."""

from cloison.algebra import AddressSet
from cloison.analyses.ask import Question
from cloison.analyses.ends import AddressEnd, EntryEnd, NameEnd, NodeEnd, PodsEnd, ServiceEnd
from cloison.analyses.question import State

_LINK_LOCAL = AddressSet.block("169.254.0.0/16") | AddressSet.block("fe80::/10")
"""Where caches for names answer, and providers."""


def is_call(question: Question) -> bool:
    """Return whether a question is about a call: by a name, or through a gateway, Service or node.

    Whether a node's port leads anywhere, and which addresses nodes take, only the world says.
    """
    return question.state is State.NEW and (
        by_name(question)
        or through_entry(question)
        or _may_be_own_node(question)
        or isinstance(question.destination, ServiceEnd | NodeEnd)
    )


def may_leave(question: Question) -> bool:
    """Return whether pods open a connection to an address outside the cluster."""
    source, end = question.source, question.destination
    return (
        question.state is State.NEW
        and isinstance(source, PodsEnd)
        and not source.gone
        and isinstance(end, AddressEnd)
        and end.name is None
    )


def _may_be_own_node(question: Question) -> bool:
    """Return whether pods call an address that their own node may have."""
    source, end = question.source, question.destination
    return (
        isinstance(source, PodsEnd)
        and isinstance(end, AddressEnd)
        and bool(end.addresses)
        and end.addresses <= _LINK_LOCAL
    )


def through_entry(question: Question) -> bool:
    """Return whether somebody calls a gateway, or a gateway calls somebody."""
    return isinstance(question.source, EntryEnd) or isinstance(question.destination, EntryEnd)


def by_name(question: Question) -> bool:
    """Return whether pods call somebody by a name, which they have to look up."""
    source, end = question.source, question.destination
    if not isinstance(source, PodsEnd) or source.gone:
        return False
    if isinstance(end, ServiceEnd):
        # What has a note and no name was given by its address.
        return end.note is None or end.name is not None
    return isinstance(end, NameEnd) or (isinstance(end, AddressEnd) and end.name is not None)
