"""What rules of Calico name besides labels and blocks: accounts, and endpoints of Services."""

import random
from typing import Any

from tests.oracle.raw import Manifest
from tests.support.calicopolicies import ACCOUNTS
from tests.support.chances import chance, pick
from tests.support.netpols import EXTERNAL, PORT_NUMBERS, PROTOCOLS

TRUST = ("low", "high")


def peopled(rng: random.Random, objects: list[Manifest], addresses: list[str]) -> list[Manifest]:
    """Return objects with accounts and Services beside them, and rules that name these.

    Args:
        rng: Where choices come from.
        objects: A world with Calico's policies; changed.
        addresses: Of its pods and nodes.
    """
    homes = sorted({o["metadata"].get("namespace") or "default" for o in objects if _pod(o)})
    for each in objects:
        spec = _pod(each)
        if spec is not None and chance(rng, 0.4):
            spec["serviceAccountName"] = rng.choice(ACCOUNTS)
    accounts = [_account(rng, home, name) for home in homes for name in ACCOUNTS]
    slices = [
        _slice(rng, home, f"s{number}", addresses)
        for number, home in enumerate(rng.choices(homes, k=rng.randint(0, 3)))
    ]
    for each in objects:
        if each["kind"] in ("NetworkPolicy", "GlobalNetworkPolicy"):
            _amend(rng, each, slices)
    return [*objects, *(a for a in accounts if chance(rng, 0.7)), *slices]


def _pod(item: Manifest) -> Manifest | None:
    if item["kind"] == "Pod":
        spec: Manifest = item["spec"]
        return spec
    found = item.get("spec") or {}
    found = (found.get("jobTemplate") or {}).get("spec") or found
    template: Manifest | None = (found.get("template") or {}).get("spec")
    return template


def _account(rng: random.Random, home: str, name: str) -> Manifest:
    labels = {"trust": rng.choice(TRUST)} if chance(rng, 0.7) else {}
    meta: dict[str, Any] = {"name": name, "namespace": home, "labels": labels}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}


def _slice(rng: random.Random, home: str, service: str, addresses: list[str]) -> Manifest:
    family = rng.choice(("IPv4", "IPv6"))
    mine = [a for a in (*addresses, *EXTERNAL) if (":" in a) is (family == "IPv6")]
    chosen = rng.sample(mine, min(len(mine), rng.randint(0, 3)))
    ports = [
        {"name": f"p{n}", "port": rng.choice(PORT_NUMBERS), "protocol": rng.choice(PROTOCOLS)}
        for n in range(rng.randint(1, 2))
    ]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-x",
            "namespace": home,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": family,
        "endpoints": [{"addresses": [a], "conditions": {"ready": True}} for a in chosen],
        "ports": ports,
    }


def _amend(rng: random.Random, policy: Manifest, slices: list[Manifest]) -> None:
    if "projectcalico.org" not in policy["apiVersion"]:
        return
    direction = rng.choice(("ingress", "egress"))
    rules = policy["spec"].get(direction)
    if not rules or not chance(rng, 0.5):
        return
    rule: Manifest = {"action": pick(rng, [(3, "Allow"), (2, "Deny"), (1, "Pass")])}
    side = "source" if direction == "ingress" else "destination"
    if slices and chance(rng, 0.6):
        meta = rng.choice(slices)["metadata"]
        name = meta["labels"]["kubernetes.io/service-name"]
        rule[side] = {"services": {"name": name, "namespace": meta["namespace"]}}
        if direction == "egress" or chance(rng, 0.5):
            rule["protocol"] = rng.choice(PROTOCOLS)
        if direction == "ingress" and "protocol" in rule and chance(rng, 0.5):
            rule["destination"] = {"ports": [rng.choice(PORT_NUMBERS)]}
    else:
        chosen = rng.choice((f"trust == '{rng.choice(TRUST)}'", "has(trust)", "!has(trust)"))
        rule[side] = {"serviceAccounts": {"selector": chosen}}
        if chance(rng, 0.3):
            rule[side]["namespaceSelector"] = "all()"
    rules.insert(rng.randint(0, len(rules)), rule)
