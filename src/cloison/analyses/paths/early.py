"""Policies that see a packet at the node it arrives at, before it is led to a pod."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.analyses.ask import Explanation, Question
from cloison.analyses.paths.lookup import Ask
from cloison.analyses.paths.model import Hop, HopRole
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict


def early(engine: Engine, question: Question, ask: Ask) -> Iterator[Hop]:
    """Yield the hop at which such policies do not let all of a call to a node's port through.

    What else governs the node is about what ends there, and this does not.

    Args:
        engine: Who decides.
        question: What is asked; its destination is the node.
        ask: Judges a hop.
    """
    names = _tiers(engine)
    if not any(policy.tier in names for policy in engine.ordered):
        return
    answer = ask(question, engine.derived("early", _alone, Engine))
    if answer.verdict is not Verdict.ALLOWED and _decided(answer, names):
        yield Hop(HopRole.NODE, question, answer=answer)


def _tiers(engine: Engine) -> frozenset[str]:
    """Return the tiers whose policies see destinations before translation."""
    layers = engine.policies.layers
    return frozenset(t.name for layer in layers for t in layer.tiers if t.before_nat)


def _alone(engine: Engine) -> Engine:
    """Return an engine with no other policies than those."""
    names = _tiers(engine)
    kept = tuple(policy for policy in engine.policies.policies if policy.tier in names)
    policies = replace(engine.policies, policies=kept)
    return Engine(engine.world, policies, engine.profile, engine.networks)


def _decided(answer: Explanation, names: frozenset[str]) -> bool:
    return any(
        decider.tier in names
        for case in answer.cases
        for point in case.points
        for decider in point.decided_by
    )
