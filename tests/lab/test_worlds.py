"""The worlds that labs are built of meet what policies can say, and take every turn there is."""

from collections import Counter
from collections.abc import Iterator

from cloison.engine.steps import Cause, Step
from cloison.ir.policy import Action
from tests.lab.judge import Trial
from tests.lab.trials import DENIED, PROBES, drawn

WORLDS = 12


def test_trials_meet_what_policies_can_say() -> None:
    met: Counter[str] = Counter()
    for seed in range(WORLDS):
        world = drawn(seed)
        assert len(world.trials) == PROBES
        assert world.denied >= DENIED * PROBES
        asking = any(r.sources for p in world.session.policies.policies for r in p.rules)
        for each in world.trials:
            met.update(set(_met(each)))
            met["a port that rules ask for"] += asking and each.cell.source_port > 0
    few = {name: met[name] for name in EXPECTED if met[name] < 10}
    assert not few


def _met(trial: Trial) -> Iterator[str]:
    cell = trial.cell
    yield from (cell.protocol, f"IPv{cell.family}")
    yield from (f"{end[0]} as an end" for end in (cell.source, cell.target))
    yield "allowed" if trial.prediction.arrives else "denied"
    case = trial.prediction.case
    for point in case.points if case else ():
        for step in point.walk.steps if point.walk else ():
            yield from _of_step(step)


def _of_step(step: Step) -> Iterator[str]:
    if step.cause is Cause.RULE and step.rule is not None:
        yield f"a rule that would {step.action}"
        yield step.rule.policy.id.kind
        if step.rule.named:
            yield "a port by name"
    elif step.cause is Cause.END and step.action is Action.DENY:
        yield "a tier's end"
    elif step.cause is Cause.BUILTIN:
        yield "a built-in rule"
    if step.layer > 0 and step.cause is not Cause.DEFAULT:
        yield "another layer"


EXPECTED = (
    *("TCP", "UDP", "SCTP", "ICMP", "IPv4", "IPv6", "allowed", "denied"),
    *(f"{kind} as an end" for kind in ("pod", "workload", "node", "ip")),
    *(f"a rule that would {action}" for action in Action),
    *("NetworkPolicy", "CalicoNetworkPolicy", "GlobalNetworkPolicy", "ClusterNetworkPolicy"),
    *("AdminNetworkPolicy", "HostEndpoint", "a port by name", "a port that rules ask for"),
    *("a tier's end", "a built-in rule", "another layer"),
)
