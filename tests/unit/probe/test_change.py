"""Policies replaced in a lab that runs: what is tried, and what becomes of open connections."""

from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from cloison.analyses.applied import Applied, Changed, Held
from cloison.analyses.measured import Agreement
from cloison.app import Session
from cloison.probe.lab.change import Side, change
from cloison.probe.lab.plan import Measured, Probe
from cloison.probe.lab.rulings import NodeProxy
from tests.support.lab import (
    CLUSTER,
    DROPPED,
    OPEN,
    Told,
    node,
    obedient,
    plan,
    pod,
    policy,
    session,
)

SEALED = session(
    node("n1", "10.9.0.1"),
    node("n2", "10.9.0.2"),
    pod("front", "10.1.0.1"),
    pod("api", "10.1.0.2", ports={8080: "http", 9090: "metrics"}, node="n2"),
    pod("other", "10.1.0.3"),
    policy(
        "api",
        "api",
        policyTypes=["Ingress"],
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "other"}}}]}],
    ),
)
"""As `CLUSTER`, but only `other` may reach `api`, and `front` may reach everybody else."""


class Running(Told):
    """A lab whose kernel does as it is told, and that keeps connections or cuts them."""

    def __init__(self, *, keeps: bool) -> None:
        super().__init__(obedient(CLUSTER))
        self.keeps = keeps
        self.held: list[Probe] = []
        self.loaded: Mapping[str, str] = {}
        self.released: list[int] = []

    def hold(self, probes: Sequence[Probe]) -> list[int]:
        self.held += probes
        return [number if self.answer(p) == OPEN else 0 for number, p in enumerate(probes, 1)]

    def still(self, held: Sequence[int]) -> list[bool]:
        assert self.loaded, "connections are asked once the policies have changed"
        return [self.keeps for _ in held]

    def release(self, held: Sequence[int]) -> None:
        self.released += held

    def apply(
        self, rulesets: Mapping[str, str], proxies: Mapping[str, NodeProxy] | None = None
    ) -> None:
        assert not proxies
        self.loaded = rulesets
        self.answer = obedient(SEALED)


def turned(lab: Running) -> dict[str, Changed]:
    before, after = Side(CLUSTER.engine), Side(SEALED.engine)
    found, more = change(lab, replace(plan(SEALED), rulesets={"node:n1": "script"}), before, after)
    assert more == 0
    return {str(each.cell.flow): each for each in found}


@pytest.mark.parametrize(("keeps", "held"), [(True, Held.LIVED), (False, Held.DIED)])
def test_what_closes_is_held_open_and_asked_afterwards(*, keeps: bool, held: Held) -> None:
    lab = Running(keeps=keeps)
    found = turned(lab)
    closed = found["web/front -> web/api on TCP/8080"]
    assert not closed.opened
    assert closed.held is held
    assert closed.cell.agreement is Agreement.AGREES
    opened = found["web/other -> web/api on TCP/9090"]
    assert opened.opened
    assert opened.held is Held.NONE
    assert lab.released
    assert [p.target for p in lab.held] == ["10.1.0.2"]


def test_flows_that_stay_as_they_are_are_not_tried() -> None:
    found = turned(Running(keeps=True))
    assert "web/front -> web/other on TCP/8080" not in found
    assert all(each.cell.agreement is Agreement.AGREES for each in found.values())


def test_what_the_profile_says_of_open_connections_is_held_against_what_they_do() -> None:
    flows = tuple(turned(Running(keeps=True)).values())
    assert Applied((), (), flows, keeps=True).agrees
    assert Applied((), (), flows).agrees
    odd = Applied((), (), flows, keeps=False)
    assert not odd.agrees
    assert odd.differs


def test_nothing_is_held_that_cannot_be_opened() -> None:
    lab = Running(keeps=True)
    lab.answer = lambda _: DROPPED
    assert {each.held for each in turned(lab).values()} == {Held.NONE}


def test_sides_are_of_one_world() -> None:
    def addresses(of: Session) -> set[str]:
        return {a for station in plan(of).pods for a in station.addresses}

    assert addresses(CLUSTER) == addresses(SEALED)
    assert isinstance(OPEN, Measured)
