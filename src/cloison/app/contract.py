"""The contract of a session: found among its sources or named, with what providers publish."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from cloison.algebra import AddressSet
from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.examine import Check, examine
from cloison.analyses.contract.intended import Edges, intended
from cloison.analyses.contract.placed import Placed
from cloison.analyses.contract.prove import Status
from cloison.app.answers import with_ends
from cloison.app.ownfile import read_whole
from cloison.base import Diagnostic, QuestionError, Severity, SourceError, Span, sort_diagnostics
from cloison.intent import Contract, Dependency, External, Guardrail, Ranges
from cloison.intent.faults import RANGES_UNREAD, fault
from cloison.intent.read import MINIMAL, ends_of, is_contract, read_contract
from cloison.resources.documents import Document, Node
from cloison.sources import read as read_sources
from cloison.sources.faults import DUPLICATE_KEY

if TYPE_CHECKING:
    from cloison.app.session import Session

LARGEST: Final = 32 << 20
"""Bytes of a provider's list."""
_DEEPEST: Final = 32
"""Levels of a provider's list that are looked into."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """The contract of a session.

    Args:
        contract: All of it that could be read.
        diagnostics: What is wrong with it, sorted.
        documents: How many documents it stands in.
        published: What providers' lists say, by the name of the external.
    """

    contract: Contract
    diagnostics: tuple[Diagnostic, ...] = ()
    documents: int = 0
    published: Mapping[str, AddressSet] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether all of it could be read."""
        return all(each.severity is not Severity.ERROR for each in self.diagnostics)


def agreed(session: "Session", named: Sequence[str] = ()) -> Agreed:
    """Return the contract of a session.

    Args:
        session: Among whose sources contracts are found by themselves.
        named: Files of contracts besides.

    Raises:
        SourceError: A file cannot be read.
        QuestionError: There is no contract, or none in a file.
    """
    said: list[Diagnostic] = []
    repeated = list(session.diagnostics)
    documents = [each for each in session.own if is_contract(each)]
    held = {(each.file, each.root.line) for each in documents}
    for name in named:
        items = list(read_sources([name], anything=True))
        here = [each for each in items if isinstance(each, Document)]
        notes = [each for each in items if isinstance(each, Diagnostic)]
        repeated += notes
        wrong = [each for each in notes if each.severity is Severity.ERROR]
        if not here and not wrong:
            raise no_contract(f"in {name}")
        said += wrong
        documents += [each for each in here if (each.file, each.root.line) not in held]
        held |= {(each.file, each.root.line) for each in here}
    if not documents and not said:
        raise no_contract("in the source")
    said += dict.fromkeys(_repeated(documents, repeated))
    found = read_contract(documents)
    contract, published = _with_ranges(found.contract, said)
    said += found.diagnostics
    return Agreed(contract, sort_diagnostics(said), found.documents, published)


def _repeated(documents: Sequence[Document], notes: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield what is noted of repeated keys in contracts, as errors: half a list is no contract."""
    keys = [each for each in notes if each.code == DUPLICATE_KEY and each.span is not None]
    for document in documents if keys else ():
        last = _last_line(document.root)
        for each in keys:
            span = each.span
            if span and span.file == document.file and document.root.line <= span.line <= last:
                effect = "what stands under the first of the two is no part of the contract"
                yield replace(each, severity=Severity.ERROR, effect=effect)


def _last_line(root: Node) -> int:
    """Return the last line on which a value of a document begins."""
    last, left = 0, [root]
    while left:
        node = left.pop()
        last = max(last, node.line)
        if isinstance(node.value, dict):
            left += node.value.values()
        elif isinstance(node.value, list):
            left += node.value
    return last


def no_contract(where: str) -> QuestionError:
    """Return the error for a contract that is not there."""
    msg = f"there is no contract {where}"
    return QuestionError(
        msg, f"write one, or name its file with --contract; a small one is:\n{MINIMAL}"
    )


def for_contract(session: "Session", contract: Contract) -> "Session":
    """Return a session that also has the ends besides pods that a contract names."""
    entries: tuple[Dependency | Guardrail, ...] = (*contract.dependencies, *contract.guardrails)
    return with_ends(session, *(end.text for entry in entries for end in ends_of(entry)))


def ends(session: "Session", found: Agreed) -> Ends:
    """Return what finds the ends that the contract of a session names.

    Args:
        session: A session that was read with `runtime`, so that gateways are known.
        found: Its contract.
    """
    session = for_contract(session, found.contract)
    return Ends(session.names, Placed.of(found.contract, session.world), found.published)


def edges(session: "Session", found: Agreed) -> Edges:
    """Return the edges that the contract of a session means."""
    return intended(found.contract, ends(session, found))


def _with_ranges(
    contract: Contract, said: list[Diagnostic]
) -> tuple[Contract, dict[str, AddressSet]]:
    """Return a contract without the externals whose lists cannot be read, and what lists say."""
    published: dict[str, AddressSet] = {}
    kept: list[External] = []
    for external in contract.externals:
        if external.ranges is None or external.span is None:
            # What stands in no file has no list beside it; asking for its addresses says so.
            kept.append(external)
            continue
        try:
            published[external.name] = _listed(external.ranges, external.span)
            kept.append(external)
        except SourceError as error:
            message = f"the ranges of external {external.name!r}: {error}"
            place = external.ranges_span or external.span
            said.append(fault(RANGES_UNREAD, place, message, error.help))
    return replace(contract, externals=tuple(kept)), published


def _listed(ranges: Ranges, span: Span) -> AddressSet:
    """Return the addresses in the list of an external's provider.

    Raises:
        SourceError: It cannot be read, or holds no address.
    """
    home = Path(span.file)
    if not home.is_file():
        msg = f"{ranges.file} stands beside {span.file}, which is no file on this machine"
        raise SourceError(msg, "name the contract's file with --contract")
    path = home.parent / ranges.file
    try:
        beside = path.resolve().is_relative_to(home.parent.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        # A text may hold what no path can; and links may lead in a circle.
        why = (isinstance(error, OSError) and error.strerror) or "it can be no path"
        msg = f"{ranges.file!r} cannot be read: {why}"
        raise SourceError(msg, "write the list's path relative to the contract") from None
    if not beside:
        msg = f"{ranges.file} leads out of the directory of the contract"
        raise SourceError(msg, "keep the list beside the contract")
    data = read_whole(
        path,
        path.as_posix(),
        LARGEST,
        named_by="write its path relative to the contract",
        smaller="keep only the services that are used",
        regular=True,
    )
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{path.as_posix()} is no JSON: {error}", "download it again") from None
    spans = (span for text in _texts(value, dict(ranges.keep)) for span in _block(text).spans)
    found = AddressSet(spans)
    if not found:
        msg = f"{path.as_posix()} holds no block of addresses" + (
            " that is kept" if ranges.keep else ""
        )
        raise SourceError(msg, "look at `keep`, and at the form of the list")
    return found


def _texts(
    value: object, keep: Mapping[str, str], depth: int = 0, *, good: bool = False
) -> Iterator[str]:
    """Yield the texts of a list's items that say what is to be kept.

    An item is the innermost mapping that has one of the fields in question; what is below it
    counts with it.
    """
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        if good or not keep:
            yield value
    elif isinstance(value, dict):
        if keep and keep.keys() & value.keys():
            good = all(str(value.get(key)) == wanted for key, wanted in keep.items())
        for each in value.values():
            yield from _texts(each, keep, depth + 1, good=good)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, keep, depth + 1, good=good)


def _block(text: str) -> AddressSet:
    """Return a block of addresses, empty for a text that is none."""
    try:
        return AddressSet.block(text)
    except ValueError:
        return AddressSet()


def check(session: "Session", named: Sequence[str], today: date) -> tuple[Check, bool]:
    """Return what came of the contract of a session, and whether all of it could be asked.

    Args:
        session: A session that was read with `runtime`.
        named: Files of contracts besides those among its sources.
        today: The day it is.

    Raises:
        SourceError: A file cannot be read.
        QuestionError: There is no contract, or none in a file.
    """
    found = agreed(session, named)
    session = for_contract(session, found.contract)
    result = examine(
        found.contract, ends(session, found), session.components, today, found.diagnostics
    )
    return result, found.whole and not result.count(Status.UNASKED)
