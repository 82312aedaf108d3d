"""Clusters with a contract, and what was compiled of it."""

from typing import Any

import yaml

import cloison
from cloison.app import Session
from cloison.app.compile import Compilation
from tests.support.platforms import workload


def session(
    *dependencies: dict[str, Any],
    objects: tuple[dict[str, Any], ...] = (),
    text: str = "",
    **spec: Any,
) -> Session:
    """Return a cluster with a contract of some dependencies.

    Args:
        dependencies: The dependencies.
        objects: The cluster.
        text: More of the cluster, as YAML.
        spec: What else the contract says.
    """
    contract = {
        "apiVersion": "cloison.dev/v1alpha1",
        "kind": "Contract",
        "metadata": {"name": "c"},
        "spec": {"dependencies": list(dependencies), **spec},
    }
    texts = {"objects.yaml": yaml.safe_dump_all(objects), "contract.yaml": yaml.safe_dump(contract)}
    return cloison.load_texts({**texts, **({"more.yaml": text} if text else {})}, runtime=True)


def app(name: str, **labels: str) -> dict[str, Any]:
    """Return a Deployment of the namespace `shop`."""
    return workload(name, kind="Deployment", namespace="shop", labels=labels or {"app": name})


def policy(done: Compilation, path: str) -> dict[str, Any]:
    """Return the only policy of a file."""
    (found,) = (each for each in done.files if each.path == path)
    (one,) = (each for each in found.objects if isinstance(each, dict))
    return one


def said(done: Compilation, code: str) -> list[str]:
    """Return what findings of a code say."""
    return [each.message for each in done.result.findings if each.code == code]
