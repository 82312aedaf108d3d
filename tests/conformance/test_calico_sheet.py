"""Our cases against the project's fact sheet of Calico's semantics, where it is at hand.

The sheet is not part of this repository. It states cases in shorthand; each must be among ours,
with the same objects, the same checks in the same order and the same verdicts. Of cases whose
set-up the sheet gives in prose the objects it does spell out are compared.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conformance.cases import Case, Row, cases, read

SHEET = Path(__file__).parents[2].parent / "shared" / "semantics" / "calico.md"
CALICO, STORED = "projectcalico.org/v3", "crd.projectcalico.org/v1"
KINDS = {
    "NP": (CALICO, "NetworkPolicy"),
    "GNP": (CALICO, "GlobalNetworkPolicy"),
    "SNP": (CALICO, "StagedNetworkPolicy"),
    "SGNP": (CALICO, "StagedGlobalNetworkPolicy"),
    "SKNP": (CALICO, "StagedKubernetesNetworkPolicy"),
    "KNP": ("networking.k8s.io/v1", "NetworkPolicy"),
    "KCNP": ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    "Tier": (CALICO, "Tier"),
}
VERSIONS = {
    "any": ("calico@3.31", "calico@3.32"),
    "<=3.31": ("calico@3.31",),
    "<=3.31.5": ("calico@3.31",),
    ">=3.31.6": ("calico@3.32",),
}
WRITTEN_PAST_THE_VALIDATOR = {"T100", "T101"}
HOMES = {"db": "bank", "probe": "dmz", "spoof": "dmz"} | dict.fromkeys(
    ("web", "api", "fresh"), "shop"
)
OWN, OTHER = "node:n1", "node:n2"
OTHERWISE: Mapping[tuple[str, int], Mapping[str, Any]] = {
    # A question says the Service itself, and the node that a client has become.
    ("T95", 0): {"dst": "svc:shop/api-svc"},
    ("T109", 0): {"src": OTHER},
    # A profile says 3.31, not which of its releases; tests/unit/analyses/test_request.py asks both.
    ("T99", 0): {"verdict": "undetermined"},
    # A policy that cannot be stored is refused, so what it would do there is not answered.
    ("T102", 0): {"verdict": "allowed"},
}
"""What of a check is said in other words, or cannot be said yet, by its place in the case."""

Entry = dict[str, Any]


def _blocks() -> list[list[Entry]]:
    if not SHEET.is_file():
        return []
    text = SHEET.read_text(encoding="utf-8")
    section = text[text.index("## 8. ") : text.index("## 9. ")]
    found: list[list[Entry]] = [
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    ]
    return found[1:3]


ENTRIES = [entry for block in _blocks() for entry in block]
needs_sheet = pytest.mark.skipif(not ENTRIES, reason="the fact sheet is not at hand")
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])


def _case(entry: Entry) -> Case:
    (case,) = [case for case in cases("calico") if entry["id"] in case.ids]
    return case


@needs_sheet
def test_the_sheet_is_read_whole_and_every_id_has_one_case() -> None:
    assert [entry["id"] for entry in ENTRIES] == [f"T{n:02}" for n in range(1, 113)]
    named = [name for case in cases("calico") for name in case.ids]
    assert named == [entry["id"] for entry in ENTRIES]


@needs_sheet
@each_entry
def test_objects_agree(entry: Entry) -> None:
    case = _case(entry)
    texts = (case.policies, *(step.policies for step in case.steps.values()))
    ours = [_plain(document) for text in texts for document in read(text) if document]
    raw = entry["id"] in WRITTEN_PAST_THE_VALIDATOR
    theirs = [_manifest(given, raw=raw) for given in entry["given"] if isinstance(given, dict)]
    if all(isinstance(given, dict) for given in entry["given"]) and not case.steps:
        assert ours == theirs
    assert all(each in ours for each in theirs)


@needs_sheet
@each_entry
def test_checks_agree(entry: Entry) -> None:
    case = _case(entry)
    expected = list(_rows(entry))
    assert len(case.expect) == len(expected)
    for place, (row, said) in enumerate(zip(case.expect, expected, strict=True)):
        found = {key: getattr(row, key) for key in said}
        assert found == {**said, **OTHERWISE.get((entry["id"], place), {})}
    assert case.under == VERSIONS[entry.get("for", ">=3.31.6")]


@needs_sheet
@each_entry
def test_what_is_forwarded_goes_to_a_pod_on_that_node(entry: Entry) -> None:
    through = any("~hn1" in check for check in entry["checks"])
    world = read(_case(entry).texts()["world.yaml"])
    (pod,) = [each for each in world if _is(each, "Pod", "api")]
    assert pod["spec"]["nodeName"] == ("hn1" if through else "n1")


def _is(document: Mapping[str, Any], kind: str, name: str) -> bool:
    return bool(document["kind"] == kind and document["metadata"]["name"] == name)


def _plain(document: Mapping[str, Any]) -> Entry:
    return {**document, "spec": document.get("spec", {})}


def _manifest(given: Entry, *, raw: bool) -> Entry:
    """Return what the sheet's shorthand stands for."""
    spec = {k: v for k, v in given.items() if k not in {"kind", "name", "namespace", "rawNoTypes"}}
    version, kind = KINDS[given["kind"]]
    metadata = {key: given[key] for key in ("name", "namespace") if key in given}
    stored = raw or given.get("rawNoTypes", False)
    return {
        "apiVersion": STORED if stored else version,
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


def _rows(entry: Entry) -> Iterator[Entry]:
    """Yield what the sheet's checks say, in the words of our rows."""
    for check, verdict in entry["checks"].items():
        asked = check.removeprefix("pending ")
        path, _, rest = asked.partition(" ")
        service, _, variant = rest.partition(" [")
        ends = path.split(">")
        found = {
            "src": _end(ends[0]),
            "dst": _end(ends[-1]),
            "on": service.replace(".", "/"),
            "verdict": {"ALLOW": "allowed", "HOST-RULES": "undetermined"}.get(verdict, "denied"),
            "staged": check != asked,
            "state": _state(variant),
            "http": variant.rstrip("]") if "/" in variant else None,
        }
        side = {"DENY-eg": "egress", "DENY-in": "ingress"}.get(verdict)
        yield found | ({"at": side} if side else {})


def _state(variant: str) -> str:
    if variant.startswith("packet of the live"):
        return "established"
    return "reply" if variant.startswith("reply") else "new"


def _end(text: str) -> str:
    if text.startswith("@"):
        return {"@own": OWN, "@other": OTHER}.get(text, f"node:{text[1:]}")
    return f"{HOMES[text]}/{text}" if text in HOMES else text


def test_rows_say_what_they_may() -> None:
    sides = {None, "egress", "ingress"}
    rows: list[Row] = [row for case in cases("calico") for row in case.rows]
    assert all(row.at in sides and row.profile == "generic" for row in rows)
    assert all(case.under and case.why.endswith(".") for case in cases("calico"))
