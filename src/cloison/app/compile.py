"""A contract written as policies of a language, and read back."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cloison.analyses.contract.compile.build import build
from cloison.analyses.contract.compile.model import (
    DIFFERS,
    Compiled,
    File,
    ReadBack,
    Result,
    Sheet,
)
from cloison.analyses.contract.compile.naming import Order
from cloison.analyses.contract.compile.proof import Order as Proving
from cloison.analyses.contract.compile.proof import read_back
from cloison.analyses.doctor.clinic import Clinic
from cloison.app.answers import hop
from cloison.app.contract import Agreed, agreed, ends, for_contract
from cloison.app.load import under as load_under
from cloison.app.session import Session
from cloison.base import Diagnostic, QuestionError, Severity, sort_diagnostics
from cloison.dialects import writer_for
from cloison.dialects.writing.allowed import Said
from cloison.dialects.writing.render import plain, rendered
from cloison.engine import Engine
from cloison.ir.allowlist import Allowlist, Words
from cloison.ir.profile import Profile
from cloison.platform import profile as find_profile
from cloison.resources.documents import Document
from cloison.resources.names import printable
from cloison.resources.pool import Pool
from cloison.sources import read

if TYPE_CHECKING:
    from cloison.analyses.ask import Explanation, Question

COMPILER: Final = "cloison contract compile"
"""The command that writes files, as their first line says."""

WRITTEN: Final = "compiled:"
"""What documents that were written are called where something is said about them."""

_COMPOSERS: Final = {
    "networkpolicy": "cloison.dialects.networkpolicy.compose",
    "clusternetworkpolicy": "cloison.dialects.adminpolicy.compose",
    "calico": "cloison.dialects.calico.compose",
    "cilium": "cloison.dialects.cilium.compose",
}
Compose: TypeAlias = Callable[[Allowlist], Iterator[Said]]

TARGETS: Final = tuple(_COMPOSERS)
"""Languages that a contract can be written in."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What policies tell of themselves, besides what a contract says.

    Args:
        head: What the first line of every file begins with.
        finish: Adds to annotations and reasons; what is let through stays as it is.
    """

    head: str
    finish: Callable[[Compiled], Compiled]


@dataclass(frozen=True)
class Compilation:
    """A contract written in a language.

    Args:
        session: What it was written for, under who will enforce it.
        agreed: The contract.
        compiled: What it comes to.
        target: The language.
        profile: Who will enforce it.
        files: The files, sorted by path.
        only: The namespaces that were asked for; empty for all.
    """

    session: Session
    agreed: Agreed
    compiled: Compiled
    target: str
    profile: Profile
    files: tuple[File, ...]
    only: frozenset[str] = frozenset()

    @property
    def result(self) -> Result:
        """What there is to tell of it."""
        found = [*self.agreed.diagnostics, *self.compiled.findings, *self.proof.differences]
        names = self.agreed.contract.names
        said = sort_diagnostics(found)
        return Result(names, self.target, self.compiled, self.files, said, read_back=self.proof)

    @cached_property
    def proof(self) -> ReadBack:
        """What the policies do, asked of the engine: a difference is an error."""
        after, contract = for_contract(self.read_back(), self.agreed.contract), self.agreed.contract
        whole = not self.only
        before = self.session.engine
        found = read_back(Proving(contract, self.compiled, before, ends(after, self.agreed), whole))
        unread = (
            replace(each, code=DIFFERS, severity=Severity.ERROR) for each in after.read_diagnostics
        )
        return replace(found, differences=(*unread, *found.differences))

    def read_back(self) -> Session:
        """Return the cluster with these policies in force, and no others."""
        return self._after

    @cached_property
    def _after(self) -> Session:
        texts = [each.text for each in self.files]
        return in_force(self.session, texts, self.target, self.profile)


def compile_contract(
    session: Session,
    to: str,
    named: Sequence[str] = (),
    *,
    today: date,
    namespaces: Iterable[str] = (),
) -> Compilation:
    """Write the contract of a session as policies.

    Args:
        session: A session that was read with `runtime`.
        to: The language: one of `TARGETS`.
        named: Files of contracts besides those among its sources.
        today: The day it is.
        namespaces: Only policies of these; of all that the contract speaks of when none is given.

    Raises:
        SourceError: A file cannot be read.
        QuestionError: There is no contract, no such language, or nothing in a namespace.
    """
    return compile_agreed(session, agreed(session, named), to, today=today, namespaces=namespaces)


def compile_agreed(
    session: Session,
    found: Agreed,
    to: str,
    *,
    today: date,
    namespaces: Iterable[str] = (),
    told: Telling | None = None,
) -> Compilation:
    """Write a contract that is at hand as policies.

    Args:
        session: A session that was read with `runtime`.
        found: The contract.
        to: The language: one of `TARGETS`.
        today: The day it is.
        namespaces: Only policies of these; of all that the contract speaks of when none is given.
        told: What files begin with, and what policies tell of themselves, where that is not the
            usual.

    Raises:
        QuestionError: There is no such language, or nothing in a namespace.
    """
    words = words_of(to)
    compose: Compose = import_module(_COMPOSERS[to]).compose
    asked = for_contract(enforced_by(session, to), found.contract)
    order = Order(
        found.contract,
        ends(asked, found),
        clinic_of(asked),
        words,
        session.settings.annotation_prefix,
        today,
        frozenset(namespaces),
    )
    compiled = build(order)
    if told is not None:
        compiled = told.finish(compiled)
    head = told.head if told is not None else _head(found.contract.names)
    files = _files(compiled.sheets, compose, head)
    return Compilation(asked, found, compiled, to, asked.profile, files, order.only)


def words_of(to: str) -> Words:
    """Return what a language can say.

    Raises:
        QuestionError: There is no such language.
    """
    if to not in _COMPOSERS:
        msg = f"no contract is compiled to {to!r}"
        raise QuestionError(msg, f"known: {', '.join(TARGETS)}")
    words: Words = import_module(_COMPOSERS[to]).WORDS
    return words


def enforced_by(session: Session, to: str) -> Session:
    """Return a session as whoever enforces a language takes it."""
    profile = _profile(session.profile, to)
    if profile == session.profile:
        return session
    return load_under(session, profile, f"by what is written, {to}")


def _profile(source: Profile, to: str) -> Profile:
    """Return who will enforce what is written."""
    _, writer = writer_for(to)
    if writer.enforced(source) or writer.profile is None:
        return source
    return find_profile(writer.profile)


def clinic_of(session: Session) -> Clinic:
    """Return a session as what platform traffic is found in."""

    def ask(question: "Question", engine: Engine | None = None) -> "Explanation":
        return hop(session, question, engine)

    return Clinic(session.engine, session.site, ask)


def _files(sheets: Sequence[Sheet], compose: Compose, head: str) -> tuple[File, ...]:
    found: dict[str, File] = {}
    for sheet in sheets:
        said: list[Said] = [each for one in sheet.lists for each in compose(one)]
        pages = [rendered(each.tree, each.comments) for each in said]
        path = _path(sheet, found)
        text = f"{head} {_whom(sheet)}\n" + "---\n".join(pages)
        found[path] = File(path, sheet, text, tuple(plain(each.tree) for each in said))
    return tuple(found[path] for path in sorted(found))


def _head(names: Sequence[str]) -> str:
    contract = f" Contract {', '.join(names)}." if names else ""
    return printable(f"{mark(COMPILER)} Change the contract instead.{contract}")


def mark(by: str) -> str:
    """Return what the first line of a file begins with that a command may write again."""
    return f"# Written by {by}."


def _whom(sheet: Sheet) -> str:
    whom = ", ".join(str(each) for each in sheet.workloads) or f"every pod of {sheet.namespace}"
    return printable(f"For {whom}.")


def _path(sheet: Sheet, taken: Mapping[str, object]) -> str:
    """Return where a file belongs: two steps, fit for every file system, and nowhere else."""
    name = sheet.lists[0].name if sheet.workloads else "_default-deny"
    home, base = (_fit(each) for each in (sheet.namespace, name))
    path, number = f"{home}/{base}.yaml", 2
    while path in taken:
        path, number = f"{home}/{base}-{number}.yaml", number + 1
    return path


def _fit(text: str) -> str:
    found = re.sub(r"[^A-Za-z0-9._-]", "_", text)[:200]
    return found if found.strip(".") else "_"


def in_force(session: Session, texts: Iterable[str], to: str, profile: Profile) -> Session:
    """Return a cluster with some policies in force, and no others.

    Args:
        session: The cluster.
        texts: The policies as YAML.
        to: Their language.
        profile: Who enforces them.
    """
    options = session.settings.read_options()
    dialect, _ = writer_for(to)
    held: list[Any] = []
    said: list[Diagnostic] = []
    for number, text in enumerate(texts):
        for item in read(["-"], stdin=io.BytesIO(text.encode())):
            if isinstance(item, Diagnostic):
                said.append(item)
            elif isinstance(item, Document):
                document = Document(f"{WRITTEN}{number + 1}", item.root)
                found, diagnostics = dialect.read(document, options, Pool())
                said += diagnostics
                if found is not None:
                    held.append(found)
    bare = replace(
        session,
        objects={dialect.name: (dialect, tuple(held))},
        read_diagnostics=sort_diagnostics(said),
    )
    return load_under(bare, profile, session.settings.profile_chosen)
