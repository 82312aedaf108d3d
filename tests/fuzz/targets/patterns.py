"""Regular expressions: read, compared, written again; and the sets of requests they make."""

import re
import warnings
from contextlib import suppress

from cloison.algebra.budget import UndecidedError
from cloison.algebra.names import host_names
from cloison.algebra.regex import PatternError
from cloison.algebra.requests import RequestSet
from cloison.algebra.strings import StringSet
from cloison.algebra.variants import traps
from tests.fuzz.target import Target, sampled

_MOST_LINES = 12
_TEXTS = ("", "a", "/", "/a", "/a/", "ab", "GET", "/v1/users", "0", "\n", "\u00e9", "k\u212a")


def _patterns(data: bytes) -> None:
    before: StringSet | None = None
    for text in data.decode("utf-8", "replace").split("\n")[:_MOST_LINES]:
        found = _read(text)
        if found is None:
            continue
        _members(text, found)
        with suppress(UndecidedError):
            _laws(found, before)
            if sampled(text.encode(), 4):
                _requests(found)
        before = found


def _read(text: str) -> StringSet | None:
    with suppress(UndecidedError):
        assert isinstance(host_names(text), StringSet)
    found = _parsed(text)
    if isinstance(found, PatternError):
        assert 1 <= found.column <= len(text) + 1, text
    return found if isinstance(found, StringSet) else None


def _parsed(text: str) -> StringSet | PatternError | UndecidedError:
    try:
        return StringSet.pattern(text)
    except (PatternError, UndecidedError) as error:
        return error


def _members(text: str, found: StringSet) -> None:
    """Hold a set against Python's own expressions, where both read the text alike."""
    shortest = found.example()
    assert (shortest is None) is (not found), text
    assert shortest is None or shortest in found, text
    if set(text) - set("abGETv1users/.*+?|()"):
        return
    if "(?" in text or "++" in text or "*+" in text or "?+" in text:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held = re.compile(text) if len(text) < len(_TEXTS) else None
    for each in _TEXTS if held else ():
        assert held is None or (each in found) is (held.fullmatch(each) is not None), text


def _laws(found: StringSet, before: StringSet | None) -> None:
    written = str(found)
    if not written.startswith("<"):
        assert StringSet.pattern(written) == found, written
    assert ~~found == found
    assert found.isdisjoint(~found)
    if before is not None:
        assert found & before <= found <= found | before
        assert (found - before) | (found & before) == found


def _requests(found: StringSet) -> None:
    asked = RequestSet.http(path=found) | RequestSet.sni(found)
    shown = asked.example()
    assert shown is None or shown in asked
    str(asked).encode("utf-8")
    for trap in traps(found):
        assert trap.inside in found
        assert trap.outside not in found


_SEEDS = (
    *("/api/.*", "GET|POST", "^/v1/[^/]+/items$", r"\d{1,3}(\.\d+)?", "(?i)k(?-i:a)", "*.x.io"),
    *("[[:alpha:]_-]*", r"[^\x{41}\n]", "(?P<a>b)??", r"\Q.*\E", "(a|b)*a(a|b){20}", "a{2}{3}"),
    *("/{*}/{**}", "**.example.com", r"(^|a|$){50}", "((a?){9}b*){9}", "[]-a]", r"\101\07\z"),
)

PATTERNS = Target(
    "patterns",
    _patterns,
    lambda: ["\n".join(_SEEDS[at::3]).encode() for at in range(3)],
    ("cloison.algebra",),
    lines=True,
    words=_SEEDS,
)
