"""What of the platform workloads depend on: names, the API server, metrics and the like."""

from collections.abc import Iterator

from cloison.analyses.doctor.api import needing
from cloison.analyses.draft.model import Doubt, Found, Hint, Need, Outside
from cloison.analyses.draft.sight import Sight
from cloison.base.words import few
from cloison.platform.calls import calls, configs
from cloison.platform.certificates import issuers
from cloison.platform.component import Component, Role
from cloison.platform.monitors import targets
from cloison.platform.telemetry import is_telemetry
from cloison.platform.webhooks import hooks
from cloison.resources.world import WorkloadId

_DNS = "dns"
_API = "apiserver"
_METRICS = "metrics"
_TELEMETRY = "telemetry"
_CERTIFICATES = "cert"


def needed(sight: Sight, hints: tuple[Hint, ...]) -> Iterator[Found]:
    """Yield what of the platform workloads depend on.

    Args:
        sight: What to look at.
        hints: Evidence for edges: who calls by a name has to look it up.
    """
    yield from _names(sight, hints)
    yield from _api(sight)
    for target in targets(sight.world):
        yield Need(_METRICS, f"{target.monitor.shown} asks for metrics", target.span)
    known = configs(sight.world)
    for workload in sight.clinic.everyone():
        run = workload.endpoints[0].shape.runtime
        for call in calls(known, workload.id.namespace, run):
            if is_telemetry(call.name):
                text = f"{workload.id} sends telemetry: {call.by} names {call.host}"
                yield Need(_TELEMETRY, text, call.span or workload.span)
    for issuer in issuers(sight.world):
        yield Need(_CERTIFICATES, f"{issuer.item.shown} issues certificates", issuer.item.span)


def _names(sight: Sight, hints: tuple[Hint, ...]) -> Iterator[Need]:
    callers = sorted(
        {
            str(h.edge.source)
            for h in hints
            if isinstance(h.edge.source, WorkloadId)
            and isinstance(h.edge.destination, WorkloadId | Outside)
            and not (isinstance(h.edge.destination, Outside) and h.edge.destination.block)
        }
    )
    if callers:
        yield Need(_DNS, f"they call others by name: {few(callers)}")
    for found in sight.clinic.site.components:
        if found.component.role is Role.DNS:
            span = found.spans[0] if found.spans else None
            yield Need(_DNS, f"{found.component.name}, found {found.how}", span)


def _api(sight: Sight) -> Iterator[Found]:
    for workload, why in needing(sight.clinic):
        for each in why:
            yield Need(_API, f"{workload.id} calls it: {each.text}", each.span)
    for hook in hooks(sight.world):
        service = sight.world.services.get((hook.namespace, hook.service))
        name = f"{hook.namespace}/{hook.service}"
        if service is None:
            yield Doubt(f"{hook.item.shown} names Service {name}, which is not here", hook.span)
            continue
        ports = [str(n) for _, n in sight.behind(service, hook.port, "TCP") if n is not None]
        where = f"port {' and '.join(ports) or hook.port} of the pods"
        yield Need(_API, f"it calls {name}, {where}: {hook.called}", hook.span)


def stores(sight: Sight) -> dict[WorkloadId, Component]:
    """Return the known stores and brokers, and what each is."""
    return {
        name: found.component
        for found in sight.clinic.site.components
        if found.component.role is Role.STATEFUL
        for name in found.workloads
    }
