"""What Cilium refuses, by our cases."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloison.base import Severity
from cloison.dialects.cilium.decode import decode
from cloison.resources.documents import Document
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.sources import read

CASES = Path(__file__).parent / "cases" / "cilium-validation.yaml"
VALIDATION: list[dict[str, Any]] = yaml.safe_load(CASES.read_text(encoding="utf-8"))
CNP, CCNP = "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"
OTHERS = {
    "group-spec": "CiliumCIDRGroup",
    "redirect-spec": "CiliumLocalRedirectPolicy",
    "gateway-spec": "CiliumEgressGatewayPolicy",
}
SHEET_ROWS = 16


def bodies(where: str, fragment: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the kinds that a fragment is about, each with what its object says."""
    if where in OTHERS:
        yield OTHERS[where], {"spec": fragment}
        return
    kinds = {"cnp": (CNP,), "ccnp": (CCNP,), "host": (CCNP,)}.get(where.partition("-")[0])
    for kind in kinds or (CNP, CCNP):
        if where == "object":
            yield kind, fragment
        elif where in ("spec", "cnp-spec", "ccnp-spec"):
            yield kind, {"spec": fragment}
        else:
            chosen = "nodeSelector" if where.startswith("host-") else "endpointSelector"
            for name, element in elements(where, fragment):
                yield kind, {"spec": {chosen: {}, name: [element]}}


def elements(where: str, fragment: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the lists that a fragment may stand in, each with the element it makes."""
    if where == "http":
        port = {"port": "80", "protocol": "TCP"}
        yield from elements("port-rule", {"ports": [port], "rules": {"http": [fragment]}})
    elif where == "ports":
        ports = [{"port": str(number), "protocol": "TCP"} for number in range(1, 42)]
        yield "ingress", {"toPorts": [{"ports": ports[:count]} for count in fragment["counts"]]}
    elif where == "port":
        for each in ("port-rule", "deny"):
            yield from elements(each, {"ports": [fragment]})
    elif where == "deny":
        yield "ingressDeny", {"toPorts": [fragment]}
    elif where.startswith("port-rule"):
        for name in ("ingress", "egress"):
            if where in ("port-rule", f"port-rule-{name}"):
                yield name, {"toPorts": [fragment]}
    elif where == "element":
        yield "ingress", fragment
        yield "egress", fragment
    else:
        yield where.rpartition("-")[2], fragment


def document(kind: str, body: dict[str, Any]) -> Document:
    metadata = {"name": "x"}
    if kind in (CNP, "CiliumLocalRedirectPolicy"):
        metadata["namespace"] = "shop"
    manifest = {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, **body}
    (found,) = read(["-"], stdin=BytesIO(json.dumps(manifest).encode()))
    assert isinstance(found, Document)
    return found


TRIES = [
    pytest.param(kind, body, each, id=f"{case['id']}-{number}-{kind}-{place}")
    for case in VALIDATION
    for number, each in enumerate(case["tries"], 1)
    for place, (kind, body) in enumerate(bodies(each["where"], each["fragment"]), 1)
]


@pytest.mark.parametrize(("kind", "body", "each"), TRIES)
def test_what_is_accepted(kind: str, body: dict[str, Any], each: dict[str, Any]) -> None:
    found, said = decode(document(kind, body), ReadOptions())
    errors = {d.code for d in said if d.severity is Severity.ERROR}
    assert (found is not None) is (each["result"] == "accept")
    assert errors == ({each["code"]} if "code" in each else set())
    assert all(d.effect and d.help and d.source and d.span for d in said)


@pytest.mark.parametrize(("kind", "body", "each"), TRIES)
def test_strict_clients_refuse_what_is_not_in_the_schema(
    kind: str, body: dict[str, Any], each: dict[str, Any]
) -> None:
    strict = ReadOptions(field_validation=FieldValidation.STRICT)
    found, _ = decode(document(kind, body), strict)
    accepted = each["result"] == "accept" and each.get("code") != "OBJ002"
    assert (found is not None) is accepted


def test_every_row_of_the_list_of_rejections_has_a_case() -> None:
    text = " ".join(case["why"] for case in VALIDATION)
    assert [n for n in range(1, SHEET_ROWS + 1) if f"Row {n}" not in text] == []
    assert len({case["id"] for case in VALIDATION}) == len(VALIDATION)
