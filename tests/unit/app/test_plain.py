"""Plain values come to what the same objects come to when they are read from a text."""

import json
import random
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

import cloison
from cloison.app import Session
from tests.support.worlds import random_world

Manifest = dict[str, Any]
ROOT = Path(__file__).parents[3]
_SPAN = re.compile(r"Span\(file='[^']*', line=\d+, column=\d+\)|(?<=-\* )\([^)]*\)")


def both(objects: list[Manifest]) -> tuple[Session, Session]:
    # PyYAML makes dates of what Kubernetes reads as text.
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, default=str)
    return cloison.load_objects(objects), cloison.load_texts({"in.json": text})


def without_places(value: object) -> str:
    """Return everything that is in a value but where it stands."""
    return _SPAN.sub("None", repr(value))


def said(session: Session) -> list[tuple[str, str, str | None]]:
    return sorted((d.code, d.message, d.object) for d in session.diagnostics)


def assert_alike(objects: list[Manifest]) -> None:
    plain, read = both(objects)
    assert without_places(plain.world) == without_places(read.world)
    assert without_places(plain.policies) == without_places(read.policies)
    assert said(plain) == said(read)


@pytest.mark.parametrize("seed", range(40))
def test_random_worlds_are_the_same(seed: int) -> None:
    assert_alike([dict(each) for each in random_world(random.Random(seed))])


@pytest.mark.parametrize("example", ["case-management", "case-management-broken"])
def test_examples_are_the_same(example: str) -> None:
    files = sorted((ROOT / "examples" / example).rglob("*.yaml"))
    objects = [o for f in files for o in yaml.safe_load_all(f.read_text()) if isinstance(o, dict)]
    assert len(objects) > 10
    assert_alike(objects)


def pod(**metadata: object) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "x", **metadata},
    }


def policy(spec: object, **metadata: object) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "x", **metadata},
        "spec": spec,
    }


OPEN: Manifest = {"podSelector": {}, "ingress": [{}]}


@pytest.mark.parametrize(
    "odd",
    [
        {"apiVersion": "v1", "kind": "Pod"},
        {"kind": "Pod", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": 7},
        {"apiVersion": "cloison.dev/v1", "kind": "Other"},
        {
            "apiVersion": "v1",
            "kind": "PodList",
            "items": [{"metadata": {"name": "in", "namespace": "x"}}],
        },
        {
            "apiVersion": "example.com/v1",
            "kind": "Thing",
            "spec": {"template": {"spec": {"containers": []}}},
        },
        pod(labels={"a b": "c"}),
        pod(labels={"a": 7}),
        pod(labels={"a": None}),
        pod(name="Not_A_Name"),
        pod(wrong="field"),
        {**pod(), "spec": {"containers": [{"ports": [{"containerPort": 99999}]}]}},
        {**pod(), "status": {"podIP": "nowhere"}},
        policy(OPEN, generateName="p-", name=None),
        policy(OPEN, name="Not_A_Name"),
        policy(OPEN, labels={"a b": "c"}),
        policy(OPEN, annotations={"a": None}),
        policy(None),
        policy({**OPEN, "policyTypes": ["Inwards"]}),
        policy({**OPEN, "policyTypes": ["Ingress", "Ingress"]}),
        policy({"podSelector": {}, "ingres": []}),
        policy({"podSelector": {}, "ingres": []}, uid="u"),
        policy({"podSelector": {}, "ingress": [{"ports": [{"port": 0}]}]}),
        policy({"podSelector": {}, "ingress": [{"from": [{}]}]}),
        policy({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.1/8"}}]}]}),
        policy(
            {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.1/8"}}]}]},
            uid="u",
        ),
        {**policy(OPEN), "apiVersion": "extensions/v1beta1"},
    ],
)
def test_what_is_remarkable_is_remarked_on_alike(odd: Manifest) -> None:
    assert_alike([odd, pod(name="b")])


def test_a_field_from_a_newer_server_is_passed_over_in_pods_as_in_large_lists() -> None:
    session = cloison.load_objects([pod(wrong="field", uid="u")])
    assert len(session.world.workloads) == 1
    assert not session.diagnostics


def test_equal_specifications_are_told_apart_by_their_namespace() -> None:
    spec = {
        "podSelector": {"matchLabels": {"app": "a"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "b"}}}]}],
    }
    objects = [policy(spec, namespace=home) for home in ("x", "y")]
    objects += [pod(name=n, namespace=h, labels={"app": n}) for h in ("x", "y") for n in ("a", "b")]
    assert_alike(objects)
    session = cloison.load_objects(objects)
    assert str(session.why("x/b", "x/a:80").verdict) == "allowed"
    assert str(session.why("y/b", "x/a:80").verdict) == "denied"


def test_an_object_is_named_by_its_place() -> None:
    objects = [
        pod(),
        policy({"podSelector": {}}),
        policy({**OPEN, "policyTypes": ["Inwards"]}, name="q"),
    ]
    session = cloison.load_objects([*objects, pod(name="b")])
    assert [str(d.span) for d in session.diagnostics] == ["<objects>:3:1"]
    denied = session.why("x/b", "x/a:80")
    assert {str(d.span) for d in denied.deciders} == {"<objects>:2:1"}


def test_what_no_manifest_could_hold_is_the_callers_mistake() -> None:
    with pytest.raises(TypeError):
        cloison.load_objects([pod(labels={"a": object()})])


def test_values_of_other_types_are_taken_as_json_would_have_them() -> None:
    moment: Mapping[str, object] = {"creationTimestamp": date(2026, 1, 1).isoformat()}
    plain = cloison.load_objects([pod(**moment)])
    assert len(plain.world.workloads) == 1
    assert not plain.diagnostics
