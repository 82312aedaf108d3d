"""Two kinds of one name, and one object in two spellings, are told apart when things change."""

import pytest

from cloison.app.overlay import ObjectId, Overlay, Target
from cloison.base import UnknownEndpointError
from tests.support.documents import document


def manifest(version: str, kind: str, name: str = "x") -> str:
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\n"


KUBERNETES = document(manifest("networking.k8s.io/v1", "NetworkPolicy"))
CALICO = document(manifest("projectcalico.org/v3", "NetworkPolicy"))
STORED = document(manifest("crd.projectcalico.org/v1", "NetworkPolicy", "default.x"))


@pytest.mark.parametrize("word", ["netpol", "networkpolicy", "NetworkPolicies"])
def test_a_kind_without_a_group_is_kubernetes_own(word: str) -> None:
    overlay = Overlay((), delete=[f"{word}/shop/x"])
    assert not overlay.keeps(KUBERNETES)
    assert overlay.keeps(CALICO)
    overlay.check()


@pytest.mark.parametrize(
    "word",
    ["caliconetworkpolicy", "networkpolicy.projectcalico.org", "netpol.crd.projectcalico.org"],
)
def test_the_other_one_is_named_by_its_group(word: str) -> None:
    overlay = Overlay((), delete=[f"{word}/shop/x"])
    assert overlay.keeps(KUBERNETES)
    assert not overlay.keeps(CALICO)
    assert not overlay.keeps(STORED)


def test_what_is_proposed_replaces_what_is_stored() -> None:
    overlay = Overlay([CALICO])
    assert not overlay.keeps(STORED)
    assert not overlay.keeps(CALICO)
    assert overlay.keeps(KUBERNETES)
    assert overlay.objects == {ObjectId("projectcalico.org", "NetworkPolicy", "shop", "x")}


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("gnp", "GlobalNetworkPolicy"),
        ("gns", "GlobalNetworkSet"),
        ("hep", "HostEndpoint"),
        ("sgnp", "StagedGlobalNetworkPolicy"),
        ("tiers", "Tier"),
    ],
)
def test_kinds_of_no_namespace(word: str, kind: str) -> None:
    for version in ("projectcalico.org/v3", "crd.projectcalico.org/v1"):
        overlay = Overlay((), delete=[f"{word}/x"])
        assert not overlay.keeps(document(manifest(version, kind)))
        assert overlay.deleted == {ObjectId("projectcalico.org", kind, None, "x")}


def test_short_names_of_what_a_namespace_holds() -> None:
    for word, kind in (("snp", "stagednetworkpolicy"), ("netset", "networkset")):
        assert Target.of(f"{word}/shop/x").kind == kind
    overlay = Overlay((), delete=["snp/shop/x"])
    assert overlay.keeps(CALICO)
    with pytest.raises(UnknownEndpointError, match="there is no stagednetworkpolicy shop/x"):
        overlay.check()
