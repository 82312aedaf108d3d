"""Random worlds for the lab: who is there, under which policies, and whose enforcer it is.

Everything is made by the makers of other tests. The same seed always gives the same world.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from cloison.app import Session, load_objects
from cloison.platform import profile, profile_names
from tests.oracle.raw import End, Manifest
from tests.support.adminpolicies import KINDS, NAMES, AdminMaker, Seen
from tests.support.calicohosts import HostMaker
from tests.support.calicopolicies import CalicoMaker
from tests.support.calicoservices import peopled
from tests.support.chances import chance, pick
from tests.support.netpols import PROTOCOLS
from tests.support.worlds import FlowMaker, random_world

PODS = (9, 13)
WORKLOADS, POLICIES = 8, 5
"""The fewest there may be in a world."""
ORIGINS = (20_000, 30_000, 40_000)
"""Where the ports start that probes come from: rules ask for some of these thousands."""
NEW, OLD = "calico@3.32", "calico@3.31"
ENFORCING = tuple(name for name in profile_names() if profile(name).enforces)


@dataclass(frozen=True)
class Recipe:
    """A world, as manifests.

    Args:
        name: What it is made of.
        profile: Who enforces.
        objects: The manifests.
        hosts: Whether nodes are governed, and flows are to end there more often.
        settings: What the caller says besides.
    """

    name: str
    profile: str
    objects: list[Manifest]
    hosts: bool = False
    settings: dict[str, object] = field(default_factory=dict)

    def load(self) -> Session:
        """Return the world with its policies bound."""
        return load_objects(self.objects, profile=self.profile, **self.settings)


def large_enough(session: Session) -> bool:
    """Return whether a world has as many workloads and policies as are asked for."""
    workloads = [w for w in session.world.workloads.values() if w.endpoints]
    policies = [p for p in session.policies.policies if p.stated]
    return len(workloads) >= WORKLOADS and len(policies) >= POLICIES


def recipe(rng: random.Random, number: int) -> Recipe:
    """Return a world: each number in turn is made otherwise.

    Args:
        rng: Chance.
        number: Of the world.
    """
    makers = (_generic, _calico, _any_enforcer, _hosts)
    return makers[number % len(makers)](rng)


def _generic(rng: random.Random) -> Recipe:
    """NetworkPolicies between the administrators' policies, in both of their versions."""
    objects = random_world(rng, PODS, (3, 8))
    # Few of them tie: what nothing puts in order cannot be measured.
    objects += AdminMaker(Seen(objects), rng, range(0, 1000, 7)).policies(rng.randint(2, 7))
    return Recipe("administrators", "generic", _shuffled(rng, objects), settings=_named())


def _calico(rng: random.Random) -> Recipe:
    """Calico's policies and tiers, with accounts, Services and ports that probes come from."""
    objects = random_world(rng, PODS, (1, 5))
    seen = Seen(objects)
    objects += CalicoMaker(seen, rng).objects(rng.randint(4, 9))
    if chance(rng, 0.5):
        cluster = AdminMaker(seen, rng).policies(rng.randint(1, 4), ("ClusterNetworkPolicy",))
        objects += cluster
    if chance(rng, 0.5):
        objects = peopled(rng, objects, seen.addresses)
    _ask_for_sources(rng, objects)
    return Recipe("calico", NEW, _shuffled(rng, objects))


def _hosts(rng: random.Random) -> Recipe:
    """Host endpoints and policies for them, before Calico's own and after."""
    objects = random_world(rng, PODS, (1, 4))
    seen = Seen(objects)
    maker = CalicoMaker(seen, rng)
    objects += maker.objects(rng.randint(1, 5))
    nodes = {
        name: [str(a) for a in addresses]
        for name, addresses in FlowMaker(objects).oracle.nodes.items()
    }
    if nodes:
        objects += HostMaker(maker, nodes, rng).objects()
    if chance(rng, 0.6):
        # Where replies are judged by themselves, they count as well, and nobody says which way.
        for each in objects:
            each.get("spec", {}).pop("doNotTrack", None)
    where = rng.choice((NEW, NEW, OLD))
    return Recipe("hosts", where, _shuffled(rng, objects), hosts=True)


def _any_enforcer(rng: random.Random) -> Recipe:
    """NetworkPolicies and administrators' policies, under whichever enforcer."""
    where = rng.choice(ENFORCING)
    objects = random_world(rng, PODS, (4, 9))
    if any(place is not None for place in profile(where).places.values()):
        kinds = KINDS if where != NEW else KINDS[2:]
        objects += AdminMaker(Seen(objects), rng, range(0, 1000, 7)).policies(
            rng.randint(1, 4), kinds
        )
    return Recipe(f"under {where}", where, _shuffled(rng, objects), settings=_named())


def _named() -> dict[str, object]:
    return {"names": {name: tuple(found) for name, found in NAMES.items()}}


def _shuffled(rng: random.Random, objects: list[Manifest]) -> list[Manifest]:
    rng.shuffle(objects)
    return objects


def _ask_for_sources(rng: random.Random, objects: Sequence[Manifest]) -> None:
    """Let some of Calico's rules ask for the port that a connection comes from."""
    for each in objects:
        if not each["apiVersion"].endswith("projectcalico.org/v3"):
            continue
        for direction in ("ingress", "egress"):
            for rule in each.get("spec", {}).get(direction, ()):
                if rule.get("protocol") in PROTOCOLS and chance(rng, 0.3):
                    start = rng.choice(ORIGINS)
                    ports: list[int | str] = [f"{start}:{start + 9_999}"]
                    key = pick(rng, [(3, "ports"), (1, "notPorts")])
                    rule.setdefault("source", {})[key] = ports


def ends_of(flows: FlowMaker) -> list[End]:
    """Return every end that flows of a world may have."""
    return [*flows.pods, *flows.nodes, *(("ip", str(a)) for a in flows.outside)]
