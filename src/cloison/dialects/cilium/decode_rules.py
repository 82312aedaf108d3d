"""Elements of rules: peers, ports, ICMP; from nodes to the model."""

from collections.abc import Mapping

from cloison.dialects.cilium.decode_names import read_fqdns
from cloison.dialects.cilium.decode_ports import read_port_rule
from cloison.dialects.cilium.decode_selectors import read_selector, selectors
from cloison.dialects.cilium.model import Entity, Rule
from cloison.dialects.cilium.model_rules import CidrRule, Element, Icmp, ServiceRef
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.say import API, CRD
from cloison.dialects.cilium.values import ICMP_TYPES, parse_address, parse_block
from cloison.resources.documents import Node
from cloison.resources.names import shown

MODES = ("disabled", "required", "test-always-fail")
LISTS = ("ingress", "egress", "ingressDeny", "egressDeny")
"""The lists of a rule, as they are written."""
MAX_LOG = 32
MAX_ITEMS = 40
"""Ports, or ICMP types, of one list."""
_FAMILIES = ("IPv4", "IPv6")
_MAX_ICMP = 255

Spec = Mapping[str, Node]


def read_rule(reader: Reader, node: Node, path: str, index: int) -> Rule:
    """Return a rule: a `spec` or one of `specs`; what is wrong with it is noted."""
    found = reader.mapping(node, path)
    defaults = reader.mapping(found.get("enableDefaultDeny"), f"{path}.enableDefaultDeny")
    log = reader.mapping(found.get("log"), f"{path}.log")
    lists = {each: _elements(reader, found.get(each), f"{path}.{each}", each) for each in LISTS}
    chosen = found.get("endpointSelector") or found.get("nodeSelector")
    return Rule(
        endpoints=read_selector(reader, found.get("endpointSelector"), f"{path}.endpointSelector"),
        nodes=read_selector(reader, found.get("nodeSelector"), f"{path}.nodeSelector"),
        ingress=lists["ingress"],
        egress=lists["egress"],
        ingress_deny=lists["ingressDeny"],
        egress_deny=lists["egressDeny"],
        default_ingress=reader.flag(defaults.get("ingress"), f"{path}.enableDefaultDeny.ingress"),
        default_egress=reader.flag(defaults.get("egress"), f"{path}.enableDefaultDeny.egress"),
        description=reader.text(found.get("description"), f"{path}.description") or "",
        log=_log(reader, log.get("value"), f"{path}.log.value"),
        index=index,
        span=reader.span(node),
        endpoints_span=reader.key_span(chosen),
    )


def _log(reader: Reader, node: Node | None, path: str) -> str | None:
    text = reader.text(node, path)
    if text is not None and (len(text) > MAX_LOG or not text.isprintable()):
        message = f"`{path}` is `{shown(text)}`"
        help_ = f"write at most {MAX_LOG} characters that print"
        reader.refuse("CIL021", node, message, help_, source=CRD)
    return text


def _elements(
    reader: Reader, node: Node | None, path: str, name: str
) -> tuple[Element, ...] | None:
    items = reader.items(node, path, lambda item, _: item)
    if items is None:
        return None
    side = "from" if name.startswith("ingress") else "to"
    denies = name.endswith("Deny")
    return tuple(
        _element(reader, item, f"{path}[{i}]", i, side=side, denies=denies)
        for i, item in enumerate(items)
    )


def _element(
    reader: Reader, node: Node, path: str, place: int, *, side: str, denies: bool
) -> Element:
    """Return an element; what the schema does not have there is dropped, as the server does."""
    found = reader.mapping(node, path)

    def at(name: str) -> tuple[Node | None, str]:
        return found.get(f"{side}{name}"), f"{path}.{side}{name}"

    def only(name: str, *, there: bool) -> tuple[Node | None, str]:
        where, path = at(name)
        return (where if there else None), path

    out = side == "to"
    return Element(
        endpoints=selectors(reader, *at("Endpoints")),
        cidrs=_cidrs(reader, *at("CIDR")),
        cidr_sets=reader.items(*at("CIDRSet"), lambda item, at: _cidr_set(reader, item, at)),
        entities=_entities(reader, *at("Entities")),
        nodes=selectors(reader, *at("Nodes")),
        groups=reader.count(*at("Groups")),
        requires=reader.count(*at("Requires")),
        services=reader.items(
            *only("Services", there=out), lambda item, at: _service(reader, item, at)
        ),
        fqdns=read_fqdns(reader, *only("FQDNs", there=out and not denies)),
        ports=reader.items(
            found.get("toPorts"),
            f"{path}.toPorts",
            lambda item, at: read_port_rule(reader, item, at, denies=denies),
        ),
        icmps=_icmps(reader, found.get("icmps"), f"{path}.icmps"),
        authentication=None if denies else _mode(reader, found.get("authentication"), path),
        index=place + 1,
        span=reader.span(node),
    )


def _mode(reader: Reader, node: Node | None, path: str) -> str | None:
    path = f"{path}.authentication"
    found = reader.mapping(node, path)
    mode = reader.word("CIL019", found.get("mode"), f"{path}.mode", MODES)
    if node is not None and node.value is not None and "mode" not in found:
        help_ = f"write `mode`, one of {', '.join(MODES)}"
        reader.refuse("CIL019", node, f"`{path}` has no mode", help_, source=CRD)
    return mode


def _cidrs(reader: Reader, node: Node | None, path: str) -> tuple[str, ...] | None:
    found = reader.texts(node, path)
    for i, text in enumerate(found or ()):
        read_block(reader, node.get(i) if node else None, f"{path}[{i}]", text)
    return found


def read_block(reader: Reader, node: Node | None, path: str, text: str) -> None:
    """Note a block of addresses that is none.

    The agent takes bare addresses where the schema, which is asked first, does not.
    """
    if parse_block(text) is not None:
        return
    address = parse_address(text)
    help_ = f"write `{address}`" if address else "write it as `10.0.0.0/24`"
    message = f"`{path}` is `{shown(text)}`, which is no block of addresses"
    reader.refuse("CIL012", node, message, help_, source=CRD)


def _cidr_set(reader: Reader, node: Node, path: str) -> CidrRule:
    found = reader.mapping(node, path)
    cidr = reader.text(found.get("cidr"), f"{path}.cidr")
    if cidr is not None:
        read_block(reader, found.get("cidr"), f"{path}.cidr", cidr)
    groups = found.get("cidrGroupSelector")
    return CidrRule(
        cidr=cidr,
        group=reader.text(found.get("cidrGroupRef"), f"{path}.cidrGroupRef"),
        groups=read_selector(reader, groups, f"{path}.cidrGroupSelector", plain=True),
        holes=_cidrs(reader, found.get("except"), f"{path}.except") or (),
        span=reader.span(node),
    )


def _entities(reader: Reader, node: Node | None, path: str) -> tuple[str, ...] | None:
    known = tuple(str(each) for each in Entity)
    found = reader.texts(node, path)
    for i, text in enumerate(found or ()):
        if text in known:
            continue
        hint = f"write one of {', '.join(known)}"
        if text in ("world-ipv4", "world-ipv6"):
            hint = "write `world`, or a block of all addresses of one family"
        message = f"`{path}[{i}]` is `{shown(text)}`, which is no entity"
        reader.refuse("CIL011", node.get(i) if node else None, message, hint, source=CRD)
    return found


def _service(reader: Reader, node: Node, path: str) -> ServiceRef:
    found = reader.mapping(node, path)
    named = reader.mapping(found.get("k8sService"), f"{path}.k8sService")
    chosen_node = found.get("k8sServiceSelector")
    chosen = reader.mapping(chosen_node, f"{path}.k8sServiceSelector")
    space = "namespace"
    where = f"{path}.k8sServiceSelector"
    selector = read_selector(reader, chosen.get("selector"), f"{where}.selector", plain=True)
    if chosen_node is not None and chosen_node.value is not None and selector is None:
        reader.refuse("CIL022", chosen_node, f"`{where}` has no `selector`", "add it", source=CRD)
    namespace = reader.text(named.get(space), f"{path}.k8sService.{space}")
    of_selected = reader.text(chosen.get(space), f"{where}.{space}")
    return ServiceRef(
        name=reader.text(named.get("serviceName"), f"{path}.k8sService.serviceName"),
        selector=selector,
        # Where both are written only the selector counts, with the namespace beside it.
        namespace=namespace if selector is None else of_selected,
        span=reader.span(node),
    )


def _icmps(reader: Reader, node: Node | None, path: str) -> tuple[Icmp, ...] | None:
    found = reader.items(node, path, lambda item, at: _icmp_fields(reader, item, at))
    # Go tells no list from an empty one here; a list of items without types matches nothing.
    return tuple(each for fields in found for each in fields) if found else None


def _icmp_fields(reader: Reader, node: Node, path: str) -> tuple[Icmp, ...]:
    fields = reader.mapping(node, path).get("fields")
    path = f"{path}.fields"
    found = reader.items(fields, path, lambda item, at: _icmp(reader, item, at)) or ()
    if len(found) > MAX_ITEMS:
        message = f"`{path}` has {len(found)} types, and at most {MAX_ITEMS} are accepted"
        reader.refuse("CIL107", fields, message, "spread them over several items", source=CRD)
    return found


def _icmp(reader: Reader, node: Node, path: str) -> Icmp:
    found = reader.mapping(node, path)
    family = reader.word("CIL015", found.get("family"), f"{path}.family", _FAMILIES) or "IPv4"
    number = 6 if family == "IPv6" else 4
    written = found.get("type")
    value = written.value if written is not None else None
    type_: int | None = None
    if isinstance(value, str):
        type_ = ICMP_TYPES[number].get(value)
        if type_ is None and value.isascii() and value.isdigit() and len(value) <= len("255"):
            type_ = int(value) if str(int(value)) == value else None
    elif value is not None:
        type_ = reader.whole(written, f"{path}.type")
    if type_ is None or not 0 <= type_ <= _MAX_ICMP:
        said = f"`{path}.type` is `{shown(str(value))}`" if written else f"`{path}` has no type"
        reader.refuse(
            "CIL015",
            written or node,
            f"{said}, which is no type of {family}" if written else said,
            f"write a number from 0 to {_MAX_ICMP}, or a name such as `EchoRequest`",
            source=f"{API}/icmp.go",
        )
    return Icmp(type_ or 0, number, reader.span(node))
