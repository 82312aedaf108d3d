"""Guardrails against asking flow by flow: every pair of pods, and pods that somebody adds."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.placed import Placed
from cloison.analyses.contract.prove import Proof, Status, prove
from cloison.app import load_objects
from cloison.app.session import Session
from cloison.intent import Contract, Guardrail
from cloison.ir.fidelity import Verdict
from cloison.resources.world import PodEndpoint
from tests.property.test_any import newcomer
from tests.support.adminpolicies import Seen
from tests.support.budget import tries
from tests.support.calicopolicies import CalicoMaker
from tests.support.session import load
from tests.support.worlds import random_world
from tests.unit.intent.said import of_spec

CHUNKS = 2
WORLDS = tries(42, 60)
PORTS = ("80", "8080", "53/UDP")
WORST = {Verdict.ALLOWED: 2, Verdict.MIXED: 2, Verdict.UNDETERMINED: 1, Verdict.DENIED: 0}
STATUS = (Status.HOLDS, Status.UNDETERMINED, Status.BROKEN)


@dataclass(frozen=True)
class Rule:
    """A guardrail as plain tests on pods, apart from how Cloison reads it."""

    only: bool
    sources: frozenset[str]
    destinations: frozenset[str]
    ports: tuple[str, ...]
    spared: frozenset[str]

    def forbids(self, source: str, destination: str, port: str) -> bool:
        named = source in self.sources
        return (
            named is not self.only
            and source not in self.spared
            and destination in self.destinations
            and (not self.ports or port in self.ports)
        )

    def written(self) -> dict[str, object]:
        key = "only" if self.only else "deny"
        return {
            key: {
                "from": sorted(self.sources),
                "to": sorted(self.destinations),
                "ports": list(self.ports),
            },
            "except": sorted(self.spared),
        }


def proofs(session: Session, *written: dict[str, object]) -> tuple[Proof, ...]:
    """Return what comes of guardrails of one contract, in order."""
    named = [{**each, "name": f"g{number}"} for number, each in enumerate(written)]
    reading = of_spec({"guardrails": named})
    assert not reading.diagnostics
    contract: Contract = reading.contract
    found = prove(contract, Ends(session.names, Placed.of(contract, session.world))).proofs
    assert all(isinstance(each.guardrail, Guardrail) for each in found)
    assert len(found) == len(written)
    return found


def together(session: Session, rules: list[Rule]) -> Iterator[tuple[Rule, Proof]]:
    """Yield what comes of rules, nightly of each in a contract of its own."""
    written = [rule.written() for rule in rules]
    size = tries(len(rules), 1)
    for at in range(0, len(rules), size):
        yield from zip(rules[at:], proofs(session, *written[at : at + size]), strict=False)


def proof(session: Session, written: dict[str, object]) -> Proof:
    (only,) = proofs(session, written)
    return only


def pods(session: Session) -> dict[str, PodEndpoint]:
    """Pods of their own, by name; those on their node's network have relations of their own."""
    return {
        f"{e.namespace}/pod/{e.workload.name}": e
        for e in session.engine.table.endpoints
        if e.workload.kind == "Pod" and not e.shape.host_network
    }


def asked(session: Session, rule: Rule, names: list[str]) -> int:
    """Return the worst that becomes of a forbidden flow between pods."""
    worst = 0
    for source, destination, port in _flows(rule, names):
        number, _, protocol = port.partition("/")
        found = session.verdict(source, destination, protocol or None, int(number))
        worst = max(worst, WORST[found])
    return worst


def _flows(rule: Rule, names: list[str]) -> Iterator[tuple[str, str, str]]:
    for source in names:
        for destination in names:
            for port in PORTS:
                if source != destination and rule.forbids(source, destination, port):
                    yield source, destination, port


def some(rng: random.Random, names: list[str], most: int) -> frozenset[str]:
    return frozenset(rng.sample(names, rng.randint(1, min(most, len(names)))))


def plain_world(rng: random.Random) -> Session:
    return load(random_world(rng))


def calico_world(rng: random.Random) -> Session:
    """A world where rules also deny and pass, in tiers."""
    objects = random_world(rng)
    objects += CalicoMaker(Seen(objects), rng).objects(rng.randint(1, 7))
    return load_objects(objects, profile="calico@3.32")


@pytest.mark.parametrize("world", [plain_world, calico_world])
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_guardrail_about_pods_by_name_is_what_every_flow_says(
    chunk: int, world: Callable[[random.Random], Session]
) -> None:
    seen = set()
    for seed in range(chunk, WORLDS, CHUNKS):
        rng = random.Random(seed + 910_000)
        session = world(rng)
        names = sorted(pods(session))
        if len(names) < 2:
            continue
        rules = []
        for _ in range(4):
            ports = tuple(rng.sample(PORTS, rng.randint(1, 2)))
            rule = Rule(False, some(rng, names, 3), some(rng, names, 3), ports, frozenset())
            if rng.random() < 0.3:
                rule = Rule(False, rule.sources, rule.destinations, ports, some(rng, names, 1))
            rules.append(rule)
        for rule, found in together(session, rules):
            seen.add(found.status)
            assert found.status is STATUS[asked(session, rule, names)], f"seed {seed}: {rule}"
            if found.status is Status.BROKEN:
                verdict = session.why(*found.breaches[0].why).verdict
                assert verdict in (Verdict.ALLOWED, Verdict.MIXED), f"seed {seed}: {rule}"
    assert seen >= {Status.HOLDS, Status.BROKEN}


BEYOND = ("47", "4", "132", "ICMP")
"""Protocols, as questions name them."""


def beyond_world(rng: random.Random) -> Session:
    """A world whose rules also let protocols pass that have no ports."""
    objects = random_world(rng)
    made = CalicoMaker(Seen(objects), rng).objects(rng.randint(2, 7))
    for each in made:
        for rule in (*each["spec"].get("ingress", ()), *each["spec"].get("egress", ())):
            ends = (rule.get("source", {}), rule.get("destination", {}))
            ported = any({"ports", "notPorts"} & end.keys() for end in ends)
            if not ported and "icmp" not in rule and "notICMP" not in rule and rng.random() < 0.6:
                rule.pop("notProtocol", None)
                rule["protocol"] = rng.choice((47, 4))
    return load_objects([*objects, *made], profile="calico@3.32")


def test_a_guardrail_without_ports_is_about_every_protocol() -> None:
    by_others = held = 0
    for seed in range(WORLDS // 3):
        rng = random.Random(seed + 930_000)
        session = beyond_world(rng)
        names = sorted(pods(session))
        if len(names) < 2:
            continue
        rules = [
            Rule(False, some(rng, names, 2), some(rng, names, 2), (), frozenset()) for _ in range(4)
        ]
        for rule, found in together(session, rules):
            worst = asked(session, rule, names)
            others = {
                session.verdict(source, destination, protocol)
                for source in rule.sources
                for destination in rule.destinations - {source}
                for protocol in BEYOND
            }
            passes = worst == WORST[Verdict.ALLOWED] or {Verdict.ALLOWED, Verdict.MIXED} & others
            if passes:
                assert found.status is Status.BROKEN, f"seed {seed}: {rule}"
            if found.status is Status.HOLDS:
                held += 1
                assert worst == 0, f"seed {seed}: {rule}"
            if found.status is Status.BROKEN:
                verdict = session.why(*found.breaches[0].why).verdict
                assert verdict in (Verdict.ALLOWED, Verdict.MIXED), f"seed {seed}: {rule}"
                by_others += "proto/" in found.breaches[0].why[1]
    assert held
    assert by_others


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_who_alone_may_is_proved_against_pods_that_come(chunk: int) -> None:
    held = broken = 0
    for seed in range(chunk, WORLDS, CHUNKS):
        rng = random.Random(seed + 920_000)
        objects = random_world(rng)
        session = load(objects)
        names = sorted(pods(session))
        if not names:
            continue
        target = rng.choice(names)
        home = rng.choice(sorted(session.world.namespaces))
        port = rng.choice(PORTS)
        written: dict[str, object] = {
            "only": {"from": f"any:{home}", "to": target, "ports": [port]},
            "except": ["0.0.0.0/0", "::/0"],
        }
        found = proof(session, written)
        allowed = frozenset(n for n in names if n.startswith(f"{home}/"))
        rule = Rule(True, allowed, frozenset((target,)), (port,), frozenset())
        worst = asked(session, rule, names)
        # Blocks spare those pods whose addresses are known.
        if worst == 2 and not any(e.addresses for e in pods(session).values()):
            assert found.status is Status.BROKEN, f"seed {seed}"
        if found.status is Status.BROKEN:
            broken += 1
            source, destination = found.breaches[0].why
            verdict = session.why(source, destination).verdict
            assert verdict in (Verdict.ALLOWED, Verdict.MIXED), f"seed {seed}"
        if found.status is not Status.HOLDS:
            continue
        held += 1
        number, _, protocol = port.partition("/")
        for _ in range(4):
            spaces = [n for n in (*session.world.namespaces, "brand-new") if n != home]
            space = rng.choice(spaces)
            after = load([*objects, newcomer(rng, space)])
            verdict = after.verdict(f"{space}/pod/newcomer", target, protocol or None, int(number))
            assert verdict is Verdict.DENIED, f"seed {seed}"
    assert held > 3
    assert broken > 3


def test_what_a_lone_pod_sends_itself_is_no_breach() -> None:
    objects = random_world(random.Random(1))
    session = load(objects)
    name = min(pods(session))
    written: dict[str, object] = {"deny": {"from": name, "to": name}}
    assert proof(session, written).status is Status.HOLDS
