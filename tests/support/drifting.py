"""A small cluster with a contract, and flows of it hour by hour: what drift is tried on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cloison.analyses.drift.model import BLANK, Change, Drift, Finding, Memory
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import Became, Seen, SeenEnd
from cloison.app import Session, load_texts
from cloison.app.drift import Asked, Past, drifted

START = 490_896
"""The first hour that is watched: 2026-01-01."""
DAY = 24
WEEK = 7 * DAY
TODAY = date(2026, 2, 1)


def workload(namespace: str, name: str, kind: str = "Deployment", **pod: Any) -> str:
    """Return the manifest of a workload whose pods are labelled with its name."""
    host = "hostNetwork: true, " if pod.get("host") else ""
    template = (
        f"{{metadata: {{labels: {{app: {name}}}}}, spec: {{{host}"
        "containers: [{name: c, image: i, ports: [{containerPort: 80, name: web}]}]}}"
    )
    if kind == "Pod":
        return (
            f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, "
            f"labels: {{app: {name}}}}}\n"
            f"spec: {{{host}containers: [{{name: c, image: i}}]}}\n"
        )
    head = f"metadata: {{name: {name}, namespace: {namespace}}}\n"
    if kind in ("Job", "CronJob"):
        spec = f"spec: {{template: {template}}}\n"
        if kind == "CronJob":
            made = f"jobTemplate: {{spec: {{template: {template}}}}}"
            spec = f'spec: {{schedule: "0 2 * * *", {made}}}\n'
        return f"apiVersion: batch/v1\nkind: {kind}\n{head}{spec}{pod.get('more', '')}"
    replicas = f"replicas: {pod['replicas']}, " if "replicas" in pod else ""
    return (
        f"apiVersion: apps/v1\nkind: {kind}\n{head}"
        f"spec: {{{replicas}selector: {{matchLabels: {{app: {name}}}}}, template: {template}}}\n"
        f"{pod.get('more', '')}"
    )


def space(name: str, **labels: str) -> str:
    """Return the manifest of a namespace."""
    said = ", ".join(f"{key}: {value}" for key, value in labels.items())
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{said}}}}}\n"


def policy(namespace: str, name: str, spec: str, annotations: str = "") -> str:
    """Return the manifest of a NetworkPolicy."""
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}, annotations: {{{annotations}}}}}\n"
        f"spec: {spec}\n"
    )


def deny(namespace: str) -> str:
    """Return the manifest of a default deny, both ways."""
    return policy(namespace, "deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}")


def allow(
    namespace: str,
    name: str,
    app: str,
    way: str,
    peer: str,
    port: int | str | None = 80,
    **more: str,
) -> str:
    """Return the manifest of a policy with one rule; `way` is `from` or `to`."""
    key = {"from": "ingress", "to": "egress"}[way]
    ports = f", ports: [{{port: {port}}}]" if port is not None else ""
    return policy(
        namespace,
        name,
        f"{{podSelector: {{matchLabels: {{app: {app}}}}}, policyTypes: [{key.title()}], "
        f"{key}: [{{{way}: [{peer}]{ports}}}]}}",
        more.get("annotations", ""),
    )


def pods(app: str, **labels: str) -> str:
    """Return a peer by the label of pods, in namespaces with some labels if any are given."""
    selected = f"podSelector: {{matchLabels: {{app: {app}}}}}"
    if not labels:
        return f"{{{selected}}}"
    said = ", ".join(f"{key}: {value}" for key, value in labels.items())
    return f"{{namespaceSelector: {{matchLabels: {{{said}}}}}, {selected}}}"


def contract(dependencies: str = "", more: str = "") -> str:
    """Return a contract in which `web` may call `api`, and everybody the zone `data`."""
    return (
        "apiVersion: cloison.dev/v1alpha1\nkind: Contract\nmetadata: {name: c}\nspec:\n"
        f"{more}"
        "  dependencies:\n"
        "    - {name: web-api, from: shop/web, to: shop/api, ports: [80], owner: o, reason: r}\n"
        f"{dependencies}"
    )


BASE = (
    space("shop", zone="app"),
    space("data", zone="data"),
    workload("shop", "web"),
    workload("shop", "api"),
    workload("data", "db", "StatefulSet"),
    deny("shop"),
    deny("data"),
    allow("shop", "web-out", "web", "to", pods("api")),
    allow("shop", "api-in", "api", "from", pods("web")),
)
"""Two namespaces that deny what is not allowed, and `web` calling `api`."""


def session(*manifests: str, **said: Any) -> Session:
    """Return a session of some manifests, read as drift reads them."""
    return load_texts({"all.yaml": "---\n".join(manifests)}, runtime=True, **said)


def end(name: str) -> SeenEnd:
    """Return an end as records tell it: `ns/name`, `ns/Kind/name`, an address, or a name."""
    parts = name.split("/")
    if len(parts) == 1:
        is_address = name.replace(".", "").isdigit()
        return SeenEnd("world", ip=name) if is_address else SeenEnd("world", ip=None, name=name)
    kind = parts[1] if len(parts) > len(("ns", "name")) else "Deployment"
    return SeenEnd("pod", parts[0], parts[-1], kind, f"{parts[-1]}-0")


def flow(
    source: str,
    destination: str,
    hours: Iterable[int],
    port: int = 80,
    became: Became = "allowed",
    each: int = 1,
) -> Seen:
    """Return an observed edge; hours count from the first that is watched."""
    course = Course.of((START + hour, each) for hour in hours)
    first = course.hours[0] * HOUR if course.hours else None
    last = course.hours[-1] * HOUR + HOUR // 2 if course.hours else None
    ends = (end(source), end(destination))
    count = course.total
    return Seen(*ends, "TCP", port, became, count, first, last, ("hubble",), course=course)


@dataclass(frozen=True)
class Heard:
    """What one node told in one hour."""

    node: str | None
    hour: int
    events: int = 0
    lost: int = 0


def past(
    *seen: Seen,
    days: int = 14,
    gaps: Iterable[int] = (),
    nodes: Iterable[Heard] = (),
    changes: tuple[Change, ...] = (),
    opened: tuple[Seen, ...] | None = None,
    going_on: tuple[Seen, ...] = (),
) -> Past:
    """Return what was seen in some days, of which some hours were not watched.

    Args:
        seen: What was seen.
        days: Days that are watched.
        gaps: Hours of them that are not.
        nodes: What nodes told and lost.
        changes: Changes of objects.
        opened: Connections of which records show the opening; None for all of what was seen.
        going_on: Those of which they show that they were opened earlier.
    """
    missing = frozenset(gaps)
    hours = tuple(START + hour for hour in range(days * DAY) if hour not in missing)
    told = tuple(replace(each, hour=START + each.hour) for each in nodes)
    shown = seen if opened is None else opened
    return Past(seen, Watch({"hubble": hours}), told, changes, lambda *_: (shown, going_on))


def look(
    manifests: Iterable[str],
    known: Past,
    *checks: str,
    before: Iterable[str] | None = None,
    memory: Memory = BLANK,
    **asked: Any,
) -> Drift:
    """Return what has drifted."""
    return remembering(manifests, known, *checks, before=before, memory=memory, **asked)[0]


def remembering(
    manifests: Iterable[str],
    known: Past,
    *checks: str,
    before: Iterable[str] | None = None,
    memory: Memory = BLANK,
    said: Mapping[str, Any] | None = None,
    **asked: Any,
) -> tuple[Drift, Memory]:
    """Return what has drifted, and what is remembered of it."""
    old = None if before is None else session(*before, **(said or {}))
    # Unless a test says so, it is the end of the last hour that was watched.
    until = (known.watch.hours[-1] + 1) * HOUR if known.watch else None
    question = replace(Asked(TODAY, checks=checks, until=until), **asked)
    now = session(*manifests, **(said or {}))
    found, after, _ = drifted(now, question, known, memory, old)
    return found, after


def keys(found: Iterable[Finding]) -> list[str]:
    """Return the keys of findings."""
    return [str(each.key) for each in found]


def texts(found: tuple[Finding, ...]) -> str:
    """Return all that is told of findings."""
    return "\n".join(
        [each.sign.message + "".join(e.text for e in each.sign.evidence) for each in found]
    )
