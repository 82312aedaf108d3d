"""Writing what can be written, beside what stays because it cannot."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.names import Names
from cloison.dialects.writing.places import Refusals
from cloison.dialects.writing.statement import Manifest, Statement, WriteContext
from cloison.dialects.writing.tree import Tree

D = TypeVar("D")


def settled(
    statements: Sequence[Statement],
    said: Refusals,
    beside: Callable[[Sequence[Statement]], Callable[[Statement], Iterable[D]]],
) -> list[tuple[Statement, list[D]]]:
    """Return the statements that can be written, each with what is written for it.

    What is refused stays, and that may matter to the others: they are asked again.

    Args:
        statements: What to write.
        said: Where refusals are noted.
        beside: From the statements that are written together, what writes one of them.
    """
    going = list(statements)
    while True:
        documents = beside(going)
        made: list[tuple[Statement, list[D]]] = []
        for statement in going:
            try:
                made.append((statement, list(documents(statement))))
            except UnsayableError as error:
                said.unsayable(statement, error.within, error)
        if len(made) == len(going):
            return made
        going = [statement for statement, _ in made]


def manifests(
    made: Sequence[tuple[Statement, Sequence[D]]],
    context: WriteContext,
    tree: Callable[[Statement, D, Names], Mapping[str, Tree]],
) -> tuple[Manifest, ...]:
    """Return what was made as objects, each with a name that is free.

    Args:
        made: Statements with what is written for them.
        context: What is around, and the names there are.
        tree: From a statement and something written for it, the object.
    """
    names = Names(context.names)
    return tuple(
        Manifest(statement, tree(statement, document, names))
        for statement, found in made
        for document in found
    )
