"""D-SCRAPE: whoever collects metrics reaches what monitors and annotations name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC
from cloison.analyses.ask import Explanation
from cloison.analyses.backends import own_port
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import closed, denied, nodes, selects, tried
from cloison.analyses.doctor.unscraped import Unseen, shut, unscraped, unseen
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.question import Traffic
from cloison.analyses.services import follow
from cloison.base import QuestionError, Severity, Span
from cloison.base.words import few
from cloison.engine import Engine
from cloison.platform.calls import written
from cloison.platform.monitors import (
    ANNOTATION,
    Scraper,
    Target,
    is_prometheus,
    probers,
    scrapers,
    targets,
)
from cloison.platform.names import service_of
from cloison.resources.declared import Declared
from cloison.resources.objects import Service
from cloison.resources.world import Workload, WorkloadId

_SOURCE = (
    "prometheus-operator/prometheus-operator pkg/apis/monitoring/v1; pkg/prometheus/promcfg.go"
)


@dataclass(frozen=True, slots=True)
class Collector:
    """Who scrapes.

    Args:
        name: What to call it.
        end: Its pods.
        why: What says so.
        span: Where that is written.
        engine: Who decides, where its pods had to be assumed.
        scraper: The object that an operator makes it from, if there is one.
        sure: Whether it certainly is who scrapes.
        verb: What it does with its targets.
    """

    name: str
    end: PodsEnd
    why: str
    span: Span | None
    engine: Engine | None = None
    scraper: Scraper | None = None
    sure: bool = True
    verb: str = "collect metrics of"


@dataclass(frozen=True, slots=True)
class Scrape:
    """A pod's port that is scraped, as the hop that enforcement points see."""

    to: End
    traffic: Traffic


def scrape(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each target whose metrics are not collected."""
    collectors = tuple(_collectors(clinic))
    nobody = unseen(clinic) if not collectors else None
    for target in targets(clinic.engine.world):
        if not clinic.examines(target.monitor.namespace):
            continue
        found = _found(clinic, target)
        if found is None:
            yield _no_port(target, clinic)
            continue
        why = f"{target.monitor.shown} names port {target.port}"
        said = Evidence(why, target.span)
        for each in _by(clinic, collectors, target.monitor):
            yield from _asked(clinic, each, found, target.monitor, said)
        if nobody is not None:
            asked = [(said, each) for each in found]
            yield from _by_nobody(clinic, nobody, asked, target.monitor.shown)
    yield from _probed(clinic, collectors)
    if nobody is None:
        yield from _annotated(clinic, collectors)
        return
    homes: dict[str, list[tuple[Evidence, Scrape]]] = defaultdict(list)
    for workload, noted, ports in _noted(clinic):
        homes[workload.id.namespace] += ((noted, each) for each in ports)
    for home, asked in homes.items():
        yield from _by_nobody(clinic, nobody, asked, f"Namespace {home}")


def scrapes(clinic: Clinic) -> Iterator[tuple[Collector, Scrape, Evidence]]:
    """Yield who collects metrics where, whether policies let that through or not."""
    collectors = tuple(_collectors(clinic))
    for target in targets(clinic.engine.world):
        said = Evidence(f"{target.monitor.shown} names port {target.port}", target.span)
        for each in _by(clinic, collectors, target.monitor):
            for one in _found(clinic, target) or ():
                yield each, one, said
    plain = [each for each in collectors if each.scraper is None]
    for _, said, found in _noted(clinic) if plain else ():
        for each in plain:
            for one in found:
                yield each, one, said


def _by_nobody(
    clinic: Clinic, by: Unseen, asked: Iterable[tuple[Evidence, Scrape]], what: str
) -> Iterator[Finding]:
    """Yield a finding for what no collector reaches, where none is in the input."""
    found = {
        (each.to.text, each.traffic.text): (said, each.to, answer)
        for said, each in asked
        if (answer := shut(clinic, by, each.to, each.traffic)) is not None
    }
    if found:
        pairs = [(to, answer) for _, to, answer in found.values()]
        evidence = tuple(dict.fromkeys(said for said, _, _ in found.values()))
        yield unscraped(clinic, by, pairs, evidence, what)


def _collectors(clinic: Clinic) -> Iterator[Collector]:
    """Yield who scrapes: pods of Prometheus objects, and any other Prometheus of the input."""
    world = clinic.engine.world
    taken: set[WorkloadId] = set()
    for each in scrapers(world):
        live = [w for w in clinic.everyone() if _is_of(w, each)]
        taken.update(w.id for w in live)
        why = f"{each.item.shown} scrapes it"
        for workload in live:
            name = each.item.shown if workload.id in clinic.assumed else str(workload.id)
            pods = clinic.pods(workload.id)
            yield Collector(name, pods, why, each.item.span, None, each)
    for workload in clinic.everyone():
        run = workload.endpoints[0].shape.runtime
        images = [c.image for c in run.containers] if run is not None else []
        if workload.id not in taken and any(map(is_prometheus, images)):
            why = f"{workload.id} runs Prometheus"
            yield Collector(str(workload.id), clinic.pods(workload.id), why, workload.span)


def _is_of(workload: Workload, scraper: Scraper) -> bool:
    """Return whether a workload is what an operator made of a Prometheus object."""
    here = workload.id.namespace == scraper.item.namespace
    return here and scraper.made.may_be(workload.endpoints[0].labels)


def _by(clinic: Clinic, collectors: Iterable[Collector], monitor: Declared) -> Iterator[Collector]:
    """Yield who takes a monitor; only Prometheus objects say.

    Where there is none, the one Prometheus of the input is who probably does.
    """
    known = tuple(collectors)
    for each in known:
        if each.scraper is not None and each.scraper.takes(clinic.engine.world, monitor):
            yield each
    if len(known) == 1 and known[0].scraper is None:
        why = f"{known[0].why}; nothing in the input says which monitors it takes"
        yield replace(known[0], why=why, sure=False)


def _found(clinic: Clinic, target: Target) -> tuple[Scrape, ...] | None:
    """Return what a target comes to; None where what is selected has no such port."""
    if target.services:
        services = [
            service
            for (namespace, _), service in clinic.engine.world.services.items()
            if (target.namespaces is None or namespace in target.namespaces)
            and target.selector.matches(service.labels)
        ]
        behind = [s for service in services for s in _behind(clinic, service, target)]
        return tuple(behind) if behind or not _populated(clinic, services) else None
    pods = [
        workload
        for workload in clinic.everyone()
        if (target.namespaces is None or workload.id.namespace in target.namespaces)
        and target.selector.matches(workload.endpoints[0].labels)
    ]
    ports = [s for workload in pods for s in _own(clinic, workload, target.port)]
    return tuple(ports) if ports or not pods else None


def _behind(clinic: Clinic, service: Service, target: Target) -> Iterator[Scrape]:
    """Yield the ports of pods behind a Service that a target means."""
    if service.type == "ExternalName":
        return
    if target.on_pods:
        for workload in _selected(clinic, service):
            yield from _own(clinic, workload, target.port)
        return
    # Who scrapes connects to the endpoints: where the Service is reachable does not matter.
    end = ServiceEnd(f"svc:{service.namespace}/{service.name}", service)
    name = str(target.port)
    for port in service.ports:
        if port.name != name:
            continue
        try:
            hops = follow(clinic.engine, end, end, Traffic(name, NO_TRAFFIC, name, port.protocol))
        except QuestionError:
            continue
        for each in hops:
            yield Scrape(each.destination, each.traffic)


def _selected(clinic: Clinic, service: Service) -> Iterator[Workload]:
    every = clinic.homes.get(service.namespace, ())
    return (workload for workload in every if selects(service, workload))


def _populated(clinic: Clinic, services: Iterable[Service]) -> bool:
    """Return whether somebody certainly is behind one of some Services."""
    return any(True for service in services for _ in _selected(clinic, service))


def _own(clinic: Clinic, workload: Workload, port: int | str) -> Iterator[Scrape]:
    """Yield the port of a workload's pods by its number or name."""
    number = port if isinstance(port, int) else own_port(workload.endpoints[0], port, "TCP")
    if number is not None:
        yield Scrape(clinic.pods(workload.id), on("TCP", number))


def _asked(
    clinic: Clinic,
    collector: Collector,
    found: Iterable[Scrape],
    by: Declared | None,
    said: Evidence,
) -> Iterator[Finding]:
    """Yield one finding for all that a collector cannot reach of what one entry asks for."""
    shut: list[tuple[Scrape, Explanation]] = []
    for each in {(one.to.text, one.traffic.text): one for one in found}.values():
        answer = tried(clinic, collector.end, each.to, each.traffic, collector.engine)
        if answer is not None and closed(answer):
            shut.append((each, answer))
    if shut:
        yield _finding(clinic, collector, shut, by, said)


def _finding(
    clinic: Clinic,
    collector: Collector,
    shut: list[tuple[Scrape, Explanation]],
    by: Declared | None,
    said: Evidence,
) -> Finding:
    told = [answer for _, answer in shut]
    what = few(f"{each.to.text} on {each.traffic.text}" for each, _ in shut)
    first = shut[0][0].to
    workload = first.workload if isinstance(first, PodsEnd) else None
    return Finding(
        code="SCR001",
        check="D-SCRAPE",
        severity=Severity.ERROR if collector.sure and any(map(denied, told)) else Severity.WARNING,
        message=f"{collector.name} cannot {collector.verb} {what}",
        effect="the target is down for Prometheus: its metrics are missing, and alerts that "
        "stand on them are silent",
        help="let the pods of Prometheus in on the pods' own port, and out to it",
        mode=Mode.SCRAPE,
        workload=workload.id if workload is not None else None,
        object=by.shown
        if by is not None
        else f"{workload.id.kind} {workload.id}"
        if workload is not None
        else None,
        span=said.span,
        evidence=(said, Evidence(collector.why, collector.span)),
        mend=clinic.mend([_by_node(clinic, collector, *each) for each in shut], collector.engine),
        caveats=merge_caveats(each.caveats for each in told),
        source=_SOURCE,
    )


def _by_node(
    clinic: Clinic, collector: Collector, scrape: Scrape, answer: Explanation
) -> Explanation:
    """Return what becomes of a scrape of pods on their nodes' network: no selector is for those."""
    end, there = scrape.to, nodes(clinic, "the nodes")
    if not isinstance(end, PodsEnd) or not isinstance(there, AddressEnd):
        return answer
    if not end.workload.endpoints[0].shape.host_network:
        return answer
    return tried(clinic, collector.end, there, scrape.traffic, collector.engine) or answer


def _no_port(target: Target, clinic: Clinic) -> Finding:
    what = "Service" if target.services and not target.on_pods else "pod"
    del clinic
    return Finding(
        code="SCR002",
        check="D-SCRAPE",
        severity=Severity.WARNING,
        message=f"{target.monitor.shown} asks for port {target.port}, which no {what} that it "
        "selects has",
        effect="it finds no targets, whatever policies let through",
        help="write the name of a port of the Service in `port`, of the container in a PodMonitor",
        mode=Mode.SCRAPE,
        object=target.monitor.shown,
        span=target.span,
        source=_SOURCE,
    )


def _probed(clinic: Clinic, collectors: tuple[Collector, ...]) -> Iterator[Finding]:
    """Yield what is wrong with the way to the probers that Probe objects go through."""
    for item, url, called in probers(clinic.engine.world):
        for host, port, _ in written(url if "://" in url else f"http://{url}"):
            key = service_of(clinic.engine.world, item.namespace, host)
            if key is None or port is None or not clinic.examines(item.namespace):
                continue
            end = clinic.service(*key)
            if end is None:
                continue
            said = Evidence(f"{item.shown} goes through {host} on port {port}", item.span)
            for each in _by(clinic, collectors, item):
                yield from _asked(clinic, each, [Scrape(end, on("TCP", port))], item, said)
            for workload in _selected(clinic, end.service):
                yield from _through(clinic, workload, called, item, said)


def _through(
    clinic: Clinic, prober: Workload, called: Iterable[str], item: Declared, said: Evidence
) -> Iterator[Finding]:
    """Yield what a prober cannot reach of what a Probe tells it to call."""
    name = str(prober.id)
    by = Collector(name, clinic.pods(prober.id), f"{name} is the prober", prober.span, verb="probe")
    found: list[Scrape] = []
    for url in called:
        for host, port, protocol in written(url):
            key = service_of(clinic.engine.world, prober.id.namespace, host)
            end = clinic.service(*key) if key is not None else None
            if end is not None and port is not None:
                found.append(Scrape(end, on(protocol, port)))
    yield from _asked(clinic, by, found, item, said)


def _annotated(clinic: Clinic, collectors: tuple[Collector, ...]) -> Iterator[Finding]:
    """Yield what is wrong with pods and Services that ask to be scraped by annotations.

    A Prometheus that an operator runs does not look at them.
    """
    plain = [each for each in collectors if each.scraper is None]
    for workload, said, found in _noted(clinic) if plain else ():
        for each in plain:
            if each.end.workload.id != workload.id:
                yield from _asked(clinic, each, found, None, said)


def _noted(clinic: Clinic) -> Iterator[tuple[Workload, Evidence, list[Scrape]]]:
    """Yield what annotations of pods, and of Services in front of them, ask to be scraped."""
    for workload in clinic.workloads():
        run = workload.endpoints[0].shape.runtime
        notes = dict(run.annotations) if run is not None else {}
        text = f"annotation {ANNOTATION}scrape of {workload.id} asks for it"
        found = list(_asking(clinic, workload, notes))
        if found:
            yield workload, Evidence(text, workload.span), found
    for (namespace, name), service in clinic.engine.world.services.items():
        port = service.annotations.get(f"{ANNOTATION}port", "")
        if not clinic.examines(namespace) or not port.isdecimal():
            continue
        if service.annotations.get(f"{ANNOTATION}scrape") != "true":
            continue
        text = f"annotation {ANNOTATION}scrape of Service {namespace}/{name} asks for it"
        said = Evidence(text, service.span)
        for workload in _selected(clinic, service):
            yield workload, said, list(_own(clinic, workload, int(port)))


def _asking(clinic: Clinic, workload: Workload, notes: dict[str, str]) -> Iterator[Scrape]:
    """Yield the port of pods that their annotations ask to be scraped on."""
    if notes.get(f"{ANNOTATION}scrape") != "true":
        return
    said = notes.get(f"{ANNOTATION}port", "")
    declared = [each.number for each in workload.endpoints[0].ports if each.protocol == "TCP"]
    if said.isdecimal():
        yield from _own(clinic, workload, int(said))
    elif not said and len(declared) == 1:
        yield from _own(clinic, workload, declared[0])
