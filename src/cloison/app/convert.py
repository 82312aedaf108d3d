"""Policies of one language written in another, and held against what they were."""

import io
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

from cloison.app.comments import attached
from cloison.app.compared import Compared
from cloison.app.load import Item, Name, meant, paths, session_of
from cloison.app.load import under as load_under
from cloison.app.noted import noted
from cloison.app.session import Session
from cloison.app.settings import Settings
from cloison.app.statements import Target, lost, refused, statements
from cloison.base import Diagnostic, Severity, Span, sort_diagnostics
from cloison.dialects import Dialect, writer_for
from cloison.dialects.writing import (
    At,
    Comments,
    Manifest,
    Statement,
    WriteContext,
    Writer,
    Written,
    place_of,
    plain,
    rendered,
)
from cloison.dialects.writing.places import CHOICE
from cloison.dialects.writing.render import places
from cloison.ir.peers import BlockMatch, PeerMatch, plain_matches
from cloison.ir.profile import Profile, Reading
from cloison.platform import profile as find_profile
from cloison.resources.documents import Document
from cloison.resources.pool import Pool
from cloison.sources import read
from cloison.sources.comments import Line, comments
from cloison.sources.inputs import STDIN_SHOWN, Input
from cloison.sources.tools import spool
from cloison.sources.walk import inputs

if TYPE_CHECKING:
    from cloison.analyses.diff import Diff

WRITTEN = "converted:"
"""What documents that were written are called where something is said about them."""


@dataclass(frozen=True)
class Conversion:
    """What came of converting.

    Args:
        before: The source.
        written: The documents, with what could not be written.
        texts: The documents as YAML, in the order of `written`.
        target: The language.
        profile: Who will enforce them.
        already: How many objects of the source are in the language already.
        left: How many are not, and were not written.
    """

    before: Session
    written: Written
    texts: tuple[str, ...]
    target: Target
    profile: Profile
    already: int = 0
    left: int = 0

    @property
    def objects(self) -> list[object]:
        """The documents as plain values."""
        return [plain(each.tree) for each in self.written.manifests]

    @property
    def sources(self) -> int:
        """How many objects something was written from."""
        return len({id(each.statement) for each in self.written.manifests})

    @property
    def file_names(self) -> tuple[str, ...]:
        """A name for a file of each document, fit for every file system."""
        found = []
        for value in self.objects:
            kind, namespace, name = _identity(value)
            parts = (part for part in (kind, namespace, name) if part)
            found.append("-".join(re.sub(r"[^A-Za-z0-9.-]", "_", part) for part in parts).lower())
        return tuple(found)

    @property
    def refused(self) -> bool:
        """Whether an object was not written."""
        return any(d.severity is Severity.ERROR for d in self.written.refusals)

    @cached_property
    def after(self) -> Session:
        """The source with the documents in the place of what they were written from."""
        return _replaced(self)

    @cached_property
    def across(self) -> Compared:
        """The source under its own profile, held against the result under the target's."""
        return Compared(self.before, self.after)

    @cached_property
    def within(self) -> tuple[Compared, ...]:
        """The source and the result under one profile, for each of two that enforces both."""
        if self.profile == self.before.profile:
            return ()
        pairs = (
            (self.before, under(self.after, self.before.profile)),
            (under(self.before, self.profile), self.after),
        )
        return tuple(
            Compared(before, after)
            for before, after in pairs
            if _enforces(before, self.before) and _enforces(after, self.after)
        )

    @property
    def difference(self) -> "Diff":
        """What passes before and not after, or the other way round; see `across`."""
        return self.across.different


def convert(
    *names: Name,
    to: str,
    settings: Settings | None = None,
    kinds: Sequence[str] = (),
    target_cni: str | None = None,
    snapshot: bool = False,
    stdin: BinaryIO | None = None,
    **said: Any,
) -> Conversion:
    """Write the policies of sources in another language.

    Args:
        names: Files, directories, revisions (`git:REV[:PATH]`) or `-`; the current directory
            when none is given.
        to: The language: one of `cloison.dialects.targets()`.
        settings: How to read and judge.
        kinds: Only objects of these kinds are written anew; the others stay as they are. All
            that can be, when none is given.
        target_cni: Profile of who will enforce what is written; the source's own, or where
            that does not know the language, the language's own, when not given.
        snapshot: Whether to write what is right for today's inventory only.
        stdin: What `-` reads.
        said: Single settings by name, over `settings`.

    Raises:
        SourceError: A name does not exist or cannot be read.
        QuestionError: There is no such language or setting, or no object of a kind.
    """
    chosen = (settings or Settings()).but(**said)
    dialect, writer = writer_for(to)
    named = paths(names) or chosen.sources or (".",)
    with ExitStack() as stack:
        if "-" in named:
            stdin = _spooled(stdin or sys.stdin.buffer, stack)
        items = read(named, stdin=stdin, rendering=chosen.rendering())
        target = Target(dialect, writer, target_cni, tuple(kinds))
        done = _convert(items, chosen, target, snapshot=snapshot)
        files = {each.statement.document.file for each in done.written.manifests}
        lines = _lines(named, chosen, stdin, files)
        return replace(done, texts=_texts(done.written.manifests, lines))


def _convert(
    items: Iterable[Item], settings: Settings, target: Target, *, snapshot: bool
) -> Conversion:
    """Write what was read; without its text, which comments are found in."""
    kept: dict[Span, Document] = {}
    session = session_of(noted(items, kept), settings)
    profile = _profile(session.profile, target.writer, target.cni)
    plain = _as_written(session)
    found, already = statements(plain, target, kept)
    said = lost(found, target.writer.name, snapshot=snapshot) | refused(found, target.writer.name)
    good = [s for s in found if s.document.root.span(s.document.file) not in said]
    around = replace(
        _context(plain, profile, found, good, snapshot=snapshot), source=session.profile
    )
    written = target.writer.write(good, around)
    today = tuple(_today(written, target.writer, good, around)) if snapshot else ()
    if snapshot:
        chosen = lost(good, target.writer.name, snapshot=False).values()
        today = (*today, *(_of_today(each) for each in chosen))
    besides = [*_besides(session, written, today), *_apart(session.profile, profile, written)]
    refusals = sort_diagnostics([*said.values(), *written.refusals, *today, *besides])
    done = {id(each.statement) for each in written.manifests}
    return Conversion(
        session,
        replace(written, refusals=refusals),
        (),
        target,
        profile,
        already,
        sum(id(each) not in done for each in found),
    )


def _as_written(session: Session) -> Session:
    """Return a session in which policies mean what is written, whatever else is read into them.

    What an enforcer makes of a label, a block or the name of a port is not the policy's to say. But
    rules count that it takes for the policy's.
    """
    found = session.profile
    own = replace(Reading(), every_list=found.reading.every_list)
    written = replace(found, reading=own, visible=None)
    if written == found:
        return session
    # The cluster's settings would make another profile of it.
    settings = session.settings.but(cilium={})
    return load_under(replace(session, settings=settings), written, settings.profile_chosen)


def _today(
    written: Written, writer: Writer, good: Sequence[Statement], around: WriteContext
) -> Iterator[Diagnostic]:
    """Yield what is right only as long as the inventory stays as it is."""
    done = {each.statement.name for each in written.manifests}
    for each in writer.write(good, replace(around, snapshot=False)).refusals:
        if each.code == CHOICE and each.object in done:
            yield _of_today(each)


def _of_today(refusal: Diagnostic) -> Diagnostic:
    """Return what is said of something that would be refused, and is written all the same."""
    return replace(
        refusal,
        code="CNV003",
        severity=Severity.WARNING,
        effect="what is written is right for today's inventory only",
        help="convert again whenever that changes",
    )


def _besides(
    session: Session, written: Written, noted: Iterable[Diagnostic]
) -> Iterator[Diagnostic]:
    """Yield what objects also say of what is not there today, and what is written does not.

    Once for each object, and not of those that are written for today's inventory anyway.
    """
    speak = {
        id(each): dialect.besides
        for dialect, objects in (session.objects or {}).values()
        for each in objects
        if dialect.besides is not None
    }
    told = {each.object for each in noted}
    for statement in {id(m.statement): m.statement for m in written.manifests}.values():
        asked = speak.get(id(statement.object))
        span = None if asked is None else next(iter(asked(statement.object)), None)
        if span is None or statement.name in told:
            continue
        place = place_of(statement.document, span, "selector", "namespaceSelector")
        yield Diagnostic(
            "CNV004",
            Severity.INFO,
            f"`{place.path}`: it finds network sets, too, and none has such labels today",
            place.span,
            statement.name,
            "a set that is labelled so later is found by the source, and not by what is written",
        )


def _apart(source: Profile, target: Profile, written: Written) -> Iterator[Diagnostic]:
    """Yield what two enforcers make of the same words; once for each object."""
    found = _matched(source) - _matched(target), _matched(target) - _matched(source)
    said = [
        f"{verb} {' and '.join(sorted(each))}"
        for verb, each in zip(("no longer matches", "also matches"), found, strict=True)
        if each
    ]
    if not said:
        return
    for statement in {id(m.statement): m.statement for m in written.manifests}.values():
        rules = (rule for policy in statement.policies for rule in policy.rules)
        rule = next((r for r in rules if any(_is_block(p.match) for p in r.peers)), None)
        if rule is not None:
            place = place_of(statement.document, rule.span, *_BLOCKS)
            yield Diagnostic(
                "CNV004",
                Severity.INFO,
                f"`{place.path}`: with {target.name} a block {' and '.join(said)}, by its address",
                place.span,
                statement.name,
                "who that concerns, --check says",
                source=target.source,
            )


_BLOCKS = ("ipBlock", "nets", "networks", "fromCIDR", "fromCIDRSet", "toCIDR", "toCIDRSet")
"""Fields that hold blocks of addresses."""


def _matched(profile: Profile) -> set[str]:
    """Return who of the cluster is found by a block of addresses."""
    pods, nodes = profile.block_matches_pods, profile.block_matches_nodes
    return {name for name, said in (("a pod", pods), ("a node", nodes)) if said}


def _is_block(match: PeerMatch) -> bool:
    return any(isinstance(each, BlockMatch) for each in plain_matches(match))


def _identity(value: object) -> tuple[str, str, str]:
    """Return the kind, namespace and name of a plain object."""
    found = value if isinstance(value, dict) else {}
    inner = found.get("metadata", {})
    return str(found.get("kind")), str(inner.get("namespace") or ""), str(inner.get("name"))


def _spooled(stream: BinaryIO, stack: ExitStack) -> BinaryIO:
    """Return a copy of a stream that can be read twice."""
    copy = spool(stack)
    shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return copy


def _profile(source: Profile, writer: Writer, said: str | None) -> Profile:
    """Return who will enforce what is written."""
    if said is not None:
        return find_profile(said)
    if writer.enforced(source):
        return source
    return find_profile(writer.profile) if writer.profile else source


def _context(
    session: Session,
    profile: Profile,
    found: Sequence[Statement],
    good: Sequence[Statement],
    *,
    snapshot: bool,
) -> WriteContext:
    written = {policy.id for statement in good for policy in statement.policies}
    ours = {id(statement.object) for statement in found}
    names: dict[tuple[str, str | None], set[str]] = {}
    for _, objects in (session.objects or {}).values():
        for each in objects:
            if id(each) not in ours:
                kind = getattr(each, "kind", None) or type(each).__name__
                names.setdefault((kind, each.namespace), set()).add(each.name)
    return WriteContext(
        profile,
        session.profile,
        session.world,
        session.policies.layers,
        session.policies.groups,
        tuple(policy for statement in good for policy in statement.policies),
        tuple(p for p in session.policies.policies if p.id not in written),
        {key: frozenset(found) for key, found in names.items()},
        snapshot,
    )


def _lines(
    named: Sequence[str], settings: Settings, stdin: BinaryIO | None, files: set[str]
) -> dict[str, tuple[Line, ...]]:
    """Return the lines of those files that something is written from, by their shown names."""
    found: dict[str, tuple[Line, ...]] = {}
    sources = inputs(named, settings.rendering())
    try:
        for one in sources.entries:
            if not isinstance(one, Input) or one.shown not in files or one.says_json:
                continue
            with ExitStack() as stack:
                if one.content is not None:
                    found[one.shown] = comments(one.content(stack))
                elif one.path is not None:
                    found[one.shown] = comments(stack.enter_context(one.path.open("rb")))
                elif stdin is not None:
                    found[STDIN_SHOWN] = comments(stdin)
    finally:
        sources.close()
    return found


def _texts(manifests: Sequence[Manifest], lines: Mapping[str, tuple[Line, ...]]) -> tuple[str, ...]:
    """Return the documents as YAML, each comment at the first that says what it was about."""
    anchors: dict[int, set[Span]] = {}
    for each in manifests:
        anchors.setdefault(id(each.statement), set()).update(places(each.tree))
    left: dict[int, Comments] = {}
    found = []
    for each in manifests:
        document = each.statement.document
        root = document.root.span(document.file)
        tree = At(each.tree, root)
        first = id(each.statement) not in left
        said = left.get(id(each.statement))
        if said is None:
            said = attached(
                document, lines.get(document.file, ()), {root, *anchors[id(each.statement)]}
            )
        here = set(places(tree))
        found.append(rendered(tree, replace(said, below=said.below if first else ())))
        left[id(each.statement)] = Comments(
            {span: text for span, text in said.above.items() if span not in here},
            {span: text for span, text in said.beside.items() if span not in here},
        )
    return tuple(found)


def _replaced(conversion: Conversion) -> Session:
    """Return the source with what was written in the place of what it was written from."""
    before, target, profile = conversion.before, conversion.target, conversion.profile
    gone = {id(m.statement.object) for m in conversion.written.manifests}
    objects = {
        name: (dialect, [each for each in held if id(each) not in gone])
        for name, (dialect, held) in (before.objects or {}).items()
    }
    options = before.settings.read_options()
    said: list[Diagnostic] = []
    for number, text in enumerate(conversion.texts):
        for item in read(["-"], stdin=io.BytesIO(text.encode())):
            if not isinstance(item, Document):
                continue
            document = Document(f"{WRITTEN}{number + 1}", item.root)
            found, diagnostics = target.dialect.read(document, options, Pool())
            said += diagnostics
            if found is not None:
                objects.setdefault(target.dialect.name, (target.dialect, []))[1].append(found)
    placed = {name: (dialect, tuple(held)) for name, (dialect, held) in objects.items()}
    return _compiled(before, placed, profile, said)


def under(session: Session, profile: Profile) -> Session:
    """Return the same objects as another profile enforces them."""
    return _compiled(session, session.objects or {}, profile, session.read_diagnostics)


def _compiled(
    around: Session,
    objects: Mapping[str, tuple[Dialect[Any], tuple[Any, ...]]],
    profile: Profile,
    said: Iterable[Diagnostic],
) -> Session:
    """Return what objects mean under a profile, in the world of a session."""
    held = [each for _, each in sorted(objects.items())]
    return Session(
        around.world,
        meant(held, profile, around.world),
        profile,
        around.settings,
        sort_diagnostics(said),
        objects=objects,
    )


def _enforces(session: Session, other: Session) -> bool:
    """Return whether every policy that is understood in one session is in another, too."""
    held = ({p.id for p in s.policies.policies if p.opaque is None} for s in (session, other))
    mine, theirs = held
    return theirs <= mine
