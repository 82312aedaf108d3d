"""Made-up traffic as sidecars log it: calls of pods in a mesh, both their lines."""

from collections.abc import Iterable, Iterator

from cloison.flows.generator.export.common import sides, stamp
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Place, Plan


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield access log lines in the default format. A denied call has a line at who denied it."""
    for of in connections:
        if of.call.protocol != "TCP":
            continue
        for side, _ in sides(of):
            if not lost(plan, of, side):
                yield _line(of, side)


def _line(of: Connection, side: str) -> str:
    service = of.call.service
    host = f"{service.name}.{service.namespace}.svc.cluster.local" if service else ""
    port = service.port if service else of.call.port
    outside = of.dst.dns if isinstance(of.dst, Place) else None
    authority = outside or (host or of.dst_ip)
    code = "200" if of.allowed else "403"
    # The caller's sidecar only hands on what the called one's says.
    refused = not of.allowed and side == "dst"
    why = "rbac_access_denied_matched_policy[none]" if refused else "via_upstream"
    called, caller = f"{of.dst_ip}:{of.call.port}", f"{of.seen_ip}:{of.src_port}"
    if side == "src":
        cluster = f"outbound|{port}||{host}" if service else "PassthroughCluster"
        rest = f'"{called}" {cluster} {caller} {called} {caller} - default'
    else:
        asked = f"outbound_.{port}_._.{host}" if service else "-"
        local = f"127.0.0.1:{of.call.port}"
        rest = f'"{local}" inbound|{of.call.port}|| 127.0.0.1:1 {called} {caller} {asked} default'
    return (
        f'[{stamp(of.time)}] "GET / HTTP/1.1" {code} - {why} - "-" 0 135 4 4 "-" "made/1"'
        f' "00000000-0000-4000-8000-{of.serial:012x}" "{authority}:{port}" {rest}'
    )
