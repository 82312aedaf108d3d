"""Calico's selector language and validator against our cases, and those against the fact sheet."""

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloison.base import Severity
from cloison.dialects.calico.decode import decode
from cloison.dialects.calico.selector import SelectorError, parse, text_of
from cloison.resources.documents import Document
from cloison.resources.options import ReadOptions
from cloison.sources import read

HERE = Path(__file__).parent / "cases"
SHEET = Path(__file__).parents[2].parent / "shared" / "semantics" / "calico.md"
SELECTORS: list[dict[str, Any]] = yaml.safe_load((HERE / "calico-selectors.yaml").read_text())
VALIDATION: list[dict[str, Any]] = yaml.safe_load((HERE / "calico-validation.yaml").read_text())
BOTH = ("NetworkPolicy", "GlobalNetworkPolicy")
SPECS = {
    "policy-spec": ("projectcalico.org/v3", BOTH),
    "crd-policy-spec": ("crd.projectcalico.org/v1", BOTH),
    "gnp-spec": ("projectcalico.org/v3", BOTH[1:]),
    "snp-spec": ("projectcalico.org/v3", ("StagedNetworkPolicy",)),
    "netset-spec": ("projectcalico.org/v3", ("NetworkSet", "GlobalNetworkSet")),
}
needs_sheet = pytest.mark.skipif(not SHEET.is_file(), reason="the fact sheet is not at hand")


def manifests(where: str, fragment: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects that a fragment makes, one for each place and kind that is meant."""
    if where == "tier":
        yield {"apiVersion": "projectcalico.org/v3", "kind": "Tier", **fragment}
        return
    if where in SPECS:
        version, kinds = SPECS[where]
        specs = [(kind, fragment) for kind in kinds]
    else:
        version = "projectcalico.org/v3"
        rule = {"action": "Allow", **fragment}
        kinds = {"np": BOTH[:1], "gnp": BOTH[1:]}.get(where.partition("-")[0], BOTH)
        sides = [side for side in ("ingress", "egress") if side in where] or ["ingress", "egress"]
        specs = [(kind, {side: [rule]}) for kind in kinds for side in sides]
    for kind, spec in specs:
        metadata = {"name": "x"}
        if not kind.startswith("Global"):
            metadata["namespace"] = "shop"
        yield {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def document(manifest: dict[str, Any]) -> Document:
    (found,) = read(["-"], stdin=BytesIO(json.dumps(manifest).encode()))
    assert isinstance(found, Document)
    return found


TRIES = [
    pytest.param(manifest, each, id=f"{case['id']}-{number}-{manifest['kind']}")
    for case in VALIDATION
    for number, each in enumerate(case["tries"], 1)
    for manifest in manifests(each["where"], each["fragment"])
]


@pytest.mark.parametrize(("manifest", "each"), TRIES)
def test_what_the_api_accepts(manifest: dict[str, Any], each: dict[str, Any]) -> None:
    found, said = decode(document(manifest), ReadOptions())
    errors = [d.code for d in said if d.severity is Severity.ERROR]
    assert (found is not None) is (each["result"] == "accept")
    assert errors == ([each["code"]] if "code" in each else [])
    assert all(d.effect and d.help and d.source and d.span for d in said)


@pytest.mark.parametrize("case", SELECTORS, ids=lambda case: case["id"])
def test_a_selector(case: dict[str, Any]) -> None:
    if case["result"] == "reject":
        with pytest.raises(SelectorError) as caught:
            parse(case["text"])
        assert caught.value.column == case["column"]
        return
    expression = parse(case["text"])
    assert expression.matches(case["labels"]) is case["result"]
    assert text_of(expression) == case["canonical"]
    assert text_of(parse(case["canonical"])) == case["canonical"]


def _sheet(number: int) -> list[dict[str, Any]]:
    text = SHEET.read_text(encoding="utf-8").partition("\n## 8. ")[2]
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", text.partition("\n## ")[0], re.DOTALL | re.MULTILINE
    )
    found: list[dict[str, Any]] = yaml.safe_load(blocks[number])
    return found


@needs_sheet
def test_the_selectors_are_those_of_the_sheet() -> None:
    keys = ("id", "text", "labels", "result")
    theirs = [tuple(case[key] for key in keys) for case in _sheet(4)]
    ours = [
        (case["id"], case["text"], case.get("labels", {}), case["result"]) for case in SELECTORS
    ]
    assert len(ours) == 56
    assert ours == theirs


@needs_sheet
def test_the_validation_cases_are_those_of_the_sheet() -> None:
    keys = ("where", "fragment", "result")
    theirs = [(c["id"], [tuple(t[k] for k in keys) for t in c["tries"]]) for c in _sheet(3)]
    ours = [(c["id"], [tuple(t[k] for k in keys) for t in c["tries"]]) for c in VALIDATION]
    assert [name for name, _ in ours] == [f"V{n:02}" for n in range(1, 25)]
    # The sheet writes a namespace `n`, which some readers of YAML take for a boolean.
    assert ours == theirs
