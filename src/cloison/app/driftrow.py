"""Rows of a list in a YAML file, changed where they stand: all else stays as people wrote it.

The parser says where each value begins and ends, and only these characters are replaced. It does
not tell comments, so that they are compared before and after.
"""

from collections.abc import Iterator, Mapping
from textwrap import indent
from typing import Final

import yaml

Fields = Mapping[str, str]
"""Fields of a row, in the order in which they are to be written."""

_BLOCKS: Final = ("|", ">")


class NotPlainError(Exception):
    """A file that is written so that a row cannot be changed in it, and no more.

    Args:
        line: The line, from 1.
        why: What is in the way, in a few words.
    """

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


def edited(text: str, name: str, key: str, row: Fields) -> str:
    """Return a text with other fields in the row of a key.

    Args:
        text: YAML whose top is a mapping.
        name: The name in it of a list of rows.
        key: The field `key` of the row.
        row: All of its fields.

    Raises:
        NotPlainError: That could change more, or there are several such rows.
    """
    listed = _listed(text, name)
    rows = listed.value if isinstance(listed, yaml.SequenceNode) else []
    mine = [each for each in rows if isinstance(each, yaml.MappingNode) and _says(each, key)]
    if not mine:
        raise NotPlainError(1, "no row has this key as plain text")
    if mine[1:]:
        raise NotPlainError(mine[1].start_mark.line + 1, "more rows than one have this key")
    changed = _Edit(text, mine[0]).to(row)
    _kept(text, changed, mine[0].start_mark.line + 1)
    return changed


def extended(text: str, name: str, row: Fields) -> str:
    """Return a text with one row more at the end of a list.

    Args:
        text: YAML whose top is a mapping.
        name: The name in it of a list of rows, if it is there.
        row: The fields of the row.

    Raises:
        NotPlainError: That could change more.
    """
    listed = _listed(text, name)
    ending = "\r\n" if "\r\n" in text else "\n"
    written = yaml.safe_dump([dict(row)], sort_keys=False, allow_unicode=True, width=1000)
    if listed is None:
        changed = text.rstrip() + f"\n{name}:\n{written}".replace("\n", ending)
    elif isinstance(listed, yaml.SequenceNode) and not listed.flow_style:
        left = " " * listed.start_mark.column
        last = max(_end(text, each) for each in listed.value)
        at = _line_end(text, last)
        head = text[:at] if text[:at].endswith("\n") else text[:at] + ending
        changed = head + indent(written, left).replace("\n", ending) + text[at:]
    elif not listed.value and text[listed.start_mark.index - 1] in " :":
        # `accepted: []` or `accepted:`: what stands beside it goes on above the row.
        start, end = listed.start_mark.index, listed.end_mark.index
        at = _line_end(text, end)
        head = text[:start].rstrip(" ") + text[end:at]
        head = head if head.endswith("\n") else head + ending
        changed = head + written.replace("\n", ending) + text[at:]
    else:
        raise NotPlainError(listed.start_mark.line + 1, f"`{name}` is not written row by row")
    line = 1 if listed is None else listed.start_mark.line + 1
    _kept(text, changed, line)
    return changed


def _listed(text: str, name: str) -> yaml.Node | None:
    """Return the value of a name at the top."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        raise NotPlainError(1, "the file is not written plainly") from None
    for key, value in root.value if isinstance(root, yaml.MappingNode) else []:
        if key.value == name:
            node: yaml.Node = value
            return node
    return None


def _says(row: yaml.MappingNode, key: str) -> bool:
    return any(name.value == "key" and value.value == key for name, value in row.value)


class _Edit:
    """A row that is being changed.

    Args:
        text: The text.
        row: The row in it.
    """

    def __init__(self, text: str, row: yaml.MappingNode) -> None:
        self._text = text
        self._row = row
        self._ending = "\r\n" if "\r\n" in text else "\n"

    def to(self, row: Fields) -> str:
        """Return the text with other fields in the row."""
        there = {name.value: (name, value) for name, value in self._row.value}
        changes: list[tuple[int, int, str]] = []
        last = there["key"][1]
        for field, value in row.items():
            if field not in there:
                changes.append(self._added(last, field, value))
                continue
            last = there[field][1]
            if last.value != value or not isinstance(last, yaml.ScalarNode):
                changes.append(self._replaced(last, value))
        changes += [self._removed(*pair) for field, pair in there.items() if field not in row]
        text = self._text
        # From the end on, so that places before it stay.
        ordered = sorted(enumerate(changes), key=lambda item: (item[1][:2], item[0]), reverse=True)
        for _, (start, end, new) in ordered:
            text = text[:start] + new + text[end:]
        return text

    def _replaced(self, value: yaml.Node, new: str) -> tuple[int, int, str]:
        start, end = value.start_mark.index, _end(self._text, value)
        if "#" in self._text[start:end].partition("\n")[0] and _block(value):
            raise NotPlainError(value.start_mark.line + 1, "a comment stands in a value")
        before = " " if self._text[start - 1] == ":" else ""
        return start, end, before + _scalar(new) + (self._ending if _block(value) else "")

    def _added(self, after: yaml.Node, field: str, value: str) -> tuple[int, int, str]:
        if self._row.flow_style:
            at = after.end_mark.index
            return at, at, f", {field}: {_scalar(value)}"
        at = _line_end(self._text, _end(self._text, after))
        left = " " * self._row.value[0][0].start_mark.column
        first = "" if self._text[:at].endswith("\n") else self._ending
        return at, at, f"{first}{left}{field}: {_scalar(value)}{self._ending}"

    def _removed(self, name: yaml.Node, value: yaml.Node) -> tuple[int, int, str]:
        start, end = name.start_mark.index, _end(self._text, value)
        place = next(at for at, pair in enumerate(self._row.value) if pair[0] is name)
        if self._row.flow_style:
            if place:
                return self._row.value[place - 1][1].end_mark.index, end, ""
            following = self._row.value[place + 1][0].start_mark.index
            return start, following, ""
        if _block(value):
            return start - name.start_mark.column, end, ""
        at = _line_end(self._text, end)
        if place and not self._text[end:at].strip():
            return start - name.start_mark.column, at, ""
        # Beside it is a comment, or it is the first: its place in the list stays.
        return start, end, ""


def _block(value: yaml.Node) -> bool:
    return isinstance(value, yaml.ScalarNode) and value.style in _BLOCKS


def _end(text: str, value: yaml.Node) -> int:
    """Return the place after the last character of a value, which may be a mapping's last."""
    inner = value.value
    if isinstance(value, yaml.MappingNode) and inner and not value.flow_style:
        return max(_end(text, each) for pair in inner for each in pair)
    end: int = value.end_mark.index
    return end


def _line_end(text: str, at: int) -> int:
    """Return the place after the line of a place; the place where a line has just begun."""
    if at and text[at - 1] == "\n":
        return at
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _scalar(value: str) -> str:
    """Return a text as a value of YAML, in one line."""
    written = yaml.safe_dump([value], allow_unicode=True, width=1 << 20, default_flow_style=True)
    return written.strip().removeprefix("[").removesuffix("]")


def _kept(before: str, after: str, line: int) -> None:
    """Refuse a change that loses comments.

    Raises:
        NotPlainError: It does.
    """
    try:
        same = list(_comments(before)) == list(_comments(after))
    except yaml.YAMLError:
        same = False
    if not same:
        raise NotPlainError(line, "the row is not written plainly")


def _comments(text: str) -> Iterator[str]:
    """Yield the comments of a text: what stands between what the parser tells of."""
    at = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        start, end = token.start_mark.index, token.end_mark.index
        for line in text[at:start].splitlines():
            _, mark, said = line.partition("#")
            if mark:
                yield said.strip()
        at = max(at, end)
