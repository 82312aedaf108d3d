"""The readers of text: YAML, JSON, large Lists, scalars, and all of them behind standard input."""

import io
import json as standard
from collections.abc import Iterator

from cloison.base import Diagnostic
from cloison.resources.documents import Document, Node, RawObject
from cloison.sources import json, read, scalars, yaml
from tests.fuzz import seeds
from tests.fuzz.target import Target, sampled, sound

FILE = "x.yaml"


def flat(node: Node) -> object:
    """Return a tree with its positions; every one of them is a place."""
    value = node.value
    at = (node.line, node.column, node.key_line, node.key_column)
    assert min(at) >= 1, node
    if isinstance(value, dict):
        for key in value:
            key.encode("utf-8")
        return at, {key: flat(inner) for key, inner in value.items()}
    if isinstance(value, str):
        value.encode("utf-8")
    return at, [flat(inner) for inner in value] if isinstance(value, list) else repr(value)


def _trees(found: list[Node | Diagnostic]) -> list[object]:
    sound((one for one in found if isinstance(one, Diagnostic)), FILE)
    # What a reader hands on must be JSON: that is what an API server is sent.
    for one in found:
        if isinstance(one, Node):
            standard.dumps(one.plain(), allow_nan=False)
    return [flat(one) if isinstance(one, Node) else one for one in found]


def _yaml(data: bytes) -> None:
    trees = _trees(list(yaml.documents(io.BytesIO(data), FILE)))
    if sampled(data, 4):
        assert trees == _trees(list(yaml.documents(io.BytesIO(data), FILE)))
    if sampled(data, 8) and b"\r" not in data:
        # A document more at the end changes nothing about those before it.
        longer = list(yaml.documents(io.BytesIO(data + b"\n---\nlast: 1\n"), FILE))
        assert _trees(longer)[: len(trees) - 1] == trees[:-1]


def _json(data: bytes) -> None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    found = list(json.documents(text, FILE))
    trees = _trees(found)
    if sampled(data, 4):
        assert trees == _trees(list(json.documents(text, FILE)))
    broken = any(isinstance(one, Diagnostic) and one.code != "SRC004" for one in found)
    if not json.parses(text):
        assert broken, "not JSON, and nothing was said"
    elif not broken and len(found) == 1 and isinstance(found[0], Node):
        other = standard.loads(text)
        assert _same(found[0].plain(), other), "the standard library reads something else"


def _same(ours: object, theirs: object) -> bool:
    """Compare with the standard library's reading; large numbers and half characters aside."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        known = {_whole(key): value for key, value in theirs.items()}
        return ours.keys() == known.keys() and (
            len(known) < len(theirs) or all(_same(ours[key], known[key]) for key in ours)
        )
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, int):
        return ours == float(theirs)
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours == _whole(theirs)
    return type(ours) is type(theirs) and ours == theirs


def _whole(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def _items(data: bytes, bulk_from: int, *, anything: bool = False) -> Iterator[object]:
    for one in read(["-"], stdin=io.BytesIO(data), bulk_from=bulk_from, anything=anything):
        if isinstance(one, RawObject):
            located = one.locate()
            root = located.root
            assert (one.line, one.column) == (root.line, root.column)
            for name, said in (("kind", one.kind), ("apiVersion", one.api_version)):
                node = root.get(name)
                assert node is not None
                assert node.value == said
            yield flat(root)
        elif isinstance(one, Document):
            yield flat(one.root)
        else:
            sound([one])
            yield one


def _said(found: list[object], *codes: str) -> bool:
    return any(isinstance(one, Diagnostic) and one.code in codes for one in found)


_NEVER = 1 << 40


def _bulk(data: bytes) -> None:
    small = list(_items(data, _NEVER))
    large = list(_items(data, 0))
    # A key that an item repeats is found only where items are read with positions, and what is
    # refused costs a whole document there, and an item here.
    assert small == large or _said(small, "SRC003", "SRC004", "SRC005", "SRC008"), "not the same"


def _read(data: bytes) -> None:
    found = list(_items(data, _NEVER))
    if sampled(data, 4):
        assert found == list(_items(data, _NEVER))
    if sampled(data, 2):
        other = list(_items(data, 0, anything=True))
        objects = [one for one in other if not isinstance(one, Diagnostic)]
        assert len(objects) >= sum(not isinstance(one, Diagnostic) for one in found)


def _scalars(data: bytes) -> None:
    tag, _, text = data.decode("utf-8", "replace").partition("\n")
    for one in (tag, text):
        try:
            value = scalars.plain(one)
        except scalars.ScalarError:
            value = None
        standard.dumps(value, allow_nan=False)
        try:
            key = scalars.key(one)
        except scalars.ScalarError:
            key = ""
        assert isinstance(key, str)
        # The key of what is text is that text.
        assert not isinstance(value, str) or value == one == key
    try:
        made = scalars.tagged(scalars.TAG_PREFIX + tag, text)
    except (scalars.ScalarError, KeyError):
        return
    standard.dumps(made, allow_nan=False)
    made_key(made, text)


def made_key(value: scalars.Scalar, text: str) -> None:
    """Make a key of a tagged value, if one can be made."""
    try:
        key = scalars.key_of(value, text)
    except scalars.ScalarError:
        return
    key.encode("utf-8")


_CODE = ("cloison.sources", "cloison.resources.documents")

YAML = Target("yaml", _yaml, seeds.streams, _CODE)
JSON = Target("json", _json, seeds.json_texts, _CODE)
BULK = Target("bulk", _bulk, seeds.lists, _CODE)
READ = Target("read", _read, seeds.streams, _CODE)
SCALARS = Target(
    "scalars", _scalars, seeds.scalars, ("cloison.sources.scalars",), lines=True, words=seeds.WORDS
)
