"""From manifests in a test's text to documents and worlds."""

from io import BytesIO

from cloison.base import Diagnostic
from cloison.resources.decode import decode
from cloison.resources.documents import Document, Node
from cloison.resources.inventory import Inventory
from cloison.resources.options import ReadOptions
from cloison.resources.world import World
from cloison.sources import yaml


def documents(text: str, file: str = "test.yaml") -> list[Document]:
    """Return the objects of a text, the items of Lists one by one."""
    out: list[Document] = []
    for root in yaml.documents(BytesIO(text.encode()), file):
        assert not isinstance(root, Diagnostic), root
        out += [Document(file, item) for item in _items(root)]
    return out


def document(text: str, file: str = "test.yaml") -> Document:
    """Return the only object of a text."""
    (only,) = documents(text, file)
    return only


def text_at(document: Document, *path: str) -> str:
    """Return the text that stands at a place of an object; it must be there."""
    node = document.root.get(*path)
    assert node is not None, path
    assert isinstance(node.value, str), path
    return node.value


def world(text: str, options: ReadOptions | None = None) -> World:
    """Return the world of a text; policies in it are left out."""
    inventory = Inventory()
    for each in documents(text):
        inventory.take(decode(each, options or ReadOptions()))
    return inventory.build().world


def _items(root: Node) -> list[Node]:
    kind, items = root.get("kind"), root.get("items")
    if kind is not None and isinstance(kind.value, str) and kind.value.endswith("List"):
        if items is not None and isinstance(items.value, list):
            return items.value
        return []
    return [root]
