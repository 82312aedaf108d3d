"""From a document to the model: `decode` is the one way in, for every kind.

What the API server or every agent refuses takes no part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from cloison.base import Diagnostic, Span
from cloison.dialects.cilium import model
from cloison.dialects.cilium.decode_rules import read_block, read_rule
from cloison.dialects.cilium.decode_selectors import read_selector
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.say import CRD
from cloison.dialects.cilium.shape import custom
from cloison.dialects.cilium.validate import validate
from cloison.dialects.cilium.values import parse_port
from cloison.resources import faults
from cloison.resources.check import check_custom, object_name
from cloison.resources.documents import Document, Node
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

LEGACY_VERSION = f"{model.API_GROUP}/v2alpha1"
_LEGACY = frozenset({"CiliumCIDRGroup"})
"""Kinds that `v2alpha1` has, too, with the same fields."""
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
"""Before the keys of a namespace's labels where they are those of an identity."""

Spec = Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Meta:
    """Metadata of an object."""

    name: str
    namespace: str | None
    labels: Mapping[str, str]
    span: Span | None
    created: str | None = None


def decode(
    document: Document, options: ReadOptions, pool: Pool | None = None
) -> tuple[model.CiliumObject | None, list[Diagnostic]]:
    """Return the object that `document` holds, and everything there is to say about it.

    Args:
        document: One object of a kind of `model`.
        options: The namespace of objects that name none, and what unknown fields do.
        pool: Where repeated values are kept; pass the same one for a whole load.

    Returns:
        The object, or None when it takes no part, and diagnostics: every reason, not only the
        first, and warnings.

    Raises:
        KeyError: The document is of another kind.
    """
    root = document.root
    kind = _text(root, "kind")
    version = _text(root, "apiVersion")
    read, type_ = _READERS[kind]
    name = str(object_name(root, kind, options, namespaced=type_.namespaced))
    reader = Reader(document, options, pool or Pool(), name, wide=not type_.namespaced)
    said: list[Diagnostic] = []
    right = version == model.API_VERSION or (version == LEGACY_VERSION and kind in _LEGACY)
    if not right:
        span = root.span(document.file)
        said.append(faults.kind_misplaced(span, name, version, kind, model.API_VERSION))
    checked = check_custom(document, custom(kind, namespaced=type_.namespaced), options)
    found = read(reader, _meta(reader, namespaced=type_.namespaced))
    if not checked.refused and not reader.refused and right:
        validate(found, reader)
    if not checked.refused:
        said += reader.found
    absent = checked.refused or reader.refused or not right
    return None if absent else found, [*checked.diagnostics, *said]


def _text(root: Node, key: str) -> str:
    node = root.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _meta(reader: Reader, *, namespaced: bool) -> Meta:
    root = reader.document.root
    found = reader.mapping(root.get("metadata"), "metadata")
    namespace = reader.text(found.get("namespace"), "metadata.namespace")
    return Meta(
        reader.object_name(),
        (namespace or reader.options.namespace) if namespaced else None,
        reader.strings(found.get("labels"), "metadata.labels"),
        reader.span(root),
        reader.text(found.get("creationTimestamp"), "metadata.creationTimestamp"),
    )


def _policy(
    type_: type[model.CiliumNetworkPolicy] | type[model.CiliumClusterwideNetworkPolicy],
) -> Callable[[Reader, Meta], model.CiliumObject]:
    def read(reader: Reader, meta: Meta) -> model.CiliumObject:
        root = reader.document.root
        written: list[tuple[Node, str]] = []
        spec = root.get("spec")
        if spec is not None and spec.value is not None:
            written.append((spec, "spec"))
        written += reader.items(root.get("specs"), "specs", lambda item, at: (item, at)) or ()
        rules = [read_rule(reader, node, path, i) for i, (node, path) in enumerate(written, 1)]
        return type_(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels,
            span=meta.span,
            created=meta.created,
            rules=tuple(rules),
        )

    return read


def _group(reader: Reader, meta: Meta) -> model.CiliumObject:
    node = reader.document.root.get("spec", "externalCIDRs")
    cidrs = _blocks(reader, node, "spec.externalCIDRs")
    return model.CiliumCIDRGroup(name=meta.name, labels=meta.labels, span=meta.span, cidrs=cidrs)


def _blocks(reader: Reader, node: Node | None, path: str) -> tuple[str, ...]:
    found = reader.texts(node, path) or ()
    for i, text in enumerate(found):
        read_block(reader, node.get(i) if node else None, f"{path}[{i}]", text)
    return found


def _endpoint(reader: Reader, meta: Meta) -> model.CiliumObject:
    status = reader.mapping(reader.document.root.get("status"), "status")
    identity = reader.mapping(status.get("identity"), "status.identity")
    networking = reader.mapping(status.get("networking"), "status.networking")
    path = "status.networking.addressing"
    pairs = reader.items(networking.get("addressing"), path, reader.strings) or ()
    ports = reader.items(
        status.get("named-ports"),
        "status.named-ports",
        lambda item, at: _named_port(reader, item, at),
    )
    state = reader.text(status.get("state"), "status.state")
    return model.CiliumEndpoint(
        name=meta.name,
        namespace=meta.namespace,
        labels=meta.labels,
        span=meta.span,
        identity=reader.whole(identity.get("id"), "status.identity.id"),
        identity_labels=reader.texts(identity.get("labels"), "status.identity.labels"),
        addresses=tuple(
            pair[family] for pair in pairs for family in ("ipv4", "ipv6") if pair.get(family)
        ),
        named_ports=ports or (),
        ready=None if state is None else state == "ready",
    )


def _named_port(reader: Reader, node: Node, path: str) -> tuple[str, str, int]:
    found = reader.mapping(node, path)
    name = reader.text(found.get("name"), f"{path}.name")
    protocol = reader.text(found.get("protocol"), f"{path}.protocol")
    number = reader.whole(found.get("port"), f"{path}.port")
    return name or "", (protocol or "TCP").upper(), number or 0


def _identity(reader: Reader, meta: Meta) -> model.CiliumObject:
    labels = reader.strings(reader.document.root.get("security-labels"), "security-labels")
    return model.CiliumIdentity(
        name=meta.name, labels=meta.labels, span=meta.span, security_labels=labels
    )


def _redirect(reader: Reader, meta: Meta) -> model.CiliumObject:
    spec = reader.mapping(reader.document.root.get("spec"), "spec")
    path = "spec.redirectFrontend"
    front = reader.mapping(spec.get("redirectFrontend"), path)
    address = reader.mapping(front.get("addressMatcher"), f"{path}.addressMatcher")
    service = reader.mapping(front.get("serviceMatcher"), f"{path}.serviceMatcher")
    ports = address.get("toPorts") or service.get("toPorts")
    back = reader.mapping(spec.get("redirectBackend"), "spec.redirectBackend")
    where = "spec.redirectBackend.localEndpointSelector"
    namespace = reader.text(service.get("namespace"), f"{path}.serviceMatcher.namespace")
    return model.CiliumLocalRedirectPolicy(
        name=meta.name,
        namespace=meta.namespace,
        labels=meta.labels,
        span=meta.span,
        address=reader.text(address.get("ip"), f"{path}.addressMatcher.ip"),
        service=reader.text(service.get("serviceName"), f"{path}.serviceMatcher.serviceName"),
        service_namespace=namespace or meta.namespace,
        frontends=_redirect_ports(reader, ports, f"{path}.toPorts"),
        backends=read_selector(reader, back.get("localEndpointSelector"), where),
        ports=_redirect_ports(reader, back.get("toPorts"), "spec.redirectBackend.toPorts"),
        frontend_names=_port_names(reader, ports, f"{path}.toPorts"),
        port_names=_port_names(reader, back.get("toPorts"), "spec.redirectBackend.toPorts"),
    )


def _port_names(reader: Reader, node: Node | None, path: str) -> tuple[str, ...]:
    def named(item: Node, at: str) -> str:
        return reader.text(reader.mapping(item, at).get("name"), f"{at}.name") or ""

    return reader.items(node, path, named) or ()


def _redirect_ports(reader: Reader, node: Node | None, path: str) -> tuple[tuple[str, int], ...]:
    return reader.items(node, path, lambda item, at: _redirect_port(reader, item, at)) or ()


def _redirect_port(reader: Reader, node: Node, path: str) -> tuple[str, int]:
    found = reader.mapping(node, path)
    text = reader.text(found.get("port"), f"{path}.port")
    port = parse_port(text or "") or ""
    if not port.isdigit() or port == "0":
        help_ = "write a number from 1 to 65535 in quotes"
        reader.refuse("CIL013", node, f"`{path}` has no number of a port", help_, source=CRD)
    protocol = reader.word("CIL014", found.get("protocol"), f"{path}.protocol", ("TCP", "UDP"))
    return protocol or "TCP", int(port) if port.isdigit() else 0


def _gateway(reader: Reader, meta: Meta) -> model.CiliumObject:
    spec = reader.mapping(reader.document.root.get("spec"), "spec")
    chosen = reader.items(
        spec.get("selectors"), "spec.selectors", lambda item, at: _subject(reader, item, at)
    )
    to, but = "destinationCIDRs", "excludedCIDRs"
    return model.CiliumEgressGatewayPolicy(
        name=meta.name,
        labels=meta.labels,
        span=meta.span,
        selectors=chosen or (),
        destinations=_blocks(reader, spec.get(to), f"spec.{to}"),
        excluded=_blocks(reader, spec.get(but), f"spec.{but}"),
    )


def _subject(reader: Reader, node: Node, path: str) -> model.Selector:
    """Return a selector of pods and their namespaces as one of the labels of identities."""
    found = reader.mapping(node, path)
    pods = read_selector(reader, found.get("podSelector"), f"{path}.podSelector")
    spaces = read_selector(
        reader, found.get("namespaceSelector"), f"{path}.namespaceSelector", plain=True
    )
    of_spaces = [
        replace(each, source="k8s", key=f"{NAMESPACE_LABELS}{each.key}")
        for each in (spaces.requirements if spaces else ())
    ]
    return model.Selector((*(pods.requirements if pods else ()), *of_spaces), reader.span(node))


_READERS: Mapping[
    str, tuple[Callable[[Reader, Meta], model.CiliumObject], type[model.CiliumObject]]
] = MappingProxyType(
    {
        "CiliumNetworkPolicy": (_policy(model.CiliumNetworkPolicy), model.CiliumNetworkPolicy),
        "CiliumClusterwideNetworkPolicy": (
            _policy(model.CiliumClusterwideNetworkPolicy),
            model.CiliumClusterwideNetworkPolicy,
        ),
        "CiliumCIDRGroup": (_group, model.CiliumCIDRGroup),
        "CiliumEndpoint": (_endpoint, model.CiliumEndpoint),
        "CiliumIdentity": (_identity, model.CiliumIdentity),
        "CiliumLocalRedirectPolicy": (_redirect, model.CiliumLocalRedirectPolicy),
        "CiliumEgressGatewayPolicy": (_gateway, model.CiliumEgressGatewayPolicy),
    }
)
