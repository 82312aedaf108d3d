"""Who holds which address, and what listens where, as objects of a cluster say it at one time."""

from collections.abc import Iterator
from contextlib import suppress

from cloison.algebra.addresses import address_text, parse_address
from cloison.flows.schema import Identity, Labels, Listener
from cloison.resources.objects import Labels as LabelMap
from cloison.resources.world import PodEndpoint, World


def identities(world: World, since: int, cluster: str | None = None) -> Iterator[Identity]:
    """Yield who holds the addresses of pods, nodes and Services.

    Who held one before and is not among them no longer does.

    Args:
        world: The objects.
        since: From when on, in microseconds.
        cluster: Name of the cluster.
    """
    for workload in world.workloads.values():
        for end in workload.endpoints:
            if not end.finished:
                yield from _pod(end, since, cluster)
    for node in world.nodes.values():
        for point in node.addresses:
            yield Identity(
                ip=address_text(point),
                since=since,
                cluster=cluster,
                workload=node.name,
                kind="Node",
                labels=_labels(node.labels),
                host_network=True,
                snapshot=True,
            )
    for service in world.services.values():
        given = (*service.cluster_ips, *service.external_ips, *service.load_balancer)
        for text in dict.fromkeys(given):
            # A headless Service has `None` here.
            with suppress(ValueError):
                yield Identity(
                    ip=address_text(parse_address(text)),
                    since=since,
                    cluster=cluster,
                    ns=service.namespace,
                    workload=service.name,
                    kind="Service",
                    snapshot=True,
                )


def listeners(world: World, since: int) -> Iterator[Listener]:
    """Yield the ports at which containers and Services listen, each once.

    Args:
        world: The objects.
        since: From when on, in microseconds.
    """
    found = {
        (port.protocol, port.number)
        for workload in world.workloads.values()
        for end in workload.endpoints
        for port in end.ports
    }
    for service in world.services.values():
        for port in service.ports:
            found.add((port.protocol, port.port))
            if isinstance(port.target, int):
                found.add((port.protocol, port.target))
    for protocol, number in sorted(found):
        yield Listener(proto=protocol, port=number, since=since)


def _pod(end: PodEndpoint, since: int, cluster: str | None) -> Iterator[Identity]:
    # A pod without a controller is its own workload.
    name = end.pod or (end.workload.name if end.workload.kind == "Pod" else None)
    for point in end.addresses:
        yield Identity(
            ip=address_text(point),
            since=since,
            cluster=cluster,
            ns=end.namespace,
            pod=name,
            workload=end.workload.name,
            kind=end.workload.kind,
            labels=_labels(end.labels),
            host_network=end.shape.host_network,
            snapshot=True,
        )


def _labels(labels: LabelMap) -> Labels:
    return tuple(sorted(f"{key}={value}" for key, value in labels.items()))
