"""From nodes to plain values, with a diagnostic for everything that does not fit."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.calico.model import Selector
from cloison.dialects.calico.say import PROCESSORS, SELECTORS, TYPES, refused
from cloison.dialects.calico.selector import MAX_LENGTH, SelectorError, parse
from cloison.resources.documents import Document, Node
from cloison.resources.names import shown
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

T = TypeVar("T")

MAX_FAULTS = 100
"""Faults reported of one object."""
_ALONE = re.compile(r"[ \t]*global\([ \t]*\)[ \t]*")
_INT64 = 1 << 63
_FLOAT = 1 << 1023


@dataclass(slots=True)
class Reader:
    """Reads one object and notes what is wrong with it.

    Args:
        document: The object.
        options: The namespace of objects that name none.
        pool: Where repeated values are kept.
        name: What the object is called, for diagnostics.
        stored: Whether it is as the backing store has it: Felix judges, not the API.
    """

    document: Document
    options: ReadOptions
    pool: Pool
    name: str
    stored: bool
    refused: bool = False
    found: list[Diagnostic] = field(default_factory=list)

    def span(self, node: Node | None) -> Span | None:
        """Return where a value stands."""
        return None if node is None else node.span(self.document.file)

    def key_span(self, node: Node | None) -> Span | None:
        """Return where the key of a value stands."""
        return None if node is None else node.key_span(self.document.file)

    def refuse(
        self,
        code: str,
        where: Node | Span | None,
        message: str,
        help_: str,
        *,
        source: str | None = None,
    ) -> None:
        """Note a reason for which the object takes no part."""
        self.refused = True
        span = self._place(where)
        said = refused(code, self.name, span, message, help_, stored=self.stored, source=source)
        self._add(said)

    def remark(
        self,
        code: str,
        where: Node | Span | None,
        message: str,
        help_: str,
        *,
        effect: str,
        source: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note what is wrong with an object that takes part all the same."""
        span = self._place(where)
        self._add(Diagnostic(code, severity, message, span, self.name, effect, help_, source))

    def _place(self, where: Node | Span | None) -> Span:
        if isinstance(where, Span):
            return where
        return (where or self.document.root).span(self.document.file)

    def _add(self, said: Diagnostic) -> None:
        if len(self.found) < MAX_FAULTS:
            self.found.append(said)

    def wrong(self, node: Node, path: str, expected: str) -> None:
        """Note a value of another type."""
        self.refuse(
            "CAL001",
            node,
            f"`{path}` is not {expected}",
            "write the value in the form the API expects",
            source=TYPES,
        )

    def mapping(self, node: Node | None, path: str) -> dict[str, Node]:
        """Return a mapping, empty when absent or null."""
        if node is None or node.value is None:
            return {}
        if isinstance(node.value, dict):
            return node.value
        self.wrong(node, path, "a mapping")
        return {}

    def items(
        self, node: Node | None, path: str, read: Callable[[Node, str], T]
    ) -> tuple[T, ...] | None:
        """Return a list's items, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, list):
            return tuple([read(item, f"{path}[{i}]") for i, item in enumerate(node.value)])
        self.wrong(node, path, "a list")
        return None

    def text(self, node: Node | None, path: str) -> str | None:
        """Return a text, None when absent, null or empty."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, str):
            return node.value or None
        self.wrong(node, path, "text")
        return None

    def texts(self, node: Node | None, path: str) -> tuple[str, ...]:
        """Return a list of texts, empty when absent or null."""
        found = self.items(node, path, lambda item, at: self.text(item, at) or "")
        return self.pool.share(found) if found else ()

    def strings(self, node: Node | None, path: str) -> Mapping[str, str]:
        """Return a mapping of texts."""
        found = self.mapping(node, path)
        return self.pool.mapping(
            {key: self.text(value, f"{path}.{key}") or "" for key, value in found.items()}
        )

    def flag(self, node: Node | None, path: str) -> bool | None:
        """Return a boolean, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, bool):
            return node.value
        self.wrong(node, path, "true or false")
        return None

    def whole(self, node: Node | None, path: str) -> int | None:
        """Return a whole number, None when absent or null."""
        if node is None or node.value is None:
            return None
        value = node.value
        if isinstance(value, float) and value.is_integer() and abs(value) < _INT64:
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INT64:
            return value
        self.wrong(node, path, "a whole number")
        return None

    def number(self, node: Node | None, path: str) -> float | None:
        """Return a number, None when absent or null."""
        if node is None or node.value is None:
            return None
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _FLOAT:
            return float(value)
        self.wrong(node, path, "a number")
        return None

    def scalar(self, node: Node | None, path: str) -> str | int | None:
        """Return a whole number or a text, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, str):
            return node.value
        return self.whole(node, path)

    def selector(
        self, node: Node | None, path: str, *, ignorable: bool = False, namespaces: bool = False
    ) -> Selector | None:
        """Return a selector, None when absent, null or empty.

        Args:
            node: Where it is written.
            path: Its path.
            ignorable: Whether Felix ignores it where it does not parse.
            namespaces: Whether it is the one place where `global()` has a meaning.
        """
        text = self.text(node, path)
        if node is None or text is None:
            return None
        span = self.span(node)
        try:
            expression = parse(text)
        except SelectorError as error:
            self._unreadable(node, path, error, ignorable=ignorable and self.stored)
            return Selector(text, None, span)
        if not self.stored and len(text) > MAX_LENGTH:
            self.refuse(
                "CAL012",
                node,
                f"`{path}` has {len(text)} characters, and at most {MAX_LENGTH} are accepted",
                "shorten it, or spread it over several rules",
            )
        # The schema's rule is a search for the text, even in quotes.
        if not self.stored and "global(" in text and not (namespaces and _ALONE.fullmatch(text)):
            self.refuse(
                "CAL013",
                node,
                f"`{path}` cannot say `global()`"
                + (" together with anything else" if namespaces else ""),
                "write it alone, in the `namespaceSelector` of a rule",
            )
        return Selector(text, expression, span)

    def _unreadable(self, node: Node, path: str, error: SelectorError, *, ignorable: bool) -> None:
        value = shown(str(node.value))
        message = f"`{path}: {value}` is no selector: column {error.column}: {error.message}"
        help_ = "correct it; texts are quoted, and equality is `==`"
        if ignorable:
            self.remark(
                "CAL014",
                node,
                message,
                help_,
                effect="Felix ignores a selector here that it cannot read: the policy applies to "
                "everything that it would apply to without it",
                source=f"{PROCESSORS}/selectors.go",
            )
        else:
            self.refuse("CAL010", node, message, help_, source=SELECTORS)
