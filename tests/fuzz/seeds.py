"""What every search starts from: manifests as people write them, and a few that they should not.

Nothing here needs the reader under test.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support.adminpolicies import AdminMaker, Seen
from tests.support.worlds import random_world

ROOT = Path(__file__).parents[2]
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

WORDS = (
    *("y", "off", "~", "null", "0644", "0x1F", "0b11", "0o7", "1_000", "+.inf", "-.INF", ".nan"),
    *("1e3", "1e400", "-0", "-0.0", ".5", "1.", "12:30", "2026-01-02", "2026-01-02T03:04:05Z"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616"),
    *(
        "int",
        "float",
        "bool",
        "null",
        "str",
        "binary",
        "timestamp",
        "merge",
        "seq",
        "<<",
        "aGVsbG8=",
    ),
    *("1e-5", "1.5", "3.4028236e38", "1e21", "123456789012345680000", "."),
)
"""Scalars whose type surprises."""


def _world(seed: int) -> list[dict[str, Any]]:
    return [dict(each) for each in random_world(random.Random(seed))]


def _dump(objects: list[dict[str, Any]]) -> bytes:
    return yaml.dump_all(objects, Dumper=_DUMPER, sort_keys=False).encode()


def _examples() -> Iterator[bytes]:
    for path in sorted((ROOT / "examples").glob("*/*.yaml")):
        yield path.read_bytes()


def cases() -> Iterator[bytes]:
    """The policies of the conformance suite, one file each."""
    for path in sorted((ROOT / "tests" / "conformance").glob("**/*.yaml")):
        yield path.read_bytes()


def streams() -> Iterator[bytes]:
    """YAML streams, with what YAML has that manifests seldom use."""
    yield from _examples()
    for seed in range(2):
        yield _dump(_world(seed))
    yield b"a: &x {b: [1, 2]}\nc: *x\nd: {<<: *x, e: !!str 1}\n---\n? k\n: |2-\n    text\n...\n"
    yield b"%YAML 1.1\n--- !!map\n\"q\\u00e9\": 'it''s' # note\nfold: >\n  one\n\n  two\n"
    yield b"apiVersion: v1\nkind: ConfigMap\ndata:\n  x: {{ .Values.x }}\n---\na: [\n---\nb: 1\n"
    yield "apiVersion: v1\nkind: Pod\nmetadata: {name: é}\n".encode("utf-16")
    yield b'\xef\xbb\xbf{"apiVersion": "v1", "kind": "Pod"}\n---\n{a: 1}\n'


def worlds() -> Iterator[bytes]:
    """Clusters as YAML and as JSON Lists."""
    for seed in range(6):
        yield _dump(_world(seed))
    yield from lists()


def adminpolicies() -> Iterator[bytes]:
    """Cluster-wide policies of three kinds, and what a server printed of a newer version."""
    for seed in range(8):
        rng = random.Random(seed)
        seen = Seen(next(w for w in map(_world, range(seed, 99)) if Seen(w).labelled))
        found = AdminMaker(seen, rng).policies(3)
        if seed % 2:
            found[0]["metadata"]["uid"] = "00000000-0000-0000-0000-000000000001"
        yield _dump(found)
    for path in sorted((ROOT / "tests" / "conformance" / "cases").glob("adminpolicy*.yaml")):
        (listed,) = yaml.safe_load_all(path.read_text(encoding="utf-8"))
        for case in listed[::4]:
            texts = [case.get("policies", ""), *(p["policies"] for p in case.get("probes", ()))]
            yield from (text.encode() for text in texts if text)


def json_texts() -> Iterator[bytes]:
    """JSON, also several documents in a row."""
    yield from lists()
    yield b'{"a": [1, -2.5e3, true, null, "\\ud83d\\ude00 \\u0000"]} {"b": {}}\n[]'
    yield b'\n{"kind": "Pod",\r\n "a": 1, "a": 123456789012345678901234567890}'


def lists() -> Iterator[bytes]:
    """Lists as `kubectl get -o json` prints them, indented and not, and nested."""
    for seed in range(3):
        items = _world(seed)
        whole: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": items}
        yield json.dumps(whole, indent=(None, 2)[seed % 2]).encode()
    pods = [o for o in _world(7) if o["kind"] == "Pod"]
    for pod in pods:
        del pod["kind"], pod["apiVersion"]
    yield json.dumps({"kind": "PodList", "apiVersion": "v1", "items": pods}, indent=1).encode()
    inner = {"kind": "List", "apiVersion": "v1", "items": _world(8)[:2]}
    yield json.dumps({"items": [inner, 1, None, []], "kind": "List", "apiVersion": "v1"}).encode()


def scalars() -> Iterator[bytes]:
    """A tag on the first line, a scalar on the second."""
    for number, word in enumerate(WORDS):
        yield f"{('int', 'float', 'timestamp', 'binary')[number % 4]}\n{word}".encode()


def unmodelled() -> Iterator[bytes]:
    """Policies of kinds we cannot read yet, whatever they hold."""
    kinds = (
        ("crd.antrea.io/v1beta1", "NetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
        ("crd.projectcalico.org/v1", "StagedNetworkPolicy"),
        ("crd.projectcalico.org/v1", "HostEndpoint"),
        ("security.istio.io/v1", "AuthorizationPolicy"),
        ("kuma.io/v1alpha1", "MeshTrafficPermission"),
        ("consul.hashicorp.com/v1alpha1", "ServiceIntentions"),
    )
    for version, kind in kinds:
        meta = {"name": "x", "namespace": "web"}
        yield _dump([{"apiVersion": version, "kind": kind, "metadata": meta, "spec": {"a": [1]}}])


def tests() -> Iterator[bytes]:
    """Connectivity tests."""
    for path in sorted((ROOT / "examples").glob("*/*test*.yaml")):
        yield path.read_bytes()
    yield (
        b"tests:\n- {name: a, from: web/portal, to: 'api/server:8080', expect: allow}\n"
        b"- {from: 192.0.2.7, to: '[2001:db8::1]:443', port: http, protocol: 6, expect: deny}\n"
        b"- {from: 'any:', to: svc:web/front, port: 1-5, http: {path: /x}, sni: a, dns: b}\n- 5\n"
    )
