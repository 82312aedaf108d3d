"""The field table knows every field that is read, and cases meet what it calls modelled."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cloison.dialects.cilium.fields import FIELDS
from cloison.ir.fidelity import Fidelity
from tests.conformance.cases import cases

POLICIES = {"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}
FILES = ("cilium", "cilium-requests", "cilium-fields")
WORLDS = Path(__file__).parents[2] / "conformance" / "worlds"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LEAVING = re.compile(r"egress\[\]\.to(?=Endpoints|Entities|CIDR|Nodes|Groups)")
_ONLY_LEAVING = ("rules.dns", "toServices", "toFQDNs")


def paths(value: object, path: str) -> Iterator[str]:
    """Yield the paths of everything in a value, itself included."""
    yield path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from paths(child, f"{path}.{key}")
    elif isinstance(value, list):
        for child in value:
            yield from paths(child, f"{path}[]")


def met(manifest: dict[str, Any]) -> set[str]:
    """Return the rows that an object is about."""
    kind = manifest.get("kind", "")
    if not manifest.get("apiVersion", "").startswith("cilium.io/"):
        return set()
    meta = {f"metadata.{key}" for key in manifest["metadata"]}
    if kind not in POLICIES:
        whole = {each for key in ("spec", "metadata") for each in paths(manifest.get(key), key)}
        found = {f"{kind} {each}" for each in whole}
        if "labels" in manifest["metadata"]:
            found.add(f"{kind} metadata.labels.*")
        return found
    rules = [*([manifest["spec"]] if "spec" in manifest else []), *manifest.get("specs", ())]
    return meta | {_alike(path) for rule in rules for path in paths(rule, "spec")}


def _alike(path: str) -> str:
    """Return a path as the table has it, which says what is the same only once."""
    path = path.replace("egressDeny", "ingressDeny").replace("Deny.egress", "Deny.ingress")
    path = _LEAVING.sub("ingress[].from", path)
    leaves = any(name in path for name in _ONLY_LEAVING)
    return path if leaves else path.replace("spec.egress[]", "spec.ingress[]")


def exercised() -> set[str]:
    """Return the rows that some case is about."""
    texts = {each.read_text(encoding="utf-8") for each in WORLDS.glob("cilium*.yaml")}
    for case in (case for name in FILES for case in cases(name)):
        texts |= {case.objects, case.policies}
        for step in case.steps.values():
            texts |= {step.objects, step.policies}
    loaded = yaml.load_all("\n---\n".join(sorted(texts)), Loader=LOADER)
    return {row for manifest in loaded if manifest for row in met(manifest)}


def test_cases_meet_what_is_called_modelled() -> None:
    modelled = {path for path, fact in FIELDS.items() if fact.fidelity is Fidelity.MODELLED}
    assert sorted(modelled - exercised()) == []
