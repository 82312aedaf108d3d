"""The recommender that everybody writes first: labels copied, one rule for each edge."""

from pathlib import Path
from typing import Any, Final

import yaml

from cloison.flows.edges import edges

Row = dict[str, Any]
_HOME: Final = "kubernetes.io/metadata.name"


def naive(store: Path, until: int, namespaces: tuple[str, ...]) -> list[str]:
    """Return a policy for each side of each edge that a store has seen, and denials, as YAML.

    Args:
        store: The store.
        until: Only flows before it count.
        namespaces: Where policies are written for.
    """
    found = dict.fromkeys(
        _policy(name, "default-deny", {}, ["Ingress", "Egress"]) for name in namespaces
    )
    for row in edges(store, None, until).to_pylist():
        for side, other, direction in (("src", "dst", "egress"), ("dst", "src", "ingress")):
            known = row[f"{other}_labels"] or row[f"{other}_ip"]
            if row[f"{side}_ns"] in namespaces and row[f"{side}_labels"] and known and row["port"]:
                key = "to" if direction == "egress" else "from"
                ports = [{"protocol": row["proto"], "port": row["port"]}]
                rule = {direction: [{key: [_peer(row, other)], "ports": ports}]}
                said = [direction.title()]
                name = f"flow-{len(found)}"
                text = _policy(row[f"{side}_ns"], name, _labels(row, side), said, rule)
                found.setdefault(text)
    return list(found)


def _policy(
    namespace: str, name: str, labels: dict[str, str], types: list[str], rules: Row | None = None
) -> str:
    selector = {"matchLabels": labels} if labels else {}
    return yaml.safe_dump(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"podSelector": selector, "policyTypes": types, **(rules or {})},
        }
    )


def _peer(row: Row, side: str) -> Row:
    if row[f"{side}_labels"] and row[f"{side}_ns"]:
        return {
            "namespaceSelector": {"matchLabels": {_HOME: row[f"{side}_ns"]}},
            "podSelector": {"matchLabels": _labels(row, side)},
        }
    return {"ipBlock": {"cidr": f"{row[f'{side}_ip']}/32"}}


def _labels(row: Row, side: str) -> dict[str, str]:
    # In records of Cilium labels tell where they come from; only the pod's own are copied.
    pairs = (each.partition("=")[::2] for each in row[f"{side}_labels"])
    return {
        key: value for key, value in pairs if not key.startswith(("io.cilium", "io.kubernetes"))
    }
