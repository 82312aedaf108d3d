"""DNS names and patterns of them: from nodes to the model."""

from cloison.dialects.cilium.model_rules import Fqdn
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.say import API, CRD
from cloison.dialects.cilium.values import is_dns_name, is_dns_pattern
from cloison.resources.documents import Node
from cloison.resources.names import shown


def read_fqdns(reader: Reader, node: Node | None, path: str) -> tuple[Fqdn, ...] | None:
    """Return a list of names and patterns, None when absent; what is wrong is noted."""
    return reader.items(node, path, lambda item, at: _fqdn(reader, item, at))


def _fqdn(reader: Reader, node: Node, path: str) -> Fqdn:
    found = reader.mapping(node, path)
    name = reader.text(found.get("matchName"), f"{path}.matchName")
    pattern = reader.text(found.get("matchPattern"), f"{path}.matchPattern")
    if (name is None) == (pattern is None):
        said = "neither `matchName` nor" if name is None else "both `matchName` and"
        message = f"`{path}` has {said} `matchPattern`"
        reader.refuse("CIL016", node, message, "write one of them", source=f"{API}/fqdn.go")
    if name is not None and not is_dns_name(name):
        help_ = "write a name such as `api.example.com`, or use `matchPattern` for `*`"
        _illegal(reader, found["matchName"], f"{path}.matchName", name, help_)
    if pattern is not None and not is_dns_pattern(pattern):
        help_ = "write a pattern such as `*.example.com`; only `*` stands for other characters"
        _illegal(reader, found["matchPattern"], f"{path}.matchPattern", pattern, help_)
    return Fqdn(name, pattern, reader.span(node))


def _illegal(reader: Reader, node: Node, path: str, text: str, help_: str) -> None:
    message = f"`{path}` is `{shown(text)}`, which no DNS name can be"
    reader.refuse("CIL016", node, message, help_, source=CRD)
