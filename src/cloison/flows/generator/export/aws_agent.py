"""Made-up traffic as the AWS VPC CNI's network policy agent logs it: addresses, and no more."""

from collections.abc import Iterable, Iterator

from cloison.flows.generator.export.common import denied_here, json, sides, stamp
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Plan


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield lines of the agent's node log, in its first form."""
    for of in connections:
        for side, _ in sides(of):
            if lost(plan, of, side):
                continue
            yield json(
                {
                    "level": "info",
                    "ts": stamp(of.time),
                    "logger": "ebpf-client",
                    "caller": "events/events.go:193",
                    "msg": "Flow Info: ",
                    "Src IP": of.seen_ip,
                    "Src Port": of.src_port,
                    "Dest IP": of.dst_ip,
                    "Dest Port": of.call.port,
                    "Proto": of.call.protocol,
                    "Verdict": "DENY" if denied_here(of, side) else "ACCEPT",
                }
            )
