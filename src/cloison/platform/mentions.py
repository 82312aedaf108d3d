"""Who is named in scripts and in files that pods mount: URLs, hosts with ports, annotations.

What stands in prose names hosts, too, so only names of Services of the input count, and only with
a port that they have; a URL counts without one. See `calls` for variables and arguments.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cloison.base import Span
from cloison.platform.calls import Configs, written
from cloison.platform.names import service_of
from cloison.resources.declared import Declared
from cloison.resources.objects import ContainerKind, Service
from cloison.resources.runtime import Runtime
from cloison.resources.world import World

_MOST: Final = 1 << 16
"""Characters of a file or script that are read."""
_FEW: Final = 128
"""Mentions of one pod that are kept."""
_NEXT: Final = re.compile(
    r"(?<![A-Za-z0-9./_-])(?P<host>[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?)"
    r"(?:[ \t]{1,4}(?:-p|--port)?[ \t=]{0,4}|:)(?P<port>\d{2,5})(?![0-9.])"
)
"""`db 5432`, `db -p 5432` and `db:5432`."""
_ANNOTATIONS: Final = re.compile(
    r"(?:^|[./-])(?:depends-?on|dependencies|upstreams?|connects-?to)$"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A Service that a script, a file or an annotation names.

    Args:
        service: The Service.
        port: The port that is named with it; None where none is.
        by: What names it.
        span: Where that is written, if it is not the pod's own specification.
        waits: Whether a container waits for it before the others start.
        file: The ConfigMap of the file, if it is in one.
    """

    service: Service
    port: int | None
    by: str
    span: Span | None = None
    waits: bool = False
    file: str | None = None


def mentions(
    world: World, known: Configs, namespace: str, run: Runtime | None
) -> tuple[Mention, ...]:
    """Return the Services of the input that scripts, files and annotations of a pod name.

    Args:
        world: The input.
        known: Its ConfigMaps.
        namespace: The pod's.
        run: How it is run.
    """
    found: dict[tuple[str, str, int | None, str], Mention] = {}
    for each in _all(world, known, namespace, run):
        service = each.service
        found.setdefault((service.namespace, service.name, each.port, each.by), each)
        if len(found) >= _FEW:
            break
    return tuple(found.values())


def _all(world: World, known: Configs, namespace: str, run: Runtime | None) -> Iterator[Mention]:
    if run is None:
        return
    for container in run.containers:
        first = container.kind is ContainerKind.INIT
        by = f"{'init ' if first else ''}container {container.name}"
        for text in container.arguments:
            for service, port in _in(world, namespace, text):
                yield Mention(service, port, f"the command of {by}", None, first)
    for name in run.mounted:
        for key, text, span in files(known.get((namespace, name))):
            for service, port in _in(world, namespace, text):
                yield Mention(service, port, f"{key} of ConfigMap {name}", span, file=name)
    for key, text in run.annotations:
        if _ANNOTATIONS.search(key.lower()):
            for word in re.split(r"[,;\s\[\]\"']+", text[:_MOST]):
                host, _, port_text = word.partition(":")
                named = _service(world, namespace, host)
                if named is not None:
                    port = int(port_text) if re.fullmatch(r"\d{2,5}", port_text) else None
                    yield Mention(named, port, f"annotation {key}")


def _in(world: World, namespace: str, text: str) -> Iterator[tuple[Service, int | None]]:
    """Yield the Services that a text names, and the ports that it names with them."""
    text = text[:_MOST]
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        for host, port, _ in written(line) if "://" in line else ():
            service = _service(world, namespace, host)
            if service is not None:
                yield service, port
        for pair in _NEXT.finditer(line):
            service = _service(world, namespace, pair["host"])
            if service is not None and _has(service, int(pair["port"])):
                yield service, int(pair["port"])


def _service(world: World, namespace: str, host: str) -> Service | None:
    key = service_of(world, namespace, host)
    return world.services[key] if key is not None else None


def _has(service: Service, port: int) -> bool:
    return any(each.port == port for each in service.ports)


def files(config: Declared | None) -> Iterator[tuple[str, str, Span]]:
    """Yield the files that a ConfigMap holds: name, text and place."""
    node = config.document.root.get("data") if config is not None else None
    held: Mapping[str, object] = (
        node.value if node is not None and isinstance(node.value, dict) else {}
    )
    for key in held:
        each = config.document.root.get("data", key) if config is not None else None
        if config is not None and each is not None and isinstance(each.value, str):
            yield key, each.value, config.at("data", key)
