"""Made-up traffic of some weeks: everything that makes real traffic hard happens in it."""

from collections.abc import Iterator
from typing import get_args

from cloison.app.scenario import weeks
from cloison.app.traffic import SCENARIOS
from cloison.cli.commands.flows_generate import SCENARIOS as OFFERED
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Call, Made, Place, Plan, Pod, Rhythm, Sort

PODS = [Made("shop", name, labels=(f"app={name}",)) for name in "abcd"]
OUTSIDE = Place("visitors", ("203.0.113.7",))
NODE = Place("node", ("192.0.2.11",), entity="host")


def _plan() -> Plan:
    chain = [Call(src, PODS[3], 8080 + number) for number, src in enumerate(PODS[:3])]
    again = [Call(src, PODS[3], 9080 + number) for number, src in enumerate(PODS[:3])]
    probes = [Call(NODE, PODS[0], 8080), Call(OUTSIDE, PODS[1], 8443)]
    return Plan((*chain, *again, *probes), 1_767_225_600_000_000, 35 * 24)


def _besides(source: str, destination: str) -> Iterator[Call]:
    ends = {f"{each.namespace}/{each.name}": each for each in PODS}
    name, _, port = destination.partition(":")
    yield Call(ends[source], ends[name], int(port), sort="attack", denied="")


def test_weeks_have_all_that_happens() -> None:
    made = weeks(_plan(), _besides)
    assert {each.rhythm for each in made.calls} == set(get_args(Rhythm))
    assert {each.sort for each in made.calls} == set(get_args(Sort))
    assert len(made.rollouts) == 2
    assert made.translated == {"visitors"}
    happened = list(connections(made))
    assert {each.call.sort for each in happened} == set(get_args(Sort))
    assert any(each.swapped for each in happened)
    assert any(each.seen_ip != each.src_ip for each in happened)
    ends = [end for each in happened for end in (each.src, each.dst) if isinstance(end, Pod)]
    holders = {(end.ip, end.name) for end in ends}
    assert len({ip for ip, _ in holders}) < len(holders), "addresses are used again"


def test_the_command_offers_what_there_is() -> None:
    assert OFFERED == SCENARIOS
