"""From trees to YAML that `kubectl` reads back as the same values, with the source's comments."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from cloison.base import Span
from cloison.dialects.writing.tree import At, Tree

# YAML 1.1 and 1.2 readers disagree on `y`, `1e3`, `0o17` and `08`; a word of letters that is
# none of these names, or a text with a slash, no reader takes for anything but text.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9._-]*|[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)+")
_NOT_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))

_LINES = re.compile(r"([!-~][ -~]*\n)+[!-~][ -~]*\n?")
"""Text that reads best as lines."""


@dataclass(frozen=True, slots=True)
class Comments:
    """Comments to write, by the part of the source they were about.

    Args:
        above: Lines above what starts at a place, without the sign.
        beside: What stood at the end of its first line.
        below: Lines at the end of the document.
    """

    above: Mapping[Span, tuple[str, ...]] = field(default_factory=dict)
    beside: Mapping[Span, str] = field(default_factory=dict)
    below: tuple[str, ...] = ()


def plain(tree: Tree) -> object:
    """Return a tree's values without places, as `json.loads` would give them."""
    if isinstance(tree, At):
        return plain(tree.value)
    if isinstance(tree, Mapping):
        return {key: plain(each) for key, each in tree.items()}
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return [plain(each) for each in tree]
    return tree


def places(tree: Tree) -> Iterator[Span]:
    """Iterate over the places of the source that a tree says."""
    if isinstance(tree, At):
        if tree.span is not None:
            yield tree.span
        yield from places(tree.value)
    elif isinstance(tree, Mapping):
        for each in tree.values():
            yield from places(each)
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        for each in tree:
            yield from places(each)


def rendered(tree: Tree, comments: Comments | None = None) -> str:
    """Return a document as YAML, ending in a newline.

    A comment is written once, at the first part that says what it was about.

    >>> print(rendered({"spec": {"ports": [{"port": 80}], "name": "on"}}), end="")
    spec:
      ports:
      - port: 80
      name: "on"
    """
    return _Page(comments or Comments()).text(tree)


class _Page:
    """Lines of one document; lives for one call."""

    def __init__(self, comments: Comments) -> None:
        self.above = dict(comments.above)
        self.beside = dict(comments.beside)
        self.below = comments.below
        self.lines: list[str] = []

    def text(self, tree: Tree) -> str:
        value, beside = self._lead(tree, "")
        self.lines += [beside.strip()] if beside else []
        self._block(value, "")
        self.lines += [f"#{line}" for line in self.below]
        return "\n".join((*self.lines, ""))

    def _lead(self, tree: Tree, indent: str) -> tuple[Tree, str]:
        """Write what stands above a value; return the value, and what stands beside it."""
        said: list[str] = []
        while isinstance(tree, At):
            if tree.span is not None:
                self.lines += [f"{indent}#{line}" for line in self.above.pop(tree.span, ())]
                beside = self.beside.pop(tree.span, None)
                if beside is not None:
                    said.append(beside)
            tree = tree.value
        return tree, f"  #{';'.join(said)}" if said else ""

    def _block(self, tree: Tree, indent: str, first: str | None = None) -> None:
        """Write a collection that is not empty.

        Args:
            tree: The collection.
            indent: What its lines start with.
            first: What its first line starts with instead.
        """
        if isinstance(tree, Mapping):
            for key, each in tree.items():
                value, beside = self._lead(each, indent)
                lead = indent if first is None else first
                first = None
                self._pair(f"{lead}{_text(key, lines=False)}:", value, indent, beside)
        elif isinstance(tree, Sequence) and not isinstance(tree, str):
            for each in tree:
                value, beside = self._lead(each, indent)
                lead = indent if first is None else first
                first = None
                self._item(f"{lead}-", value, indent, beside)

    def _pair(self, lead: str, value: Tree, indent: str, beside: str) -> None:
        if isinstance(value, Mapping) and value:
            self.lines.append(f"{lead}{beside}")
            self._block(value, f"{indent}  ")
        elif isinstance(value, Sequence) and not isinstance(value, str) and value:
            self.lines.append(f"{lead}{beside}")
            self._block(value, indent)
        else:
            self._scalar(lead, value, f"{indent}  ", beside)

    def _item(self, lead: str, value: Tree, indent: str, beside: str) -> None:
        if isinstance(value, Mapping | list | tuple) and value:
            start = len(self.lines)
            self._block(value, f"{indent}  ", f"{lead} ")
            # Comments of the first part stand above the item that it opens.
            while not self.lines[start].startswith(f"{lead} "):
                self.lines[start] = f"{indent}{self.lines[start].lstrip()}"
                start += 1
            self.lines[start] += beside
        else:
            self._scalar(lead, value, f"{indent}  ", beside)

    def _scalar(self, lead: str, value: Tree, indent: str, beside: str) -> None:
        text, *more = _scalar(value).split("\n")
        self.lines.append(f"{lead} {text}{beside}")
        self.lines += [f"{indent}{line}" if line else "" for line in more]


def _scalar(value: Tree) -> str:
    if isinstance(value, str):
        return _text(value, lines=True)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence):
        return "[]"
    if value is None:
        return "null"
    return repr(value) if isinstance(value, float) else str(value)


def _text(text: str, *, lines: bool) -> str:
    """Return text as a scalar, over several lines where that is allowed and reads best."""
    if _WORD.fullmatch(text) and text.lower() not in _NOT_WORDS:
        return text
    style = "|" if lines and _LINES.fullmatch(text) else '"'
    found: str = yaml.safe_dump(
        text, default_style=style, allow_unicode=True, width=1_000_000, indent=2
    )
    # The dumper indents lines of text by itself; the page does that for every line.
    return found.removesuffix("\n").replace("\n  ", "\n")
