"""Pods that are not in the input, and whose namespace nobody knows: may rules let them in?

Who scrapes, or who serves an Ingress, often lives in manifests of its own. A rule may be meant for
it, under a namespace or by labels that only those manifests say. What is asked here is whether
that can be; where it cannot, nothing lets it in, wherever it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import IntEnum

from cloison.algebra import NO_ADDRESSES, AddressSet, LabelSelector, TrafficSet
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.served import PRIVATE, Number, peers_of
from cloison.analyses.mend import Proposal, added
from cloison.engine import Engine
from cloison.ir.peers import BlockMatch, PodsMatch, plain_matches
from cloison.ir.policy import Action, Direction, Peer, Rule, TrafficMatch
from cloison.resources.objects import Labels
from cloison.resources.world import WorkloadId

AWAY = "not-in-the-input"
"""A namespace for pods of which nobody knows where they live."""


class Chance(IntEnum):
    """Whether pods that nobody knows may get in."""

    NONE = 0
    """Wherever they are, no rule is for them."""
    AT_HOME = 1
    """Only if they live in the namespace of those they want to get in to."""
    SOME = 2
    """A rule may be for them."""


def _nobody(_: WorkloadId) -> bool:
    return False


def chance(
    clinic: Clinic,
    name: WorkloadId,
    number: Number,
    labels: Labels,
    may_be: Callable[[WorkloadId], bool] = _nobody,
) -> Chance:
    """Return whether pods that are not in the input may get in to a workload.

    Args:
        clinic: Who knows the policies.
        name: The workload.
        number: The port that they want.
        labels: Labels that they have; others may be there or not.
        may_be: Whether a workload of the input may be what is looked for after all.
    """
    engine = clinic.engine
    found = Chance.NONE
    for unit in engine.table.workload_units(name):
        decision = engine.decision(unit, Direction.INGRESS)
        if not decision.isolating:
            return Chance.SOME
        for policy in decision.terms.policies:
            for rule in policy.rules_for(Direction.INGRESS):
                if rule.action is Action.DENY or not _opens(clinic, rule, name, number):
                    continue
                found = max(found, _of_rule(clinic, rule, labels, may_be))
    return found


def _opens(clinic: Clinic, rule: Rule, name: WorkloadId, number: Number) -> bool:
    """Return whether a rule is about a port of a workload, by its number or by its name."""
    if rule.traffic.must & TrafficSet.ports(*number):
        return True
    names = {each.name for each in rule.traffic.named}
    pods = clinic.engine.world.workloads[name].endpoints
    declared = {(p.protocol, p.number): p.name for pod in pods for p in pod.ports}
    return declared.get(number) in names


def _of_rule(
    clinic: Clinic, rule: Rule, labels: Labels, may_be: Callable[[WorkloadId], bool]
) -> Chance:
    if not rule.peers:
        return Chance.SOME
    return max(_of_peer(clinic, peer, labels, may_be) for peer in rule.peers)


def _of_peer(
    clinic: Clinic, peer: Peer, labels: Labels, may_be: Callable[[WorkloadId], bool]
) -> Chance:
    found = Chance.NONE
    for match in plain_matches(peer.match):
        if isinstance(match, BlockMatch):
            found = max(found, Chance.SOME if match.addresses & _inside() else Chance.NONE)
            continue
        if not isinstance(match, PodsMatch):
            return Chance.SOME
        said = [r for r in match.pods.requirements if r.key in labels]
        if not all(each.matches(labels) for each in said):
            continue
        others = peers_of(clinic.engine, (peer,))
        if any(map(may_be, others)):
            return Chance.SOME
        if others and len(said) < len(match.pods.requirements):
            continue  # by labels of others, who are in the input
        home = match.namespace is not None
        found = max(found, Chance.AT_HOME if home else Chance.SOME)
    return found


def _inside() -> AddressSet:
    """Return the addresses that pods may have."""
    found = NO_ADDRESSES
    for block in PRIVATE:
        found |= AddressSet.block(block)
    return found


def let_in_anywhere(
    clinic: Clinic, engine: Engine, answers: Iterable[Explanation], labels: Labels, whom: str
) -> tuple[Mend, ...]:
    """Return the changes that let in pods by their labels, from whatever namespace.

    Args:
        clinic: The clinic.
        engine: Who gave the answers.
        answers: What becomes of connections that such pods make.
        labels: Their labels.
        whom: Who they are, in a word.
    """
    peer = Peer(PodsMatch(pods=LabelSelector.of(labels)))
    seen: set[object] = set()
    found: list[Proposal] = []
    for answer in answers:
        for case in answer.cases:
            party, traffic = case.case.destination, case.case.traffic
            if party.endpoint is None or (party.unit, str(traffic)) in seen:
                continue
            seen.add((party.unit, str(traffic)))
            rule = Rule(Direction.INGRESS, Action.ALLOW, (peer,), TrafficMatch(traffic), 1)
            found += (
                replace(each, also=tuple(a for a in each.also if not a.startswith(f"{AWAY}/")))
                for each in added(engine, Direction.INGRESS, party, rule, whom)
            )
    return clinic.add(found)
