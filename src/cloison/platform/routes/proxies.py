"""Proxies that a pod's environment names, and the hosts it asks for without one.

Every client reads these variables in its own way; what most of them have in common is taken. Of
`NO_PROXY` a name stands for itself and everything below it, a star for everything.

Source: golang/net http/httpproxy/proxy.go; curl docs/cmdline-opts/noproxy.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from cloison.algebra import AddressSet
from cloison.resources.declared import body
from cloison.resources.runtime import Container, Runtime, VariableSource
from cloison.resources.world import World

_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}
_MOST = 4096
"""Characters of a value that are looked at."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Args:
        variable: The variable that names it, as written.
        host: Its host name or address.
        port: Its port.
        container: The container whose environment it is.
    """

    variable: str
    host: str
    port: int
    container: str

    def __str__(self) -> str:
        """Render as `HTTPS_PROXY=proxy.example:3128`."""
        return f"{self.variable}={self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxies:
    """What a container's environment says of proxies.

    Args:
        container: The container.
        by_scheme: The proxy for `http` and `https`; one that is missing has none.
        exempt: Hosts, suffixes and blocks that are dialled without one.
        hidden: Variables whose value nobody may read, or that refer to something not there.
    """

    container: str
    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    exempt: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def of(self, scheme: str, host: str, port: int | None = None) -> Proxy | None:
        """Return the proxy by which a host is asked; None where it is dialled at once.

        Args:
            scheme: `http` or `https`.
            host: The host, as the client writes it.
            port: Its port.
        """
        found = self.by_scheme.get(scheme)
        if found is None or any(_exempts(each, host, port) for each in self.exempt):
            return None
        return found


def proxies(world: World, namespace: str, runtime: Runtime | None) -> tuple[Proxies, ...]:
    """Return what the containers of a pod are told of proxies, those that are told something.

    Args:
        world: What the cluster holds: ConfigMaps count.
        namespace: The pod's.
        runtime: How it is run.
    """
    found: dict[object, Proxies] = {}
    for container in runtime.containers if runtime is not None else ():
        one = _of(world, namespace, container)
        if one is not None:
            key = (tuple(str(each) for each in one.by_scheme.values()), one.exempt, one.hidden)
            found.setdefault(key, one)
    return tuple(found.values())


def _of(world: World, namespace: str, container: Container) -> Proxies | None:
    values: dict[str, str] = {}
    hidden: list[str] = []
    for name in container.config_maps:
        values |= _config(world, namespace, name)
    for each in container.variables:
        if each.source is VariableSource.LITERAL:
            values[each.name] = _expanded(each.value or "", values)
        elif each.source is VariableSource.CONFIG_MAP and each.refers and each.key:
            held = _config(world, namespace, each.refers)
            if each.key in held:
                values[each.name] = held[each.key]
            elif each.name.upper() in _NAMES:
                hidden.append(each.name)
        elif each.name.upper() in _NAMES:
            hidden.append(each.name)
    said: dict[str, tuple[str, str]] = {}
    for name, value in values.items():
        # Where both are there, clients take the one in lower case.
        if name.upper() in _NAMES and (name.upper() not in said or name.islower()):
            said[name.upper()] = (name, value[:_MOST])
    if not said and not hidden:
        return None
    by_scheme = {}
    for scheme in ("http", "https"):
        for key in (f"{scheme.upper()}_PROXY", "ALL_PROXY"):
            proxy = _proxy(*said[key], container.name) if key in said else None
            if proxy is not None:
                by_scheme[scheme] = proxy
                break
    exempt = tuple(part.strip() for part in said.get("NO_PROXY", ("", ""))[1].split(","))
    return Proxies(container.name, by_scheme, tuple(each for each in exempt if each), tuple(hidden))


def _expanded(value: str, known: Mapping[str, str]) -> str:
    """Return a value with the variables that it refers to, as far as they are known."""
    return _REFERENCE.sub(lambda m: known.get(m[1], m[0]), value[:_MOST])[:_MOST]


class _Config(msgspec.Struct):
    data: dict[str, str | None] | None = None


def _config(world: World, namespace: str, name: str) -> dict[str, str]:
    for item in world.declared.get(("", "ConfigMap"), ()):
        if (item.namespace, item.name) == (namespace, name):
            read, _ = body(item, _Config)
            held = (read.data if read else None) or {}
            return {key: value for key, value in held.items() if value is not None}
    return {}


def _proxy(variable: str, value: str, container: str) -> Proxy | None:
    text = value.strip()
    if not text:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host:
        return None
    return Proxy(variable, host, port or _PORTS.get(parts.scheme, 80), container)


def _exempts(written: str, host: str, port: int | None) -> bool:
    """Return whether an entry of `NO_PROXY` is about a host."""
    if written == "*":
        return True
    host = host.lower().rstrip(".")
    name, colon, number = written.lower().rpartition(":")
    if colon and number.isdecimal() and name.count(":") == 0:
        if port is not None and int(number) != port:
            return False
        written = name
    try:
        # A host that is an address lies in a block; a name is never looked up for that.
        address = AddressSet.address(host)
    except ValueError:
        address = None
    if address is not None:
        try:
            block = AddressSet.block(written) if "/" in written else AddressSet.address(written)
        except ValueError:
            return False
        return address <= block
    pattern = written.lower().removeprefix("*").strip(".")
    return bool(pattern) and (host == pattern or host.endswith(f".{pattern}"))
