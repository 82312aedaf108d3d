"""Small manifests of what platforms and network plugins ship."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloison.app import Session, load_objects
from cloison.resources.world import World

Manifest = dict[str, Any]

POST_DNAT = ("UDP", "TCP")


def read(*objects: Manifest, **said: Any) -> Session:
    """Return a session over some objects."""
    return load_objects(objects, **said)


def world(*objects: Manifest) -> World:
    """Return what some objects add up to."""
    return read(*objects).world


def container(name: str, image: str = "", *args: str, **more: Any) -> Manifest:
    """Return a container."""
    return {"name": name, "image": image, "args": list(args), **more}


def workload(
    name: str,
    *containers: Manifest,
    kind: str = "DaemonSet",
    namespace: str = "kube-system",
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> Manifest:
    """Return a controller with a pod template."""
    own = dict(labels or {"k8s-app": name})
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": own},
            "template": {
                "metadata": {"labels": own},
                "spec": {"containers": list(containers) or [container("main", "main:1")], **spec},
            },
        },
    }


def node(name: str = "n1", labels: Mapping[str, str] | None = None, provider: str = "") -> Manifest:
    """Return a node with labels."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {"providerID": provider} if provider else {},
    }


def config(name: str, namespace: str = "kube-system", **data: str) -> Manifest:
    """Return a ConfigMap; underscores in keys are dashes."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key.replace("_", "-"): value for key, value in data.items()},
    }


def crd(name: str) -> Manifest:
    """Return a CRD, `PLURAL.GROUP`."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {"group": name.partition(".")[2]},
    }


def kubelet(*addresses: str) -> Manifest:
    """Return the configuration of kubelets, which hand out some addresses."""
    lines = "".join(f"- {each}\n" for each in addresses)
    text = f"apiVersion: kubelet.config.k8s.io/v1beta1\nclusterDNS:\n{lines}clusterDomain: a.test\n"
    return config("kubelet-config", kubelet=text)


def service(
    name: str = "kube-dns",
    namespace: str = "kube-system",
    address: str | None = "10.96.0.10",
    selector: Mapping[str, str] | None = None,
    target: int | str | None = None,
    protocols: Sequence[str] = POST_DNAT,
    **labels: str,
) -> Manifest:
    """Return a Service for names."""
    ports: list[Manifest] = []
    for protocol in protocols:
        port: Manifest = {"name": f"dns-{protocol.lower()}", "port": 53, "protocol": protocol}
        ports.append({**port, "targetPort": target} if target is not None else port)
    spec: Manifest = {"ports": ports, "selector": dict(selector or {"k8s-app": "kube-dns"})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {**spec, "clusterIP": address} if address else spec,
    }


def coredns(namespace: str = "kube-system", **labels: str) -> Manifest:
    """Return the resolver as kubeadm installs it."""
    own = labels or {"k8s-app": "kube-dns"}
    return workload("coredns", kind="Deployment", namespace=namespace, labels=own)


def node_local(*arguments: str, host: bool = True) -> Manifest:
    """Return the cache that runs on the nodes."""
    main = container("node-cache", "k8s-dns-node-cache:1.23.1", *arguments)
    return workload("node-local-dns", main, hostNetwork=host)
