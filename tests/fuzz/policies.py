"""What targets that read policies do alike: find them in an input, and ask about them."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cloison.analyses.ask import Question, ask
from cloison.analyses.ends import Names
from cloison.analyses.question import parse_traffic
from cloison.app.arrange import arranged, unrepeated
from cloison.base import CloisonError, Diagnostic
from cloison.dialects import Dialect, Surroundings, completed, row_for
from cloison.engine import Engine, Networks
from cloison.ir.profile import Profile
from cloison.resources.documents import Document, RawObject
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.world import World
from cloison.sources import read
from tests.fuzz.target import sampled, sound
from tests.fuzz.targets.questions import small_world

_QUESTIONS = (
    ("web/portal", "api/server", "8080"),
    ("192.0.2.7", "web/portal", "http"),
    ("node:n1", "api/server", "8080"),
    ("web/portal", "node:n1", "22"),
)


def documents(data: bytes, dialect: str) -> Iterator[tuple[Document, str, str]]:
    """Iterate over the objects of one dialect in an input, with their version and kind."""
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
        if row is not None and row.name == dialect:
            yield document, version, kind


def objects(
    data: bytes,
    dialect: str,
    decode: Callable[[Document, ReadOptions, Pool], tuple[Any, list[Diagnostic]]],
    options: ReadOptions,
) -> list[Any]:
    """Return the objects of an input that take part; what is said of them is sound."""
    pool = Pool()
    found: list[Any] = []
    for document, _, _ in documents(data, dialect):
        each, said = decode(document, options, pool)
        sound(said, document.file)
        assert said or each is not None, "left out, and nobody says why"
        if each is not None:
            found.append(each)
    return unrepeated(found)[0]


def hold(dialect: Dialect[Any], found: list[Any], who: Profile, data: bytes) -> None:
    """Hold what a dialect says and compiles to what must be so of every dialect."""
    world = small_world()
    sound(dialect.notices(found))
    around = Surroundings(world, who)
    said = dialect.suspicious(found, around)
    sound(said)
    assert set(said) == set(dialect.suspicious(found[::-1], around)), "reading order shows"
    verdicts = _asked(dialect, world, found, who)
    if sampled(data, 4):
        assert verdicts == _asked(dialect, world, found[::-1], who), "reading order shows"


def _asked(dialect: Dialect[Any], world: World, found: list[Any], who: Profile) -> list[str]:
    compiled = dialect.compile(found, who, world)
    sound(compiled.diagnostics)
    return answers(Engine(world, arranged(who, [compiled]), who, Networks()), _QUESTIONS)


def answers(engine: Engine, questions: Sequence[tuple[str, str, str | None]]) -> list[str]:
    """Return what an engine answers, or why it does not."""
    names = Names(engine)
    found = []
    for source, destination, port in questions:
        question = Question(names.end(source), names.end(destination), parse_traffic(port))
        try:
            found.append(repr(ask(engine, question).verdict))
        except CloisonError as error:
            found.append(error.message)
    return found
