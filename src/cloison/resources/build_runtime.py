"""From modelled JSON to how a pod is run."""

from collections.abc import Iterable, Iterator

from cloison.resources import wire
from cloison.resources.names import is_port
from cloison.resources.objects import ContainerKind
from cloison.resources.pool import Pool
from cloison.resources.runtime import (
    Container,
    Probe,
    ProbeRole,
    ProbeWay,
    Runtime,
    Variable,
    VariableSource,
)

_LONGEST_ANNOTATION = 1024
"""Longer ones are copies of objects and the like; nothing that leads traffic needs as much."""


def runtime(pool: Pool, meta: wire.MetaW | None, spec: wire.PodSpecW) -> Runtime:
    """Return how a pod or the pods of a template are run.

    Args:
        pool: Keeps one of every equal value.
        meta: The pod's own metadata.
        spec: Its spec.
    """
    config = spec.dnsConfig or wire.DNSConfigW()
    found = Runtime(
        tuple(_containers(pool, spec)),
        pool.text(spec.dnsPolicy or "ClusterFirst"),
        _texts(pool, config.nameservers),
        _texts(pool, config.searches),
        spec.automountServiceAccountToken,
        spec.hostname or None,
        spec.subdomain or None,
        annotations(pool, meta),
        _texts(pool, _mounted(spec)),
    )
    return pool.share(found)


def annotations(pool: Pool, meta: wire.MetaW | None) -> tuple[tuple[str, str], ...]:
    """Return annotations, sorted, but for long ones."""
    given = (meta.annotations if meta is not None else None) or {}
    return tuple(
        (pool.text(key), pool.text(value))
        for key, value in sorted(given.items())
        if value is not None and len(value) <= _LONGEST_ANNOTATION
    )


def _containers(pool: Pool, spec: wire.PodSpecW) -> Iterator[Container]:
    for each in spec.containers or ():
        if each is not None:
            yield pool.share(_container(pool, each, ContainerKind.REGULAR))
    for each in spec.initContainers or ():
        if each is not None:
            always = each.restartPolicy == "Always"
            kind = ContainerKind.SIDECAR if always else ContainerKind.INIT
            yield pool.share(_container(pool, each, kind))


def _container(pool: Pool, wired: wire.ContainerW, kind: ContainerKind) -> Container:
    ports = [
        pool.port(port.containerPort, port.protocol, port.name, kind)
        for port in wired.ports or ()
        if port is not None and port.containerPort is not None
    ]
    return Container(
        pool.text(wired.name or ""),
        pool.text(wired.image or ""),
        kind,
        tuple(port for port in ports if port is not None),
        tuple(_probes(wired)),
        tuple(_variables(pool, wired.env or ())),
        _texts(
            pool,
            (each.configMapRef.name for each in wired.envFrom or () if each and each.configMapRef),
        ),
        _texts(pool, (*(wired.command or ()), *(wired.args or ()))),
    )


def _mounted(spec: wire.PodSpecW) -> Iterator[str | None]:
    """Yield the ConfigMaps that volumes hold."""
    for volume in spec.volumes or ():
        if volume is None:
            continue
        if volume.configMap is not None:
            yield volume.configMap.name
        projected = volume.projected.sources if volume.projected is not None else None
        for each in projected or ():
            if each is not None and each.configMap is not None:
                yield each.configMap.name


def _probes(wired: wire.ContainerW) -> Iterator[Probe]:
    for role, probe in (
        (ProbeRole.LIVENESS, wired.livenessProbe),
        (ProbeRole.READINESS, wired.readinessProbe),
        (ProbeRole.STARTUP, wired.startupProbe),
    ):
        if probe is None:
            continue
        if probe.httpGet is not None:
            yield Probe(role, ProbeWay.HTTP, _port(probe.httpGet.port), probe.httpGet.host or None)
        elif probe.tcpSocket is not None:
            asked = probe.tcpSocket
            yield Probe(role, ProbeWay.TCP, _port(asked.port), asked.host or None)
        elif probe.grpc is not None:
            yield Probe(role, ProbeWay.GRPC, _port(probe.grpc.port))
        else:
            yield Probe(role, ProbeWay.EXEC)


def _port(port: int | str | None) -> int | str | None:
    return port if isinstance(port, str) or (port is not None and is_port(port)) else None


def _variables(pool: Pool, wired: Iterable[wire.VariableW | None]) -> Iterator[Variable]:
    for each in wired:
        if each is None or not each.name:
            continue
        name, refers = pool.text(each.name), each.valueFrom or wire.VariableSourceW()
        if refers.configMapKeyRef is not None:
            named = refers.configMapKeyRef
            yield Variable(name, None, VariableSource.CONFIG_MAP, named.name, named.key)
        elif refers.secretKeyRef is not None:
            named = refers.secretKeyRef
            yield Variable(name, None, VariableSource.HIDDEN, named.name, named.key)
        elif refers.fieldRef is not None:
            yield Variable(name, None, VariableSource.FIELD, refers.fieldRef.fieldPath)
        else:
            yield Variable(name, each.value or "")


def _texts(pool: Pool, texts: Iterable[str | None] | None) -> tuple[str, ...]:
    return tuple(pool.text(text) for text in texts or () if text)
