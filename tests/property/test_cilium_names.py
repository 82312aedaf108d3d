"""Which names can be learned where rules of several kinds let queries out: two answers, compared.

Worlds are those of `test_cilium_random`, with rules about DNS names beside rules that ask for none:
without ports, with numbers, with names of ports, of NetworkPolicies and of Cilium's own. Questions
go to addresses that names stand for. `CLOISON_FLOWS` asks for more questions.
"""

import os
import random
from dataclasses import replace

import pytest

from tests.oracle.raw import End, Manifest
from tests.property import test_cilium_random as random_worlds
from tests.property.test_cilium_random import Question
from tests.support import ciliumwords as made
from tests.support.chances import chance, pick
from tests.support.ciliumpolicies import CiliumWorld
from tests.support.worlds import Flow

QUESTIONS = 40
"""At most, of one world."""
CHUNKS = 4
WORLDS = max(int(os.environ.get("CLOISON_FLOWS", "0")) // QUESTIONS, 12)
OUTSIDE = (*(a for held in made.NAMES.values() for a in held if ":" not in a), "203.0.113.77")
PEERS: tuple[Manifest, ...] = (
    {"toEntities": ["all"]},
    {"toEntities": ["cluster"]},
    {"toEntities": ["world"]},
    {"toEndpoints": [{"matchLabels": {"app": "a"}}]},
    {"toEndpoints": [{"matchExpressions": [{"key": made.NAMESPACE, "operator": "Exists"}]}]},
    {"toEndpoints": [{}]},
    {"toCIDR": ["203.0.113.0/24"]},
    {},
)
NAMES = ("*", "**.example.com", "*.test", "db.example.com", "api.example.com", "a.b.example.com")


def _subject(rng: random.Random) -> Manifest:
    return pick(rng, [(1, {}), (1, {"matchLabels": {"app": rng.choice("abc")}})])


def _own(rng: random.Random, homes: list[str], name: str, rule: Manifest) -> Manifest:
    home = rng.choice(homes) if chance(rng, 0.5) else None
    kind = "CiliumNetworkPolicy" if home else "CiliumClusterwideNetworkPolicy"
    meta: Manifest = {"name": name} | ({"namespace": home} if home else {})
    spec = {"endpointSelector": _subject(rng), **rule}
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": meta, "spec": spec}


def _kubernetes(rng: random.Random, homes: list[str]) -> Manifest:
    peers: tuple[list[Manifest], ...] = ([{"podSelector": {}}], [{"namespaceSelector": {}}], [])
    to = rng.choice(peers)
    ports: list[tuple[float, Manifest]] = [(2, {"port": 53}), (1, {"port": "dns"}), (1, {})]
    port = pick(rng, ports)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "plain", "namespace": rng.choice(homes)},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": to, "ports": [{"protocol": "UDP", **port}]}],
        },
    }


def _world(seed: int) -> CiliumWorld:
    rng = random.Random(7_700_000 + seed)
    world, _ = random_worlds.samples(seed)
    objects = [each for each in world.objects if each["metadata"]["name"] != "lookups"]
    if chance(rng, 0.5):
        objects = [each for each in objects if not each["kind"].endswith("NetworkPolicy")]
    homes = sorted({each["metadata"].get("namespace", "default") for each in objects})
    asked = [{"matchName": "api.example.com"}, {"matchPattern": "*.test"}]
    ports = [{"port": "53", "protocol": rng.choice(("UDP", "ANY"))}]
    names: Manifest = {"ports": ports, "rules": {"dns": asked[: rng.randint(1, 2)]}}
    lookups: Manifest = {"egress": [{**rng.choice(PEERS), "toPorts": [names]}]}
    if chance(rng, 0.3):
        lookups["enableDefaultDeny"] = {"egress": False}
    plain = {**rng.choice(PEERS)}
    if chance(rng, 0.6):
        number = pick(rng, [(3, "53"), (1, "dns")])
        port = {"port": number, "protocol": rng.choice(("UDP", "TCP", "ANY"))}
        plain["toPorts"] = [{"ports": [port]}]
    https = {"toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}]}]}
    called = {"egress": [{"toFQDNs": [{"matchPattern": rng.choice(NAMES)}], **https}]}
    beside = _own(rng, homes, "plain", {"egress": [plain]})
    if chance(rng, 0.3):
        beside = _kubernetes(rng, homes)
    new = [_own(rng, homes, "asked", lookups), beside, _own(rng, homes, "called", called)]
    return replace(world, objects=[*objects, *new])


def _pods(world: CiliumWorld) -> list[End]:
    """Return the pods of a world that have an IPv4 address of their own."""
    found: list[End] = []
    for each in world.objects:
        status = each.get("status") or {}
        own = each["kind"] == "Pod" and not each["spec"].get("hostNetwork")
        fours = [held["ip"] for held in status.get("podIPs", ()) if ":" not in held["ip"]]
        if own and status.get("phase") == "Running" and fours:
            meta = each["metadata"]
            found.append(("pod", meta.get("namespace", "default"), meta["name"]))
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engine_and_oracle_agree(chunk: int) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        world = _world(seed)
        oracle, asking = random_worlds.raw(world), random_worlds.session(world)
        asked = [
            Question(Flow(pod, ("ip", address), "TCP", 443, 4))
            for pod in _pods(world)
            for address in OUTSIDE
        ]
        for each in asked[:QUESTIONS]:
            expected, found = random_worlds.both(oracle, asking, each)
            assert expected == found, (seed, each, world.profile, world.switches)


def test_questions_meet_every_verdict() -> None:
    found = []
    for seed in range(12):
        world = _world(seed)
        oracle = random_worlds.raw(world)
        found += [
            oracle.verdict(pod, ("ip", address), "TCP", 443, 4)
            for pod in _pods(world)
            for address in OUTSIDE
        ]
    assert min(map(found.count, ("allowed", "denied", "undetermined"))) > 5
