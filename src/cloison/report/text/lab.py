"""What a lab consists of, for people."""

from collections.abc import Iterator

from cloison.probe.lab.plan import Plan, Station
from cloison.probe.lab.seen import Seen
from cloison.report.about import About, Look
from cloison.report.text.layout import count, listed, table, wrapped

_FEW = 40
"""So many rows of a kind are shown; the rest is counted where not all of them are asked for."""
_PODS = 5


def lines(seen: Seen, _about: About | None, look: Look) -> Iterator[str]:
    """Iterate over the lines."""
    plan = seen.plan
    yield look.paint(_heading(seen), "bold")
    yield from wrapped(
        f"{count(len(plan.nodes), 'node')}, {count(len(plan.pods), 'pod')}, "
        f"{count(len(plan.services), 'Service')}, {count(len(plan.outside), 'external host')}, "
        f"{count(seen.listening, 'listener')}",
        look,
    )
    if seen.left_out:
        were = "is like one that is" if seen.left_out == 1 else "are like others that are"
        yield from wrapped(f"{count(seen.left_out, 'pod')} {were} built, and not built", look)
    many = None if seen.whole else _FEW
    yield ""
    yield from _stations(plan.nodes, many)
    yield ""
    yield from _stations(plan.pods, many)
    if plan.services:
        yield ""
        yield from _services(plan, many)
    yield ""
    for each in seen.proxied:
        way = "leaving" if each.direction == "egress" else "entering"
        said = f"proxy of {each.node}: reads HTTP requests {way} {listed(each.pods, _PODS)}"
        yield from wrapped(said, look)
    yield from wrapped(_names(seen), look)
    if not seen.whole:
        yield ""
        yield "try"
        yield from _next(seen)


def _heading(seen: Seen) -> str:
    return f"lab {seen.name}" + ("" if seen.whole else " is up")


def _stations(stations: tuple[Station, ...], many: int | None) -> Iterator[str]:
    rows = [
        (
            each.name,
            "" if each.name == f"node:{each.node}" else each.node,
            " ".join(each.addresses),
            " ".join(f"{x.protocol}/{x.port}" for x in each.listens),
        )
        for each in stations[:many]
    ]
    yield from table(rows, indent="  ")
    yield from _more(len(stations), many)


def _services(plan: Plan, many: int | None) -> Iterator[str]:
    rows = []
    for service in plan.services[:many]:
        ports = (f"{p.protocol}/{p.port} to {_backends(p.backends)}" for p in service.ports)
        rows.append((f"svc:{service.name}", " ".join(service.addresses), ", ".join(ports)))
    yield from table(rows, indent="  ")
    yield from _more(len(plan.services), many)


def _backends(backends: tuple[tuple[str, int], ...]) -> str:
    """Say where a port leads: IPv4 stands for both where there is any."""
    shown = [b for b in backends if ":" not in b[0]] or list(backends)
    texts = [f"[{a}]:{p}" if ":" in a else f"{a}:{p}" for a, p in shown]
    if not texts:
        return "nobody"
    return texts[0] if len(texts) == 1 else f"{texts[0]} and {len(texts) - 1} more"


def _names(seen: Seen) -> str:
    plan = seen.plan
    if not seen.answering:
        return "names: nobody answers for any; pip install 'cloison[lab]' brings a DNS server"
    who = ", ".join(dict.fromkeys(station for station, _ in plan.answering))
    return f"names: {who} answers for {count(len(plan.names), 'name')} at {' and '.join(plan.dns)}"


def _more(number: int, many: int | None) -> Iterator[str]:
    if many is not None and number > many:
        yield f"  ... and {number - many} more: cloison lab status"


def _next(seen: Seen) -> Iterator[str]:
    at = "" if seen.default else f" --name {seen.name}"
    pod = next((pod.name for pod in seen.plan.pods), "outside")
    target = next((p for p in seen.plan.pods if p.listens and p.name != pod), None)
    yield f"  cloison lab exec{at} {pod} -- ip -brief address"
    if target is not None:
        first = target.listens[0]
        yield f"  cloison lab trace{at} {pod} {target.name}:{first.port}"
    yield f"  cloison lab down{'' if seen.default else f' {seen.name}'}"
