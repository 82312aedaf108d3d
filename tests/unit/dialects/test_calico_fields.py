"""The field table knows every field that is read, and cases meet what it calls modelled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cloison.dialects.calico.fields import FIELDS
from cloison.dialects.calico.model import KINDS, Policy
from cloison.ir.fidelity import Fidelity
from tests.conformance.cases import cases

OWN = {type_.kind for type_ in KINDS}
POLICIES = {type_.kind for type_ in KINDS if issubclass(type_, Policy)}
WORLD = Path(__file__).parents[2] / "conformance" / "worlds" / "calico.yaml"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ALIKE = {"GlobalNetworkSet": "NetworkSet"}


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
    kind = manifest["kind"]
    if kind not in OWN or "projectcalico.org" not in manifest["apiVersion"]:
        return set()
    if kind == "StagedKubernetesNetworkPolicy":
        return {f"{kind} spec"}
    before = "" if kind in POLICIES else f"{ALIKE.get(kind, kind)} "
    found = {before + _alike(path) for path in paths(manifest["spec"], "spec")}
    for key, value in manifest["metadata"].items():
        found |= {f"metadata.{key}", *(f"metadata.{key}.{inner}" for inner in value if inner)}
    return found


def _alike(path: str) -> str:
    """Return a path as the table has it, which says what is the same only once."""
    return path.replace("spec.egress", "spec.ingress").replace("[].destination", "[].source")


def exercised() -> set[str]:
    """Return the rows that some case is about."""
    chosen = (*cases("calico"), *cases("calico-fields"))
    texts = {WORLD.read_text(encoding="utf-8")}
    for case in chosen:
        texts |= {case.objects, case.policies}
        for step in case.steps.values():
            texts |= {step.objects, step.policies}
    loaded = yaml.load_all("\n---\n".join(sorted(texts)), Loader=LOADER)
    return {
        row
        for manifest in loaded
        if manifest and "metadata" in manifest
        for row in met({"spec": {}, **manifest})
    }


def test_cases_meet_what_is_called_modelled() -> None:
    modelled = {path for path, fact in FIELDS.items() if fact.fidelity is Fidelity.MODELLED}
    assert sorted(modelled - exercised()) == []
