"""Address ranges that people know by name."""

from cloison.algebra import AddressSet, TrafficSet
from cloison.platform.cluster import UNKNOWN, platform_of
from cloison.platform.ranges import RangeKind, fixed, public, ranges
from cloison.resources.world import World
from tests.support.platforms import node, world

NODE = node(provider="aws:///eu-west-1a/i-1")
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "a", "namespace": "b"},
    "spec": {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "ports": [{"port": 80}]},
}


def test_the_internet_is_what_nobody_keeps_for_himself() -> None:
    for text in ("10.1.1.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1", "fd00::1"):
        assert not AddressSet.address(text) & public(), text
    for text in ("1.1.1.1", "168.63.129.16", "203.0.113.9", "2606:4700::1"):
        assert AddressSet.address(text) <= public(), text


def test_fixed_ranges_have_sources_and_no_overlap_within_a_kind() -> None:
    for kind in RangeKind:
        mine = [each for each in fixed() if each.kind is kind]
        for i, one in enumerate(mine):
            assert one.source
            assert all(one.addresses.isdisjoint(other.addresses) for other in mine[i + 1 :])


def test_metadata_is_that_of_the_cloud() -> None:
    here = world(NODE)
    found = {r.name: r for r in ranges(here, platform_of(here)) if r.kind is RangeKind.METADATA}
    assert found["Cloud instance metadata IPv4"].sure
    assert found["Cloud instance metadata IPv4"].traffic == TrafficSet.ports("TCP", 80)
    assert not found["AWS instance metadata IPv6"].sure
    assert not any("Azure" in name for name in found)


def test_without_a_cloud_only_what_several_have_is_told() -> None:
    found = [r for r in ranges(World(), UNKNOWN) if r.kind is RangeKind.METADATA]
    assert [(str(r.addresses), r.sure) for r in found] == [("169.254.169.254", False)]


def test_the_clusters_own_are_read_and_said() -> None:
    here = world({**NODE, "spec": {"podCIDR": "10.9.0.0/24", "podCIDRs": ["10.9.0.0/24"]}}, SERVICE)
    said = AddressSet.block("10.8.0.0/24")
    found = {r.kind: r.addresses for r in ranges(here, UNKNOWN, nodes=said)}
    assert found[RangeKind.POD] == AddressSet.block("10.9.0.0/24")
    assert found[RangeKind.SERVICE] == AddressSet.address("10.96.0.7")
    assert found[RangeKind.NODE] == said
