"""Ports and what is asked of requests: from nodes to the model."""

from collections.abc import Iterator

from cloison.algebra.budget import UndecidedError
from cloison.algebra.regex import PatternError, parse
from cloison.dialects.cilium.decode_names import read_fqdns
from cloison.dialects.cilium.model_rules import HeaderMatch, HttpRule, L7Rules, Port, PortRule
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.say import API, CRD
from cloison.dialects.cilium.values import PORTLESS, PROTOCOLS, is_dns_pattern, parse_port
from cloison.resources.documents import Node
from cloison.resources.names import MAX_PORT, shown

MISMATCHES = ("LOG", "ADD", "DELETE", "REPLACE")
KINDS = ("http", "dns", "kafka", "l7proto")
"""What a request may be asked, one of which `rules` says."""
_HTTP = f"{API}/http.go"


def read_port_rule(reader: Reader, node: Node, path: str, *, denies: bool) -> PortRule:
    """Return an element of `toPorts`; what is wrong with it is noted.

    Args:
        reader: Where it is noted.
        node: The element.
        path: Its path.
        denies: Whether its rule denies: it has ports then, and nothing else.
    """
    found = reader.mapping(node, path)
    ports = reader.items(
        found.get("ports"), f"{path}.ports", lambda item, at: _port(reader, item, at)
    )
    if denies:
        return PortRule(ports, span=reader.span(node))
    return PortRule(
        ports=ports,
        rules=_rules(reader, found.get("rules"), f"{path}.rules"),
        server_names=_server_names(reader, found.get("serverNames"), f"{path}.serverNames"),
        terminates=_tls(reader, found.get("terminatingTLS"), f"{path}.terminatingTLS"),
        originates=_tls(reader, found.get("originatingTLS"), f"{path}.originatingTLS"),
        listener=_listener(reader, found.get("listener"), f"{path}.listener"),
        span=reader.span(node),
    )


def _port(reader: Reader, node: Node, path: str) -> Port:
    found = reader.mapping(node, path)
    hint = None
    written = found.get("protocol")
    if written is not None and isinstance(written.value, str):
        upper = written.value.upper()
        if upper in PROTOCOLS:
            hint = f"write `{upper}`"
        elif upper.startswith("ICMP"):
            hint = "write `icmps` beside `toPorts`, in an element of its own"
    protocol = reader.word("CIL014", written, f"{path}.protocol", PROTOCOLS, hint=hint) or "ANY"
    text = reader.text(found.get("port"), f"{path}.port")
    end = reader.whole(found.get("endPort"), f"{path}.endPort")
    if end is not None and not 0 <= end <= MAX_PORT:
        message = f"`{path}.endPort` is {end}"
        help_ = f"write a number from 0 to {MAX_PORT}"
        reader.refuse("CIL013", found["endPort"], message, help_, source=CRD)
    port = ""
    if text is not None:
        port = parse_port(text) or ""
        if not port:
            reader.refuse(
                "CIL013",
                found["port"],
                f"`{path}.port` is `{shown(text)}`, which is no port",
                "write a number from 0 to 65535 in quotes, or a name of at most 15 characters; "
                "a range is `port` and `endPort`",
            )
        elif protocol in PORTLESS and port != "0":
            message = f"`{path}.port` is `{port}`, and {protocol} has no ports"
            reader.refuse("CIL013", found["port"], message, "leave it out, or write `0`")
    elif protocol not in PORTLESS:
        help_ = "write `port`; `0` is every port"
        reader.refuse("CIL013", node, f"`{path}` has no port", help_)
    return Port(port, protocol, end, reader.span(node))


def _server_names(reader: Reader, node: Node | None, path: str) -> tuple[str, ...] | None:
    found = reader.texts(node, path)
    if found is None:
        return None
    if not found or len(set(found)) < len(found):
        message = f"`{path}` is empty" if not found else f"`{path}` repeats a name"
        help_ = "name at least one" if not found else "name each once"
        reader.refuse("CIL020", node, message, help_, source=CRD)
    for i, text in enumerate(found):
        if not is_dns_pattern(text):
            message = f"`{path}[{i}]` is `{shown(text)}`, which no name of a server can be"
            help_ = "write a name such as `api.example.com`, or a pattern such as `*.example.com`"
            reader.refuse("CIL020", node.get(i) if node else None, message, help_, source=CRD)
    return found


def _tls(reader: Reader, node: Node | None, path: str) -> bool:
    if node is None or node.value is None:
        return False
    found = reader.mapping(node, path)
    secret = reader.mapping(found.get("secret"), f"{path}.secret")
    if not secret.get("name"):
        help_ = "name it in `secret: {name: ..., namespace: ...}`"
        reader.refuse("CIL023", node, f"`{path}` names no Secret", help_, source=CRD)
    return True


def _listener(reader: Reader, node: Node | None, path: str) -> str | None:
    if node is None or node.value is None:
        return None
    found = reader.mapping(node, path)
    name = reader.text(found.get("name"), f"{path}.name")
    config = reader.mapping(found.get("envoyConfig"), f"{path}.envoyConfig")
    if name is None or reader.text(config.get("name"), f"{path}.envoyConfig.name") is None:
        help_ = "write `name` and `envoyConfig: {name: ...}`"
        reader.refuse("CIL023", node, f"`{path}` is not complete", help_, source=CRD)
    where = f"{path}.envoyConfig.kind"
    kind = reader.word("CIL023", config.get("kind"), where, _CONFIGS)
    if kind == _CONFIGS[0] and reader.wide:
        message = f"`{where}` is {kind}, which lives in a namespace, and the policy does not"
        help_ = f"write {_CONFIGS[1]}, or leave `kind` out"
        reader.refuse("CIL114", config["kind"], message, help_)
    priority = reader.whole(found.get("priority"), f"{path}.priority")
    if priority is not None and not 1 <= priority <= _MAX_PRIORITY:
        message = f"`{path}.priority` is {priority}"
        help_ = f"write a number from 1 to {_MAX_PRIORITY}"
        reader.refuse("CIL023", found["priority"], message, help_, source=CRD)
    return name or ""


_MAX_PRIORITY = 100
_CONFIGS = ("CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig")


def _rules(reader: Reader, node: Node | None, path: str) -> L7Rules | None:
    if node is None or node.value is None:
        return None
    found = reader.mapping(node, path)
    said = [kind for kind in KINDS if kind in found and found[kind].value is not None]
    proto = reader.text(found.get("l7proto"), f"{path}.l7proto")
    other = reader.count(found.get("l7"), f"{path}.l7")
    if other is not None and proto is None:
        message = f"`{path}` has `l7` and no `l7proto`"
        reader.refuse("CIL111", node, message, "add `l7proto`, the name of the parser")
    elif other and any("" in item for item in _maps(found["l7"])):
        message = f"`{path}.l7` has a key without a name"
        reader.refuse("CIL111", node, message, "name the key, or leave it out")
    elif len(said) != 1:
        several = ", ".join(f"`{kind}`" for kind in said)
        message = f"`{path}` has {several}" if said else f"`{path}` says nothing"
        help_ = (
            "write each in an element of its own"
            if said
            else "write one of `http` and `dns`, or leave `rules` out"
        )
        reader.refuse("CIL111", node, message, help_, source=CRD)
    return L7Rules(
        http=reader.items(
            found.get("http"), f"{path}.http", lambda item, at: _http(reader, item, at)
        ),
        dns=read_fqdns(reader, found.get("dns"), f"{path}.dns"),
        kafka=reader.count(found.get("kafka"), f"{path}.kafka"),
        proto=proto,
        other=other,
        span=reader.span(node),
    )


def _maps(node: Node) -> Iterator[dict[str, Node]]:
    """Yield the items of a list that are mappings."""
    if isinstance(node.value, list):
        yield from (item.value for item in node.value if isinstance(item.value, dict))


def _http(reader: Reader, node: Node, path: str) -> HttpRule:
    found = reader.mapping(node, path)
    for field in ("path", "method"):
        _compiles(reader, found.get(field), f"{path}.{field}")
    return HttpRule(
        path=reader.text(found.get("path"), f"{path}.path"),
        method=reader.text(found.get("method"), f"{path}.method"),
        host=reader.text(found.get("host"), f"{path}.host"),
        headers=reader.texts(found.get("headers"), f"{path}.headers") or (),
        header_matches=reader.items(
            found.get("headerMatches"),
            f"{path}.headerMatches",
            lambda item, at: _header(reader, item, at),
        )
        or (),
        span=reader.span(node),
    )


def _compiles(reader: Reader, node: Node | None, path: str) -> None:
    """Note a pattern that Go cannot compile; one that only we cannot read is no fault."""
    text = reader.text(node, path)
    if text is None:
        return
    try:
        parse(text)
    except PatternError as error:
        message = f"`{path}: {shown(text)}` is no regular expression: {error}"
        help_ = "correct it; the syntax is that of Go, matched against the whole text"
        reader.refuse("CIL017", node, message, help_, source=_HTTP)
    except UndecidedError:
        return


def _header(reader: Reader, node: Node, path: str) -> HeaderMatch:
    found = reader.mapping(node, path)
    name = reader.text(found.get("name"), f"{path}.name")
    if name is None:
        reader.refuse("CIL018", node, f"`{path}` names no header", "add `name`", source=_HTTP)
    secret: str | None = None
    written = found.get("secret")
    if written is not None and written.value is not None:
        parts = reader.mapping(written, f"{path}.secret")
        called = reader.text(parts.get("name"), f"{path}.secret.name")
        space = reader.text(parts.get("namespace"), f"{path}.secret.namespace")
        secret = f"{space or ''}/{called or ''}"
        if called is None:
            message = f"`{path}.secret` names no Secret"
            reader.refuse("CIL018", written, message, "add `name`", source=_HTTP)
    return HeaderMatch(
        name or "",
        reader.text(found.get("value"), f"{path}.value"),
        secret,
        reader.word("CIL018", found.get("mismatch"), f"{path}.mismatch", MISMATCHES),
        reader.span(node),
    )
