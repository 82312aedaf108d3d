"""Reading the entries of a contract, one function for each section."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cloison.algebra import AddressSet
from cloison.intent import faults
from cloison.intent.ends import end, ends, ports, selector
from cloison.intent.fields import Fields
from cloison.intent.model import (
    WORLD,
    Dependency,
    Exemption,
    External,
    Guardrail,
    HttpPart,
    LabelRule,
    Placement,
    Platform,
    Ranges,
    WorkloadClass,
    WorkloadMatch,
    Zone,
)
from cloison.ir.names import host_name, is_host_name
from cloison.resources.documents import Node
from cloison.resources.names import NameRule, is_label_key, is_label_value, is_name

PRIMITIVES: Final = ("asset", "direction", "identity", "bootstrap", "observability", "rollout")
"""Those of the ten primitives of an access path that a dependency answers in words.

The other four are its ends, its protocol and its port.
"""
DIRECTIONS: Final = ("egress", "ingress", "both")
CLASSES: Final = tuple(str(each) for each in WorkloadClass)

ZONE: Final = ("name", "to", "from")
WORKLOAD: Final = ("match", "zone", "class", "owner", "asset")
MATCH: Final = ("namespace", "name", "kind", "selector")
DEPENDENCY: Final = (
    "name",
    "from",
    "to",
    "ports",
    "http",
    "owner",
    "reason",
    "ticket",
    "expires",
    *PRIMITIVES,
)
HTTP: Final = ("method", "path", "host")
GUARDRAIL: Final = ("name", "deny", "only", "except", "reason", "owner")
FORBIDDEN: Final = ("from", "to", "ports")
EXTERNAL: Final = ("name", "cidrs", "names", "ranges", "zone", "owner", "reason", "review")
RANGES: Final = ("file", "keep")
LABEL: Final = ("key", "values", "owner", "changedBy", "required", "except")
PLATFORM: Final = ("id", "owner", "reason")
DEFAULTS: Final = PRIMITIVES

NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})


def _name(fields: Fields, known_as: str = "a name in small letters, as in web-to-api") -> str:
    found = fields.checked("name", _is_name, known_as)
    if found is None and "name" not in fields.held:
        fields.missing("name", "write name: and what reports call it")
    return found or ""


def zone(fields: Fields, _defaults: Mapping[str, str]) -> Zone:
    """Return a zone."""
    name = _name(fields)
    if name == WORLD:
        message = "`world` is what lies outside the cluster; it is no zone to declare"
        fields.note(faults.NOT_A_NAME, fields.span, message, "say from: [world], or to: [world]")
    places = fields.places("from") | fields.places("to")
    return Zone(name, fields.texts("to"), fields.texts("from"), fields.span, places)


def workload(fields: Fields, defaults: Mapping[str, str]) -> Placement:
    """Return what is said of some workloads."""
    inner = fields.child("match", "`match`", MATCH)
    if inner is None:
        fields.missing("match", "write match: {namespace: web, name: portal}")
        inner = Fields(fields.file, Node({}, 1, 1), "`match`", MATCH)
    elif "namespace" not in inner.held:
        inner.missing("namespace", "write the namespace of the workloads")
    namespace = inner.checked("namespace", _is_label, "a namespace's name") or ""
    name = inner.checked("name", _is_name, "a workload's name")
    kind, labels = inner.text("kind"), selector(inner, "selector")
    if name is not None and labels is not None:
        fields.note(faults.NOT_ONE_OF, inner.span, "`match` has both `name` and `selector`")
    if kind is not None and name is None:
        fields.note(faults.MISSING, inner.span, "`match` has a `kind` and no `name`")
    kind_of = fields.choice("class", CLASSES)
    return Placement(
        WorkloadMatch(namespace, name, kind, labels),
        fields.checked("zone", _is_name, "a zone's name"),
        None if kind_of is None else WorkloadClass(kind_of),
        fields.text("owner") or defaults.get("owner"),
        fields.text("asset"),
        fields.span,
        fields.place("zone"),
    )


def dependency(fields: Fields, defaults: Mapping[str, str]) -> Dependency | None:
    """Return a dependency; its name is made from its ends where it has none."""
    source, destination = end(fields, "from"), end(fields, "to")
    with_ports = ports(fields, "ports")
    inner = fields.child("http", "`http`", HTTP)
    http = None
    if inner is not None:
        http = HttpPart(*(inner.text(each) for each in HTTP))
    name = fields.checked("name", _is_name, "a name in small letters, as in web-to-api")
    said = {key: fields.text(key) for key in PRIMITIVES if key != "direction"}
    said["direction"] = fields.choice("direction", DIRECTIONS)
    kept = {key: value or defaults.get(key) for key, value in said.items()}
    expires = fields.day("expires")
    owner = fields.text("owner") or defaults.get("owner")
    reason, ticket = fields.text("reason"), fields.text("ticket")
    if source is None or destination is None:
        return None
    return Dependency(
        name or slug(source.text, destination.text, *(p.text for p in with_ports)),
        source,
        destination,
        with_ports,
        http,
        owner=owner,
        reason=reason,
        ticket=ticket,
        expires=expires,
        span=fields.span,
        **kept,
    )


def slug(source: str, destination: str, *more: str) -> str:
    """Return a name for a dependency that has none.

    >>> slug("web/portal", "api/server", "8080")
    'web-portal-to-api-server-8080'
    """
    parts = (source, "to", destination, *more)
    words = "-".join("".join(c if c.isalnum() else "-" for c in p.lower()) for p in parts)
    return "-".join(filter(None, words.split("-")))


def guardrail(fields: Fields, _defaults: Mapping[str, str]) -> Guardrail:
    """Return a guardrail."""
    name = _name(fields)
    deny = fields.child("deny", "`deny`", FORBIDDEN)
    only = fields.child("only", "`only`", FORBIDDEN)
    inner = deny if deny is not None else only
    if (deny is None) == (only is None):
        fields.note(
            faults.MISSING,
            fields.span,
            f"a guardrail says {'neither' if deny is None else 'both'} `deny` "
            f"{'nor' if deny is None else 'and'} `only`",
            "write deny: {from, to, ports} for who may not, or only: {from, to} for who alone may",
        )
    if inner is None:
        inner = Fields(fields.file, Node({}, 1, 1), "`deny`", FORBIDDEN)
    sources, destinations = ends(inner, "from"), ends(inner, "to")
    if only is not None and not (sources and destinations) and not fields.faulty:
        only.missing("to" if sources else "from", "`only` says who may, and whom: from and to")
    if deny is not None and not (sources or destinations) and not fields.faulty:
        deny.missing("to", "say whom it protects, or who may not")
    exempt = fields.items("except", lambda node: _exemption(fields, node))
    return Guardrail(
        name,
        only is not None,
        sources,
        destinations,
        ports(inner, "ports"),
        exempt,
        fields.text("reason"),
        fields.text("owner"),
        fields.span,
    )


def _exemption(fields: Fields, node: Node) -> Exemption | None:
    span = node.span(fields.file)
    if isinstance(node.value, dict) and node.value.keys() & {*FORBIDDEN}:
        inner = Fields(fields.file, node, "an exception", FORBIDDEN, fields.found)
        return Exemption(ends(inner, "from"), ends(inner, "to"), ports(inner, "ports"), span)
    held = Fields(fields.file, Node({"from": node}, node.line, node.column), "", ("from",))
    found = ends(held, "from")
    fields.found += held.found
    return Exemption(found, (), (), span) if found else None


def external(fields: Fields, defaults: Mapping[str, str]) -> External:
    """Return a service outside."""
    name = _name(fields)
    cidrs, hosts = fields.texts("cidrs"), fields.texts("names")
    for text in cidrs:
        try:
            AddressSet.block(text)
        except ValueError:
            node = fields.held["cidrs"]
            message = f"{text!r} is not an address or block"
            fields.note(faults.NOT_A_NAME, node, message, "write 203.0.113.0/24")
        fields.beyond(text, fields.held["cidrs"])
    for text in hosts:
        if not is_host_name(host_name(text).removeprefix("*.")):
            node = fields.held["names"]
            message = f"{text!r} is not a DNS name"
            fields.note(faults.NOT_A_NAME, node, message, "write api.example.com")
    ranges = None
    held = fields.held.get("ranges")
    if held is not None and isinstance(held.value, dict):
        inner = Fields(fields.file, held, "`ranges`", RANGES, fields.found)
        file = inner.text("file")
        keep = inner.child("keep", "`keep`", tuple(_keys(inner, "keep")))
        kept = sorted((k, v) for k in (keep.held if keep else ()) if keep and (v := keep.text(k)))
        if file is None and "file" not in inner.held:
            inner.missing("file", "write the path of the list that the provider publishes")
        ranges = Ranges(file or "", tuple(kept))
    elif held is not None:
        ranges = Ranges(fields.text("ranges") or "")
    if not (cidrs or hosts or ranges) and not fields.faulty:
        message = f"{fields.what} says none of `cidrs`, `names` and `ranges`"
        fields.note(faults.MISSING, fields.span, message, "say where it is by one of them")
    return External(
        name,
        cidrs,
        tuple(host_name(text) for text in hosts),
        ranges,
        fields.text("owner") or defaults.get("owner"),
        fields.text("reason"),
        fields.day("review"),
        fields.checked("zone", _is_name, "a zone's name"),
        fields.span,
        fields.place("zone"),
        fields.place("ranges"),
    )


def _keys(fields: Fields, name: str) -> tuple[str, ...]:
    node = fields.held.get(name)
    return tuple(node.value) if node is not None and isinstance(node.value, dict) else ()


def label(fields: Fields, defaults: Mapping[str, str]) -> LabelRule:
    """Return what a label of namespaces may be."""
    key = fields.checked("key", is_label_key, "a label's key")
    if key is None and "key" not in fields.held:
        fields.missing("key", "write the label's key")
    values = fields.texts("values")
    for text in values:
        if not is_label_value(text):
            fields.note(faults.NOT_A_NAME, fields.held["values"], f"{text!r} is no label's value")
    return LabelRule(
        key or "",
        values,
        fields.text("owner") or defaults.get("owner"),
        fields.texts("changedBy"),
        fields.flag("required"),
        fields.texts("except"),
        fields.span,
    )


def platform(fields: Fields, _defaults: Mapping[str, str]) -> Platform:
    """Return a component that everybody depends on."""
    name = fields.checked("id", _is_name, "a component's id")
    if name is None and "id" not in fields.held:
        fields.missing("id", "write dns, metrics or the id of a component")
    return Platform(name or "", fields.text("owner"), fields.text("reason"), fields.span)


def _is_name(text: str) -> bool:
    return is_name(text, NameRule.SUBDOMAIN)


def _is_label(text: str) -> bool:
    return is_name(text, NameRule.LABEL)
