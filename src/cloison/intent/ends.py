"""Reading ends, selectors and ports of a contract."""

import re
from typing import Final

from cloison.algebra import PORT_PROTOCOLS, AddressSet, LabelSelector, Operator, Requirement
from cloison.intent import faults
from cloison.intent.fields import Fields
from cloison.intent.model import ContractEnd, EndForm, PodSet, Port
from cloison.ir.names import host_name, is_host_name
from cloison.resources.documents import Node
from cloison.resources.names import (
    NameRule,
    is_label_key,
    is_label_value,
    is_name,
    is_port_name,
)

PODS_FIELDS: Final = ("namespace", "namespaceSelector", "selector")
PORT_FIELDS: Final = ("port", "endPort", "protocol")
SELECTOR_FIELDS: Final = ("matchLabels", "matchExpressions")
PROTOCOLS: Final = ("TCP", "UDP", "SCTP", "ICMP", "ICMPv6")

_HELP = (
    "write NAMESPACE/NAME, any:, any:NAMESPACE, zone:NAME, external:NAME, svc:NAMESPACE/NAME, "
    "gw:NAMESPACE/NAME, node:NAME, dns:NAME, an address or block, or a mapping with `namespace` "
    "and `selector`"
)
_PORT_HELP = "write 8080, 53/UDP, 9000-9100, http or icmp"
_PREFIX = re.compile(r"([a-z]+):(.*)")
_PREFIXED = {form.value: form for form in EndForm if form not in (EndForm.NAME, EndForm.ADDRESS)}
_MANY = (EndForm.ANY, EndForm.ZONE, EndForm.EXTERNAL, EndForm.PODS)
_OPERATORS = tuple(str(each) for each in Operator if not each.textual)
_MAX_PORT = 65535
_BYTE = 255
_PARTS = (2, 3)


def end(fields: Fields, name: str) -> ContractEnd | None:
    """Return the one end of a field, None where it is missing or wrong."""
    node = fields.held.get(name)
    if node is None:
        fields.missing(name, f"write who, as in {name}: web/portal")
        return None
    return read_end(fields, node)


def ends(fields: Fields, name: str) -> tuple[ContractEnd, ...]:
    """Return the ends of a field: one, or a list."""
    return fields.items(name, lambda node: read_end(fields, node))


def read_end(fields: Fields, node: Node) -> ContractEnd | None:
    """Return an end as written."""
    if isinstance(node.value, dict):
        pods = pod_set(fields, node)
        span = node.span(fields.file)
        return None if pods is None else ContractEnd(EndForm.PODS, str(pods), "", pods, span)
    text = fields.string(node, "an end")
    if text is None:
        return None
    found = parse_end(text)
    if isinstance(found, str):
        fields.note(faults.NOT_AN_END, node, found, _HELP)
        return None
    form, rest = found
    if form is EndForm.ADDRESS:
        fields.beyond(rest, node)
    return ContractEnd(form, text, rest, None, node.span(fields.file))


def parse_end(text: str) -> tuple[EndForm, str] | str:
    """Return how an end is written and its text without the prefix, or what is wrong with it.

    >>> parse_end("any:web"), parse_end("web/portal"), parse_end("portal")
    ((<EndForm.ANY: 'any'>, 'web'), (<EndForm.NAME: 'name'>, 'web/portal'),
    "'portal' does not say its namespace")
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        AddressSet.block(bare) if "/" in bare else AddressSet.address(bare)
    except ValueError:
        pass
    else:
        return EndForm.ADDRESS, bare
    prefixed = _PREFIX.fullmatch(text)
    if prefixed is not None:
        return _prefixed(text, prefixed[1], prefixed[2])
    parts = text.split("/")
    if ":" in text:
        return f"{text!r} is no end; ports have a field of their own"
    if len(parts) not in _PARTS or not all(parts) or re.fullmatch(r"[0-9./]+", text):
        if len(parts) == 1 and is_name(text, NameRule.SUBDOMAIN):
            return f"{text!r} does not say its namespace"
        return f"{text!r} is neither a name nor an address"
    return EndForm.NAME, text


def _prefixed(text: str, prefix: str, rest: str) -> tuple[EndForm, str] | str:
    form = _PREFIXED.get(prefix)
    if form is None or form is EndForm.PODS:
        return f"{text!r} begins with {prefix}:, which begins no end"
    if form is EndForm.ANY:
        good = not rest or is_name(rest, NameRule.LABEL)
    elif form in (EndForm.SERVICE, EndForm.GATEWAY):
        parts = rest.split("/")
        good = len(parts) in _PARTS and all(parts) and ":" not in rest
    elif form is EndForm.HOST:
        name = host_name(rest)
        good = is_host_name(name) or ("*" in name and ":" not in name and "/" not in name)
    else:
        good = is_name(rest, NameRule.SUBDOMAIN)
    return (form, rest) if good else f"{text!r} names nothing after {prefix}:"


def pod_set(fields: Fields, node: Node) -> PodSet | None:
    """Return pods by labels."""
    inner = Fields(fields.file, node, "an end by labels", PODS_FIELDS)
    namespace = inner.checked("namespace", _is_label, "a namespace's name")
    spaces = selector(inner, "namespaceSelector")
    pods = selector(inner, "selector")
    if not inner.found:
        if namespace is None and spaces is None:
            inner.missing("namespace", "write namespace: web, or a namespaceSelector")
        elif namespace is not None and spaces is not None:
            message = "an end by labels has both `namespace` and `namespaceSelector`"
            inner.note(faults.NOT_AN_END, node, message, "write one of the two")
    fields.found += inner.found
    if inner.found:
        return None
    return PodSet(namespace, spaces or LabelSelector(), pods or LabelSelector())


def selector(fields: Fields, name: str) -> LabelSelector | None:
    """Return a selector: as Kubernetes writes it, or as a mapping of labels alone."""
    node = fields.held.get(name)
    if node is None:
        return None
    if not isinstance(node.value, dict):
        fields.wrong(node, f"`{name}`", "a mapping of labels")
        return None
    if not node.value.keys() & {*SELECTOR_FIELDS}:
        return LabelSelector.of(_labels(fields, node))
    inner = Fields(fields.file, node, f"`{name}`", SELECTOR_FIELDS, fields.found)
    labels = inner.held.get("matchLabels")
    found = _labels(fields, labels) if labels is not None else {}
    return LabelSelector.of(
        found, inner.items("matchExpressions", lambda item: _requirement(fields, item))
    )


def _labels(fields: Fields, node: Node) -> dict[str, str]:
    if not isinstance(node.value, dict):
        fields.wrong(node, "`matchLabels`", "a mapping of labels")
        return {}
    found: dict[str, str] = {}
    for key, value in node.value.items():
        if not is_label_key(key):
            fields.note(
                faults.NOT_A_NAME, value.key_span(fields.file), f"{key!r} is no label's key"
            )
        elif not isinstance(value.value, str):
            fields.wrong(value, f"the label `{key}`", "text")
        elif not is_label_value(value.value):
            fields.note(faults.NOT_A_NAME, value, f"{value.value!r} is no label's value")
        else:
            found[key] = value.value
    return found


def _requirement(fields: Fields, node: Node) -> Requirement | None:
    before = len(fields.found)
    inner = Fields(fields.file, node, "a requirement", ("key", "operator", "values"), fields.found)
    key = inner.checked("key", is_label_key, "a label's key")
    operator = inner.choice("operator", _OPERATORS)
    values = inner.texts("values")
    if len(fields.found) > before:
        return None
    if key is None or operator is None:
        inner.missing("key" if key is None else "operator", "write key, operator and values")
        return None
    wanted = Operator(operator) in (Operator.IN, Operator.NOT_IN)
    if wanted != bool(values):
        message = f"{operator} {'needs' if wanted else 'takes no'} `values`"
        fields.note(faults.MISSING if wanted else faults.UNKNOWN_FIELD, node, message)
        return None
    return Requirement(key, Operator(operator), values)


def ports(fields: Fields, name: str) -> tuple[Port, ...]:
    """Return the ports of a field: one, or a list, each once."""
    return tuple(dict.fromkeys(fields.items(name, lambda node: read_port(fields, node))))


def read_port(fields: Fields, node: Node) -> Port | None:
    """Return a port as written: a number, a text, or a mapping."""
    span = node.span(fields.file)
    if isinstance(node.value, dict):
        return _mapped(fields, node)
    value = node.value
    text = str(value) if type(value) is int else value
    if isinstance(value, float):
        # Numbers of many digits are read as these, too.
        _not_whole(fields, node)
        return None
    if not isinstance(text, str):
        fields.wrong(node, "a port", "a number or text")
        return None
    found = parse_port(text)
    if isinstance(found, str):
        fields.note(faults.NOT_A_PORT, node, found, _PORT_HELP)
        return None
    return Port(found.protocol, found.first, found.last, found.name, span)


def _not_whole(fields: Fields, node: Node) -> None:
    message = f"{node.value} is no port: one is a whole number from 1 to {_MAX_PORT}"
    fields.note(faults.NOT_A_PORT, node, message, _PORT_HELP)


def _mapped(fields: Fields, node: Node) -> Port | None:
    inner = Fields(fields.file, node, "a port", PORT_FIELDS)
    protocol = inner.choice("protocol", PROTOCOLS) or "TCP"
    number, last = (
        str(held.value) if (held := inner.held.get(key)) is not None else None
        for key in ("port", "endPort")
    )
    text = protocol if number is None else number
    if protocol.startswith("ICMP"):
        if number is not None:
            inner.note(faults.NOT_A_PORT, node, f"{protocol} has no ports", "write icmp/8/0")
    elif last is not None and number is None:
        inner.missing("port", "write where the range begins")
    elif number is not None:
        text = f"{number}{'' if last is None else f'-{last}'}/{protocol}"
    found = parse_port(text) if not inner.found else text
    if isinstance(found, str) and not inner.found:
        inner.note(faults.NOT_A_PORT, node, found, _PORT_HELP)
    fields.found += inner.found
    if inner.found or isinstance(found, str):
        return None
    return Port(found.protocol, found.first, found.last, found.name, inner.span)


def parse_port(text: str) -> Port | str:
    """Return a port, or what is wrong with its text.

    >>> parse_port("53/UDP"), parse_port("http").text, parse_port("icmp/8").text
    (Port(protocol='UDP', first=53, last=53, name=None, span=None), 'http', 'icmp/8')
    >>> parse_port("0")
    'port 0 is not between 1 and 65535'
    """
    icmp = re.fullmatch(r"icmp(v6)?(?:/([0-9]{1,3})(?:/([0-9]{1,3}))?)?", text.lower())
    if icmp is not None:
        type_, code = (None if n is None else int(n) for n in icmp.groups()[1:])
        if max(type_ or 0, code or 0) > _BYTE:
            return f"{text!r} is not an ICMP type and code"
        return Port("ICMPv6" if icmp[1] else "ICMP", type_, code)
    number, slash, said = text.partition("/")
    if not slash and text.upper() in PORT_PROTOCOLS:
        return Port(text.upper())
    protocol = said.upper() if slash else "TCP"
    if protocol not in PORT_PROTOCOLS:
        return f"{text!r} ends in {said!r}, which is not TCP, UDP or SCTP"
    if is_port_name(number):
        return Port(protocol, name=number)
    return _numbered(text, number, protocol)


def _numbered(text: str, number: str, protocol: str) -> Port | str:
    span = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", number)
    if span is None:
        return f"{text!r} is neither a port nor a port's name"
    first, last = int(span[1]), int(span[2] or span[1])
    wrong = next((n for n in (first, last) if not 1 <= n <= _MAX_PORT), None)
    if wrong is not None:
        return f"port {wrong} is not between 1 and {_MAX_PORT}"
    if first > last:
        return f"the range {number} ends before it begins"
    return Port(protocol, first, last)


def _is_label(text: str) -> bool:
    return is_name(text, NameRule.LABEL)
