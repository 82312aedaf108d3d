"""Cilium's objects: read, judged, compiled, arranged and asked; ports, blocks and label keys."""

import io
from pathlib import Path
from typing import Any

import yaml

from cloison.analyses.ask import Question, ask
from cloison.analyses.ends import Names
from cloison.analyses.question import parse_traffic
from cloison.app.arrange import arranged, unrepeated
from cloison.base import CloisonError, Diagnostic
from cloison.dialects import Surroundings, completed, row_for
from cloison.dialects.cilium.decode import decode
from cloison.dialects.cilium.dialect import DIALECT
from cloison.dialects.cilium.values import (
    block_base,
    is_dns_name,
    is_dns_pattern,
    parse_block,
    parse_key,
    parse_port,
)
from cloison.engine import Engine, Networks
from cloison.ir.profile import Profile
from cloison.platform import profile
from cloison.resources.documents import Document, RawObject
from cloison.resources.names import MAX_PORT
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.world import World
from cloison.sources import read
from tests.fuzz.target import Target, sampled, sound
from tests.fuzz.targets.questions import small_world

_OPTIONS = (ReadOptions(), ReadOptions((1, 36), FieldValidation.STRICT, "web"))
_PROFILES = ("cilium@1.19", "cilium@1.20", "cilium@1.18", "generic")
_VALIDATION = Path(__file__).parents[2] / "conformance" / "cases" / "cilium-validation.yaml"


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
        if row is None or row.name != "cilium":
            continue
        each, said = decode(document, options, pool)
        sound(said, document.file)
        assert said or each is not None, "left out, and nobody says why"
        if each is not None:
            found.append(each)
    return unrepeated(found)[0]


def _cilium(data: bytes) -> None:
    found = _objects(data, _OPTIONS[len(data) % len(_OPTIONS)])
    if not found:
        return
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


def _seeds() -> list[bytes]:
    """Return objects whose rules hold everything that the cases of validation write."""
    found = []
    for case in yaml.safe_load(_VALIDATION.read_text(encoding="utf-8")):
        for each in case["tries"]:
            where, fragment = each["where"], each["fragment"]
            name = where.rpartition("-")[2]
            spec = fragment if name == "spec" else {"endpointSelector": {}, name: [fragment]}
            if name == "rule":
                spec = {"endpointSelector": {}, "ingress": [{"toPorts": [fragment]}]}
            body = {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumNetworkPolicy",
                "metadata": {"name": "x", "namespace": "api"},
                "spec": spec,
            }
            found.append(yaml.safe_dump(body).encode())
    return found


def _values(data: bytes) -> None:
    for text in data.decode("utf-8", "replace").split("\n"):
        port = parse_port(text)
        if port is not None:
            assert parse_port(port) == port, text
            assert not port.isdigit() or 0 <= int(port) <= MAX_PORT, text
        block = parse_block(text)
        if block is not None:
            assert block_base(text) in block, text
        key = parse_key(text)
        assert key.source, text
        assert not is_dns_name(text) or is_dns_pattern(text), text


_TEXTS = (
    *("80", "0", "010", "0x10", "0b1", "1_000", "65536", "http", "HTTP-8080", "http--x", "-x"),
    *("10.0.0.0/8", "10.0.0.1/8", "::/0", "::ffff:10.0.0.1/96", "10.0.0.1", "10.0.0.0/33", "/8"),
    *(
        "k8s:app",
        "any:app",
        "reserved:host",
        "$host",
        "reserved.host",
        "a.b/c",
        "k8s:a=b",
        ":",
        "$",
    ),
    *("*.example.com", "**.example.com.", "api-*.example.com", "_x.example", "a..b", "*", ""),
)

CILIUM = Target("cilium", _cilium, _seeds, ("cloison.dialects.cilium",))
CILIUM_VALUES = Target(
    "cilium-values",
    _values,
    lambda: [text.encode() for text in _TEXTS],
    ("cloison.dialects.cilium.values",),
    lines=True,
    words=_TEXTS,
)
