"""Random policies of Cilium's own, and what worlds need for them, as plain manifests.

Everything is valid for the API server and for the agent; what they refuse is tested elsewhere. A
port has one parser: HTTP where TCP carries it, DNS on port 53.
"""

import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.oracle.raw import Manifest
from tests.support.adminpolicies import AdminMaker, Seen
from tests.support.chances import chance, pick
from tests.support.ciliummaker import CiliumMaker
from tests.support.ciliumwords import (
    ACCOUNT,
    ACCOUNTS,
    CLUSTER,
    GROUPS,
    HIDDEN,
    NAMES,
    NAMESPACE,
    OF_NAMESPACES,
    POOLS,
    SERVER,
)
from tests.support.netpols import EXTERNAL, LABELS


@dataclass
class CiliumWorld:
    """A world for Cilium, and how it is set up.

    Args:
        objects: Manifests, policies among them.
        switches: Settings of Cilium in the cluster.
        version: Of Cilium.
        names: What DNS names stand for.
    """

    objects: list[Manifest]
    switches: dict[str, str] = field(default_factory=dict)
    version: tuple[int, int] = (1, 19)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def profile(self) -> str:
        """The profile's name."""
        return "cilium@{}.{}".format(*self.version)


def cilium_world(rng: random.Random, objects: list[Manifest], policies: int) -> CiliumWorld:
    """Return a world with some of Cilium's policies.

    Args:
        rng: Chance.
        objects: A world of `worlds.random_world`; its pods and nodes are changed.
        policies: How many of Cilium's own are added.
    """
    for each in objects:
        _prepared(rng, each)
    switches = _switches(rng)
    made = CiliumWorld(objects, switches, rng.choice(((1, 18), (1, 19), (1, 20))))
    if made.version == (1, 20) and chance(rng, 0.6):
        switches["enable-k8s-cluster-network-policy"] = "true"
    if made.version == (1, 20) and chance(rng, 0.15):
        switches["policy-cidr-match-mode"] = rng.choice(("pods", "nodes,pods"))
        switches["cilium.U4"] = "matches-like-nodes"
    if made.version == (1, 19):
        switches["cilium.patch"] = rng.choice(("3", "5", "6"))
    made.names = {name: held for name, held in NAMES.items() if chance(rng, 0.7)}
    seen = Seen(objects)
    objects += _services(rng, seen)
    maker = CiliumMaker(seen, rng, switches)
    objects += [maker.group(name) for name in GROUPS if chance(rng, 0.8)]
    objects += [maker.policy(f"c{number}") for number in range(policies)]
    if "enable-k8s-cluster-network-policy" in switches:
        tiers = AdminMaker(seen, rng, domains=False)
        objects += tiers.policies(rng.randint(1, 4), ("ClusterNetworkPolicy",))
    if "labels" not in switches:
        pods = list(objects)
        objects += [each for pod in pods for each in _identity(rng, pod, seen, switches)]
    if chance(rng, 0.6):
        objects.append(maker.lookups())
    if chance(rng, 0.6):
        objects.append(maker.requests())
    if chance(rng, 0.35):
        objects.append(maker.partners())
    rng.shuffle(objects)
    return made


def _prepared(rng: random.Random, item: Manifest) -> None:
    """Give what runs pods labels that are filtered, an account, and each port's name once."""
    spec = item.get("spec") or {}
    if item["kind"] == "Node" and chance(rng, 0.8):
        item["metadata"].setdefault("labels", {})["pool"] = rng.choice(POOLS)
    template = item if item["kind"] == "Pod" else spec.get("template")
    if item["kind"] == "CronJob":
        template = spec["jobTemplate"]["spec"]["template"]
    if template is None:
        return
    labels = template["metadata"].setdefault("labels", {})
    labels |= {k: rng.choice(v) for k, v in HIDDEN.items() if chance(rng, 0.25)}
    if chance(rng, 0.4):
        template["spec"]["serviceAccountName"] = rng.choice(ACCOUNTS)
    taken: set[str] = set()
    for container in template["spec"]["containers"]:
        ports = container.get("ports") or []
        kept = [p for p in ports if p.get("name") not in taken]
        taken |= {p["name"] for p in kept if "name" in p}
        if ports:
            container["ports"] = kept


def _identity(
    rng: random.Random, pod: Manifest, seen: Seen, switches: dict[str, str]
) -> Iterator[Manifest]:
    """Yield what Cilium says of a pod, where it says something that its manifest does not."""
    if pod["kind"] != "Pod" or pod["spec"].get("hostNetwork") or not chance(rng, 0.12):
        return
    meta = pod["metadata"]
    home = meta.get("namespace", "default")
    own = {**meta.get("labels", {}), "app": rng.choice(LABELS["app"])}
    labels = [f"k8s:{key}={value}" for key, value in own.items() if key in LABELS]
    around = {**seen.namespace_labels.get(home, {}), "kubernetes.io/metadata.name": home}
    labels += [f"k8s:{OF_NAMESPACES}{key}={value}" for key, value in around.items()]
    labels += [
        f"k8s:{NAMESPACE.removeprefix('k8s:')}={home}",
        f"k8s:{ACCOUNT}={pod['spec'].get('serviceAccountName', 'default')}",
    ]
    cluster = f"k8s:{CLUSTER}={switches.get('cluster-name', 'default')}"
    labels = pick(
        rng,
        [(3, [*labels, cluster]), (1, [*labels, f"k8s:{CLUSTER}=west"]), (1, ["reserved:init"])],
    )
    status: Manifest = {"state": "ready", "identity": {"id": 40_000, "labels": labels}}
    yield {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumEndpoint",
        "metadata": {"name": meta["name"], "namespace": home},
        "status": status,
    }


def _switches(rng: random.Random) -> dict[str, str]:
    found = {}
    weighted: dict[str, list[tuple[float, str]]] = {
        "enable-policy": [(14, ""), (2, "always"), (0.5, "never")],
        "allow-localhost": [(6, ""), (1, "policy")],
        "policy-cidr-match-mode": [(6, ""), (1, "nodes")],
        "policy-default-local-cluster": [(6, ""), (0.5, "true"), (0.5, "false")],
        "cluster-name": [(2, ""), (1, "east")],
        "labels": [(8, ""), (1, "!tier"), (0.5, "k8s:app k8s:io.kubernetes.pod.namespace")],
        "enable-node-selector-labels": [(1, ""), (1, "true")],
        "node-labels": [(8, ""), (1, "!pool"), (0.5, "node:pool")],
        "policy-audit-mode": [(14, ""), (1, "true")],
        "enable-host-firewall": [(4, ""), (1, "true")],
        "enable-cilium-network-policy": [(20, ""), (0.5, "false")],
        "enable-k8s-networkpolicy": [(20, ""), (0.5, "false")],
        "cilium.U1": [(2, ""), (1, "deny-wins"), (1, "localhost-wins")],
        "cilium.U2": [(2, ""), (1, "nothing"), (1, "every-destination")],
        "cilium.U3": [(2, ""), (1, "relaxes"), (1, "keeps")],
    }
    for name, chances in weighted.items():
        value = pick(rng, chances)
        if value:
            found[name] = value
    return found


def _services(rng: random.Random, seen: Seen) -> list[Manifest]:
    """Return Services with a selector and without, and that of the API server."""
    found: list[Manifest] = []
    for number in range(rng.randint(1, 3)):
        home, labels = rng.choice(seen.labelled)
        visible = {k: v for k, v in labels.items() if k in LABELS or k in HIDDEN}
        spec: Manifest = {"ports": [{"port": 80}]}
        if visible and chance(rng, 0.7):
            key = rng.choice(sorted(visible))
            spec["selector"] = {key: visible[key]}
        name = f"s{number}"
        meta: Manifest = {"name": name, "namespace": home}
        if chance(rng, 0.6):
            meta["labels"] = {"kind": rng.choice(("front", "back"))}
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
        if "selector" not in spec:
            address = rng.choice([*seen.addresses, *EXTERNAL, *EXTERNAL])
            found.append(_slice(home, name, address, empty=chance(rng, 0.3)))
    found.append(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default"},
            "spec": {"ports": [{"port": 443}]},
        }
    )
    nodes = [a for a in seen.addresses if a.startswith("10.1.")]
    found.append(_slice("default", "kubernetes", rng.choice([SERVER, *nodes[:1]])))
    return found


def _slice(home: str, name: str, address: str, *, empty: bool = False) -> Manifest:
    family = ipaddress.ip_address(address).version
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-1",
            "namespace": home,
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": f"IPv{family}",
        "endpoints": [] if empty else [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "", "port": 443, "protocol": "TCP"}],
    }
