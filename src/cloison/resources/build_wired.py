"""What single fields of modelled JSON come to."""

from collections.abc import Iterable

from cloison.algebra import V6_BASE
from cloison.resources import wire
from cloison.resources.cron import Schedule

_EVERY_HOST = (1 << 32) - 1
_FOUR = ((0, 0), (0x7F << 24, (0x80 << 24) - 1), (0xE0 << 24, (0xF0 << 24) - 1))
_SIX = ((0, 1), (0xFE80 << 112, (0xFEC0 << 112) - 1), (0xFF << 120, (1 << 128) - 1))
"""Addresses of no host in particular: unspecified ones, loopback, multicast; of IPv6 those, too,
that mean something on one link only."""


def nobodys(point: int) -> bool:
    """Return whether an address stands for no host, or for every one."""
    if point < V6_BASE:
        return point == _EVERY_HOST or any(low <= point <= high for low, high in _FOUR)
    return any(low <= point - V6_BASE <= high for low, high in _SIX)


def texts(several: Iterable[str | None] | None) -> tuple[str, ...]:
    """Return the texts that say something."""
    return tuple(text for text in several or () if text)


def ready(status: wire.PodStatusW) -> bool | None:
    """Return whether a pod is ready; None where nobody says."""
    for condition in status.conditions or ():
        if condition is not None and condition.type == "Ready":
            return condition.status == "True"
    return None


def balancer(wired: wire.ServiceW) -> tuple[str, ...]:
    """Return the addresses and names of a load balancer; those that are in force come first."""
    status = wired.status.loadBalancer if wired.status else None
    listed = [each.ip or each.hostname for each in (status and status.ingress) or () if each]
    wanted = wired.spec.loadBalancerIP if wired.spec else None
    return tuple(dict.fromkeys(texts((*listed, wanted))))


def schedule(spec: wire.ControllerSpecW) -> Schedule | None:
    """Return when a CronJob runs."""
    if not isinstance(spec, wire.CronJobSpecW) or spec.schedule is None:
        return None
    return Schedule(spec.schedule, spec.timeZone, bool(spec.suspend))


def ready_of(agents: wire.DaemonSetW) -> tuple[int, int] | None:
    """Return how many pods of a DaemonSet are ready, and how many there should be."""
    status = agents.status
    if status is None or status.numberReady is None or status.desiredNumberScheduled is None:
        return None
    return status.numberReady, status.desiredNumberScheduled


def job_finished(job: wire.JobW) -> bool:
    """Return whether a Job is over, one way or the other."""
    conditions = (job.status and job.status.conditions) or ()
    return any(
        condition is not None
        and condition.type in ("Complete", "Failed")
        and condition.status == "True"
        for condition in conditions
    )
