"""What is scraped, and by whom: Prometheus objects, monitors, probes and annotations.

Source: prometheus-operator/prometheus-operator pkg/apis/monitoring/v1 (types.go,
prometheus_types.go, servicemonitor_types.go, podmonitor_types.go, probe_types.go),
pkg/prometheus/server/operator.go, pkg/prometheus/promcfg.go.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.base import Span
from cloison.platform.made import Made, of_item
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import World

_GROUP: Final = "monitoring.coreos.com"
_PROMETHEUS: Final = ("Prometheus", "PrometheusAgent")
_OPERATORS: Final = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}
ANNOTATION: Final = "prometheus.io/"
"""What annotations begin with by which pods and Services ask to be scraped."""


class Selector(msgspec.Struct, rename="camel"):
    """A label selector as written."""

    match_labels: dict[str, str | None] | None = None
    match_expressions: list["_Expression | None"] | None = None

    @property
    def read(self) -> LabelSelector:
        """What it selects; an expression that makes no sense selects nothing."""
        labels = {key: value or "" for key, value in (self.match_labels or {}).items()}
        return LabelSelector.of(
            labels, map(_requirement, filter(None, self.match_expressions or ()))
        )


class _Expression(msgspec.Struct):
    key: str | None = None
    operator: str | None = None
    values: list[str | None] | None = None


_NOTHING: Final = Requirement("", Operator.EXISTS, ())
"""No label has an empty key."""


def _requirement(said: _Expression) -> Requirement:
    operator = _OPERATORS.get(said.operator or "")
    if operator is None or not said.key:
        return _NOTHING
    return Requirement(said.key, operator, tuple(filter(None, said.values or ())))


class _ScraperSpec(msgspec.Struct, rename="camel"):
    service_monitor_selector: Selector | None = None
    service_monitor_namespace_selector: Selector | None = None
    pod_monitor_selector: Selector | None = None
    pod_monitor_namespace_selector: Selector | None = None
    probe_selector: Selector | None = None
    probe_namespace_selector: Selector | None = None


class _Scraper(msgspec.Struct):
    spec: _ScraperSpec | None = None


@dataclass(frozen=True, slots=True)
class Scraper:
    """A Prometheus that an operator runs.

    Args:
        item: The object.
        made: What an operator makes of it.
        spec: What it says.
    """

    item: Declared
    made: Made
    spec: _ScraperSpec

    def takes(self, world: World, monitor: Declared) -> bool:
        """Return whether it selects a monitor."""
        spec = self.spec
        chosen, spaces = {
            "ServiceMonitor": (
                spec.service_monitor_selector,
                spec.service_monitor_namespace_selector,
            ),
            "PodMonitor": (spec.pod_monitor_selector, spec.pod_monitor_namespace_selector),
            "Probe": (spec.probe_selector, spec.probe_namespace_selector),
        }[monitor.kind]
        if chosen is None or not chosen.read.matches(monitor.labels):
            return False
        if spaces is None:
            return monitor.namespace == self.item.namespace
        space = world.namespaces.get(monitor.namespace)
        return space is not None and spaces.read.matches(space.labels)


def scrapers(world: World) -> Iterator[Scraper]:
    """Yield the Prometheus objects of the input."""
    for kind in _PROMETHEUS:
        for item in world.declared.get((_GROUP, kind), ()):
            read, _ = body(item, _Scraper)
            spec = (read.spec if read is not None else None) or _ScraperSpec()
            known = of_item(item)
            if known is not None:
                yield Scraper(item, known, spec)


class _Namespaces(msgspec.Struct, rename="camel"):
    any: bool | None = None
    match_names: list[str | None] | None = None


class _Endpoint(msgspec.Struct, rename="camel"):
    port: str | None = None
    port_number: int | None = None
    target_port: int | str | None = None


class _MonitorSpec(msgspec.Struct, rename="camel"):
    selector: Selector | None = None
    namespace_selector: _Namespaces | None = None
    endpoints: list[_Endpoint | None] | None = None
    pod_metrics_endpoints: list[_Endpoint | None] | None = None


class _Monitor(msgspec.Struct):
    spec: _MonitorSpec | None = None


class _Prober(msgspec.Struct):
    url: str | None = None


class _Static(msgspec.Struct):
    static: list[str] = []


class _ProbeTargets(msgspec.Struct, rename="camel"):
    static_config: _Static | None = None


class _ProbeSpec(msgspec.Struct):
    prober: _Prober | None = None
    targets: _ProbeTargets | None = None


class _ProbeObject(msgspec.Struct):
    spec: _ProbeSpec | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What one entry of a monitor asks for.

    Args:
        monitor: The monitor.
        namespaces: Where; None for everywhere.
        selector: The labels of its Services, or pods.
        services: Whether `selector` is about Services, and `port` the name of one's port.
        port: A port's name, or the number that a pod has.
        span: Where that is written.
    """

    monitor: Declared
    namespaces: tuple[str, ...] | None
    selector: LabelSelector
    services: bool
    port: int | str
    span: Span
    on_pods: bool = False
    """Whether the port is the pods' own, though Services are selected."""


def targets(world: World) -> Iterator[Target]:
    """Yield what monitors of Services and pods ask for."""
    for item in world.declared.get((_GROUP, "ServiceMonitor"), ()):
        for index, each, spec in _entries(item, "endpoints"):
            where = item.at("spec", "endpoints", index)
            port = each.port or each.target_port
            if port:
                own = not each.port
                yield Target(item, *_where(item, spec), True, port, where, own)
    for item in world.declared.get((_GROUP, "PodMonitor"), ()):
        for index, each, spec in _entries(item, "podMetricsEndpoints"):
            where = item.at("spec", "podMetricsEndpoints", index)
            port = each.port or each.port_number or each.target_port
            if port:
                yield Target(item, *_where(item, spec), False, port, where, True)


def _entries(item: Declared, field: str) -> Iterator[tuple[int, _Endpoint, _MonitorSpec]]:
    read, _ = body(item, _Monitor)
    spec = read.spec if read is not None else None
    if spec is None or spec.selector is None:
        return
    found: Iterable[_Endpoint | None]
    found = (spec.endpoints if field == "endpoints" else spec.pod_metrics_endpoints) or ()
    for index, each in enumerate(found):
        if each is not None:
            yield index, each, spec


def _where(item: Declared, spec: _MonitorSpec) -> tuple[tuple[str, ...] | None, LabelSelector]:
    spaces, selector = spec.namespace_selector, (spec.selector or Selector()).read
    if spaces is None or not (spaces.any or spaces.match_names):
        return (item.namespace,), selector
    if spaces.any:
        return None, selector
    return tuple(filter(None, spaces.match_names or ())), selector


SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {
    **{(_GROUP, kind): _Scraper for kind in _PROMETHEUS},
    (_GROUP, "PodMonitor"): _Monitor,
    (_GROUP, "Probe"): _ProbeObject,
    (_GROUP, "ServiceMonitor"): _Monitor,
}
"""How objects are read here."""


def probers(world: World) -> Iterator[tuple[Declared, str, tuple[str, ...]]]:
    """Yield Probe objects with the host and port of the prober, and what that is to call.

    Targets that have no port, as those of pings, are left out where they are asked about.
    """
    for item in world.declared.get((_GROUP, "Probe"), ()):
        read, _ = body(item, _ProbeObject)
        prober = read.spec.prober if read is not None and read.spec is not None else None
        if prober is not None and prober.url:
            targets = read.spec.targets if read is not None and read.spec is not None else None
            config = targets.static_config if targets is not None else None
            yield item, prober.url, tuple(config.static) if config is not None else ()


def is_prometheus(image: str) -> bool:
    """Return whether an image is a Prometheus, by the last part of its name.

    >>> is_prometheus("quay.io/prometheus/prometheus:v3.5.0"), is_prometheus("prom/node-exporter")
    (True, False)
    """
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0] == "prometheus"
