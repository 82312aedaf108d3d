"""Made-up traffic as Antrea's flow aggregator logs it: one line for what both ends saw."""

from collections.abc import Iterable, Iterator

from cloison.flows.generator.export.common import name, namespace, policy, seconds
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Plan, Pod


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield the logger's CSV lines, names written out."""
    for of in connections:
        seen = isinstance(of.src, Pod) or isinstance(of.dst, Pod)
        if seen and not lost(plan, of, "both"):
            yield ",".join(map(str, _fields(of)))


def _fields(of: Connection) -> list[object]:
    service = of.call.service
    owner, decided = policy(of)
    decision = [decided, owner, "rule-0" if decided else "", "Drop", "K8sNetworkPolicy"]
    none = ["", "", "", "NoAction", "Invalid"]
    ingress = decision if not of.allowed and of.call.denied_at == "dst" else none
    egress = decision if not of.allowed and of.call.denied_at == "src" else none
    start = seconds(of)
    return [
        start,
        start + 12,
        of.seen_ip,
        of.dst_ip,
        of.src_port,
        of.call.port,
        of.call.protocol,
        name(of.src),
        namespace(of.src),
        of.src.node if isinstance(of.src, Pod) else "",
        name(of.dst),
        namespace(of.dst),
        of.dst.node if isinstance(of.dst, Pod) else "",
        service.ip if service else "",
        service.ip if service else "",
        service.port if service else 0,
        f"{service.namespace}/{service.name}:main" if service else "",
        *ingress,
        *egress,
        "",
        "",
        "",
    ]
