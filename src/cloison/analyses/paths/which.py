"""Which questions are about a call of several hops."""

from cloison.analyses.ask import Question
from cloison.analyses.ends import AddressEnd, EntryEnd, NameEnd, NodeEnd, PodsEnd, ServiceEnd
from cloison.analyses.question import State


def is_call(question: Question) -> bool:
    """Return whether a question is about a call: by a name, or through a gateway, Service or node.

    Whether a node's port leads anywhere, only the world says.
    """
    return question.state is State.NEW and (
        by_name(question)
        or through_entry(question)
        or isinstance(question.destination, ServiceEnd | NodeEnd)
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
