"""Small clusters out of plain manifests, for checks that look at one thing."""

import json
from collections.abc import Mapping
from typing import Any

from cloison.analyses.doctor import Finding
from tests.support.doctoring import examined

Manifest = dict[str, Any]
Labels = Mapping[str, str]
HOME = "kubernetes.io/metadata.name"


def text(*objects: Manifest) -> str:
    """Return manifests as one file."""
    return "\n---\n".join(json.dumps(each, indent=1) for each in objects)


def found(check: str, *objects: Manifest, **said: Any) -> tuple[Finding, ...]:
    """Return what one check finds."""
    return examined(text(*objects), check, **said)


def thing(kind: str, name: str, namespace: str | None = None, **more: Any) -> Manifest:
    """Return an object; `api` is its version, `labels` and `annotations` go to its metadata."""
    meta: Manifest = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    for key in ("labels", "annotations"):
        if key in more:
            meta[key] = more.pop(key)
    return {"apiVersion": more.pop("api", "v1"), "kind": kind, "metadata": meta, **more}


def container(image: str = "example.org/app:1", **more: Any) -> Manifest:
    """Return a container."""
    return {"name": "main", "image": image, **more}


def listening(*ports: tuple[int, str] | int) -> list[Manifest]:
    """Return container ports: numbers, or numbers with names."""
    pairs = [(each, "") if isinstance(each, int) else each for each in ports]
    return [{"containerPort": n, **({"name": name} if name else {})} for n, name in pairs]


def variables(**values: str) -> list[Manifest]:
    """Return environment variables."""
    return [{"name": name, "value": value} for name, value in values.items()]


def workload(
    name: str, namespace: str = "a", kind: str = "Deployment", *, pod: Any = None, **more: Any
) -> Manifest:
    """Return a workload of one container.

    Args:
        name: Its name; also the value of its label `app`.
        namespace: Where it lives.
        kind: Its kind.
        pod: The pod's specification beside its containers; `labels` and `annotations` are of it.
        more: Fields of the container, and `replicas`.
    """
    spec = dict(pod or {})
    meta: Manifest = {"labels": spec.pop("labels", {"app": name})}
    if "annotations" in spec:
        meta["annotations"] = spec.pop("annotations")
    count = {"replicas": more.pop("replicas")} if "replicas" in more else {}
    template = {"metadata": meta, "spec": {"containers": [container(**more)], **spec}}
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
        return thing(kind, name, namespace, api="batch/v1", spec={"template": template})
    selector = {"selector": {"matchLabels": meta["labels"]}}
    return thing(
        kind, name, namespace, api="apps/v1", spec={**selector, **count, "template": template}
    )


def service(
    name: str, namespace: str = "a", *ports: Manifest, selector: Labels | None = None, **spec: Any
) -> Manifest:
    """Return a Service that selects by its name, if nothing else is said."""
    labels = spec.pop("labels", {})
    notes = spec.pop("annotations", {})
    chosen = {"app": name} if selector is None else dict(selector)
    body = {"selector": chosen, "ports": list(ports) or [{"port": 80}], **spec}
    return thing("Service", name, namespace, labels=labels, annotations=notes, spec=body)


def policy(
    namespace: str = "a",
    name: str = "p",
    *,
    to: Labels | None = None,
    ingress: list[Manifest] | None = None,
    egress: list[Manifest] | None = None,
) -> Manifest:
    """Return a NetworkPolicy about the directions whose rules are given."""
    rules = {"ingress": ingress, "egress": egress}
    given = {key: value for key, value in rules.items() if value is not None}
    spec = {
        "podSelector": {"matchLabels": dict(to)} if to else {},
        "policyTypes": [key.capitalize() for key in given],
        **given,
    }
    return thing("NetworkPolicy", name, namespace, api="networking.k8s.io/v1", spec=spec)


def peer(namespace: str | None = None, **labels: str) -> Manifest:
    """Return a peer by labels, of a namespace if one is given."""
    chosen: Manifest = {"podSelector": {"matchLabels": labels}}
    if namespace is not None:
        chosen["namespaceSelector"] = {"matchLabels": {HOME: namespace}}
    return chosen


def block(cidr: str, *without: str) -> Manifest:
    """Return a peer by addresses."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(without)} if without else {})}}


def rule(key: str, *peers: Manifest, ports: tuple[int | str, ...] = ()) -> Manifest:
    """Return a rule: `from` or `to` some peers, on TCP ports if any are given."""
    said: Manifest = {key: list(peers)} if peers else {}
    return {**said, "ports": [{"port": each} for each in ports]} if ports else said
