"""Calico's objects: read, judged, written again, compiled, arranged and asked; its selectors."""

import io
from typing import Any

from cloison.algebra.expressions import Expression
from cloison.analyses.ask import Question, ask
from cloison.analyses.ends import Names
from cloison.analyses.question import parse_traffic
from cloison.app.arrange import arranged, unrepeated
from cloison.base import CloisonError, Diagnostic
from cloison.dialects import Surroundings, completed, row_for
from cloison.dialects.calico.decode import decode
from cloison.dialects.calico.dialect import DIALECT
from cloison.dialects.calico.selector import SelectorError, parse, text_of
from cloison.dialects.calico.write import to_yaml
from cloison.engine import Engine, Networks
from cloison.ir.profile import Profile
from cloison.platform import profile
from cloison.resources.documents import Document, RawObject
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.world import World
from cloison.sources import read
from tests.conformance.cases import cases
from tests.fuzz.target import Target, sampled, sound
from tests.fuzz.targets.questions import small_world

_OPTIONS = (ReadOptions(), ReadOptions((1, 36), FieldValidation.STRICT, "web"))
_PROFILES = ("calico@3.32", "calico@3.31", "generic")
_FEW = 32


def _objects(data: bytes, options: ReadOptions) -> list[Any]:
    """Return the objects of an input that take part; what is said of them is sound."""
    pool = Pool()
    found: list[Any] = []
    for one in read(["-"], stdin=io.BytesIO(data), bulk_from=len(data) % 2 << 40):
        if isinstance(one, Diagnostic):
            continue
        document = one
        if isinstance(one, RawObject):
            document = completed(one.locate(), one.api_version, one.kind)
        assert isinstance(document, Document)
        said_to_be = [document.root.get(key) for key in ("apiVersion", "kind")]
        version, kind = (str(node and node.value) for node in said_to_be)
        row = row_for(version, kind)
        if row is None or row.name != "calico":
            continue
        each, said = decode(document, options, pool)
        sound(said, document.file)
        assert said or each is not None, "left out, and nobody says why"
        if each is not None:
            found.append(each)
    return unrepeated(found)[0]


def _calico(data: bytes) -> None:
    options = _OPTIONS[len(data) % len(_OPTIONS)]
    found = _objects(data, options)
    if not found:
        return
    if sampled(data, 2):
        _written(found, options)
    who = profile(_PROFILES[len(data) % len(_PROFILES)])
    world = small_world()
    sound(DIALECT.notices(found))
    around = Surroundings(world, who)
    said = DIALECT.suspicious(found, around)
    sound(said)
    assert set(said) == set(DIALECT.suspicious(found[::-1], around)), "reading order shows"
    verdicts = _asked(world, found, who)
    if sampled(data, 4):
        assert verdicts == _asked(world, found[::-1], who), "reading order shows"


def _written(found: list[Any], options: ReadOptions) -> None:
    """What is written is read back as it was."""
    for each in found[:_FEW]:
        if "*" in each.name or "default." in each.name:
            continue  # a name that the server completes, or that the store prefixes
        again = _objects(to_yaml(each).encode(), ReadOptions(options.kubernetes))
        assert again == [each], "writing loses something"


def _asked(world: World, found: list[Any], who: Profile) -> list[str]:
    compiled = DIALECT.compile(found, who, world)
    sound(compiled.diagnostics)
    engine = Engine(world, arranged(who, [compiled]), who, Networks())
    names = Names(engine)
    answers = []
    for source, destination, port in (
        ("web/portal", "api/server", "8080"),
        ("192.0.2.7", "web/portal", "http"),
        ("node:n1", "api/server", "8080"),
        ("web/portal", "node:n1", "22"),
    ):
        question = Question(names.end(source), names.end(destination), parse_traffic(port))
        try:
            answers.append(repr(ask(engine, question).verdict))
        except CloisonError as error:
            answers.append(error.message)
    return answers


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

CALICO = Target("calico", _calico, _seeds, ("cloison.dialects.calico",))
CALICO_SELECTORS = Target(
    "calico-selectors",
    _selectors,
    lambda: [text.encode() for text in _TEXTS],
    ("cloison.dialects.calico.selector", "cloison.algebra.expressions"),
    lines=True,
    words=_TEXTS,
)
