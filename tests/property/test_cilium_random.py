"""The engine and the oracle over raw manifests give one answer where Cilium enforces.

Policies of Cilium stand beside NetworkPolicies, under random settings of the cluster; questions are
about packets and about requests. Seeds are fixed, so a run is the same everywhere. `CLOISON_FLOWS`
asks for more flows.
"""

import ipaddress
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
import yaml

from cloison.app import Session, load_objects
from tests.oracle.raw import Manifest, network
from tests.oracle.raw_cilium import RawCiliumOracle
from tests.oracle.raw_cilium_requests import Asked
from tests.support import ciliumwords as made
from tests.support.chances import chance, pick
from tests.support.ciliumpolicies import CiliumWorld, cilium_world
from tests.support.worlds import Flow, FlowMaker, edges, random_world

DEFAULT_FLOWS = 1_200
FLOWS_PER_WORLD = 20
CHUNKS = 6
WORLDS = -(-max(int(os.environ.get("CLOISON_FLOWS", "0")), DEFAULT_FLOWS) // FLOWS_PER_WORLD)
"""Worlds of a run; each chunk takes every sixth."""
SERVER_NAMES = ("api.example.com", "a.b.example.com", "db.test", "x.y.test", "example.com")
OPEN = {"mixed": "undetermined"}
"""Without a request, or with a part of one, some requests may pass and others not."""


@dataclass(frozen=True)
class Question:
    """A flow, with a message of ICMP as its port, and what is asked for on it."""

    flow: Flow
    request: Asked | None = None

    def told(self) -> tuple[str, str, dict[str, Any]]:
        """Return ends and settings as a session takes them."""
        src, dst, protocol, port, family = self.flow.question()
        said: dict[str, Any] = {"protocol": protocol, "port": port, "family": family}
        if protocol.startswith("ICMP"):
            name = "icmp" if family == 4 else "icmpv6"
            said = {"port": f"{name}/{port}/0", "family": family}
        return src, dst, said | self._application()

    def _application(self) -> dict[str, str]:
        asked = self.request
        if asked is None:
            return {}
        if asked.kind == "dns":
            return {"dns": asked.name or ""}
        if asked.kind == "tls":
            return {"sni": asked.sni or ""}
        fields = {"method": asked.method, "path": asked.path, "host": asked.host}
        every = {**fields, "headers": dict(asked.headers)}
        return {"http": json.dumps({key: value for key, value in every.items() if value})}


def samples(seed: int) -> tuple[CiliumWorld, list[Question]]:
    """Return the world and the questions of a seed."""
    rng = random.Random(6_000_000 + seed)
    objects = random_world(rng, (8, 20), (0, 3))
    world = cilium_world(rng, objects, rng.randint(1, 5))
    oracle = raw(world)
    maker = _flows(world, oracle)
    requests = [_http(rng) for _ in range(3)]
    return world, [_question(rng, maker, requests) for _ in range(FLOWS_PER_WORLD)]


def _flows(world: CiliumWorld, oracle: RawCiliumOracle) -> FlowMaker:
    """Return what makes flows, close to what policies are about."""
    maker = FlowMaker(world.objects)
    maker.outside += [ipaddress.ip_address(a) for held in made.NAMES.values() for a in held] * 3
    for entry in oracle.entries:
        for peer in entry.peers or ():
            if peer[0] == "cidr":
                maker.outside += edges(network(peer[1]))
        for term in entry.ports or ():
            if term.name is None and not term.protocols[0].startswith("ICMP"):
                numbers = {max(term.low, 1), term.high, min(term.high + 1, 65535)}
                maker.ports += [(p, n) for p in term.protocols for n in sorted(numbers)]
    chosen = [
        end
        for end in maker.pods
        if oracle.party(end).pod is not None
        and any(oracle.selected(entry.owner, end) for entry in oracle.entries)
    ]
    maker.governed = sorted({*maker.governed, *chosen})
    return maker


def _question(rng: random.Random, maker: FlowMaker, requests: list[Asked]) -> Question:
    flow = maker.flow(rng)
    if flow.port is None or flow.protocol not in ("TCP", "UDP", "SCTP"):
        number = rng.choice((8, 0, 3)) if flow.family == 4 else 128
        return Question(Flow(flow.src, flow.dst, flow.protocol, number, flow.family))
    if (flow.protocol, flow.port) == ("SCTP", 53):
        # What rules about DNS names do to it is nowhere said.
        flow = Flow(flow.src, flow.dst, "UDP", 53, flow.family)
    if (flow.protocol, flow.port) == ("TCP", made.TLS_PORT) and chance(rng, 0.7):
        return Question(flow, Asked("tls", sni=rng.choice(SERVER_NAMES)))
    if flow.protocol == "TCP" and flow.port != 53 and chance(rng, 0.5):
        port = rng.choice(made.HTTP_PORTS) if chance(rng, 0.7) else flow.port
        flow = Flow(flow.src, flow.dst, "TCP", port, flow.family)
        return Question(flow, rng.choice(requests))
    if flow.port == 53 and chance(rng, 0.7):
        return Question(flow, Asked("dns", name=rng.choice(made.NAME_TEXTS)))
    return Question(flow)


def _http(rng: random.Random) -> Asked:
    headers = tuple(
        (name.lower(), rng.choice(values))
        for name, values in made.HEADERS.items()
        if chance(rng, 0.8)
    )
    return Asked(
        "http",
        method=rng.choice(made.METHODS),
        path=pick(rng, [(9, rng.choice(made.PATHS)), (1, None)]),
        host=pick(rng, [(9, rng.choice(made.HOSTS)), (1, None)]),
        headers=headers,
    )


def raw(world: CiliumWorld, without: str | None = None) -> RawCiliumOracle:
    """Return the oracle over a world, or over what is left without some kind."""
    objects = [each for each in world.objects if each["kind"] != without]
    return RawCiliumOracle(objects, world.version, world.switches, world.names)


def session(world: CiliumWorld) -> Session:
    """Load a world."""
    return load_objects(
        world.objects, profile=world.profile, cilium=world.switches, names=world.names
    )


def raw_verdict(oracle: RawCiliumOracle, asked: Question) -> str:
    """Ask the oracle."""
    flow = asked.flow
    return oracle.verdict(flow.src, flow.dst, flow.protocol, flow.port, flow.family, asked.request)


def _whatever_is_asked(oracle: RawCiliumOracle, asked: Question) -> str:
    """Ask the oracle with every request there is here, for both ends may ask for other ones."""
    headers = product(*(((name.lower(), v) for v in vs) for name, vs in made.HEADERS.items()))
    https = product(made.METHODS, made.PATHS, made.HOSTS, headers)
    requests = [Asked("http", method, path, host, told) for method, path, host, told in https]
    requests += [Asked("dns", name=name) for name in made.NAME_TEXTS]
    requests += [Asked("tls", sni=name) for name in SERVER_NAMES]
    found = {raw_verdict(oracle, Question(asked.flow, each)) for each in requests}
    return found.pop() if len(found) == 1 else "undetermined"


def both(oracle: RawCiliumOracle, asking: Session, asked: Question) -> tuple[str, str]:
    """Return what the oracle and the engine answer."""
    src, dst, said = asked.told()
    answer = asking.why(src, dst, **said)
    verdict, expected = str(answer.verdict), raw_verdict(oracle, asked)
    if (expected, verdict, asked.request) == ("undetermined", "denied", None):
        expected = _whatever_is_asked(oracle, asked)
    return expected, OPEN.get(verdict, verdict)


def disagreements(seed: int) -> Iterator[str]:
    """Yield a reproduction for every question of a seed that the two do not answer alike."""
    world, questions = samples(seed)
    oracle, asking = raw(world), session(world)
    for asked in questions:
        expected, found = both(oracle, asking, asked)
        if expected != found:
            yield (
                f"seed {seed}, {asked}: expected {expected}, found {found}\n"
                f"{world.profile}, {world.switches}, {world.names}\n"
                f"{yaml.safe_dump_all(world.objects)}"
            )


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engine_and_oracle_agree(chunk: int) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        wrong = list(disagreements(seed))
        assert not wrong, "\n".join([f"{len(wrong)} question(s) of one world differ", wrong[0]])


def test_questions_meet_every_kind_and_verdict() -> None:
    verdicts: Counter[str] = Counter()
    decisive: Counter[str] = Counter()
    words: Counter[str] = Counter()
    kinds = (
        "CiliumNetworkPolicy",
        "CiliumClusterwideNetworkPolicy",
        "CiliumCIDRGroup",
        "NetworkPolicy",
        "ClusterNetworkPolicy",
        "CiliumEndpoint",
    )
    for seed in range(DEFAULT_FLOWS // FLOWS_PER_WORLD):
        world, questions = samples(seed)
        oracle = raw(world)
        answers = [raw_verdict(oracle, asked) for asked in questions]
        verdicts.update(answers)
        for asked in questions:
            flow = asked.flow
            (word, *more) = oracle.answers(
                flow.src, flow.dst, flow.protocol, flow.port, flow.family, asked.request
            )
            words.update(() if more else (word,))
        for kind in kinds:
            left = raw(world, without=kind)
            others = (raw_verdict(left, asked) for asked in questions)
            decisive[kind] += sum(a != b for a, b in zip(answers, others, strict=True))
    assert min(verdicts[v] for v in ("allowed", "denied", "undetermined")) > 40
    assert min(words[w] for w in ("ALLOW", "AUDIT", "DENY", "DENY_RULE", "L7_DENY")) > 10
    assert min(decisive[kind] for kind in kinds) > 3


def test_a_world_is_made_of_manifests() -> None:
    world, _ = samples(0)
    found: list[Manifest] = world.objects
    assert all({"apiVersion", "kind", "metadata"} <= each.keys() for each in found)
