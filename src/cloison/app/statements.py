"""Which objects of a session are to be written in another language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloison.app.session import Session
from cloison.base import Diagnostic, QuestionError, Severity, Span
from cloison.dialects import Dialect, features_of, row_for
from cloison.dialects.writing import Statement, Writer
from cloison.dialects.writing.features import Kept, Use, uses
from cloison.dialects.writing.places import CHOICE, place_of
from cloison.ir.peers import PodsMatch, plain_matches
from cloison.ir.policy import Mode, Policy
from cloison.resources.documents import Document


@dataclass(frozen=True, slots=True)
class Target:
    """Where to convert to.

    Args:
        dialect: The language.
        writer: How it is written.
        cni: Profile of who will enforce it, if that was said.
        kinds: Kinds to write anew; none for all.
    """

    dialect: Dialect[Any]
    writer: Writer
    cni: str | None = None
    kinds: tuple[str, ...] = ()


def statements(
    session: Session, target: Target, kept: Mapping[Span, Document]
) -> tuple[list[Statement], int]:
    """Return what is to be written, by place, and how many objects need not be.

    Args:
        session: What was read.
        target: Where to convert to.
        kept: Documents of policy objects, by their place.

    Raises:
        QuestionError: There is no object of a kind that is asked for.
    """
    by_object: dict[int, list[Policy]] = {}
    for policy in session.policies.policies:
        origin = session.origins.get(policy.id)
        if origin is not None:
            by_object.setdefault(id(origin.object), []).append(origin.policy)
    found = []
    already = 0
    wanted = _Kinds(target.kinds)
    for dialect, objects in (session.objects or {}).values():
        for each in objects:
            document = kept.get(each.span)
            mine = tuple(by_object.get(id(each), ()))
            if document is None or not wanted.meet(document):
                continue
            if not _is_policy(mine, document):
                continue
            if dialect.name == target.dialect.name and target.writer.writes(document):
                already += 1
            else:
                found.append(Statement(document, mine, each))
    wanted.check()
    found.sort(key=lambda s: s.document.root.span(s.document.file))
    return found, already


class _Kinds:
    """Kinds that are asked for; lives for one call."""

    def __init__(self, asked: Sequence[str]) -> None:
        self._asked = {each.lower(): each for each in asked}
        self._met: set[str] = set()

    def meet(self, document: Document) -> bool:
        """Return whether a document is of one of them."""
        node = document.root.get("kind")
        kind = str(node.value).lower() if node is not None else ""
        names = {kind, f"{kind}s", f"{kind.removesuffix('y')}ies"} & self._asked.keys()
        self._met |= names
        return bool(names) or not self._asked

    def check(self) -> None:
        """Check that each was met.

        Raises:
            QuestionError: One was not.
        """
        missing = [said for key, said in self._asked.items() if key not in self._met]
        if missing:
            msg = f"there is no {missing[0]} in the source"
            raise QuestionError(msg, "kinds are named as in `kind:`, in any case")


def _is_policy(found: Sequence[Policy], document: Document) -> bool:
    """Return whether policies are what an object says, not what comes with a node's interface."""
    kind = document.root.get("kind")
    return any(p.subjects or p.opaque for p in found) or "Policy" in str(kind and kind.value)


def _unsayable(statement: Statement) -> tuple[tuple[str, ...], str, str] | None:
    """Return why no language could say an object: the field, what is wrong, and what to do."""
    if not statement.policies:
        return ("kind",), "it is not enforced, and so means nothing", "say who does with --cni"
    for policy in statement.policies:
        if policy.opaque is not None:
            return (), f"is not understood: {policy.opaque.reason}", "write it by hand"
        if policy.mode is not Mode.ENFORCED:
            return (
                ("kind",),
                "it is staged, which no other language can say",
                "enforce it first, or convert what it would replace",
            )
        if any(":" in key for key in _keys(policy)):
            return (
                ("endpointSelector", "spec"),
                "pods in the input have identities that no other language tells apart",
                "convert without the CiliumEndpoints, or leave the object as it is",
            )
    return None


def _keys(policy: Policy) -> Iterator[str]:
    """Yield the keys of labels by which a policy selects pods; those with a colon are no labels."""
    matches = [m for r in policy.rules for p in r.peers for m in plain_matches(p.match)]
    for match in (*policy.subjects, *matches):
        if isinstance(match, PodsMatch):
            yield from match.pods.keys


_BY_WORDS = frozenset(("cilium",))
"""Dialects whose objects are judged by what is written, before anything is made of it: who has been
looked up, what a group or a Service holds, what an entity is, all that is of today."""


def lost(statements: Sequence[Statement], to: str, *, snapshot: bool) -> dict[Span, Diagnostic]:
    """Return what is refused because a language has no words for it, by the place of the object.

    Args:
        statements: What is to be written.
        to: The language.
        snapshot: Whether what is right as it is today will do.
    """
    found = {}
    for statement in statements:
        api_version, kind = (_text(statement.document, key) for key in ("apiVersion", "kind"))
        row = row_for(api_version, kind)
        if row is None or row.name not in _BY_WORDS:
            continue
        for use in uses(statement.document, features_of(row, kind)):
            there = use.feature.in_language(to)
            gone = there.kept is Kept.LOST
            if gone or (there.kept is Kept.TODAY and not snapshot):
                span = statement.document.root.span(statement.document.file)
                found[span] = _gone(statement, use, there.text, to, today=not gone)
                break
    return found


def _gone(statement: Statement, use: Use, text: str, to: str, *, today: bool) -> Diagnostic:
    help_ = "leave the object as it is, or write by hand what it is for"
    if today:
        help_ = (
            "say --snapshot to write it for today's inventory, and convert again when that changes"
        )
    return Diagnostic(
        CHOICE if today else "CNV001",
        Severity.ERROR,
        f"`{use.path}`: {to} has no words for {use.feature.title} ({text})",
        use.span,
        statement.name,
        f"no {to} is written for this object",
        help_,
        use.feature.source,
    )


def _text(document: Document, key: str) -> str:
    node = document.root.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""


def refused(statements: Sequence[Statement], to: str) -> dict[Span, Diagnostic]:
    """Return what is refused whatever the language, by the place of the object."""
    found = {}
    for statement in statements:
        why = _unsayable(statement)
        if why is not None:
            keys, what, help_ = why
            place = place_of(statement.document, None, *keys)
            span = statement.document.root.span(statement.document.file)
            found[span] = Diagnostic(
                "CNV001",
                Severity.ERROR,
                f"`{place.path}`: {what}" if place.path else f"it {what}",
                place.span,
                statement.name,
                f"no {to} is written for this object",
                help_,
            )
    return found
