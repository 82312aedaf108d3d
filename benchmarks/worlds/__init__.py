"""Worlds shaped like real clusters, of any size, and always the same."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.worlds.adversarial import adversarial
from benchmarks.worlds.company import company
from benchmarks.worlds.guarded import admin, calico, cluster
from benchmarks.worlds.manifests import Manifest
from benchmarks.worlds.published import crowded, dense, indexed

__all__ = ["WORLDS", "Manifest", "World"]


@dataclass(frozen=True, slots=True)
class World:
    """A kind of world.

    Args:
        name: What it is called.
        what: What it is, in a sentence.
        unit: What its size counts.
        full: The size that is measured.
        small: The size of a short run.
        make: Returns its objects, for a size.
        profile: Who enforces.
    """

    name: str
    what: str
    unit: str
    full: int
    small: int
    make: Callable[[int], Iterator[Manifest]]
    profile: str = "generic"


_ALL = (
    World(
        "indexed",
        "4 pods and 3 policies in each of many namespaces",
        "namespaces",
        25_000,
        500,
        indexed,
    ),
    World("dense", "one namespace, a policy for each pod", "pods", 10_000, 500, dense),
    World(
        "crowded",
        "one namespace, in which every policy selects every pod",
        "pods",
        10_000,
        300,
        crowded,
    ),
    World(
        "company",
        "zones, Helm-style labels, rolling replicas, a default deny and allows",
        "workloads",
        5_000,
        200,
        company,
    ),
    World(
        "company-calico",
        "the company with two tiers of Calico and network sets",
        "workloads",
        5_000,
        200,
        calico,
        "calico@3.32",
    ),
    World(
        "company-admin",
        "the company with AdminNetworkPolicies and a baseline",
        "workloads",
        5_000,
        200,
        admin,
    ),
    World(
        "company-cluster",
        "the company with ClusterNetworkPolicies of both tiers",
        "workloads",
        5_000,
        200,
        cluster,
    ),
    World(
        "adversarial",
        "overlapping blocks and port ranges, and selectors that say what must not be",
        "pods",
        1_000,
        150,
        adversarial,
    ),
)

WORLDS: Mapping[str, World] = {world.name: world for world in _ALL}
"""By name."""
