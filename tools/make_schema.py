"""Write `src/cloison/resources/schema.json` from the models of the Python Kubernetes client.

Run from the top of the checkout, with the `kubernetes` package installed:

    python tools/make_schema.py

The client's models are generated from the OpenAPI document of a Kubernetes release. They keep
every field's name and type but lose three things, which the tables below put back: quantities
(typed as text, but a bare number is accepted), IntOrString (typed as object) and fields that
older servers knew and the newest one has forgotten.
"""

import importlib.metadata
import json
import re
from pathlib import Path

from kubernetes import client

TARGET = Path(__file__).parent.parent / "src" / "cloison" / "resources" / "schema.json"

ROOTS = (
    "Pod",
    "PodTemplate",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Namespace",
    "Node",
    "Service",
    "EndpointSlice",
    "ServiceAccount",
    "NetworkPolicy",
)

QUANTITIES = frozenset(
    (
        "limits",
        "requests",
        "capacity",
        "allocatable",
        "allocatedResources",
        "overhead",
        "sizeLimit",
        "divisor",
        "quantity",
        "perContainer",
        "perPod",
    )
)
"""Fields whose text, or whose map values, are quantities wherever they occur in our kinds."""

INT_OR_STRING = frozenset(("port", "targetPort", "maxSurge", "maxUnavailable"))
"""Fields of type object that hold a number or a text. Other objects are free-form."""

RETIRED = {
    "ObjectMeta": {"clusterName": "s"},
    "PodSpec": {"workloadRef": "*"},
    "ServiceSpec": {"ipFamily": "s", "topologyKeys": "[s"},
    "NetworkPolicy": {"status": "*"},
}
"""Fields that some release since 1.16 accepted and the client's release does not know."""

SCALARS = {"str": "s", "int": "i", "bool": "b", "float": "f", "datetime": "s"}
_GENERIC = re.compile(r"(List|Dict)\[(?:str, )?(.+)\]")


def short(model: str) -> str:
    """Return a model's name as people know it: `V1Pod` is `Pod`; other versions keep theirs."""
    return re.sub(r"^V1(?=[A-Z])", "", model)


def code(name: str, kind: str, todo: list[str]) -> str:
    """Return the code of type `kind` of the field `name`, and note the models it needs."""
    generic = _GENERIC.fullmatch(kind)
    if generic:
        return ("[" if generic[1] == "List" else "{") + code(name, generic[2], todo)
    if kind == "object":
        return "x" if name in INT_OR_STRING else "*"
    if kind == "str" and name in QUANTITIES:
        return "q"
    if kind in SCALARS:
        return SCALARS[kind]
    todo.append(kind)
    return short(kind)


def main() -> None:
    """Write the table."""
    todo = [f"V1{root}" for root in ROOTS]
    types: dict[str, dict[str, str]] = {}
    while todo:
        model = todo.pop()
        if short(model) in types:
            continue
        cls = getattr(client, model)
        fields = {
            json_name: code(json_name, cls.openapi_types[attribute], todo)
            for attribute, json_name in cls.attribute_map.items()
        }
        types[short(model)] = RETIRED.get(short(model), {}) | fields
    source = f"kubernetes {importlib.metadata.version('kubernetes')}"
    lines = [
        f"{json.dumps(name)}: {json.dumps(types[name], sort_keys=True, separators=(',', ':'))}"
        for name in sorted(types)
    ]
    body = ",\n".join(lines)
    TARGET.write_text(
        f'{{"client": {json.dumps(source)},\n"types": {{\n{body}\n}}}}\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
