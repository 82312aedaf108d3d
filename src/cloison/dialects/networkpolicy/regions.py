"""Subjects as NetworkPolicy has them: pods of one namespace, in parts where need be."""

from collections.abc import Iterator, Sequence

from cloison.algebra import EVERYTHING
from cloison.dialects.writing import WriteContext
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.labels import only_namespaces
from cloison.dialects.writing.shadow import common, less
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Policy

REGIONS = 64
"""Parts a subject is split into at most."""

Region = tuple[PodsMatch, tuple[Policy, ...]]
"""Pods, and the policies that select all of them."""


def homes(subject: PodsMatch, context: WriteContext) -> Iterator[PodsMatch]:
    """Yield a subject, namespace by namespace.

    Raises:
        UnsayableError: Its namespaces are known only as long as none is added or labelled.
    """
    if subject.namespace is not None:
        yield subject
        return
    named = only_namespaces(subject.namespaces)
    if named is None:
        if not context.snapshot:
            raise UnsayableError(
                "it is about namespaces by label, and a NetworkPolicy is about one: only a copy "
                "for each namespace of today would do",
                "namespaceSelector",
                "namespaces",
                "pods",
                "selector",
                choose=True,
            )
        named = tuple(
            name
            for name, each in context.world.namespaces.items()
            if subject.namespaces.matches(each.labels)
        )
    for name in named:
        yield PodsMatch(name, EVERYTHING, subject.pods, subject.accounts, subject.nodes)


def at_home(subject: PodsMatch, namespace: str, context: WriteContext) -> PodsMatch | None:
    """Return the pods of a subject in one namespace, None where there can be none.

    Raises:
        UnsayableError: That depends on labels of the namespace, which may change.
    """
    if subject.namespace is not None:
        return subject if subject.namespace == namespace else None
    here = PodsMatch(namespace, EVERYTHING, subject.pods, subject.accounts, subject.nodes)
    if not subject.namespaces:
        return here
    named = only_namespaces(subject.namespaces)
    if named is not None:
        return here if namespace in named else None
    known = context.world.namespaces.get(namespace)
    if known is None or not context.snapshot:
        raise UnsayableError(
            f"whether earlier policies are about namespace {namespace} depends on its labels",
            "selector",
            "podSelector",
            choose=known is not None,
        )
    return here if subject.namespaces.matches(known.labels) else None


def regions(home: PodsMatch, others: Sequence[Policy], context: WriteContext) -> list[Region]:
    """Return the parts of a subject that the same policies select.

    Raises:
        UnsayableError: They are too many, or cannot be told by labels.
    """
    found: list[Region] = [(home, ())]
    for other in others:
        split: list[Region] = []
        theirs = [
            here
            for subject in other.subjects
            if (here := at_home(subject, home.namespace or "", context)) is not None
        ]
        for pods, active in found:
            outside = [pods]
            for subject in theirs:
                split += [
                    (part, (*active, other)) for each in outside for part in common(each, subject)
                ]
                outside = [part for each in outside for part in less(each, subject)]
            split += [(part, active) for part in outside]
        found = split
        if len(found) > REGIONS:
            raise UnsayableError(
                f"earlier policies cut its pods into more than {REGIONS} parts", "selector"
            )
    return found
