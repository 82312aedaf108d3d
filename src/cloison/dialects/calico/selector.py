"""Calico's selector language: text to expressions and back.

Written from the rules of the tokenizer and the parser, not from their code. Two things differ
from most languages: keywords are positional (a label may be called `in`), and blanks are spaces
and tabs only.

Source: projectcalico/calico libcalico-go/lib/selector.
"""

import re
from dataclasses import dataclass, field
from types import UnionType

from cloison.algebra.expressions import ALWAYS, And, Const, Expression, Not, Or, Test
from cloison.algebra.selectors import Operator, Requirement
from cloison.resources.names import shown

MAX_LENGTH = 1024
"""Characters in a selector that the API takes."""
MAX_STORED = 16 * MAX_LENGTH
"""Characters in a selector that we read at all; older stores did not ask how long one is."""
MAX_DEPTH = 64
"""Brackets inside brackets that we follow."""

_BLANKS = " \t"
_LABEL = re.compile(r"[A-Za-z0-9_./-]{1,512}")
_CALL = re.compile(r"(all|global)\([ \t]*\)")
_HAS = re.compile(r"has\([ \t]*([A-Za-z0-9_./-]{1,512})[ \t]*\)")
_OPENED = re.compile(r"(has|all|global)\(")
_OPERATOR = re.compile(r"==|!=|(contains)|(starts)[ \t]*with|(ends)[ \t]*with|(not)[ \t]*in|(in)")
_STRING = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_WORDS = {
    "==": Operator.IN,
    "!=": Operator.NOT_IN,
    "contains": Operator.CONTAINS,
    "starts": Operator.STARTS_WITH,
    "ends": Operator.ENDS_WITH,
    "in": Operator.IN,
    "not": Operator.NOT_IN,
}
_SETS = frozenset({"in", "not"})


class SelectorError(ValueError):
    """A text is no selector.

    Args:
        column: 1-based place of the character where it went wrong; one past the end where
            something is missing there.
        message: What was expected, and what is there.
    """

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column
        self.message = message


@dataclass(slots=True)
class _Group:
    """What stands in a bracket, as far as it is read."""

    column: int
    negated: bool = False
    alternatives: list[list[Expression]] = field(default_factory=lambda: [[]])

    def add(self, part: Expression, *, negated: bool) -> None:
        self.alternatives[-1].append(Not(part) if negated else part)

    def expression(self) -> Expression:
        ors = [each[0] if len(each) == 1 else And(tuple(each)) for each in self.alternatives]
        return ors[0] if len(ors) == 1 else Or(tuple(ors))


class _Text:
    """A text and how far it is read."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _BLANKS:
            self.at += 1

    def ended(self) -> bool:
        self.blanks()
        return self.at == len(self.text)

    def take(self, mark: str) -> bool:
        """Skip blanks, and `mark` if it is next."""
        self.blanks()
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) * found
        return found

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Skip blanks, and what `pattern` finds next."""
        self.blanks()
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def wrong(self, expected: str, at: int | None = None) -> SelectorError:
        """Return the error that something else was expected, here or at a place before."""
        self.blanks()
        place = self.at if at is None else at
        rest = self.text[place:]
        word = _LABEL.match(rest)
        if not rest:
            found = "the selector ends"
        elif rest[0] in "\r\n":
            found = "there is a line break, and only spaces and tabs may stand between words"
        else:
            found = f"there is `{shown(word.group() if word else rest[:2].strip() or rest[0])}`"
        return SelectorError(place + 1, f"expected {expected}, but {found}")


def parse(text: str) -> Expression:
    """Return what a selector says. Blank text selects everything, as `all()` does.

    `global()` is true of everything here: only a rule's `namespaceSelector` gives it its
    meaning.

    Raises:
        SelectorError: It is no selector, or larger than we follow.

    >>> str(parse("app == 'web' && !has(canary)"))
    'app=web and not (canary)'
    """
    if len(text) > MAX_STORED:
        msg = f"the selector has more than {MAX_STORED} characters"
        raise SelectorError(MAX_STORED + 1, msg)
    source = _Text(text)
    if source.ended():
        return ALWAYS
    groups = [_Group(0)]
    while True:
        negated = _negations(source)
        column = source.at
        if source.take("("):
            if len(groups) > MAX_DEPTH:
                raise SelectorError(column + 1, f"more than {MAX_DEPTH} brackets in each other")
            groups.append(_Group(column, negated))
            continue
        groups[-1].add(_term(source), negated=negated)
        while len(groups) > 1 and source.take(")"):
            closed = groups.pop()
            groups[-1].add(closed.expression(), negated=closed.negated)
        if source.take("&&"):
            continue
        if source.take("||"):
            groups[-1].alternatives.append([])
            continue
        if not source.ended():
            raise source.wrong("`&&`, `||` or `)`" if len(groups) > 1 else "`&&` or `||`")
        if len(groups) > 1:
            msg = f"expected `)` for the bracket at column {groups[-1].column + 1}"
            raise SelectorError(source.at + 1, f"{msg}, but the selector ends")
        return groups[0].expression()


def _negations(source: _Text) -> bool:
    negated = False
    while source.take("!"):
        negated = not negated
        if source.text.startswith("=", source.at):
            raise source.wrong("a label before `!=`", source.at - 1)
    return negated


def _term(source: _Text) -> Expression:
    found = source.match(_HAS)
    if found is not None:
        return Test(Requirement(found.group(1), Operator.EXISTS))
    if source.match(_CALL) is not None:
        return ALWAYS
    opened = _OPENED.match(source.text, source.at)
    if opened is not None:
        source.at = opened.end()
        has = opened.group(1) == "has"
        raise source.wrong("a label and `)` after `has(`" if has else f"`)` after `{opened[0]}`")
    label = source.match(_LABEL)
    if label is None:
        raise source.wrong("a label, `has(...)`, `all()`, `!` or `(`")
    return Test(_requirement(source, label.group()))


def _requirement(source: _Text, key: str) -> Requirement:
    found = source.match(_OPERATOR)
    if found is None:
        single = source.text.startswith("=", source.at)
        operators = "`==`" if single else "an operator such as `==`, `!=`, `in` or `contains`"
        raise source.wrong(f"{operators} after the label `{shown(key)}`")
    word = next((group for group in found.groups() if group), found.group())
    values = _values(source) if word in _SETS else (_string(source),)
    return Requirement(key, _WORDS[word], values)


def _string(source: _Text) -> str:
    found = source.match(_STRING)
    if found is not None:
        return found.group()[1:-1]
    at = source.at
    if source.text.startswith(("'", '"'), at):
        raise SelectorError(at + 1, f"expected a closing {source.text[at]} for the quote here")
    raise source.wrong("text in quotes")


def _values(source: _Text) -> tuple[str, ...]:
    if not source.take("{"):
        raise source.wrong("`{`")
    found: set[str] = set()
    while not source.take("}"):
        found.add(_string(source))
        if not source.take(","):
            if source.take("}"):
                break
            raise source.wrong("`,` or `}`")
    return tuple(sorted(found))


def text_of(expression: Expression) -> str:
    """Return an expression in Calico's language, canonical: sets sorted, quotes where needed.

    Raises:
        ValueError: A value holds both kinds of quotes, for which the language has no way.

    >>> text_of(parse("a in {'y', 'x',} && ! ( b=='1' || has( c ) )"))
    "a in {'x', 'y'} && !(b == '1' || has(c))"
    """
    match expression:
        case Const(value):
            return "all()" if value else "!all()"
        case Test(requirement):
            return _requirement_text(requirement)
        case Not(Test(Requirement(key, Operator.DOES_NOT_EXIST))):
            return f"has({key})"
        case Not(part):
            text = text_of(part)
            bare = isinstance(part, Test | Const) and not text.startswith("!")
            return f"!{text}" if bare else f"!({text})"
        case And(parts):
            return " && ".join(_bracketed(part, And | Or) for part in parts) or "all()"
        case Or(parts):
            return " || ".join(_bracketed(part, Or) for part in parts) or "!all()"
    msg = f"{expression!r} is no expression of labels"
    raise ValueError(msg)


def _bracketed(part: Expression, kinds: type[Expression] | UnionType) -> str:
    text = text_of(part)
    return f"({text})" if isinstance(part, kinds) else text


_SPELT = {
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
}


def _requirement_text(requirement: Requirement) -> str:
    key, operator, values = requirement.key, requirement.operator, requirement.values
    match operator:
        case Operator.EXISTS:
            return f"has({key})"
        case Operator.DOES_NOT_EXIST:
            return f"!has({key})"
        case Operator.IN | Operator.NOT_IN if len(values) == 1:
            return f"{key} {'==' if operator is Operator.IN else '!='} {_quoted(values[0])}"
        case Operator.IN | Operator.NOT_IN:
            listed = ", ".join(map(_quoted, values))
            return f"{key} {'in' if operator is Operator.IN else 'not in'} {{{listed}}}"
    spelt = _SPELT.get(operator)
    if spelt is None:
        return f"!({key} {_SPELT[operator.opposite]} {_quoted(values[0])})"
    return f"{key} {spelt} {_quoted(values[0])}"


def _quoted(value: str) -> str:
    quote = '"' if "'" in value else "'"
    if quote in value:
        msg = f"{shown(value)} cannot be written in a selector: it holds both kinds of quotes"
        raise ValueError(msg)
    return f"{quote}{value}{quote}"
