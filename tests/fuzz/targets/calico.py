"""Calico's objects: read, judged, written again, compiled, arranged and asked; its selectors."""

from typing import Any

from cloison.algebra.expressions import Expression
from cloison.dialects.calico.decode import decode
from cloison.dialects.calico.dialect import DIALECT
from cloison.dialects.calico.selector import SelectorError, parse, text_of
from cloison.platform import profile
from cloison.resources.options import FieldValidation, ReadOptions
from tests.conformance.cases import cases
from tests.fuzz.policies import hold, objects
from tests.fuzz.target import Target, sampled
from tests.support.written.calico import to_yaml

_OPTIONS = (ReadOptions(), ReadOptions((1, 36), FieldValidation.STRICT, "web"))
_PROFILES = ("calico@3.32", "calico@3.31", "generic")
_FEW = 32


def _calico(data: bytes) -> None:
    options = _OPTIONS[len(data) % len(_OPTIONS)]
    found = objects(data, "calico", decode, options)
    if not found:
        return
    if sampled(data, 2):
        _written(found, options)
    hold(DIALECT, found, profile(_PROFILES[len(data) % len(_PROFILES)]), data)


def _written(found: list[Any], options: ReadOptions) -> None:
    """What is written is read back as it was."""
    for each in found[:_FEW]:
        if "*" in each.name or "default." in each.name:
            continue  # a name that the server completes, or that the store prefixes
        text = to_yaml(each).encode()
        again = objects(text, "calico", decode, ReadOptions(options.kubernetes))
        assert again == [each], "writing loses something"


def _selectors(data: bytes) -> None:
    for text in data.decode("utf-8", "replace").split("\n"):
        found = _parsed(text)
        if isinstance(found, SelectorError):
            assert 1 <= found.column <= len(text) + 1, text
            continue
        again = parse(text_of(found))
        labels = dict.fromkeys(found.keys, "x")
        assert again.matches(labels) is found.matches(labels), text
        assert again.matches({}) is found.matches({}), text
        conjunctions = found.disjuncts(_FEW)
        if conjunctions is not None:
            met = any(all(r.matches(labels) for r in each) for each in conjunctions)
            assert met is found.matches(labels), text


def _parsed(text: str) -> Expression | SelectorError:
    try:
        return parse(text)
    except SelectorError as error:
        return error


def _seeds() -> list[bytes]:
    return [case.policies.encode() for case in cases("calico") if case.policies]


_TEXTS = (
    *("all()", "global()", "has(a)", "!has( a )", "a == 'x'", 'a != "x"', "a in {'x', 'y',}"),
    *("a not in {}", "a notin {'x'}", "a contains 'x'", "a starts with ''", "a endswith 'x'"),
    *("(a == 'x' || b == 'y') && !(c in {'z'} && has(d))", "!!a == 'x'", "pcns.team == 'web'"),
    *("in in {'in'}", "projectcalico.org/namespace == 'shop'", "a = 'x'", "((has(a)))"),
)

CALICO = Target("calico", _calico, _seeds, ("cloison.dialects.calico", "cloison.dialects.reading"))
CALICO_SELECTORS = Target(
    "calico-selectors",
    _selectors,
    lambda: [text.encode() for text in _TEXTS],
    ("cloison.dialects.calico.selector", "cloison.algebra.expressions"),
    lines=True,
    words=_TEXTS,
)
