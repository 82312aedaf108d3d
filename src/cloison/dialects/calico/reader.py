"""What is read of an object, beside plain values: refusals, remarks and selectors."""

import re
from dataclasses import dataclass

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.calico.model import Selector
from cloison.dialects.calico.say import PROCESSORS, SELECTORS, TYPES, refused
from cloison.dialects.calico.selector import MAX_LENGTH, SelectorError, parse
from cloison.dialects.reading.values import FORM, Values
from cloison.resources.documents import Node
from cloison.resources.names import shown

_ALONE = re.compile(r"[ \t]*global\([ \t]*\)[ \t]*")
_FLOAT = 1 << 1023


@dataclass(slots=True)
class Reader(Values):
    """Reads one object and notes what is wrong with it.

    Args:
        stored: Whether it is as the backing store has it: Felix judges, not the API.
    """

    stored: bool = False

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
        span = self.place(where)
        self.note(refused(code, self.name, span, message, help_, stored=self.stored, source=source))

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
        span = self.place(where)
        self.note(Diagnostic(code, severity, message, span, self.name, effect, help_, source))

    def wrong(self, node: Node, path: str, expected: str) -> None:
        """Note a value of another type."""
        self.refuse("CAL001", node, f"`{path}` is not {expected}", FORM, source=TYPES)

    def texts(self, node: Node | None, path: str) -> tuple[str, ...]:
        """Return a list of texts, empty when absent or null."""
        return Values.texts(self, node, path) or ()

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
