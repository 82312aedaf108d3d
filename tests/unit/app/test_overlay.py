"""A change laid over a source: what it replaces, what it deletes, what follows from it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

import cloison
from cloison.analyses.diff import Diff, PolicyKind
from cloison.app.change import what_if
from cloison.app.overlay import Overlay
from cloison.base import QuestionError, SourceError, UnknownEndpointError
from cloison.resources.documents import RawObject
from cloison.sources import read

Manifest = dict[str, Any]


def named(api_version: str, kind: str, name: str, namespace: str = "a", **more: Any) -> Manifest:
    meta = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}


def deployment(app: str, api_version: str = "apps/v1", **spec: Any) -> Manifest:
    template = {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }
    selector = {"matchLabels": {"app": app}}
    return named(
        api_version, "Deployment", "web", spec={"selector": selector, "template": template}
    )


def pod(name: str, address: str, *, owner: str | None = None, **labels: str) -> Manifest:
    made = named("v1", "Pod", name, spec={"containers": [{"name": "c", "image": "i"}]})
    made["metadata"]["labels"] = labels
    made["status"] = {"phase": "Running", "podIP": address}
    if owner:
        made["metadata"]["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "controller": True}
        ]
    return made


DENY = named(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "deny",
    spec={"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]},
)
CLUSTER = [
    named("v1", "Namespace", "a", ""),
    deployment("web"),
    pod("web-1-x", "10.0.0.1", owner="web-1", app="web", **{"pod-template-hash": "1"}),
    pod("client", "10.0.0.2", app="client"),
    DENY,
]


def listed(objects: list[Manifest]) -> io.BytesIO:
    return io.BytesIO(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode())


def changed(
    tmp_path: Path, *objects: Manifest, delete: tuple[str, ...] = (), base: Any = CLUSTER
) -> Diff:
    file = tmp_path / "change.json"
    file.write_bytes(listed(list(objects)).getvalue())
    apply = [str(file)] if objects else []
    before, after = what_if("-", apply=apply, delete=delete, stdin=listed(base))
    return before.diff(after)


def told(diff: Diff) -> set[tuple[str, str, str]]:
    return {(str(c.kind), c.src.name or "outside", c.dst.name or "outside") for c in diff}


def test_an_object_replaces_its_namesake_whatever_the_version(tmp_path: Path) -> None:
    old = deployment("client", "extensions/v1beta1")
    base = [each for each in CLUSTER if each["kind"] != "Pod"]
    before, after = what_if(
        "-", apply=[str(_written(tmp_path, old))], stdin=listed(base), kubernetes=(1, 15)
    )
    assert after.world.kinds == {
        "extensions/v1beta1/Deployment": 1,
        "networking.k8s.io/v1/NetworkPolicy": 1,
        "v1/Namespace": 1,
    }
    # The Deployment is no longer what the policy selects.
    assert told(before.diff(after)) == {("opened", "outside", "web"), ("opened", "web", "web")}


def _written(tmp_path: Path, *objects: Manifest) -> Path:
    file = tmp_path / "written.json"
    file.write_bytes(listed(list(objects)).getvalue())
    return file


def test_a_new_object_is_added(tmp_path: Path) -> None:
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}
    policy = named(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "allow",
        spec={"podSelector": {}, "ingress": [rule]},
    )
    diff = changed(tmp_path, policy)
    assert ("opened", "client", "web") in told(diff)
    assert ("closed", "outside", "client") in told(diff)
    assert [(str(p.id), p.kind) for p in diff.policies] == [("a/allow", PolicyKind.ADDED)]


MISSPELT = named(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "deny",
    spec={"podSelector": {}, "policyTypes": ["Ingres"]},
)


@pytest.mark.parametrize("refused", [MISSPELT, deployment("web", hostNetwork="yes")])
def test_what_the_api_server_would_refuse_replaces_nothing(
    tmp_path: Path, refused: Manifest
) -> None:
    file = _written(tmp_path, refused)
    before, after = what_if("-", apply=[str(file)], stdin=listed(CLUSTER))
    diff = before.diff(after)
    assert not diff
    assert not diff.policies
    (said,) = (each for each in after.read_diagnostics if each.code == "APP002")
    assert said.object == f"{refused['kind']} a/{refused['metadata']['name']}"
    assert said.span is not None
    assert said.span.file == str(file)


def test_what_is_deleted_is_gone_though_its_successor_is_refused(tmp_path: Path) -> None:
    file = _written(tmp_path, MISSPELT)
    before, after = what_if("-", apply=[str(file)], delete=["netpol/a/deny"], stdin=listed(CLUSTER))
    assert ("opened", "client", "web") in told(before.diff(after))
    assert "APP002" not in {each.code for each in after.read_diagnostics}


def test_a_refused_object_beside_one_that_is_taken_changes_nothing(tmp_path: Path) -> None:
    free = {**DENY, "spec": {**DENY["spec"], "ingress": [{}]}}
    file = _written(tmp_path, MISSPELT, free)
    before, after = what_if("-", apply=[str(file)], stdin=listed(CLUSTER))
    assert ("opened", "client", "web") in told(before.diff(after))
    assert "APP002" not in {each.code for each in after.read_diagnostics}


def test_running_pods_follow_the_template_and_keep_their_addresses(tmp_path: Path) -> None:
    diff = changed(tmp_path, deployment("free"))
    assert ("opened", "client", "web") in told(diff)
    assert all(c.shift.src == c.shift.dst == "both" for c in diff)
    block = {"ipBlock": {"cidr": "10.0.0.1/32"}}
    guard = named(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "guard",
        spec={
            "podSelector": {"matchLabels": {"app": "client"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [block]}],
        },
    )
    same = deployment("web")
    same["metadata"]["labels"] = {"touched": "yes"}
    assert not changed(tmp_path, same, base=[*CLUSTER, guard])
    moved = changed(tmp_path, deployment("free"), base=[*CLUSTER, guard])
    assert ("closed", "web", "client") not in told(moved)


def test_a_pod_s_own_labels_survive_a_change_of_the_template(tmp_path: Path) -> None:
    file = _written(tmp_path, deployment("free"))
    _, after = what_if("-", apply=[str(file)], stdin=listed(CLUSTER))
    (web,) = (e for w in after.world.workloads.values() for e in w.endpoints if e.pod == "web-1-x")
    assert dict(web.labels) == {"app": "free", "pod-template-hash": "1"}
    assert web.addresses


@pytest.mark.parametrize(
    "target",
    ["netpol/a/deny", "NetworkPolicy/a/deny", "networkpolicies.networking.k8s.io/a/deny"],
)
def test_deleting_takes_kubectl_s_names_for_kinds(tmp_path: Path, target: str) -> None:
    diff = changed(tmp_path, delete=(target,))
    assert ("opened", "client", "web") in told(diff)
    assert [(str(p.id), p.kind) for p in diff.policies] == [("a/deny", PolicyKind.REMOVED)]


def test_deleting_a_controller_takes_its_pods(tmp_path: Path) -> None:
    diff = changed(tmp_path, delete=("deploy/a/web",))
    assert [end.name for end in diff.removed_ends] == ["web"]


def test_deleting_a_namespace_takes_what_lives_in_it(tmp_path: Path) -> None:
    diff = changed(tmp_path, delete=("ns/a",))
    assert {end.name for end in diff.removed_ends} == {"web", "client"}
    assert not diff.opens


@pytest.mark.parametrize(
    ("target", "message", "help_"),
    [
        ("netpol/a/deni", "no NetworkPolicy a/deni to delete", "did you mean a/deny?"),
        ("netpol/deny", "no NetworkPolicy default/deny to delete", "did you mean a/deny?"),
        ("ns/b", "no Namespace b to delete", "known: a"),
        ("svc/a/web", "no Service a/web to delete", "the source holds none"),
    ],
)
def test_what_is_not_there_cannot_be_deleted(
    tmp_path: Path, target: str, message: str, help_: str
) -> None:
    with pytest.raises(UnknownEndpointError) as raised:
        changed(tmp_path, delete=(target,))
    assert message in raised.value.message
    assert help_ in (raised.value.help or "")


@pytest.mark.parametrize("target", ["web", "a/b/c/d", "netpol//deny", "/a/deny"])
def test_a_target_has_two_or_three_parts(tmp_path: Path, target: str) -> None:
    with pytest.raises(QuestionError, match="names no object"):
        changed(tmp_path, delete=(target,))


def test_items_of_a_large_list_are_looked_at_only_where_their_kind_matters() -> None:
    base = list(read(["-"], stdin=listed(CLUSTER), bulk_from=1))
    raw = [item for item in base if isinstance(item, RawObject)]
    assert len(raw) == len(CLUSTER)
    overlay = Overlay(read(["-"], stdin=listed([DENY])))
    assert [item.kind for item in raw if not overlay.keeps(item)] == ["NetworkPolicy"]
    assert [item.kind for item in raw if not Overlay((), ["po/a/client"]).keeps(item)] == ["Pod"]


def test_standard_input_is_one_thing() -> None:
    with pytest.raises(SourceError, match="both the source and the change"):
        what_if("-", apply=["-"], stdin=listed(CLUSTER))


def test_the_source_itself_is_left_as_it_is(tmp_path: Path) -> None:
    before, _ = what_if("-", delete=["netpol/a/deny"], stdin=listed(CLUSTER))
    assert not before.diff(cloison.load(str(_written(tmp_path, *CLUSTER))))
