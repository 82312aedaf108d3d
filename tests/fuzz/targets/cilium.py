"""Cilium's objects: read, judged, compiled, arranged and asked; ports, blocks and label keys."""

from pathlib import Path

import yaml

from cloison.dialects.cilium.decode import decode
from cloison.dialects.cilium.dialect import DIALECT
from cloison.dialects.cilium.values import (
    block_base,
    is_dns_name,
    is_dns_pattern,
    parse_block,
    parse_key,
    parse_port,
)
from cloison.platform import profile
from cloison.resources.names import MAX_PORT
from cloison.resources.options import FieldValidation, ReadOptions
from tests.fuzz.policies import hold, objects
from tests.fuzz.target import Target

_OPTIONS = (ReadOptions(), ReadOptions((1, 36), FieldValidation.STRICT, "web"))
_PROFILES = ("cilium@1.19", "cilium@1.20", "cilium@1.18", "generic")
_VALIDATION = Path(__file__).parents[2] / "conformance" / "cases" / "cilium-validation.yaml"


def _cilium(data: bytes) -> None:
    found = objects(data, "cilium", decode, _OPTIONS[len(data) % len(_OPTIONS)])
    if found:
        hold(DIALECT, found, profile(_PROFILES[len(data) % len(_PROFILES)]), data)


def _seeds() -> list[bytes]:
    """Return objects whose rules hold everything that the cases of validation write."""
    found = []
    for case in yaml.safe_load(_VALIDATION.read_text(encoding="utf-8")):
        for each in case["tries"]:
            where, fragment = each["where"], each["fragment"]
            name = where.rpartition("-")[2]
            spec = fragment if name == "spec" else {"endpointSelector": {}, name: [fragment]}
            if name == "rule":
                spec = {"endpointSelector": {}, "ingress": [{"toPorts": [fragment]}]}
            body = {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumNetworkPolicy",
                "metadata": {"name": "x", "namespace": "api"},
                "spec": spec,
            }
            found.append(yaml.safe_dump(body).encode())
    return found


def _values(data: bytes) -> None:
    for text in data.decode("utf-8", "replace").split("\n"):
        port = parse_port(text)
        if port is not None:
            assert parse_port(port) == port, text
            assert not port.isdigit() or 0 <= int(port) <= MAX_PORT, text
        block = parse_block(text)
        if block is not None:
            assert block_base(text) in block, text
        key = parse_key(text)
        assert key.source, text
        assert not is_dns_name(text) or is_dns_pattern(text), text


_TEXTS = (
    *("80", "0", "010", "0x10", "0b1", "1_000", "65536", "http", "HTTP-8080", "http--x", "-x"),
    *("10.0.0.0/8", "10.0.0.1/8", "::/0", "::ffff:10.0.0.1/96", "10.0.0.1", "10.0.0.0/33", "/8"),
    *(
        "k8s:app",
        "any:app",
        "reserved:host",
        "$host",
        "reserved.host",
        "a.b/c",
        "k8s:a=b",
        ":",
        "$",
    ),
    *("*.example.com", "**.example.com.", "api-*.example.com", "_x.example", "a..b", "*", ""),
)

CILIUM = Target("cilium", _cilium, _seeds, ("cloison.dialects.cilium", "cloison.dialects.reading"))
CILIUM_VALUES = Target(
    "cilium-values",
    _values,
    lambda: [text.encode() for text in _TEXTS],
    ("cloison.dialects.cilium.values",),
    lines=True,
    words=_TEXTS,
)
