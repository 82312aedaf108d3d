"""Made-up traffic as OVN-Kubernetes logs ACLs: where a logged ACL decided, by addresses."""

from collections.abc import Iterable, Iterator

from cloison.flows.generator.export.common import denied_here, policy, sides, stamp
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Plan


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield lines of ovn-controller's log."""
    for of in connections:
        for side, pod in sides(of):
            if lost(plan, of, side):
                continue
            way, lport = ("Egress", "from-lport") if side == "src" else ("Ingress", "to-lport")
            namespace, name = policy(of)
            denied = denied_here(of, side)
            verdict = "drop" if denied else "allow"
            owner = f"{namespace}:{name}" if denied and name else f"{pod.made.namespace}:all"
            flags = ",tcp_flags=syn" if of.call.protocol == "TCP" else ""
            yield (
                f"{stamp(of.time)}|{of.serial:05d}|acl_log(ovn_pinctrl0)|INFO|"
                f'name="NP:{owner}:{way}:0", verdict={verdict}, severity=info,'
                f" direction={lport}: {of.call.protocol.lower()},vlan_tci=0x0000,"
                "dl_src=0a:58:0a:f4:00:01,dl_dst=0a:58:0a:f4:00:02,"
                f"nw_src={of.seen_ip},nw_dst={of.dst_ip},nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,"
                f"tp_src={of.src_port},tp_dst={of.call.port}{flags}"
            )
