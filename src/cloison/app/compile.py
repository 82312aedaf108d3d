"""A contract written as policies of a language, and read back."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cloison.analyses.contract.compile.build import build
from cloison.analyses.contract.compile.model import Compiled, File, Result, Sheet
from cloison.analyses.contract.compile.naming import Order
from cloison.analyses.doctor.clinic import Clinic
from cloison.app.answers import hop
from cloison.app.contract import Agreed, agreed, ends, for_contract
from cloison.app.load import under as load_under
from cloison.app.session import Session
from cloison.base import Diagnostic, QuestionError, sort_diagnostics
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

MARK: Final = "# Written by cloison contract compile."
"""What the first line of a file begins with that may be written again."""

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
    """

    session: Session
    agreed: Agreed
    compiled: Compiled
    target: str
    profile: Profile
    files: tuple[File, ...]

    @property
    def result(self) -> Result:
        """What there is to tell of it."""
        said = sort_diagnostics([*self.agreed.diagnostics, *self.compiled.findings])
        names = self.agreed.contract.names
        return Result(names, self.target, self.compiled, self.files, said)

    def read_back(self) -> Session:
        """Return the cluster with these policies in force, and no others."""
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
    if to not in _COMPOSERS:
        msg = f"no contract is compiled to {to!r}"
        raise QuestionError(msg, f"known: {', '.join(TARGETS)}")
    module = import_module(_COMPOSERS[to])
    words: Words = module.WORDS
    found = agreed(session, named)
    profile = _profile(session.profile, to)
    chosen = session.settings.profile_chosen
    asked = session if profile == session.profile else load_under(session, profile, chosen)
    asked = for_contract(asked, found.contract)
    order = Order(
        found.contract,
        ends(asked, found),
        _clinic(asked),
        words,
        session.settings.annotation_prefix,
        today,
        frozenset(namespaces),
    )
    compiled = build(order)
    files = _files(compiled.sheets, module.compose, found.contract.names)
    return Compilation(asked, found, compiled, to, profile, files)


def _profile(source: Profile, to: str) -> Profile:
    """Return who will enforce what is written."""
    _, writer = writer_for(to)
    if writer.enforced(source) or writer.profile is None:
        return source
    return find_profile(writer.profile)


def _clinic(session: Session) -> Clinic:
    def ask(question: "Question", engine: Engine | None = None) -> "Explanation":
        return hop(session, question, engine)

    return Clinic(session.engine, session.site, ask)


def _files(sheets: Sequence[Sheet], compose: Compose, names: Sequence[str]) -> tuple[File, ...]:
    found: dict[str, File] = {}
    for sheet in sheets:
        said: list[Said] = [each for one in sheet.lists for each in compose(one)]
        pages = [rendered(each.tree, each.comments) for each in said]
        path = _path(sheet, found)
        text = f"{_head(sheet, names)}\n" + "---\n".join(pages)
        found[path] = File(path, sheet, text, tuple(plain(each.tree) for each in said))
    return tuple(found[path] for path in sorted(found))


def _head(sheet: Sheet, names: Sequence[str]) -> str:
    whom = ", ".join(str(each) for each in sheet.workloads) or f"every pod of {sheet.namespace}"
    contract = f" Contract {', '.join(names)}." if names else ""
    return printable(f"{MARK} Change the contract instead.{contract} For {whom}.")


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
