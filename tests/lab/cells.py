"""What is asked of a world, and what the engine says to that.

A cell is one connection: two ends, what is sent, and the port it comes from.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.ask import Explanation, ask
from cloison.analyses.explain import CaseAnswer, explain_case
from cloison.analyses.question import State
from cloison.app import Session
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Policy, Rule, TrafficMatch
from tests.lab.worlds import ORIGINS, Recipe
from tests.oracle.raw import End
from tests.support.chances import chance, pick
from tests.support.worlds import Flow, FlowMaker, end_text

ECHO = {4: "icmp/8/0", 6: "icmpv6/128/0"}
FAILSAFE = (("TCP", 22), ("TCP", 6443), ("UDP", 53), ("UDP", 68))


@dataclass(frozen=True)
class Cell:
    """One connection to try.

    Args:
        source: Who connects.
        target: Who listens.
        protocol: `TCP`, `UDP`, `SCTP` or `ICMP`, which is an echo request.
        port: Where to; 0 for ICMP.
        family: 4 or 6.
        source_port: Where from; 0 for any.
    """

    source: End
    target: End
    protocol: str
    port: int
    family: int
    source_port: int = 0

    @property
    def asked(self) -> tuple[str, str | None]:
        """What a question says of the traffic: port and protocol."""
        if self.protocol == "ICMP":
            return ECHO[self.family], None
        return str(self.port), self.protocol

    @property
    def sent_from(self) -> TrafficSet:
        """The traffic as rules about source ports see it."""
        if self.protocol == "ICMP":
            kind = 8 if self.family == 4 else 128
            return TrafficSet.icmp(kind, 0, self.family)
        return TrafficSet.ports(self.protocol, self.source_port) if self.source_port else NO_TRAFFIC

    def __str__(self) -> str:
        """Render as a question."""
        what = f"{self.protocol}/{self.port} over IPv{self.family} from {self.source_port or 'any'}"
        return f"{end_text(self.source)} -> {end_text(self.target)} {what}"


class CellMaker:
    """Makes cells of one world.

    Args:
        recipe: The world.
        rng: Chance.
    """

    def __init__(self, recipe: Recipe, rng: random.Random) -> None:
        self.recipe = recipe
        self.rng = rng
        self.flows = FlowMaker(recipe.objects)

    def cells(self) -> Iterator[Cell]:
        """Yield cells without end."""
        number = 0
        while True:
            flow = self._hosts() if self.recipe.hosts else self.flows.flow(self.rng)
            if flow is None or flow.src == flow.dst:
                continue
            number += 1
            yield self._cell(flow, number)

    def _cell(self, flow: Flow, number: int) -> Cell:
        if flow.port is None:
            return Cell(flow.src, flow.dst, "ICMP", 0, flow.family)
        # Each its own, so that no two connections are the same to a filter that remembers.
        origin = self.rng.choice(ORIGINS) + number
        protocol, port = flow.protocol, flow.port
        return Cell(flow.src, flow.dst, protocol, port, flow.family, origin)

    def _hosts(self) -> Flow | None:
        """Return a flow that is likely to start or end on a node."""
        one, other = self._end(), self._end()
        families = self.flows.of(one) & self.flows.of(other)
        if not families or (one[0] == "ip" and other[0] == "ip"):
            return None
        family = self.rng.choice(sorted(families))
        protocol, port = self.flows.traffic(self.rng, family, other)
        if chance(self.rng, 0.15):
            protocol, port = self.rng.choice(FAILSAFE)
        return Flow(one, other, protocol, port, family)

    def _end(self) -> End:
        kind = pick(self.rng, [(5, "pod"), (5, "node"), (4, "ip")])
        if kind == "ip" or (kind == "node" and not self.flows.nodes):
            return ("ip", str(self.rng.choice(self.flows.outside)))
        return self.rng.choice(self.flows.pods if kind == "pod" else self.flows.nodes)


@dataclass(frozen=True)
class Prediction:
    """What the engine says about a cell.

    Args:
        arrives: Whether an answer comes back; None where the engine does not say.
        answer: About the connection.
    """

    arrives: bool | None
    answer: Explanation

    @property
    def case(self) -> CaseAnswer | None:
        """What was found out about the only pair of ends, if it is the only one."""
        return self.answer.cases[0] if len(self.answer.cases) == 1 else None


class Predictor:
    """Asks the engine about cells of one world.

    Rules that ask for the port a connection comes from leave questions open, which do not say
    one. Probes do: for each way such rules see them there is an engine whose rules match
    or are gone.

    Args:
        session: The world.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._asking = [
            rule.sources
            for policy in session.policies.policies
            for rule in policy.rules
            if rule.sources is not None
        ]
        self._engines: dict[tuple[bool, ...], Engine] = {}
        self.untracked = any(
            not rule.tracked for policy in session.policies.policies for rule in policy.rules
        )

    def predict(self, cell: Cell) -> Prediction:
        """Return what becomes of a cell."""
        session = self.session
        source, target = end_text(cell.source), end_text(cell.target)
        port, protocol = cell.asked
        asked = session.question(source, target, port=port, protocol=protocol, family=cell.family)
        engine = self._engine(cell)
        answer = ask(engine, asked, partial(explain_case, misses=False))
        arrives = _arrives(answer)
        if arrives and self.untracked:
            # Where connections are not tracked, whether the answer comes back is a question too.
            arrives = _arrives(ask(engine, replace(asked, state=State.REPLY)))
        return Prediction(arrives, answer)

    def _engine(self, cell: Cell) -> Engine:
        read = tuple(cell.sent_from <= sources for sources in self._asking)
        if not read:
            return self.session.engine
        found = self._engines.get(read)
        if found is None:
            session, number = self.session, iter(read)
            policies = tuple(_sent(p, number) for p in session.policies.policies)
            told = replace(session.policies, policies=policies)
            found = Engine(session.world, told, session.profile, session.settings.networks())
            self._engines[read] = found
        return found


def _sent(policy: Policy, matches: Iterator[bool]) -> Policy:
    return replace(policy, rules=tuple(_of_rule(rule, matches) for rule in policy.rules))


def _of_rule(rule: Rule, matches: Iterator[bool]) -> Rule:
    if rule.sources is None:
        return rule
    if next(matches):
        return replace(rule, sources=None)
    return replace(rule, sources=None, traffic=TrafficMatch(NO_TRAFFIC))


def _arrives(answer: Explanation) -> bool | None:
    return {Verdict.ALLOWED: True, Verdict.DENIED: False}.get(answer.verdict)
