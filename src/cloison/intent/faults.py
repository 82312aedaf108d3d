"""What can be wrong with a contract, family `CON`, and how it is said."""

from collections.abc import Iterable
from difflib import get_close_matches

from cloison.base import Diagnostic, Severity, Span
from cloison.resources.documents import Node
from cloison.resources.names import printable

NOT_A_CONTRACT = "CON001"
UNKNOWN_FIELD = "CON002"
WRONG_TYPE = "CON003"
MISSING = "CON004"
NOT_AN_END = "CON005"
NOT_A_PORT = "CON006"
NAME_REPEATED = "CON007"
NOT_ONE_OF = "CON008"
NOT_A_DATE = "CON009"
NOT_DECLARED = "CON010"
DISAGREE = "CON011"
NOT_A_NAME = "CON012"
TOO_MANY = "CON013"
RANGES_UNREAD = "CON014"
MASKED = "CON015"

SOURCE = "Cloison interface: a contract"
LEFT_OUT = "this entry is left out of the contract; the others count"

_SIMILAR = 0.6


def fault(
    code: str,
    span: Span,
    message: str,
    help_: str | None = None,
    *,
    effect: str = LEFT_OUT,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    """Return what is wrong with a contract, in text that prints."""
    advice = printable(help_) if help_ else None
    return Diagnostic(code, severity, printable(message), span, None, effect, advice, SOURCE)


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return a question after the known name that looks like this one, or the alternative.

    >>> nearest("owned", ("owner", "reason"), "")
    'did you mean `owner`?'
    """
    close = get_close_matches(name, list(known), n=1, cutoff=_SIMILAR)
    return f"did you mean `{close[0]}`?" if close else otherwise


def described(node: Node) -> str:
    """Return what kind of value a node holds, as a phrase."""
    match node.value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return "text"
        case _:
            return "a number"
