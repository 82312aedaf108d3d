"""Doubts about what is asked of requests.

Cilium's proxy matches the whole path with its query, in one form unless `http-normalize-path` is
off; servers take several ways to write it for one. What a rule does not let through is refused, so
a way that it forgets is a request that fails; a way to write something else that it forgets to
leave out is a way around it.

Source: cilium/cilium pkg/envoy; Envoy documentation, HeaderMatcher and RouteMatch.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from cloison.algebra.budget import TooLargeError, UndecidedError
from cloison.algebra.paths import normalised
from cloison.algebra.regex import PatternError
from cloison.algebra.strings import StringSet
from cloison.algebra.variants import VARIANTS, Variant, left_out, other_case
from cloison.base import Diagnostic, Severity
from cloison.dialects.cilium.headers import HOST, METHOD, PATH, Matcher, matchers, texts_of
from cloison.dialects.cilium.item import Item, Known
from cloison.dialects.cilium.l7 import Condition
from cloison.dialects.cilium.model_rules import HttpRule
from cloison.dialects.cilium.switches import NORMALISED, NORMALIZE_PATH
from cloison.ir.caveats import REQUESTS_TOO_LARGE
from cloison.resources.names import shown

_ENVOY = "cilium/cilium pkg/envoy"
_LAYER7 = "Cilium documentation, Layer 7 policies"
_NORMALISES = "cilium/cilium pkg/envoy/xds_server.go; Envoy documentation, HttpConnectionManager"
_DOT = re.compile(r"(?<=[A-Za-z0-9_-])\.(?=[A-Za-z0-9_])")
_USUAL = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_REMEMBERED = 512
_OTHER_WAYS = {
    "trailing-slash": "a slash at the end",
    "double-slash": "a double slash",
    "encoded-slash": "an encoded slash",
    "letter-case": "other capitals",
}
"""What of `algebra.variants` is told in one diagnostic; the query has its own."""
_ASKED = tuple(each for each in VARIANTS if each.name == "query" or each.name in _OTHER_WAYS)


def _rules(item: Item) -> Iterator[HttpRule]:
    for rule in item.element.ports or ():
        yield from (rule.rules.http if rule.rules else None) or ()


def _empty(item: Item, known: Known) -> Iterator[Diagnostic]:
    del known
    for rule in item.element.ports or ():
        if rule.rules is None:
            continue
        for name, found in (("http", rule.rules.http), ("dns", rule.rules.dns)):
            if found == ():
                yield item.doubt(
                    "CIL250",
                    rule.rules.span,
                    f"`rules.{name}` of {item.label} is an empty list",
                    effect="it is as if it were not written: the port is open to every request",
                    help_=f"write rules, or `{name}: [{{}}]` to see every request and allow it"
                    if name == "http"
                    else "write names that may be asked for",
                    source="cilium/cilium pkg/policy/api/l4.go",
                )


def _dots(item: Item, known: Known) -> Iterator[Diagnostic]:
    del known
    for rule in _rules(item):
        for field, text in (("host", rule.host), ("path", rule.path)):
            if text is None or not _DOT.search(_without_classes(text)):
                continue
            better = _DOT.sub(r"\\.", text)
            yield item.doubt(
                "CIL251",
                rule.span,
                f"`{field}: {shown(text)}` of {item.label} has a `.` that stands for any character",
                effect=f"it also matches `{shown(_DOT.sub('X', text))}`",
                help_=f"write `{shown(better)}`",
                source=_LAYER7,
                severity=Severity.WARNING if field == "host" else Severity.INFO,
            )


def _without_classes(text: str) -> str:
    """Return a pattern with its classes blanked out: a dot in one is a dot."""
    return re.sub(r"\[[^\]]*\]", lambda found: "[" * len(found.group()), text)


def _paths(item: Item, known: Known) -> Iterator[Diagnostic]:
    as_one = NORMALISED if known.cluster.switches.normalises_paths else ()
    asked = tuple(each for each in _ASKED if each.name not in as_one)
    for rule in _rules(item):
        if rule.path is None:
            continue
        if not _sent(rule.path):
            yield item.doubt(
                "CIL255",
                rule.span,
                f"`path: {shown(rule.path)}` of {item.label} matches nothing that starts with `/`",
                effect="the rule lets no request through: every path starts with a slash",
                help_="begin it with `/`; it must match the whole path",
                source=_LAYER7,
            )
            continue
        odd = _rewritten(rule.path) if as_one else None
        if odd is not None:
            yield item.doubt(
                "CIL257",
                rule.span,
                f"`path: {shown(rule.path)}` of {item.label} only matches paths that the proxy "
                f"rewrites first: `{shown(odd)}` is compared as `{shown(normalised(odd))}`",
                effect=f"the rule lets no request through while `{NORMALIZE_PATH}` is on, as it is "
                "by default",
                help_=f"write the path in its plain form, `{shown(normalised(odd))}`; no `//`, no "
                "`.` or `..` between slashes, no `%2F`",
                source=_NORMALISES,
            )
            continue
        about = _ways(rule.path, asked) if known.around.notes else ()
        for name, inside, outside in about:
            if name == "query":
                yield item.doubt(
                    "CIL252",
                    rule.span,
                    f"`path: {shown(rule.path)}` of {item.label} lets `{shown(inside)}` through, "
                    f"but not `{shown(outside)}`",
                    effect="the query is part of what is matched: such a request is refused",
                    help_=r"end the pattern with `(\?.*)?` if queries are meant to pass",
                    source=_ENVOY,
                    severity=Severity.INFO,
                )
        others = [
            f"`{shown(outside)}` ({_OTHER_WAYS[name]})"
            for name, inside, outside in about
            if name in _OTHER_WAYS
        ]
        if others:
            yield item.doubt(
                "CIL253",
                rule.span,
                f"`path: {shown(rule.path)}` of {item.label} tells apart what a server may take "
                f"for one: it leaves out {', '.join(others)}",
                effect="Cilium's proxy takes these for other paths: such requests are refused",
                help_="list the ways that clients use; refuse the others on purpose",
                source=_ENVOY,
                severity=Severity.INFO,
            )


@lru_cache(_REMEMBERED)
def _sent(path: str) -> bool:
    """Return whether a pattern may have a path that a request could have; `*` is of OPTIONS."""
    try:
        paths = texts_of(path)
        usual = paths.example() or ""
        if usual.startswith("/"):
            return True
        return not paths.isdisjoint(StringSet.prefix("/") | StringSet.of("*"))
    except (UndecidedError, PatternError):
        return True


REWRITTEN = (
    r"/([^?]*(//|%2[DdEeFf]|%3[0-9]|%4[1-9A-Fa-f]|%5[0-9AaFf]|%6[1-9A-Fa-f]|%7[0-9AaEe]).*"
    r"|(/|%2[DdEeFf]).*|([^?]*/)?[.][.]?([/?].*)?)"
)
"""Paths that are not their own plain form; what stands behind a question mark is left as it is."""


@lru_cache(_REMEMBERED)
def _rewritten(path: str) -> str | None:
    """Return a path of a pattern all of whose paths are brought to another form; None otherwise."""
    if not _UNUSUAL.search(path):
        return None
    try:
        usual = texts_of(path).example() or ""
        if usual.startswith("/") and not re.fullmatch(REWRITTEN, usual):
            return None
        paths = texts_of(path) & StringSet.prefix("/")
        if (paths - texts_of(REWRITTEN)).example() is not None:
            return None
        return paths.example()
    except (UndecidedError, PatternError):
        return None


_UNUSUAL = re.compile(r"//|%|\.|\[.\]|/[.]")
"""What a pattern has in it that is about such paths: most have nothing."""


@lru_cache(_REMEMBERED)
def _ways(path: str, asked: tuple[Variant, ...]) -> tuple[tuple[str, str, str], ...]:
    """Return the ways to write a path of a pattern that it leaves out, of some and of its case.

    Each has its name, a path of the pattern, and the other way to write that. Nothing where nobody
    can say.
    """
    try:
        paths = texts_of(path)
        found = [(each.name, each.inside, each.outside) for each in left_out(paths, asked)]
        case = other_case(paths)
    except (UndecidedError, PatternError):
        return ()
    if case is not None:
        found.append((case.name, case.inside, case.outside))
    return tuple(found)


def _headers(item: Item, known: Known) -> Iterator[Diagnostic]:
    del known
    for rule in _rules(item):
        for text in rule.headers:
            if ":" in text and " " not in text:
                name, _, value = text.partition(":")
                yield item.doubt(
                    "CIL254",
                    rule.span,
                    f"the header `{shown(text)}` of {item.label} has no space after its colon",
                    effect="it is the name of a header that must be there, which practically never "
                    "is: the rule lets nothing through",
                    help_=f"write `{shown(name)}: {shown(value)}`",
                    source=_ENVOY,
                )


def _methods(item: Item, known: Known) -> Iterator[Diagnostic]:
    del known
    for rule in _rules(item):
        if rule.method is not None and _no_method(rule.method):
            yield item.doubt(
                "CIL256",
                rule.span,
                f"`method: {shown(rule.method)}` of {item.label} matches no usual method",
                effect="methods are compared in their case: the rule lets through nothing that is "
                "usual",
                help_=f"write `{shown(rule.method.upper())}`",
                source=_LAYER7,
            )


@lru_cache(_REMEMBERED)
def _no_method(pattern: str) -> bool:
    """Return whether a pattern matches usual methods in another case alone."""
    if pattern in _USUAL:
        return False
    try:
        found = texts_of(pattern)
    except (UndecidedError, PatternError):
        return False
    if not found.isdisjoint(StringSet.of(*_USUAL)):
        return False
    return not found.isdisjoint(StringSet.pattern(f"(?i){'|'.join(_USUAL)}"))


def _refused(item: Item, known: Known) -> Iterator[Diagnostic]:
    """What the agent takes and the proxy does not."""
    del known
    for rule in _rules(item):
        for each in matchers(rule):
            if each.refused:
                what = f"`host: {shown(each.text or '')}`" if each.pattern else "a header"
                why = "is no regular expression" if each.pattern else "has no name"
                yield item.doubt(
                    "CIL258",
                    rule.span,
                    f"{what} of {item.label} {why}, which only the proxy looks at",
                    effect="the proxy refuses the policy and the endpoint keeps the one it had: "
                    "which requests pass on these ports is undetermined",
                    help_="correct it; the syntax is that of RE2, matched against the whole host"
                    if each.pattern
                    else "write `Name: value`, or a name alone",
                    source=f"{_API}; {_ENVOY}",
                    severity=Severity.ERROR,
                )


def _undecided(item: Item, known: Known) -> Iterator[Diagnostic]:
    """Patterns that answers leave open."""
    del known
    for port_rule in item.element.ports or ():
        rules = (port_rule.rules.http if port_rule.rules else None) or ()
        open_ = [(rule, each, why) for rule in rules for each, why in _open(rule)]
        for rule, each, why in open_:
            large = isinstance(why, TooLargeError)
            field = _FIELDS[each.name] if each.pattern else each.name
            yield item.doubt(
                "CIL259",
                rule.span,
                f"`{field}: {shown(each.text or '')}` of {item.label} is not worked out: "
                f"{why.reason}",
                effect="one request is decided all the same; answers about all requests leave open "
                "which this rule lets through"
                if large
                else "which requests this rule lets through is undetermined",
                help_="write it with smaller counts, or as several rules"
                if large
                else "write it with characters, classes such as `[a-z]`, groups, `|` and repeats",
                source=_BOUNDS,
            )
        if rules and not open_ and _together(tuple(rules)):
            yield item.doubt(
                "CIL259",
                port_rule.span,
                f"what the {len(rules)} rules of HTTP of {item.label} come to together is not "
                "worked out: they tell apart too many requests",
                effect="a request that is told in full is decided all the same; answers about all "
                "requests leave open which pass",
                help_="ask for fewer different headers in one list of rules",
                source=_BOUNDS,
            )


def _open(rule: HttpRule) -> Iterator[tuple[Matcher, UndecidedError]]:
    for each in matchers(rule):
        if not each.refused:
            try:
                each.values()
            except UndecidedError as error:
                yield each, error


@lru_cache(_REMEMBERED)
def _together(rules: tuple[HttpRule, ...]) -> bool:
    """Return whether rules are too many different ones to be put together."""
    return Condition(rules).requests().doubt == REQUESTS_TOO_LARGE


_API = "cilium/cilium pkg/policy/api/http.go"
_BOUNDS = "Cloison, docs/design/application-layer.md, Bounds"
_FIELDS = {METHOD: "method", PATH: "path", HOST: "host"}
REQUEST_CHECKS = (_empty, _dots, _paths, _headers, _methods, _refused, _undecided)
