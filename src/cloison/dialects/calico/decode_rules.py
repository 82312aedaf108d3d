"""Rules of policies and profiles: from nodes to the model."""

from cloison.dialects.calico.model import (
    EMPTY_ENTITY,
    Action,
    EntityRule,
    HttpMatch,
    HttpPath,
    Icmp,
    Port,
    Protocol,
    Rule,
    ServiceAccountMatch,
    ServiceMatch,
)
from cloison.dialects.calico.reader import Reader
from cloison.dialects.calico.say import FELIX, PROCESSORS, TYPES, VALIDATOR
from cloison.dialects.calico.values import (
    PROTOCOL_NAMES,
    parse_block,
    parse_port,
    parse_protocol,
)
from cloison.resources.documents import Node
from cloison.resources.names import shown

_BY_STORE = {
    "": Action.ALLOW,
    "allow": Action.ALLOW,
    "deny": Action.DENY,
    "log": Action.LOG,
    "next-tier": Action.PASS,
}
"""What Felix reads, of what the API does not.

Source: projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors/rules.go
(ruleActionAPIV2ToBackend) and typha/pkg/validator/v1/validator.go (backendAction).
"""


def read_rule(reader: Reader, node: Node, path: str) -> Rule:
    """Return a rule; what is wrong with it is noted in the reader."""
    found = reader.mapping(node, path)
    version = reader.whole(found.get("ipVersion"), f"{path}.ipVersion")
    if version not in (None, 4, 6):
        reader.refuse("CAL025", found["ipVersion"], f"`{path}.ipVersion` is {version}", "4 or 6")
    metadata = reader.mapping(found.get("metadata"), f"{path}.metadata")
    return Rule(
        action=_action(reader, found.get("action"), node, f"{path}.action"),
        protocol=_protocol(reader, found.get("protocol"), f"{path}.protocol"),
        not_protocol=_protocol(reader, found.get("notProtocol"), f"{path}.notProtocol"),
        ip_version=version if version in (4, 6) else None,
        icmp=_icmp(reader, found.get("icmp"), f"{path}.icmp"),
        not_icmp=_icmp(reader, found.get("notICMP"), f"{path}.notICMP"),
        source=_entity(reader, found.get("source"), f"{path}.source"),
        destination=_entity(reader, found.get("destination"), f"{path}.destination"),
        http=_http(reader, found.get("http"), f"{path}.http"),
        annotations=reader.strings(metadata.get("annotations"), f"{path}.metadata.annotations"),
        span=reader.span(node),
    )


def _action(reader: Reader, node: Node | None, rule: Node, path: str) -> Action:
    text = reader.text(node, path) or ""
    known = {str(action): action for action in Action}.get(text)
    if known is None and reader.stored:
        known = _BY_STORE.get(text.lower())
    if known is not None:
        return known
    message = f"`{path}` is `{shown(text)}`" if text else f"`{path}` is missing"
    reader.refuse("CAL020", node or rule, message, "write Allow, Deny, Log or Pass")
    return Action.DENY


def _protocol(reader: Reader, node: Node | None, path: str) -> Protocol | None:
    value = reader.scalar(node, path)
    if node is None or value is None:
        return None
    found = parse_protocol(value, any_case=reader.stored)
    if found is None:
        right = parse_protocol(value, any_case=True)
        reader.refuse(
            "CAL021",
            node,
            f"`{path}` is `{shown(str(value))}`, which is no protocol",
            f"write `{right}`" if right else f"write {', '.join(PROTOCOL_NAMES)} or 1-255",
        )
    return found


def _icmp(reader: Reader, node: Node | None, path: str) -> Icmp | None:
    if node is None or node.value is None:
        return None
    found = reader.mapping(node, path)
    parts = {}
    for key, last in (("type", 254), ("code", 255)):
        value = parts[key] = reader.whole(found.get(key), f"{path}.{key}")
        if value is not None and not 0 <= value <= last:
            message = f"`{path}.{key}` is {value}"
            reader.refuse("CAL024", found[key], message, f"write a number from 0 to {last}")
    if parts["code"] is not None and parts["type"] is None and not reader.stored:
        message = f"`{path}` has a code and no type"
        reader.refuse("CAL024", node, message, "write the `type` that the code belongs to")
    return Icmp(parts["type"], parts["code"], reader.span(node))


def _entity(reader: Reader, node: Node | None, path: str) -> EntityRule:
    found = reader.mapping(node, path)
    if not found:
        return EMPTY_ENTITY
    if found.get("domains") is not None and found["domains"].value is not None:
        reader.refuse(
            "CAL038",
            found["domains"],
            f"`{path}.domains` is a field of the commercial editions only",
            "name the addresses with `nets` or a network set",
            source=TYPES,
        )
    return EntityRule(
        nets=_nets(reader, found.get("nets"), f"{path}.nets"),
        not_nets=_nets(reader, found.get("notNets"), f"{path}.notNets", negative=True),
        selector=reader.selector(found.get("selector"), f"{path}.selector"),
        not_selector=reader.selector(found.get("notSelector"), f"{path}.notSelector"),
        namespace_selector=reader.selector(
            found.get("namespaceSelector"), f"{path}.namespaceSelector", namespaces=True
        ),
        ports=_ports(reader, found.get("ports"), f"{path}.ports"),
        not_ports=_ports(reader, found.get("notPorts"), f"{path}.notPorts"),
        services=_services(reader, found.get("services"), f"{path}.services"),
        service_accounts=_accounts(reader, found.get("serviceAccounts"), f"{path}.serviceAccounts"),
        span=reader.span(node),
    )


def _nets(
    reader: Reader, node: Node | None, path: str, *, negative: bool = False
) -> tuple[str, ...]:
    kept = []
    for i, item in enumerate(reader.items(node, path, lambda item, _: item) or ()):
        text = reader.text(item, f"{path}[{i}]") or ""
        block = parse_block(text)
        place = f"`{path}[{i}]` is `{shown(text)}`"
        if reader.stored:
            if block is None:
                reader.remark(
                    "CAL027",
                    item,
                    f"{place}, which is no block of addresses",
                    "write it as `10.0.0.0/24`",
                    effect="Felix leaves it out of the list; a list that loses every item demands "
                    "nothing",
                    source=f"{PROCESSORS}/rules.go",
                )
            else:
                kept.append(text)
            continue
        kept.append(text)
        if block is None or "/" not in text:
            reader.refuse(
                "CAL026",
                item,
                f"{place}, which is no block of addresses",
                f"write `{block.network}`" if block else "write it as `10.0.0.0/24`",
                source=VALIDATOR,
            )
        elif block.host_bits:
            reader.refuse(
                "CAL026",
                item,
                f"{place}, which sets bits beyond its prefix",
                f"write `{block.network}`",
            )
        elif negative and block.network.prefixlen == 0:
            reader.refuse("CAL026", item, f"{place}, which leaves nothing", "remove the rule")
    return reader.pool.share(tuple(kept))


def _ports(reader: Reader, node: Node | None, path: str) -> tuple[Port, ...]:
    found: list[Port] = []
    for i, item in enumerate(reader.items(node, path, lambda item, _: item) or ()):
        value = reader.scalar(item, f"{path}[{i}]")
        port = None if value is None else parse_port(value)
        if port is not None:
            found.append(port)
        else:
            reader.refuse(
                "CAL022",
                item,
                f"`{path}[{i}]` is `{shown(str(value))}`, which is no port",
                "write a number from 1 to 65535, a range such as `80:90`, or a port's name",
                source=FELIX if reader.stored else VALIDATOR,
            )
    return tuple(found)


def _services(reader: Reader, node: Node | None, path: str) -> ServiceMatch | None:
    if node is None or node.value is None:
        return None
    found = reader.mapping(node, path)
    name = reader.text(found.get("name"), f"{path}.name")
    if name is None:
        if reader.stored:
            return None  # Felix looks at the name alone
        reader.refuse("CAL028", node, f"`{path}` names no Service", "add `name`")
    namespace = reader.text(found.get("namespace"), f"{path}.namespace")
    return ServiceMatch(name or "", namespace, reader.span(node))


def _accounts(reader: Reader, node: Node | None, path: str) -> ServiceAccountMatch | None:
    if node is None or node.value is None:
        return None
    found = reader.mapping(node, path)
    return ServiceAccountMatch(
        reader.texts(found.get("names"), f"{path}.names"),
        reader.selector(found.get("selector"), f"{path}.selector"),
        reader.span(node),
    )


def _http(reader: Reader, node: Node | None, path: str) -> HttpMatch | None:
    if node is None or node.value is None:
        return None
    found = reader.mapping(node, path)
    paths = reader.items(
        found.get("paths"), f"{path}.paths", lambda item, at: _http_path(reader, item, at)
    )
    methods = reader.texts(found.get("methods"), f"{path}.methods")
    return HttpMatch(methods, paths or (), reader.span(node))


def _http_path(reader: Reader, node: Node, path: str) -> HttpPath:
    found = reader.mapping(node, path)
    return HttpPath(
        reader.text(found.get("exact"), f"{path}.exact"),
        reader.text(found.get("prefix"), f"{path}.prefix"),
    )
