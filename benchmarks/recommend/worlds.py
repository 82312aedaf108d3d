"""Applications in a cluster, four weeks of their traffic, and what of it is meant."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.recommend.cluster import JOBS, NODES, PODS, Object, around, rolled
from cloison.analyses.doctor.served import target_of
from cloison.app.load import load_objects
from cloison.app.session import Session
from cloison.app.traffic import Wanted, plan
from cloison.flows.generator.model import Call, Made, Place, Plan, Rhythm, Rollout, Service
from cloison.platform.customs import plain
from cloison.resources.world import Workload

START: Final = 1_767_571_200_000_000
"""Monday, 5 January 2026, in microseconds: the fourth week has the month's last day."""
DAYS: Final = 28
UPDATED: Final = 16 * 24
"""Hours after the start at which every Deployment is updated, one after the other."""
ATTACK: Final = 4 * 24 + 3
PERSON: Final = 5 * 24 + 14
_FRONTS: Final = ("frontend", "front-end", "productpage")
VISITORS: Final = Place("visitors", tuple(f"198.51.100.{n}" for n in range(1, 60)))
PAYMENTS: Final = Place("payments", ("203.0.113.9", "203.0.113.10"), "pay.example.com")
KUBELET: Final = Place("a node", NODES, entity="host")
_DATABASES: Final = ("db", "redis", "mongodb", "mysql", "postgres")
_HAND: Final = 3


@dataclass(frozen=True)
class World:
    """An application whose policies are recommended.

    Args:
        name: What it is called.
        before: Its cluster, without any policy.
        after: The same after every Deployment was updated.
        plan: Its traffic.
        namespaces: Where policies are recommended for.
    """

    name: str
    before: Session
    after: Session
    plan: Plan
    namespaces: tuple[str, ...]


def worlds(data: Path) -> Iterator[World]:
    """Yield the example and the public applications that are there.

    Args:
        data: The folder with `apps` and `flows`.
    """
    yield example()
    for app in ("online-boutique", "sock-shop", "bookinfo", "bank-of-anthos"):
        truth = data / "flows" / "ground-truth" / f"{app}.jsonl"
        if truth.is_file():
            yield _application(app, data / "apps" / app, truth)


def objects_of(home: Path) -> list[Object]:
    """Return the objects of a folder's manifests."""
    files = sorted(home.rglob("*.yaml"))
    found = [each for file in files for each in yaml.safe_load_all(file.read_text("utf-8"))]
    return [each for each in found if isinstance(each, dict) and "kind" in each]


def example() -> World:
    """Return the example: what its contract means happens; no policy is in force yet."""
    home = Path(__file__).parents[2] / "examples" / "case-management"
    named = _bare(objects_of(home))
    contract = str(home / "contract.yaml")
    before, after = _sessions(named)
    made = plan(before, (contract,), Wanted(DAYS))
    spaces = {w.id.namespace for w in before.world.workloads.values()} - {"kube-system"}
    return _with_others("case-management", before, after, list(made.calls), tuple(sorted(spaces)))


def _bare(objects: list[Object]) -> list[Object]:
    return [
        each
        for each in objects
        if "Policy" not in each["kind"]
        and each["kind"] not in ("Contract", "ConnectivityTest", "ConnectivityTests")
    ]


def _sessions(objects: list[Object]) -> tuple[Session, Session]:
    first, second = (
        load_objects(rolled(objects, number), runtime=True, pod_cidrs=(PODS,)) for number in (1, 2)
    )
    return first, second


def _application(name: str, home: Path, truth: Path) -> World:
    manifests = home / "manifests"
    found = _bare(objects_of(manifests if manifests.is_dir() else home))
    found = [each for each in found if each["kind"] != "Namespace"]
    spaces = {each["metadata"].get("namespace") for each in found}
    namespace = next(iter(spaces - {None}), "default")
    for each in found:
        each["metadata"].setdefault("namespace", namespace)
    before, after = _sessions([*around(namespace), *found])
    calls = list(_calls(before, namespace, truth))
    return _with_others(name, before, after, calls, (namespace,))


def _calls(session: Session, namespace: str, truth: Path) -> Iterator[Call]:
    """Yield what an application does, by its sources and by being in a cluster."""
    every = [w for w in session.world.workloads.values() if w.id.namespace == namespace]
    jobs = {name for name, _ in JOBS}
    for line in truth.read_text("utf-8").splitlines():
        said = json.loads(line)
        for source in _called(every, said["src"]):
            for destination in _called(every, said["dst"]):
                port = int(said["port"])
                if said["port_kind"] == "service":
                    port = _on_pods(session, destination, port)
                yield _call(session, source, destination, port, said.get("frequency", "common"))
    for each in every:
        yield from _platform(session, each)
    stores = [e for e in every if any(word in e.id.name for word in _DATABASES)]
    called = stores or [e for e in every if e.id.name not in jobs]
    rhythms: dict[str, Rhythm] = {"nightly": "daily", "weekly": "weekly", "month-end": "month-end"}
    for name, rhythm in rhythms.items():
        source = next(e for e in every if e.id.name == name)
        destination = called[len(name) % len(called)]
        at = {"nightly": 2.3, "weekly": 3.0, "month-end": 1.0}[name]
        port = _ports(destination)[0]
        yield replace(_call(session, source, destination, port), rhythm=rhythm, at=at)
    paying = next(e for e in every if e.id.name not in jobs and e not in stores)
    yield Call(made_of(paying), PAYMENTS, 443, rhythm="rare")
    for front in (e for e in every if plain(e.id.name) in _FRONTS):
        yield Call(VISITORS, made_of(front), _ports(front)[0], per_hour=4.0)


def _platform(session: Session, each: Workload) -> Iterator[Call]:
    resolver = session.world.workloads[
        next(n for n in session.world.workloads if n.name == "coredns")
    ]
    one = made_of(each)
    job = each.id.kind in ("Job", "CronJob")
    rhythm: Rhythm = "daily" if each.id.name == "nightly" else "chatty"
    if job and each.id.name != "nightly":
        rhythm = "weekly" if each.id.name == "weekly" else "month-end"
    at = {"nightly": 2.3, "weekly": 3.0, "month-end": 1.0}.get(each.id.name, 2.0)
    service = Service("kube-system", "kube-dns", "10.96.0.10", 53)
    there = made_of(resolver)
    yield Call(one, there, 53, "UDP", rhythm, per_hour=1.5, at=at, service=service)
    if not job:
        yield Call(one, there, 53, "TCP", "rare", service=service)
    for port in sorted(_probed(each)):
        yield Call(KUBELET, one, port, per_hour=1.0)


def _probed(each: Workload) -> set[int]:
    """Return the ports that its node's kubelet probes."""
    pod = each.endpoints[0]
    named = {port.name: port.number for port in pod.ports}
    runtime = pod.shape.runtime
    containers = runtime.containers if runtime is not None else ()
    probes = (p for c in containers for p in c.probes if p.port is not None)
    found = {p.port if isinstance(p.port, int) else named.get(str(p.port)) for p in probes}
    return {port for port in found if port is not None}


def _call(
    session: Session, source: Workload, destination: Workload, port: int, often: str = "common"
) -> Call:
    rate = 0.4 + sum(f"{source.id}{destination.id}".encode()) % 50 / 12
    service = next(_services(session, destination, port), None)
    return Call(
        made_of(source),
        made_of(destination),
        port,
        rhythm="rare" if often == "rare" else "chatty",
        per_hour=rate,
        service=service,
    )


def _services(session: Session, destination: Workload, port: int) -> Iterator[Service]:
    pod = destination.endpoints[0]
    for number, service in enumerate(session.world.services.values()):
        if not service.selector or service.namespace != destination.id.namespace:
            continue
        if service.selector.items() <= pod.labels.items():
            for each in service.ports:
                if (target_of(pod, each) or each.port) == port:
                    ip = f"10.96.1.{number % 250 + 1}"
                    yield Service(service.namespace, service.name, ip, each.port)


def made_of(each: Workload) -> Made:
    """Return a workload as traffic is made of it."""
    pod = each.endpoints[0]
    labels = tuple(sorted(f"{key}={value}" for key, value in pod.labels.items()))
    job = each.id.kind in ("Job", "CronJob")
    name = each.id
    return Made(name.namespace, name.name, name.kind, labels, 1 if job else 2, False)


def _called(every: Iterable[Workload], name: str) -> list[Workload]:
    exact = [each for each in every if each.id.name == name]
    return exact or [each for each in every if plain(each.id.name) == name]


def _ports(each: Workload) -> list[int]:
    found = sorted({port.number for port in each.endpoints[0].ports if port.protocol == "TCP"})
    return found or [8080]


def _on_pods(session: Session, destination: Workload, port: int) -> int:
    pod = destination.endpoints[0]
    for service in session.world.services.values():
        if service.selector and service.selector.items() <= pod.labels.items():
            for each in service.ports:
                if each.port == port:
                    return target_of(pod, each) or port
    return port


def _with_others(
    name: str, before: Session, after: Session, calls: list[Call], namespaces: tuple[str, ...]
) -> World:
    """Return a world with what nobody means: a scan from a pod, and a person with a shell."""
    inside = sorted(
        {e for c in calls for e in (c.src, c.dst) if isinstance(e, Made)},
        key=lambda made: (made.namespace, made.name),
    )
    ours = [each for each in inside if each.namespace in namespaces]
    meant = {(c.src, c.dst, c.port) for c in calls}
    source = next(e for e in ours if e.kind == "Deployment")
    number = 0
    others: list[Call] = []
    for target in inside:
        for port in sorted({c.port for c in calls if c.dst == target} or {8080}):
            if target != source and (source, target, port) not in meant:
                at = ATTACK + number / 100
                others.append(Call(source, target, port, rhythm="once", at=at, sort="attack"))
                number += 1
    people = [
        (one, other)
        for one in reversed(ours)
        for other in ours
        if one != other and one.kind != "CronJob" and not _meets(meant, one, other)
    ]
    one, other = next((a, b) for a, b in people if a != source)
    port = next((c.port for c in calls if c.dst == other), 8080)
    for turn in range(_HAND):
        at = PERSON + turn / 30
        others.append(Call(one, other, port, rhythm="once", at=at, sort="person"))
    deployments = [e for e in inside if e.kind == "Deployment"]
    rollouts = tuple(
        Rollout(each, UPDATED + place / 4, _labels(after, each))
        for place, each in enumerate(deployments)
    )
    made = Plan((*dict.fromkeys(calls), *others), START, DAYS * 24.0, 0, NODES, rollouts=rollouts)
    return World(name, before, after, made, namespaces)


def _meets(meant: set[tuple[Any, Any, int]], one: Made, other: Made) -> bool:
    return any({src, dst} == {one, other} for src, dst, _ in meant)


def _labels(session: Session, each: Made) -> tuple[str, ...]:
    for workload in session.world.workloads.values():
        if (workload.id.namespace, workload.id.name) == (each.namespace, each.name):
            return made_of(workload).labels
    return each.labels
