"""Calico's selectors, evaluated from their text.

Source: projectcalico/calico libcalico-go/lib/selector.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

Labels = Mapping[str, str]
_TOKEN = re.compile(
    r"""[ \t]*(?:(?P<text>'[^']*'|"[^"]*")|(?P<call>(?:has|all|global)\()"""
    r"""|(?P<sign>\|\||&&|==|!=|[!(){},])|(?P<word>[A-Za-z0-9_./-]+))"""
)
Test = Callable[[Labels, str], bool]


def holds(text: str, labels: Labels, prefix: str = "") -> bool:
    """Return whether labels satisfy an expression; every label in it is taken to be prefixed."""
    return not text.strip(" \t") or read(text)(labels, prefix)


@lru_cache(maxsize=4096)
def read(text: str) -> Test:
    """Return what an expression asks.

    Raises:
        ValueError: it is none.
    """
    tokens: list[str] = []
    at = 0
    rest = text.rstrip(" \t")
    while at < len(rest):
        found = _TOKEN.match(rest, at)
        if found is None:
            msg = f"{text!r} at {at}"
            raise ValueError(msg)
        tokens.append(found[0].lstrip(" \t"))
        at = found.end()
    reader = _Reader(tokens)
    test = reader.either()
    if reader.tokens:
        raise ValueError(text)
    return test


class _Reader:
    """Reads tokens from the front; lives for one expression."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def next(self) -> str:
        if not self.tokens:
            msg = "it ends too early"
            raise ValueError(msg)
        return self.tokens.pop(0)

    def skip(self, *tokens: str) -> bool:
        if self.tokens[: len(tokens)] == list(tokens):
            del self.tokens[: len(tokens)]
            return True
        return False

    def need(self, token: str) -> None:
        if self.next() != token:
            raise ValueError(token)

    def either(self) -> Test:
        parts = [self.both()]
        while self.skip("||"):
            parts.append(self.both())
        return lambda labels, prefix: any(part(labels, prefix) for part in parts)

    def both(self) -> Test:
        parts = [self.negated()]
        while self.skip("&&"):
            parts.append(self.negated())
        return lambda labels, prefix: all(part(labels, prefix) for part in parts)

    def negated(self) -> Test:
        if self.skip("!"):
            inner = self.negated()
            return lambda labels, prefix: not inner(labels, prefix)
        return self.term()

    def term(self) -> Test:
        token = self.next()
        if token == "(":
            inner = self.either()
            self.need(")")
            return inner
        if token in ("all(", "global("):
            self.need(")")
            return lambda _labels, _prefix: True
        if token == "has(":
            key = self.next()
            self.need(")")
            return lambda labels, prefix: prefix + key in labels
        return self.compared(token)

    def compared(self, key: str) -> Test:
        if self.skip("=="):
            value = self.text()
            return lambda labels, prefix: labels.get(prefix + key) == value
        if self.skip("!="):
            value = self.text()
            return lambda labels, prefix: labels.get(prefix + key) != value
        if self.skip("not", "in") or self.skip("notin"):
            values = self.listed()
            return lambda labels, prefix: labels.get(prefix + key) not in values
        if self.skip("in"):
            values = self.listed()
            return lambda labels, prefix: labels.get(prefix + key) in values
        for words, test in _PARTS:
            if self.skip(*words):
                value = self.text()
                return _partly(key, value, test)
        raise ValueError(key)

    def text(self) -> str:
        token = self.next()
        if token[0] not in "'\"":
            raise ValueError(token)
        return token[1:-1]

    def listed(self) -> set[str | None]:
        found: set[str | None] = set()
        self.need("{")
        while not self.skip("}"):
            found.add(self.text())
            if not self.skip(","):
                self.need("}")
                break
        return found


def _partly(key: str, part: str, test: Callable[[str, str], bool]) -> Test:
    def asked(labels: Labels, prefix: str) -> bool:
        value = labels.get(prefix + key)
        return value is not None and test(value, part)

    return asked


_PARTS: tuple[tuple[tuple[str, ...], Callable[[str, str], bool]], ...] = (
    (("contains",), lambda value, part: part in value),
    (("starts", "with"), str.startswith),
    (("startswith",), str.startswith),
    (("ends", "with"), str.endswith),
    (("endswith",), str.endswith),
)
