"""How many published patterns nobody can decide: at most one in a hundred may be so."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from cloison.algebra import StringSet, UndecidedError
from cloison.algebra.regex import PatternError
from tests.conformance.published.examples import SOURCE, blocks

pytestmark = pytest.mark.skipif(
    not SOURCE.is_dir(), reason="needs a checkout of cilium/cilium; CILIUM_SOURCE names it"
)
FIELDS = ("path", "method", "host")
REFUSED = {"*"}
"""Patterns that Cilium's own tests of validation have as examples of what is none."""
MOST = 0.01
_RULE = re.compile(r"PortRuleHTTP\{(.*?)\}\}", re.DOTALL)
_FIELD = re.compile(r"\b(?:Path|Method|Host):\s+\"((?:[^\"\\]|\\.)*)\"")


def _documents() -> Iterator[Any]:
    """Yield what published YAML holds, in files and within pages."""
    folders = [SOURCE / name for name in ("examples", "test", "Documentation")]
    texts = [f.read_text("utf-8") for each in folders for f in sorted(each.rglob("*.y*ml"))]
    for page in sorted((SOURCE / "Documentation").rglob("*.rst")):
        texts += blocks(page.read_text("utf-8"))
    for text in texts:
        try:
            yield from yaml.load_all(text, yaml.CSafeLoader)
        except yaml.YAMLError:
            continue  # A template, or an excerpt.


def _written(value: Any) -> Iterator[str]:
    """Yield the patterns of every rule about HTTP."""
    if isinstance(value, dict):
        rules = value.get("http")
        for rule in rules if isinstance(rules, list) else ():
            found = (rule.get(name) for name in FIELDS) if isinstance(rule, dict) else ()
            yield from (each for each in found if isinstance(each, str))
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(inner, list) or isinstance(value, dict):
        for each in inner:
            yield from _written(each)


def _in_unit_tests() -> Iterator[str]:
    for file in sorted((SOURCE / "pkg").rglob("*_test.go")):
        for rule in _RULE.findall(file.read_text("utf-8")):
            yield from (each for each in _FIELD.findall(rule) if each not in REFUSED)


def _undecided(patterns: list[str]) -> list[str]:
    found = []
    for each in patterns:
        try:
            StringSet.pattern(each)
        except (UndecidedError, PatternError):
            found.append(each)
    return found


def test_published_patterns_are_decided() -> None:
    patterns = [each for document in _documents() for each in _written(document)]
    assert len(patterns) > 80
    assert len(_undecided(patterns)) <= MOST * len(patterns)


def test_patterns_of_unit_tests_are_decided() -> None:
    patterns = list(_in_unit_tests())
    assert len(patterns) > 150
    assert len(_undecided(patterns)) <= MOST * len(patterns)
