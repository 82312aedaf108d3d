"""Small clusters and what was seen in them, made by hand, and what is recommended of that."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import yaml

import cloison
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.model import Recommended
from cloison.analyses.reconcile.seen import Became, Seen, SeenEnd
from cloison.app import Session
from cloison.app.compile import enforced_by, in_force
from cloison.app.contract import Agreed, agreed
from cloison.app.recommend import Wish, put
from cloison.intent import Contract
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import BlockMatch

START = 490_896
"""The hour since 1970 in which 2026 begins."""
WEEK = range(24 * 7)
HABIT = range(0, 24 * 7, 3)
"""Hours of a call that is made all week."""
TODAY = date(2026, 1, 20)
DNS = {"app.kubernetes.io/name": "kube-dns", "k8s-app": "kube-dns"}


def workload(
    name: str,
    *ports: int | str,
    labels: Mapping[str, str] | None = None,
    kind: str = "Deployment",
    replicas: int = 1,
    **pod: Any,
) -> dict[str, Any]:
    """Return a workload, `namespace/name`, whose pods listen on some ports: 80, `53/UDP`."""
    namespace, _, own = name.partition("/")
    marks = {"app": own} if labels is None else dict(labels)
    declared = [str(each).partition("/") for each in ports]
    container = {
        "name": "main",
        "image": "registry.example/main",
        "ports": [{"containerPort": int(n), "protocol": p or "TCP"} for n, _, p in declared],
        **pod.pop("container", {}),
    }
    template = {"metadata": {"labels": marks}, "spec": {"containers": [container], **pod}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": own, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": marks}, "template": template},
    }


def service(
    name: str, port: int, target: int, labels: Mapping[str, str], **spec: Any
) -> dict[str, Any]:
    """Return a Service in front of pods."""
    namespace, _, own = name.partition("/")
    ports = [{"name": "main", "port": port, "targetPort": target, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": own, "namespace": namespace},
        "spec": {"selector": dict(labels), "ports": ports, **spec},
    }


def resolver() -> list[dict[str, Any]]:
    """Return the cluster's own resolver, behind its Service."""
    labels = {"k8s-app": "kube-dns"}
    front = service("kube-system/kube-dns", 53, 53, labels, clusterIP="10.96.0.10")
    front["spec"]["ports"] = [
        {"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "targetPort": 53, "protocol": "TCP"},
    ]
    return [workload("kube-system/coredns", "53/UDP", 53, labels=labels), front]


def cluster(
    *objects: Mapping[str, Any], contract: Mapping[str, Any] | None = None, **said: Any
) -> Session:
    """Return a cluster of some objects, with a resolver, a node, and perhaps a contract.

    Args:
        objects: The objects.
        contract: What a contract specifies; None where there is none.
        said: Settings by name.
    """
    spaces = {o["metadata"].get("namespace", "default") for o in objects} | {"kube-system"}
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}}
        for each in sorted(spaces)
    ]
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-1"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.11"}]},
    }
    texts = {"cluster.yaml": yaml.safe_dump_all([*namespaces, node, *resolver(), *objects])}
    if contract is not None:
        head = {"apiVersion": "cloison.dev/v1alpha1", "kind": "Contract"}
        whole = {**head, "metadata": {"name": "shop"}, "spec": dict(contract)}
        texts["contract.yaml"] = yaml.safe_dump(whole)
    return cloison.load_texts(texts, runtime=True, **said)


def end(name: str, host: str | None = None, **said: Any) -> SeenEnd:
    """Return an end as records tell it: `namespace/workload`, `node`, or an address.

    Args:
        name: Which.
        host: The DNS name that an address was looked up by.
        said: What else records tell of it.
    """
    if name == "node":
        return SeenEnd("host", ip="192.0.2.11")
    if "/" in name:
        namespace, _, own = name.partition("/")
        return SeenEnd("pod", namespace, own, said.pop("kind", "Deployment"), **said)
    return SeenEnd("world", ip=name, name=host, **said)


def seen(
    source: str | SeenEnd,
    destination: str | SeenEnd,
    port: int,
    hours: Mapping[int, int] | Iterable[int] = HABIT,
    became: Became = "allowed",
    protocol: str = "TCP",
    **said: Any,
) -> Seen:
    """Return what was seen of an edge, in some hours after the start."""
    rows = hours if isinstance(hours, Mapping) else dict.fromkeys(hours, 2)
    course = Course.of((START + hour, count) for hour, count in rows.items())
    times = [(START + hour) * HOUR for hour in rows]
    one, other = (end(e) if isinstance(e, str) else e for e in (source, destination))
    return Seen(
        one,
        other,
        protocol,
        port,
        became,
        course.total,
        min(times, default=None),
        max(times, default=None),
        ("hubble",),
        course=course,
        **said,
    )


def recommended(
    session: Session,
    rows: Sequence[Seen],
    to: str = "networkpolicy",
    hours: Iterable[int] = WEEK,
    **wish: Any,
) -> Recommended:
    """Return what is recommended of what was seen."""
    found = agreed(session) if session.own else Agreed(Contract())
    watch = Watch({"hubble": tuple(START + hour for hour in hours)})
    return put(session, found, tuple(rows), watch, Wish(to, TODAY, **wish))[0]


def applied(session: Session, found: Recommended) -> Session:
    """Return the cluster with what is recommended in force, and nothing else."""
    target = found.result.target
    asked = enforced_by(session, target)
    return in_force(asked, [each.text for each in found.result.files], target, asked.profile)


def passes(session: Session, source: str, destination: str, port: str) -> bool:
    """Return whether traffic passes: `53/UDP`, `8080`."""
    number, _, protocol = port.partition("/")
    verdict = session.verdict(source, destination, protocol or "TCP", int(number))
    return verdict is Verdict.ALLOWED


def blocks_of(found: Recommended) -> list[BlockMatch]:
    """Return the blocks of addresses that policies name."""
    return [
        opening.peer
        for sheet in found.result.compiled.sheets
        for page in sheet.lists
        for opening in page.openings
        if isinstance(opening.peer, BlockMatch)
    ]


def text_of(found: Recommended) -> str:
    """Return all policies as text."""
    return "---\n".join(each.text for each in found.result.files)
