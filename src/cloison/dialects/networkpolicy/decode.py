"""From a document to the model: `decode` is the one way in.

The field table has its say first (unknown fields, wrong types, names). Should a wrong type
get past it, the object is refused all the same: reading on as if the field were absent
could turn a restriction into an opening.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.networkpolicy.model import (
    IPBlock,
    LabelSelector,
    LabelSelectorRequirement,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicyRule,
)
from cloison.dialects.networkpolicy.say import refused
from cloison.dialects.networkpolicy.validate import validate
from cloison.resources import faults
from cloison.resources.check import check
from cloison.resources.documents import Document, Node
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

KIND = "NetworkPolicy"
API_VERSION = "networking.k8s.io/v1"
OLD_API = "extensions/v1beta1"
"""Where NetworkPolicy also lived, with the same fields, before Kubernetes 1.16 took it away."""

_OLD_API_GONE = (1, 16)
_TYPES = "Kubernetes API reference, NetworkPolicy"

T = TypeVar("T")
Written = tuple[NetworkPolicy | None, list[Diagnostic]]


def decode(
    document: Document,
    options: ReadOptions,
    pool: Pool | None = None,
    *,
    old: NetworkPolicy | None = None,
) -> Written:
    """Return the policy that `document` holds, and everything there is to say about it.

    Args:
        document: One NetworkPolicy object.
        options: Target version and the namespace of objects that name none.
        pool: Where repeated values are kept; pass the same one for a whole load.
        old: The stored object this one replaces. Some values that a new object may not
            have are let through when they were there before.

    Returns:
        The policy, or None when the API server would refuse it, and diagnostics: every
        reason for refusal, not only the first, and warnings.
    """
    root, file = document.root, document.file
    reader = _Reader(file, pool or Pool())
    policy = _policy(reader, root, options)
    said = root.get("apiVersion")
    version = said.value if said else API_VERSION
    diagnostics: list[Diagnostic] = []
    if version == OLD_API and options.kubernetes >= _OLD_API_GONE:
        span = (said or root).span(file)
        diagnostics.append(
            faults.version_gone(span, str(policy), OLD_API, API_VERSION, _OLD_API_GONE)
        )
    elif version not in (API_VERSION, OLD_API):
        diagnostics.append(
            faults.kind_misplaced(root.span(file), str(policy), str(version), KIND, API_VERSION)
        )
    checked = check(document, KIND, options, report_unknown=version != OLD_API)
    if old is None and root.get("metadata", "uid"):
        # The server gives the uid: this object is stored, and what it holds stays accepted.
        old = policy
    if not reader.problems:
        diagnostics += validate(policy, options, old=old, document=document)
    elif not checked.refused:
        diagnostics += [
            refused("NPL001", str(policy), span, f"{message} at {path}", help_, source=_TYPES)
            for path, span, message, help_ in reader.problems
        ]
    # Where unknown fields are only dropped, an error of the check does not mean refusal.
    absent = checked.refused or any(d.severity is Severity.ERROR for d in diagnostics)
    return None if absent else policy, [*checked.diagnostics, *diagnostics]


def unplaced(document: Document, options: ReadOptions, pool: Pool) -> NetworkPolicy | None:
    """Return the policy of a document that follows the field table, its parts without places.

    Returns:
        The policy, or None when there is anything to say of it.
    """
    reader = _Reader(document.file, pool, placed=False)
    policy = _policy(reader, document.root, options)
    old = policy if document.root.get("metadata", "uid") else None
    if reader.problems or validate(policy, options, old=old):
        return None
    return policy


class _Reader:
    """Turns nodes into plain values and remembers what did not fit.

    Args:
        file: Where they stand.
        pool: Where repeated values are kept.
        placed: Whether parts of a policy are to know where they stand.
    """

    __slots__ = ("file", "placed", "pool", "problems")

    def __init__(self, file: str, pool: Pool, *, placed: bool = True) -> None:
        self.file = file
        self.pool = pool
        self.placed = placed
        self.problems: list[tuple[str, Span, str, str]] = []

    def wrong(self, node: Node, path: str, expected: str, help_: str = "") -> None:
        found = _NAMES.get(type(node.value), type(node.value).__name__)
        self.problems.append(
            (path, node.span(self.file), f"expected {expected}, found {found}", help_ or _FIX)
        )

    def mapping(self, node: Node | None, path: str) -> dict[str, Node] | None:
        """Return a mapping, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, dict):
            return node.value
        self.wrong(node, path, "a mapping")
        return None

    def items(
        self, node: Node | None, path: str, read: Callable[[Node, str], T]
    ) -> tuple[T, ...] | None:
        """Return a list's items, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, list):
            return tuple(read(item, f"{path}[{i}]") for i, item in enumerate(node.value))
        self.wrong(node, path, "a list", "write the items as a list, each starting with `- `")
        return None

    def texts(self, node: Node | None, path: str) -> tuple[str, ...] | None:
        """Return a list of strings, None when absent or null."""
        found = self.items(node, path, lambda item, at: self.text(item, at) or "")
        return None if found is None else self.pool.share(found)

    def text(self, node: Node | None, path: str) -> str | None:
        """Return a string, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, str):
            return node.value
        self.wrong(node, path, "a string", "put quotes around the value")
        return None

    def number(self, node: Node | None, path: str) -> int | None:
        """Return an integer, None when absent or null."""
        if node is None or node.value is None:
            return None
        value = _integer(node)
        if value is None:
            self.wrong(node, path, "an integer")
        return value

    def span(self, node: Node | None) -> Span | None:
        return node.span(self.file) if node is not None and self.placed else None

    def key_span(self, node: Node | None) -> Span | None:
        return node.key_span(self.file) if node is not None else None


_FIX = "write the value in the form the API expects"
_NAMES: dict[type, str] = {
    dict: "a mapping",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number with a fraction",
    type(None): "null",
}
_INT32 = 1 << 31


def _integer(node: Node) -> int | None:
    """Read what JSON would carry as an int32: `80`, and `8e1` as YAML types it."""
    value = node.value
    if isinstance(value, float) and value.is_integer() and abs(value) < _INT32:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_INT32 <= value < _INT32:
        return value
    return None


def _policy(reader: _Reader, root: Node, options: ReadOptions) -> NetworkPolicy:
    reader.mapping(root, "the object")
    metadata, spec = root.get("metadata"), root.get("spec")
    reader.mapping(metadata, "metadata")
    reader.mapping(spec, "spec")
    types, ingress, egress = (root.get("spec", k) for k in ("policyTypes", "ingress", "egress"))
    subject = root.get("spec", "podSelector")
    namespace = reader.text(root.get("metadata", "namespace"), "metadata.namespace")
    return NetworkPolicy(
        namespace=namespace or options.namespace,
        name=_name(reader, root),
        pod_selector=_selector(reader, subject, "spec.podSelector"),
        policy_types=reader.texts(types, "spec.policyTypes"),
        ingress=reader.items(
            ingress, "spec.ingress", lambda node, path: _rule(reader, node, path, "from")
        ),
        egress=reader.items(
            egress, "spec.egress", lambda node, path: _rule(reader, node, path, "to")
        ),
        labels=_strings(reader, root.get("metadata", "labels"), "metadata.labels"),
        annotations=_strings(reader, root.get("metadata", "annotations"), "metadata.annotations"),
        span=root.span(reader.file),
        policy_types_span=reader.key_span(types),
        ingress_span=reader.key_span(ingress),
        egress_span=reader.key_span(egress),
        created=reader.text(
            root.get("metadata", "creationTimestamp"), "metadata.creationTimestamp"
        ),
    )


def _name(reader: _Reader, root: Node) -> str:
    name = reader.text(root.get("metadata", "name"), "metadata.name")
    prefix = reader.text(root.get("metadata", "generateName"), "metadata.generateName")
    if name or not prefix:
        return name or ""
    # The server will append five characters nobody knows yet. The position keeps apart
    # two objects that ask for the same prefix.
    return f"{prefix}* ({root.span(reader.file).place})"


def _strings(reader: _Reader, node: Node | None, path: str) -> Mapping[str, str]:
    found = reader.mapping(node, path) or {}
    return reader.pool.mapping(
        {key: reader.text(value, f"{path}.{key}") or "" for key, value in found.items()}
    )


def _selector(reader: _Reader, node: Node | None, path: str) -> LabelSelector | None:
    found = reader.mapping(node, path)
    if node is None or found is None:
        return None
    expressions = reader.items(
        found.get("matchExpressions"),
        f"{path}.matchExpressions",
        lambda item, at: _requirement(reader, item, at),
    )
    labels = _strings(reader, found.get("matchLabels"), f"{path}.matchLabels")
    return LabelSelector(labels, expressions or (), reader.span(node))


def _requirement(reader: _Reader, node: Node, path: str) -> LabelSelectorRequirement:
    found = reader.mapping(node, path) or {}
    values = reader.texts(found.get("values"), f"{path}.values")
    return LabelSelectorRequirement(
        reader.text(found.get("key"), f"{path}.key") or "",
        reader.text(found.get("operator"), f"{path}.operator") or "",
        values or (),
    )


def _rule(reader: _Reader, node: Node, path: str, peers: str) -> NetworkPolicyRule:
    # A null item is the zero value to the API server: a rule that allows everything.
    found = reader.mapping(node, path) or {}
    return NetworkPolicyRule(
        reader.items(found.get(peers), f"{path}.{peers}", lambda item, at: _peer(reader, item, at)),
        reader.items(found.get("ports"), f"{path}.ports", lambda item, at: _port(reader, item, at)),
        reader.span(node),
    )


def _peer(reader: _Reader, node: Node, path: str) -> NetworkPolicyPeer:
    found = reader.mapping(node, path) or {}
    return NetworkPolicyPeer(
        _selector(reader, found.get("podSelector"), f"{path}.podSelector"),
        _selector(reader, found.get("namespaceSelector"), f"{path}.namespaceSelector"),
        _block(reader, found.get("ipBlock"), f"{path}.ipBlock"),
        reader.span(node),
    )


def _block(reader: _Reader, node: Node | None, path: str) -> IPBlock | None:
    found = reader.mapping(node, path)
    if node is None or found is None:
        return None
    holes = reader.texts(found.get("except"), f"{path}.except")
    return IPBlock(
        reader.text(found.get("cidr"), f"{path}.cidr") or "", holes or (), reader.span(node)
    )


def _port(reader: _Reader, node: Node, path: str) -> NetworkPolicyPort:
    found = reader.mapping(node, path) or {}
    port = found.get("port")
    number: int | str | None = None
    if port is not None and isinstance(port.value, str):
        number = port.value
    elif port is not None and port.value is not None:
        number = _integer(port)
        if number is None:
            reader.wrong(port, f"{path}.port", "a port number or a port name")
    return NetworkPolicyPort(
        reader.text(found.get("protocol"), f"{path}.protocol"),
        number,
        reader.number(found.get("endPort"), f"{path}.endPort"),
        reader.span(node),
    )
