"""What every source of evidence looks at, and where calls arrive."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.served import Serving, target_of
from cloison.analyses.draft.model import Outside, Party
from cloison.resources.objects import Service
from cloison.resources.world import Workload, World


@dataclass(frozen=True)
class Sight:
    """What every source of evidence looks at.

    Args:
        clinic: The cluster, and somebody who judges traffic.
    """

    clinic: Clinic
    serving: Serving = field(init=False)

    def __post_init__(self) -> None:
        """Find what every workload serves."""
        object.__setattr__(self, "serving", Serving(self.clinic.engine))

    @property
    def world(self) -> World:
        """What the cluster holds."""
        return self.clinic.engine.world

    def behind(
        self, service: Service, port: int | None, protocol: str
    ) -> Iterator[tuple[Party, int | None]]:
        """Yield whom calls to a Service arrive at, and on which port of theirs.

        Args:
            service: The Service.
            port: Its port; None where nobody says.
            protocol: The protocol of that port.
        """
        if service.external_name:
            yield Outside(service.external_name.lower().rstrip(".")), port
            return
        if not service.selector:
            yield f"svc:{service.namespace}/{service.name}", port
            return
        for workload in self.serving.behind(service):
            pod = workload.endpoints[0]
            meant = [p for p in service.ports if (p.port, p.protocol) == (port, protocol)]
            if meant:
                yield workload.id, target_of(pod, meant[0])
            elif "None" in service.cluster_ips or not service.ports:
                yield workload.id, port
            elif port is None:
                yield workload.id, self.only_port(workload)

    def only_port(self, workload: Workload) -> int | None:
        """Return the TCP port that a workload serves; None where there is none, or several."""
        declared = {
            p.number for pod in workload.endpoints for p in pod.ports if p.protocol == "TCP"
        }
        targets = {
            number
            for service in self.serving.services.get(workload.id, ())
            for port in service.ports
            if port.protocol == "TCP"
            and (number := target_of(workload.endpoints[0], port)) is not None
        }
        for found in (targets, declared):
            if len(found) == 1:
                return next(iter(found))
        return None
