"""How the containers of a pod are run, as far as that starts traffic or says where it goes.

Policies see none of it. It is what a rollout breaks when nobody thought of it: probes, the
resolver, addresses in the environment, the token for the API server.
"""

from dataclasses import dataclass
from enum import StrEnum

from cloison.resources.objects import ContainerKind, ContainerPort


class ProbeRole(StrEnum):
    """What a probe is for."""

    LIVENESS = "liveness"
    READINESS = "readiness"
    STARTUP = "startup"


class ProbeWay(StrEnum):
    """How a probe asks."""

    HTTP = "http"
    TCP = "tcp"
    GRPC = "grpc"
    EXEC = "exec"
    """A command in the container: it uses no network."""


class VariableSource(StrEnum):
    """Where the value of a variable comes from."""

    LITERAL = "literal"
    CONFIG_MAP = "configMap"
    HIDDEN = "secret"
    """A Secret, which is never read."""
    FIELD = "field"
    """A field of the pod, such as `status.hostIP`."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question the kubelet asks a container.

    Args:
        role: What it is for.
        way: How it asks.
        port: Number or container port's name; None for a command.
        host: Another host than the pod, where the probe names one.
    """

    role: ProbeRole
    way: ProbeWay
    port: int | str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a container's environment.

    Args:
        name: Its name.
        value: Its value, where the manifest says it; it may refer to others: `$(HOST_IP)`.
        source: Where the value comes from.
        refers: For `configMap` and `secret` the name of the object, for `field` the path.
        key: The key in that object.
    """

    name: str
    value: str | None = None
    source: VariableSource = VariableSource.LITERAL
    refers: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod.

    Args:
        name: Its name.
        image: Its image.
        kind: Which list of the pod spec declares it.
        ports: The ports it declares.
        probes: What the kubelet asks it.
        variables: Its environment, without what `envFrom` brings in.
        config_maps: ConfigMaps that `envFrom` names.
        arguments: `command`, then `args`.
    """

    name: str
    image: str = ""
    kind: ContainerKind = ContainerKind.REGULAR
    ports: tuple[ContainerPort, ...] = ()
    probes: tuple[Probe, ...] = ()
    variables: tuple[Variable, ...] = ()
    config_maps: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Runtime:
    """How a pod is run.

    Args:
        containers: Its containers, init containers after the others.
        dns_policy: `dnsPolicy`; the server's default when not given.
        nameservers: `dnsConfig.nameservers`.
        searches: `dnsConfig.searches`.
        mounts_token: `automountServiceAccountToken`; None leaves it to the service account.
        hostname: `hostname`, for a name of its own below a headless Service.
        subdomain: `subdomain`: the name of that Service.
        annotations: Annotations of the pod, sorted, but for long ones.
        mounted: ConfigMaps that its volumes hold as files.
    """

    containers: tuple[Container, ...] = ()
    dns_policy: str = "ClusterFirst"
    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    mounts_token: bool | None = None
    hostname: str | None = None
    subdomain: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    mounted: tuple[str, ...] = ()

    def annotation(self, key: str) -> str | None:
        """Return the value of an annotation, None where there is none."""
        return next((value for each, value in self.annotations if each == key), None)


DEFAULT_RUNTIME = Runtime()
"""Of a pod about which nothing was said."""
