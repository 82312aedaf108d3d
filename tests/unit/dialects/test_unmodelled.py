"""Kinds we cannot read: never silently open."""

import pytest

from cloison.base import Severity
from cloison.dialects import TABLE, dialect_for, dialects, row_for
from cloison.dialects.unmodelled import KINDS, compile_policy, notices, read
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction, Policy
from cloison.ir.profile import Profile
from cloison.resources.kinds import group_of
from cloison.resources.options import ReadOptions
from tests.support.documents import document

GENERIC = Profile("generic", "any", (), "")
IN, OUT = Direction.INGRESS, Direction.EGRESS


def text(version: str, kind: str, namespace: str = "x", name: str = "p") -> str:
    meta = f"{{name: {name}, namespace: {namespace}}}"
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {meta}\nspec: {{}}\n"


def compiled(version: str, kind: str, namespace: str = "x") -> Policy:
    found, diagnostics = read(document(text(version, kind, namespace)), ReadOptions())
    assert diagnostics == []
    return compile_policy(found, GENERIC)


@pytest.mark.parametrize(
    ("version", "kind", "subject", "directions"),
    [
        ("security.istio.io/v1", "AuthorizationPolicy", "x", {IN}),
        ("crd.antrea.io/v1beta1", "NetworkPolicy", "x", {IN, OUT}),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", None, {IN, OUT}),
        ("k8s.ovn.org/v1", "EgressFirewall", "x", {OUT}),
        ("networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy", None, {IN, OUT}),
        ("networking.k8s.aws/v1alpha1", "ApplicationNetworkPolicy", "x", {IN, OUT}),
        ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "x", {IN, OUT}),
        ("policy.linkerd.io/v1beta3", "Server", "x", {IN}),
        ("policy.linkerd.io/v1beta1", "ServerAuthorization", "x", {IN}),
        ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy", "x", {IN}),
        ("network.openshift.io/v1", "EgressNetworkPolicy", "x", {OUT}),
        ("kuma.io/v1alpha1", "MeshTrafficPermission", "x", {IN}),
        ("kuma.io/v1alpha1", "TrafficPermission", None, {IN}),
    ],
)
def test_opaque_over_all_it_may_select(
    version: str, kind: str, subject: str | None, directions: set[Direction]
) -> None:
    policy = compiled(version, kind)
    assert policy.opaque is not None
    assert policy.opaque.caveat.id == "POLICY_NOT_MODELLED"
    assert policy.subjects == (PodsMatch(namespace=subject),)
    assert policy.isolates == directions
    assert policy.id.kind == kind
    assert policy.id.namespace == subject
    assert policy.rules == ()


@pytest.mark.parametrize(
    ("version", "kind", "namespace"),
    [
        ("security.istio.io/v1", "AuthorizationPolicy", "istio-system"),
        ("kuma.io/v1alpha1", "MeshTrafficPermission", "kuma-system"),
        # Whatever namespace it is in, it names a service of the mesh.
        ("consul.hashicorp.com/v1alpha1", "ServiceIntentions", "x"),
    ],
)
def test_some_objects_of_a_namespace_concern_everybody(
    version: str, kind: str, namespace: str
) -> None:
    policy = compiled(version, kind, namespace)
    assert policy.subjects == (PodsMatch(),)
    assert policy.id.namespace == namespace


def test_one_warning_per_kind_with_its_effect() -> None:
    policies = [
        read(
            document(text("crd.antrea.io/v1beta1", kind, namespace, name), f"{name}.yaml"),
            ReadOptions(),
        )[0]
        for kind, namespace, name in (
            ("NetworkPolicy", "web", "b"),
            ("NetworkPolicy", "data", "a"),
            ("ClusterNetworkPolicy", "", "c"),
        )
    ]
    found = notices(policies)
    assert found == notices(policies[::-1])
    assert [d.code for d in found] == ["UNM001", "UNM001"]
    assert {d.severity for d in found} == {Severity.WARNING}
    wide, local = found
    assert "any pod are undetermined" in (wide.effect or "")
    assert "pods in data, web are undetermined" in (local.effect or "")
    assert "2 found" in local.message
    assert local.span is not None
    assert local.span.file == "a.yaml"
    assert notices([]) == []


class TestTable:
    """Which dialect owns which kind."""

    def test_no_kind_has_two_owners(self) -> None:
        kinds = [kind for row in TABLE for kind in row.kinds]
        assert len(kinds) == len(set(kinds))

    def test_the_rows_know_what_their_dialects_know(self) -> None:
        (row,) = (row for row in TABLE if row.name == "unmodelled")
        assert row.kinds == KINDS.keys()
        assert [d.name for d in dialects()] == [row.name for row in TABLE]

    @pytest.mark.parametrize(
        ("version", "kind", "name"),
        [
            ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicy"),
            ("extensions/v1beta1", "NetworkPolicy", "networkpolicy"),
            ("projectcalico.org/v3", "NetworkPolicy", "calico"),
            ("crd.projectcalico.org/v1", "HostEndpoint", "calico"),
            ("cilium.io/v2alpha1", "CiliumCIDRGroup", "cilium"),
            ("crd.antrea.io/v1alpha1", "NetworkPolicy", "unmodelled"),
        ],
    )
    def test_owners(self, version: str, kind: str, name: str) -> None:
        dialect = dialect_for(version, kind)
        assert dialect is not None
        assert dialect.name == name

    @pytest.mark.parametrize(
        ("version", "kind"),
        [("v1", "Pod"), ("networking.k8s.io/v1", "Ingress"), ("v1", "NetworkPolicy"), ("", "")],
    )
    def test_nobody_owns_the_rest(self, version: str, kind: str) -> None:
        assert row_for(version, kind) is None
        assert dialect_for(version, kind) is None

    def test_groups(self) -> None:
        assert group_of("v1") == ""
        assert group_of("apps/v1") == "apps"
