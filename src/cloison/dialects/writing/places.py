"""Where in a source document something stands, and what is said of what cannot be written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.statement import Statement, WriteContext
from cloison.ir.peers import GroupsMatch, plain_matches
from cloison.ir.policy import Direction, Rule
from cloison.resources.documents import Document, Node

CHOICE: Final = "CNV002"
"""Code of what could be written for today's inventory, and was not."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a document.

    Args:
        path: As people write it, `spec.ingress[0].ports`.
        span: Where its key stands.
        node: What it holds.
    """

    path: str
    span: Span
    node: Node


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Iterate over a node and all below it with their paths, outer before inner."""
    yield path, node
    if isinstance(node.value, dict):
        for key, each in node.value.items():
            yield from walk(each, (*path, key))
    elif isinstance(node.value, list):
        for number, each in enumerate(node.value):
            yield from walk(each, (*path, number))


def written_at(document: Document, span: Span | None) -> tuple[Path, Node] | None:
    """Return the outermost node that starts at a place of a document, with its path."""
    if span is None or span.file != document.file:
        return None
    at = (span.line, span.column)
    return next(
        (
            (path, node)
            for path, node in walk(document.root)
            if at in ((node.line, node.column), (node.key_line, node.key_column))
        ),
        None,
    )


def place_of(document: Document, within: Span | None, *keys: str) -> Place:
    """Return the outermost field of one of the names in what starts at a place.

    Args:
        document: Where to look.
        within: What to look in: what starts here; the whole document where nothing does.
        keys: Names of fields, the likeliest first; without any, what starts there itself.
    """
    found = written_at(document, within) or ((), document.root)
    base, start = found
    for key in keys:
        held = [(path, node) for path, node in walk(start, base) if path and path[-1] == key]
        if held:
            path, node = min(held, key=lambda each: len(each[0]))
            return Place(shown_path(path), node.key_span(document.file), node)
    return Place(shown_path(base), start.key_span(document.file), start)


def shown_path(path: Path) -> str:
    """Return a path as people write it, `spec.ingress[0].ports`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def check_rule(statement: Statement, rule: Rule, context: WriteContext) -> None:
    """Check what the IR carries only in part, or as it is today.

    Raises:
        UnsayableError: No language without it can say the rule.
    """
    if _holds(statement, rule, "http"):
        raise UnsayableError("the language has no rules about HTTP", "http")
    if rule.conditions is not None:
        raise UnsayableError(f"it asks for more than peers and ports: {rule.conditions}")
    if _holds(statement, rule, "services") and not context.snapshot:
        raise UnsayableError(
            "the language has no peer that is a Service: only what stands behind it today",
            "services",
            choose=True,
        )
    here = "source" if rule.direction is Direction.EGRESS else "destination"
    if rule.sources is not None:
        place = place_of(statement.document, rule.span, "source")
        keys = ("ports", "notPorts") if place.node.get("ports") else ("notPorts",)
        error = UnsayableError("the language has no source ports", *keys)
        error.within = place.node.span(statement.document.file)
        raise error
    if rule.subjects is not None:
        raise UnsayableError("it says more about the pods it is for than its policy does", here)
    if rule.traffic.excepted:
        raise UnsayableError("it leaves ports out by name", "notPorts")
    if rule.traffic.without:
        raise UnsayableError("it leaves numbers out of ports by name", "notPorts")


def only_groups(rule: Rule) -> bool:
    """Return whether nobody but address groups can be a rule's peer."""
    found = [match for peer in rule.peers for match in plain_matches(peer.match)]
    return bool(found) and all(isinstance(match, GroupsMatch) for match in found)


def _holds(statement: Statement, rule: Rule, key: str) -> bool:
    return place_of(statement.document, rule.span, key).path.endswith(f".{key}")


@dataclass(slots=True)
class Refusals:
    """Collects what a writer has to say; lives for one call of it.

    Args:
        target: The language that is written, for people.
        source: Who says so.
        said: What was said.
    """

    target: str
    source: str
    said: list[Diagnostic] = field(default_factory=list)

    def unsayable(
        self, statement: Statement, within: Rule | Span | None, error: UnsayableError
    ) -> None:
        """Note that an object is not written, because of an error."""
        if error.choose:
            self.choose(statement, within, error.what, *error.keys)
        else:
            self.refuse(statement, within, error.what, error.help, *error.keys)

    def refuse(
        self,
        statement: Statement,
        within: Rule | Span | None,
        what: str,
        help_: str,
        *keys: str,
    ) -> None:
        """Note that an object is not written.

        Args:
            statement: The object.
            within: The rule, or the place, that cannot be said.
            what: What the language cannot say, as the rest of a sentence about it.
            help_: What to do.
            keys: Names of the fields that say it.
        """
        self._say("CNV001", Severity.ERROR, statement, within, what, help_, keys)

    def choose(
        self, statement: Statement, within: Rule | Span | None, what: str, *keys: str
    ) -> None:
        """Note that an object could be written for today's inventory only, and is not."""
        help_ = (
            "say --snapshot to write it for today's inventory, and convert again when that changes"
        )
        self._say(CHOICE, Severity.ERROR, statement, within, what, help_, keys)

    def note(
        self,
        statement: Statement,
        within: Rule | Span | None,
        what: str,
        effect: str,
        *keys: str,
    ) -> None:
        """Note something about an object that is written.

        Args:
            statement: The object.
            within: The rule or place it is about.
            what: What is to be known.
            effect: What that does.
            keys: Names of the fields that say it.
        """
        self._say("CNV004", Severity.INFO, statement, within, what, None, keys, effect)

    def _say(
        self,
        code: str,
        severity: Severity,
        statement: Statement,
        within: Rule | Span | None,
        what: str,
        help_: str | None,
        keys: tuple[str, ...],
        effect: str | None = None,
    ) -> None:
        span = within.span if isinstance(within, Rule) else within
        place = place_of(statement.document, span, *keys)
        field_ = f"`{place.path}`: " if place.path else ""
        self.said.append(
            Diagnostic(
                code,
                severity,
                f"{field_}{what}",
                place.span,
                statement.name,
                effect or f"no {self.target} is written for this object",
                help_,
                self.source,
            )
        )
