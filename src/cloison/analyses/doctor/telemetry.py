"""D-TELEMETRY: traces, logs and metrics reach whom a workload is told to send them to."""

from collections.abc import Iterator

from cloison.algebra import AddressSet, parse_address
from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.depends import evidence, wishes
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import about, closed, nodes, opened, outside, tried
from cloison.analyses.ends import End, NodeEnd, PodsEnd
from cloison.base import Severity
from cloison.platform.calls import HOST_ADDRESS, Call, calls, configs
from cloison.platform.telemetry import is_telemetry
from cloison.resources.world import Workload

_SOURCE = "open-telemetry/opentelemetry-specification specification/protocol/exporter.md"
_NODE_SOURCE = (
    "open-telemetry/opentelemetry-helm-charts charts/opentelemetry-collector/values.yaml; "
    "kubernetes/website concepts/services-networking/network-policies.md"
)

_NOWHERE = AddressSet(
    span
    for block in ("0.0.0.0/8", "127.0.0.0/8", "::/127")
    for span in AddressSet.block(block).spans
)
"""A pod's own addresses for itself."""


def telemetry(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each workload whose traces, logs or metrics do not arrive."""
    known = configs(clinic.engine.world)
    for workload in clinic.workloads():
        shape = workload.endpoints[0].shape
        if shape.host_network:
            continue
        pods = clinic.pods(workload.id)
        told = calls(known, workload.id.namespace, shape.runtime)
        mine = [each for each in told if is_telemetry(each.name)]
        for wish in wishes(clinic, workload, mine):
            if wish.port is None:
                continue
            answer = tried(clinic, pods, wish.end, on(wish.protocol, wish.port))
            if answer is not None and closed(answer):
                shown = f"{wish.end.text}:{wish.port}/{wish.protocol}"
                yield _lost(clinic, workload, shown, wish.by, answer, evidence(wish))
        seen = set()
        for call in mine:
            if call.port is not None and (call.host, call.port, call.protocol) not in seen:
                seen.add((call.host, call.port, call.protocol))
                yield from _direct(clinic, workload, pods, call, call.port)


def _direct(
    clinic: Clinic, workload: Workload, pods: PodsEnd, call: Call, port: int
) -> Iterator[Finding]:
    """Yield what is wrong with what is sent to an address: of the own node, or another."""
    if call.host == HOST_ADDRESS:
        answer = tried(clinic, pods, _node(clinic, workload), on(call.protocol, port))
        if answer is not None and not opened(answer):
            yield _to_node(clinic, workload, call, port, answer)
        return
    try:
        point = parse_address(call.host)
    except ValueError:
        return
    end = outside(call.host, (call.host,))
    if _local(end.addresses) or point in clinic.engine.holders:
        return
    answer = tried(clinic, pods, end, on(call.protocol, port))
    if answer is not None and closed(answer):
        said = (Evidence(f"{call.by} names {call.host} and port {port}", call.span),)
        shown = f"{call.host}:{port}/{call.protocol}"
        yield _lost(clinic, workload, shown, call.by, answer, said)


def _local(addresses: AddressSet) -> bool:
    """Return whether nothing of what is sent there leaves the pod."""
    return addresses <= _NOWHERE


def _node(clinic: Clinic, workload: Workload) -> End:
    """Return the node that pods run on; any of them where that is not known, or several."""
    homes = {each.shape.node for each in workload.endpoints}
    known = clinic.engine.world.nodes
    name = homes.pop() if len(homes) == 1 else None
    if name is not None and name in known:
        return NodeEnd(f"node:{name}", known[name])
    return nodes(clinic, "the pod's own node")


def _lost(
    clinic: Clinic,
    workload: Workload,
    shown: str,
    by: str,
    answer: Explanation,
    said: tuple[Evidence, ...],
) -> Finding:
    return Finding(
        code="TEL001",
        check="D-TELEMETRY",
        severity=Severity.WARNING,
        message=f"{workload.id} is told to send telemetry to {shown} by {by}, "
        "and that is not let through",
        effect="its traces, logs or metrics are lost, and nothing else shows it",
        help="let it reach the pods of the collector",
        mode=Mode.SCRAPE,
        **about(workload),
        evidence=said,
        mend=clinic.mend([answer]),
        caveats=answer.caveats,
        source=_SOURCE,
    )


def _to_node(
    clinic: Clinic, workload: Workload, call: Call, port: int, answer: Explanation
) -> Finding:
    return Finding(
        code="TEL002",
        check="D-TELEMETRY",
        severity=Severity.WARNING,
        message=f"{workload.id} is told by {call.by} to send telemetry to its own node on "
        f"{call.protocol}/{port}, and no rule certainly lets it",
        effect="the destination is the node's address, which no pod selector matches: traces, "
        "logs or metrics may be lost",
        help="let it reach the addresses of nodes on that port, or send to a Service of the "
        "collector instead",
        mode=Mode.SCRAPE,
        **about(workload),
        evidence=(Evidence(f"{call.by} holds status.hostIP and port {port}", call.span),),
        mend=clinic.mend([answer]),
        caveats=answer.caveats,
        source=_NODE_SOURCE,
    )
