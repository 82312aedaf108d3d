"""Which fields of an object only the experimental CRDs have."""

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.adminpolicy.nodes import items
from cloison.dialects.adminpolicy.say import DOCS
from cloison.resources.documents import Document, Node


def experimental(document: Document, object_: str) -> list[Diagnostic]:
    """Return one note per field of an object that only the experimental CRDs have."""
    found: dict[str, Span] = {}
    spec = document.root.get("spec")
    for field, rules in (("ingress", "from"), ("egress", "to")):
        for rule in items(spec and spec.get(field)):
            for entry in items(rule.get("ports")):
                _first(found, "namedPort", entry.get("namedPort"), document.file)
            for peer in items(rule.get(rules)) if field == "egress" else ():
                for name in ("nodes", "domainNames"):
                    _first(found, name, peer.get(name), document.file)
    return [
        Diagnostic(
            "ADL025",
            Severity.INFO,
            f"`{field}` is a field of the experimental CRDs",
            span,
            object_,
            "taken to be installed; the standard CRDs drop the field and refuse what is left",
            "say `policyChannel: standard` in cloison.yaml where those are installed",
            DOCS,
        )
        for field, span in found.items()
    ]


def _first(found: dict[str, Span], name: str, node: Node | None, file: str) -> None:
    if node is not None and node.value is not None:
        found.setdefault(name, node.key_span(file))
