"""What a changed policy costs, once everything else is known."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.faults import DisagreementError
from benchmarks.measured import Measured, Meter
from benchmarks.measures.ready import decoded, opened
from benchmarks.samples import Lot, Question
from benchmarks.worlds import WORLDS
from cloison.algebra.selectors import LabelSelector
from cloison.analyses.ask import Question as Asked
from cloison.analyses.ask import verdict_only
from cloison.app.session import Session
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Policy
from tests.oracle.ir import IROracle


def what_if(world: str, size: int, changes: int, sampled: int = 0) -> Measured:
    """Measure an engine with one policy changed: from the one without to its first answer.

    Policies lose a rule, go away, get a rule that another one has, and come anew, in turns. Apart
    from those, a policy comes anew that asks for a label that no other one mentions.

    Args:
        world: Its name.
        size: Its size.
        changes: How many changes are made, one at a time, each to the cluster as it was.
        sampled: How many answers after a change are held against the oracle's.

    Raises:
        DisagreementError: One of them is not the oracle's.
    """
    meter = Meter()
    session = opened(decoded(world, size), WORLDS[world].profile, meter)
    # Of a policy without rules there is little to change.
    told = [policy for policy in session.policies.policies if policy.rules]
    chosen = told[:: max(1, len(told) // changes)][:changes]
    lot = Lot(session)
    asked = [lot.about(policy, n) or lot.any(n) for n, policy in enumerate(chosen)]
    questions = [_worded(session, each) for each in asked]
    # What was asked about before is known; a change undoes what it touches.
    for each in questions:
        verdict_only(session.engine, each)

    def change(number: int) -> Verdict:
        return verdict_only(changed(session.engine, chosen, number), questions[number])

    meter.median("what-if", change, range(len(chosen)))
    meter.median(
        "new label",
        lambda policy: verdict_only(told_apart(session.engine, policy), questions[0]),
        chosen[:3],
    )
    most = meter.peak
    for number in range(0, len(chosen), max(1, len(chosen) // max(1, sampled))):
        if sampled:
            _agreed(
                changed(session.engine, chosen, number), asked[number], questions[number], meter
            )
    meter.peak = most
    return meter.done()


def changed(engine: Engine, policies: Sequence[Policy], number: int) -> Engine:
    """Return an engine with one of some policies changed, in the way its place says."""
    return _WAYS[number % len(_WAYS)](engine, policies, number)


def _less(engine: Engine, policies: Sequence[Policy], number: int) -> Engine:
    policy = policies[number]
    return engine.with_policy(replace(policy, rules=policy.rules[:-1]))


def _gone(engine: Engine, policies: Sequence[Policy], number: int) -> Engine:
    return engine.without(policies[number].id)


def _more(engine: Engine, policies: Sequence[Policy], number: int) -> Engine:
    policy = policies[number]
    other = policies[number - 1]
    return engine.with_policy(replace(policy, rules=(*policy.rules, *other.rules[:1])))


def _new(engine: Engine, policies: Sequence[Policy], number: int) -> Engine:
    policy = policies[number]
    return engine.with_policy(replace(policy, id=replace(policy.id, name="brand-new")))


_WAYS: Sequence[Callable[[Engine, Sequence[Policy], int], Engine]] = (_less, _gone, _more, _new)


def told_apart(engine: Engine, policy: Policy) -> Engine:
    """Return an engine with a copy of a policy that selects by a label nobody mentions."""
    pods = LabelSelector.of({"brand-new": policy.id.name})
    subject = PodsMatch(namespace=policy.id.namespace, pods=pods)
    name = replace(policy.id, name="brand-new")
    return engine.with_policy(replace(policy, id=name, subjects=(subject,)))


def _worded(session: Session, question: Question) -> Asked:
    """Return a question as the session reads it."""
    source, destination = question.words
    return session.question(
        source, destination, port=question.port, protocol=question.protocol, family=4
    )


def _agreed(after: Engine, question: Question, worded: Asked, meter: Meter) -> None:
    oracle = IROracle(after.world, after.policies, after.profile)
    told = verdict_only(after, worded)
    asked = (question.protocol, question.port)
    expected = oracle.verdict(question.source, question.destination, *asked, 4)
    if told is not expected:
        msg = f"{question}, after a change: the engine says {told}, the oracle {expected}"
        raise DisagreementError(msg)
    for fact in ("sampled pairs", str(expected)):
        meter.facts[fact] = meter.facts.get(fact, 0) + 1
