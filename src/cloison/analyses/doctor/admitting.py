"""Rules that let in those whom no selector matches: nodes, by their addresses or their namespace.

The rule goes into the policy that an ordinary proposal for the same pods would go into.
"""

from collections.abc import Iterable, Iterator

from cloison.algebra import NO_ADDRESSES, AddressSet, LabelSelector
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.served import admitted, numbers, of_nodes, tunnels
from cloison.analyses.mend import MOST_BLOCKS, added
from cloison.analyses.mend import Proposal, blocks
from cloison.engine import Engine
from cloison.ir.peers import BlockMatch, PodsMatch
from cloison.ir.policy import Action, Direction, Peer, Rule, TrafficMatch


def nodes_let_in(clinic: Clinic, answers: Iterable[Explanation]) -> tuple[Mend, ...]:
    """Return the changes that let nodes in where answers say that they are not; empty where none.

    Which node it is changes with the next rollout, so that all of them are let in.

    Args:
        clinic: The clinic.
        answers: What becomes of connections that nodes make.
    """
    return clinic.add(node_rules(clinic.engine, answers))


def node_rules(engine: Engine, answers: Iterable[Explanation]) -> tuple[Proposal, ...]:
    """Return the rules that let all nodes in where answers say that they are not.

    Args:
        engine: Who decides.
        answers: What becomes of connections that nodes make.
    """
    return tuple(_proposed(engine, answers, of_nodes(engine) | tunnels(engine)))


def addresses_let_in(
    engine: Engine, answers: Iterable[Explanation], addresses: AddressSet
) -> tuple[Proposal, ...]:
    """Return the rules that let addresses in where answers say that they are not.

    Args:
        engine: Who decides.
        answers: What becomes of connections from there.
        addresses: The addresses.
    """
    return tuple(_proposed(engine, answers, addresses))


def _proposed(
    engine: Engine, answers: Iterable[Explanation], addresses: AddressSet
) -> Iterator[Proposal]:
    seen = set()
    for answer in answers:
        for case in answer.cases:
            party, traffic = case.case.destination, case.case.traffic
            if party.endpoint is None or (party.unit, str(traffic)) in seen:
                continue
            seen.add((party.unit, str(traffic)))
            listed = NO_ADDRESSES
            for number in numbers(traffic):
                for each in admitted(engine, party.endpoint.workload, number):
                    listed |= each.addresses
            peers = _peers(engine, addresses - listed)
            if peers:
                rule = Rule(Direction.INGRESS, Action.ALLOW, peers, TrafficMatch(traffic), 1)
                yield from added(engine, Direction.INGRESS, party, rule, "nodes")


def _peers(engine: Engine, addresses: AddressSet) -> tuple[Peer, ...]:
    """Return peers that match some nodes; empty where no rule can name them."""
    reading = engine.profile.reading
    if reading.host_namespace is not None and reading.host_labels:
        where = LabelSelector.of(dict(reading.host_labels))
        return (Peer(PodsMatch(namespaces=where)),)
    if not engine.profile.block_matches_nodes:
        return ()
    cidrs = list(blocks(addresses))
    if len(cidrs) > MOST_BLOCKS:
        return ()
    return tuple(Peer(BlockMatch(AddressSet.block(c), c)) for c in cidrs)
