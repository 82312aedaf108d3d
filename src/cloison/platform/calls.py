"""What the containers of a pod are told to call: URLs and addresses in environment and arguments.

Values may hold passwords, so nothing of them is kept but hosts and ports. Secrets are not read.

Source: kubernetes/website tasks/inject-data-application; kubernetes/kubernetes
third_party/forked/golang/expansion.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from cloison.base import Span
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.runtime import Container, Runtime, Variable, VariableSource
from cloison.resources.world import World

HOST_ADDRESS: Final = "$(status.hostIP)"
"""Stands for the address of the node that a pod runs on."""

_MOST: Final = 4096
"""Characters of a value that are read: who writes more means no address."""
_FEW: Final = 64
"""Calls of one container that are kept."""
_LARGEST: Final = 65_535
_OWN_HOST: Final = "status.hostIP"

_PORTS: Final = {
    "amqp": 5672,
    "amqps": 5671,
    "http": 80,
    "https": 443,
    "mongodb": 27017,
    "mysql": 3306,
    "nats": 4222,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "ws": 80,
    "wss": 443,
}
"""Ports that a scheme means where none is written."""

_HOST: Final = (
    r"(?:\[[0-9A-Fa-f:.]{2,45}\]|\$\(status\.hostIP\)|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))"
)
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,20})://"
    r"(?:[^\s/@,\"']{0,512}@)?"
    rf"(?P<hosts>{_HOST}(?::\d{{1,5}})?(?:,{_HOST}(?::\d{{1,5}})?){{0,15}})"
)
_PAIR: Final = re.compile(rf"(?P<host>{_HOST}):(?P<port>\d{{1,5}})")
_OPTION: Final = re.compile(
    r"--?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,60})(?:=(?P<value>.*))?", re.DOTALL
)
_REFERENCE: Final = re.compile(r"\$(\$|\((?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,252})\))")
_NAMES_HOST: Final = re.compile(
    r"(?:^|_)(HOST|HOSTNAME|ADDR|ADDRESS|ENDPOINT|SERVERS?|URL|URI|UPSTREAM|BROKERS?)$"
)
_NOT_CALLED: Final = re.compile(
    r"(?:^|_)(ADVERTISED?|ALLOWED|BIND|CORS|EXTERNAL|LISTEN|LISTENERS?|NO_PROXY|ORIGINS?|PUBLIC"
    r"|TRUSTED|NONPROXYHOSTS|SELF|OWN)(?:_|$)"
)
"""Names of what others are told to call, or what is not called."""
_SECRET: Final = re.compile(r"(?:PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|(?:^|_)KEY)$")
"""Names of what is kept from others, whose values say nothing whatever they look like."""


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody whom a container is told to call.

    Args:
        by: What says so: `variable DATABASE_URL`, `argument --server`.
        name: The bare name of that variable or argument.
        host: A name or an address, in lower case; `HOST_ADDRESS` for the node's.
        port: The port, where the value or its scheme says one.
        protocol: `TCP` or `UDP`.
        span: Where that is written, if it is not the pod's own specification.
        sure: Whether it can hardly be anything else: a URL, or a name that is about hosts. What
            only looks like a host and a port may be an image and its tag.
        whole: The ConfigMap that the container takes in whole, if this is from there.
        prose: Whether it stands among words, which may be meant for people.
    """

    by: str
    name: str
    host: str
    port: int | None = None
    protocol: str = "TCP"
    span: Span | None = None
    sure: bool = True
    whole: str | None = None
    prose: bool = False


Configs: TypeAlias = Mapping[tuple[str, str], Declared]
"""ConfigMaps by namespace and name."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A value, where it is written, and the ConfigMap that is taken in whole, if it is from one."""

    value: str
    span: Span | None = None
    whole: str | None = None


def configs(world: World) -> Configs:
    """Return the ConfigMaps of the input."""
    found = world.declared.get(("", "ConfigMap"), ())
    return {(each.namespace, each.name): each for each in found}


def calls(known: Configs, namespace: str, run: Runtime | None) -> tuple[Call, ...]:
    """Return what the containers of a pod are told to call, each once.

    Args:
        known: The ConfigMaps of the input.
        namespace: The pod's.
        run: How it is run.
    """
    found: dict[tuple[str, str, int | None], Call] = {}
    for container in run.containers if run is not None else ():
        for call in _of_container(known, namespace, container):
            found.setdefault((call.name, call.host, call.port), call)
    return tuple(found.values())


def _of_container(known: Configs, namespace: str, container: Container) -> Iterator[Call]:
    said = _environment(known, namespace, container)
    values = {name: each.value for name, each in said.items()}
    kept = 0
    for name, each in said.items():
        if _is_other(name):
            continue
        for host, port, protocol in _read(name, each.value, values):
            kept += 1
            if kept > _FEW:
                return
            prose = _is_prose(each.value)
            named = _NAMES_HOST.search(name.upper()) is not None and not prose
            sure = "://" in each.value or named
            by = f"variable {name}"
            yield Call(by, name, host, port, protocol, each.span, sure, each.whole, prose)
    for name, value in _options(container.arguments):
        if _is_other(name):
            continue
        text = expanded(value, values)
        by = f"argument --{name}" if name else "an argument"
        for host, port, protocol in written(text):
            kept += 1
            if kept > _FEW:
                return
            yield Call(by, name, host, port, protocol, None, "://" in text)


def _is_other(name: str) -> bool:
    """Return whether a name is not of what the container calls."""
    said = name.upper().replace(".", "_").replace("-", "_")
    return _NOT_CALLED.search(said) is not None or _SECRET.search(said) is not None


def _is_prose(value: str) -> bool:
    """Return whether a value has words beside hosts with ports, and no URL."""
    words = [word for word in re.split(r"[,;\s]+", value) if word]
    spaced = len(value.split()) > 1 and "://" not in value
    return spaced and not all(map(_PAIR.fullmatch, words))


def _options(arguments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield arguments as options with values; what belongs to no option has no name."""
    before = ""
    for text in arguments:
        option = _OPTION.fullmatch(text[:_MOST])
        if option is None:
            yield before, text[:_MOST]
            before = ""
        elif option["value"] is not None:
            yield option["name"], option["value"]
            before = ""
        else:
            before = option["name"]


def _environment(known: Configs, namespace: str, container: Container) -> Mapping[str, _Said]:
    """Return the variables of a container whose values are known, by name."""
    found: dict[str, _Said] = {}
    for name in container.config_maps:
        config = known.get((namespace, name))
        for key, value in (_data(config) if config is not None else {}).items():
            span = config.at("data", key) if config is not None else None
            found[key] = _Said(value[:_MOST], span, name)
    for variable in container.variables:
        said, span = _value(known, namespace, variable)
        if said is not None and variable.source is VariableSource.LITERAL:
            said = expanded(said, {name: each.value for name, each in found.items()})
        found.pop(variable.name, None)
        if said is not None:
            found[variable.name] = _Said(said[:_MOST], span)
    return found


def _value(known: Configs, namespace: str, variable: Variable) -> tuple[str | None, Span | None]:
    if variable.source is VariableSource.FIELD and variable.refers == _OWN_HOST:
        return HOST_ADDRESS, None
    if variable.source is VariableSource.CONFIG_MAP and variable.refers and variable.key:
        config = known.get((namespace, variable.refers))
        if config is not None:
            return _data(config).get(variable.key), config.at("data", variable.key)
    return (variable.value if variable.source is VariableSource.LITERAL else None), None


class _ConfigMap(msgspec.Struct):
    data: dict[str, str | None] | None = None


SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {("", "ConfigMap"): _ConfigMap}
"""How objects are read here."""


def _data(config: Declared) -> Mapping[str, str]:
    read, _ = body(config, _ConfigMap)
    data = (read.data if read is not None else None) or {}
    return {key: value for key, value in data.items() if value is not None}


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Return a value with the variables that it refers to put in; once, as the kubelet does.

    >>> expanded("http://$(HOST):80", {"HOST": "db"})
    'http://db:80'
    """
    found: list[str] = []
    room, last = _MOST, 0
    for match in _REFERENCE.finditer(text):
        name = match["name"]
        put = "$" if name is None else values.get(name, match[0])
        found += (text[last : match.start()], put)
        room -= len(found[-1]) + len(found[-2])
        last = match.end()
        if room <= 0:
            break
    return "".join((*found, text[last:]))[:_MOST]


def _read(
    name: str, value: str, values: Mapping[str, str]
) -> Iterator[tuple[str, int | None, str]]:
    """Yield the hosts, ports and protocols that the value of a variable names."""
    found = list(written(value))
    yield from found
    bare = value.strip().rstrip("/")
    if not found and _NAMES_HOST.search(name.upper()) and re.fullmatch(_HOST, bare):
        yield _plain(bare), _beside(name, values), "TCP"


def _beside(name: str, values: Mapping[str, str]) -> int | None:
    """Return the port that another variable says beside the host: `DB_PORT` for `DB_HOST`."""
    stem = _NAMES_HOST.sub("", name.upper())
    for other, value in values.items():
        if other.upper() in (f"{stem}_PORT", f"{name.upper()}_PORT"):
            return _port(value)
    return None


def written(value: str) -> Iterator[tuple[str, int | None, str]]:
    """Yield what stands in a text as URLs, else as hosts with ports: host, port, protocol."""
    some = False
    for url in _URL.finditer(value):
        some = True
        scheme = url["scheme"].lower()
        protocol = "UDP" if scheme in ("udp", "statsd") else "TCP"
        for part in url["hosts"].split(","):
            host, port = _parted(part)
            yield host, port or _PORTS.get(scheme), protocol
    if some:
        return
    for part in re.split(r"[,;\s]+", value):
        pair = _PAIR.fullmatch(part)
        if pair is not None and (port := _port(pair["port"])) is not None:
            yield _plain(pair["host"]), port, "TCP"


def _parted(text: str) -> tuple[str, int | None]:
    pair = _PAIR.fullmatch(text)
    return (_plain(pair["host"]), _port(pair["port"])) if pair is not None else (_plain(text), None)


def _plain(host: str) -> str:
    return host if host == HOST_ADDRESS else host.strip("[]").rstrip(".").lower()


def _port(text: str) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_LARGEST))):
        return None
    return int(text) if 0 < int(text) <= _LARGEST else None
