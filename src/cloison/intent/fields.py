"""The fields of one mapping of a contract: plain values out, faults noted with their places."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from cloison.algebra.addresses import meant
from cloison.base import Diagnostic, Severity, Span
from cloison.intent import faults
from cloison.resources.documents import Node

T = TypeVar("T")

LONGEST = 4096
"""Characters of one text."""
MOST = 10_000
"""Items of one list."""


@dataclass(slots=True)
class Fields:
    """Reads one mapping; lives for one mapping.

    Args:
        file: Where it stands.
        node: The mapping.
        what: What it is, as in `a dependency`.
        known: The names of its fields.
        found: What is wrong with it.
    """

    file: str
    node: Node
    what: str
    known: Sequence[str]
    found: list[Diagnostic] = field(default_factory=list)
    held: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note what the mapping has and should not have."""
        if not isinstance(self.node.value, dict):
            self.wrong(self.node, self.what, f"a mapping with {', '.join(self.known[:3])}")
            return
        self.held = {k: n for k, n in self.node.value.items() if n.value is not None}
        for name, node in self.node.value.items():
            if name not in self.known:
                self.note(
                    faults.UNKNOWN_FIELD,
                    node.key_span(self.file),
                    f"{self.what} has no field `{name}`",
                    faults.nearest(name, self.known, f"its fields are {', '.join(self.known)}"),
                )

    @property
    def faulty(self) -> bool:
        """Whether something is wrong with the mapping, and not only odd."""
        return any(each.severity is Severity.ERROR for each in self.found)

    @property
    def span(self) -> Span:
        """Where the mapping starts."""
        return self.node.span(self.file)

    def place(self, name: str) -> Span | None:
        """Return where a field's value is written, None where there is none."""
        node = self.held.get(name)
        return None if node is None else node.span(self.file)

    def places(self, name: str) -> dict[str, Span]:
        """Return where each text of a list is written; one may stand without a list."""
        node = self.held.get(name)
        nodes = node.value if node is not None and isinstance(node.value, list) else (node,)
        texts = [each for each in nodes if each is not None and isinstance(each.value, str)]
        return {str(each.value): each.span(self.file) for each in reversed(texts)}

    def note(self, code: str, where: Node | Span, message: str, help_: str | None = None) -> None:
        """Note that something is wrong."""
        span = where if isinstance(where, Span) else where.span(self.file)
        self.found.append(faults.fault(code, span, message, help_))

    def beyond(self, text: str, where: Node) -> None:
        """Warn of a block with bits beyond its prefix; what is no block is left alone."""
        try:
            block = meant(text)
        except ValueError:
            return
        if block is not None:
            what = f"{text} has bits beyond its prefix"
            advice = f"write {block}, or {text.partition('/')[0]} if one address is meant"
            span = where.span(self.file)
            effect = f"it counts as {block}"
            warned = faults.fault(
                faults.MASKED, span, what, advice, effect=effect, severity=Severity.WARNING
            )
            self.found.append(warned)

    def wrong(self, node: Node, what: str, wanted: str) -> None:
        """Note a value of another type."""
        plain = not isinstance(node.value, dict | list | type(None))
        help_ = "put it in quotes" if plain and wanted == "text" else f"write {wanted}"
        said = faults.described(node)
        self.note(faults.WRONG_TYPE, node, f"{what} is {said}, not {wanted}", help_)

    def missing(self, name: str, help_: str) -> None:
        """Note that a field is not there."""
        self.note(faults.MISSING, self.span, f"{self.what} does not say `{name}`", help_)

    def child(self, name: str, what: str, known: Sequence[str]) -> "Fields | None":
        """Return the fields of a mapping in here; faults are noted together."""
        node = self.held.get(name)
        return None if node is None else Fields(self.file, node, what, known, self.found)

    def string(self, node: Node, what: str) -> str | None:
        """Return a text that is not empty."""
        if not isinstance(node.value, str):
            self.wrong(node, what, "text")
            return None
        if not node.value.strip():
            self.note(faults.MISSING, node, f"{what} is empty", "write it, or leave the field out")
            return None
        if len(node.value) > LONGEST:
            self.note(faults.TOO_MANY, node, f"{what} is longer than {LONGEST} characters")
            return None
        return node.value

    def text(self, name: str) -> str | None:
        """Return a field's text, None where there is none."""
        node = self.held.get(name)
        return None if node is None else self.string(node, f"`{name}`")

    def items(self, name: str, read: Callable[[Node], T | None]) -> tuple[T, ...]:
        """Return what a list holds; one item may stand without a list."""
        node = self.held.get(name)
        if node is None:
            return ()
        nodes: Iterable[Node] = node.value if isinstance(node.value, list) else (node,)
        if isinstance(node.value, list) and len(node.value) > MOST:
            self.note(faults.TOO_MANY, node, f"`{name}` has more than {MOST} items")
            return ()
        found = (read(each) for each in nodes)
        return tuple(each for each in found if each is not None)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list, in order and each once."""
        what = f"an item of `{name}`"
        return tuple(dict.fromkeys(self.items(name, lambda node: self.string(node, what))))

    def flag(self, name: str) -> bool:
        """Return whether a field says true."""
        node = self.held.get(name)
        if node is None:
            return False
        if not isinstance(node.value, bool):
            self.wrong(node, f"`{name}`", "true or false")
            return False
        return node.value

    def day(self, name: str) -> date | None:
        """Return a field's date."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            message = f"{text!r} is no day of the calendar"
            self.note(faults.NOT_A_DATE, self.held[name], message, "write it as 2027-03-31")
            return None

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """Return a field's text, which has to be one of a few."""
        text = self.text(name)
        if text is None or text in allowed:
            return text
        help_ = faults.nearest(text, allowed, f"write one of {', '.join(allowed)}")
        message = f"`{name}` is {text!r}, which is none of {', '.join(allowed)}"
        self.note(faults.NOT_ONE_OF, self.held[name], message, help_)
        return None

    def checked(self, name: str, right: Callable[[str], bool], wanted: str) -> str | None:
        """Return a field's text, if it is right."""
        text = self.text(name)
        if text is None or right(text):
            return text
        message = f"`{name}` is {text!r}, which is not {wanted}"
        self.note(faults.NOT_A_NAME, self.held[name], message, f"write {wanted}")
        return None
