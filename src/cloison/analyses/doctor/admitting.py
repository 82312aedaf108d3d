"""Rules that let in those whom no selector matches: nodes, by their addresses or their namespace.

The rule goes into the policy that an ordinary proposal for the same pods would go into.
"""

from collections.abc import Iterable, Iterator, Sequence

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC, AddressSet, LabelSelector, TrafficSet
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.served import admitted, numbers, of_nodes, tunnels
from cloison.analyses.ends import PodsEnd
from cloison.analyses.mend import MOST_BLOCKS, Proposal, added, blocks
from cloison.analyses.parties import Party
from cloison.engine import Engine
from cloison.ir.peers import BlockMatch, PodsMatch, Relative, RelativeMatch
from cloison.ir.policy import Action, Direction, NamedPort, Peer, Rule, TrafficMatch
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Service, ServicePort

_EVERY_NODE = (Relative.OWN_NODE, Relative.OTHER_NODE)


def nodes_let_in(
    clinic: Clinic, answers: Iterable[Explanation], whose: Sequence[Relative] = _EVERY_NODE
) -> tuple[Mend, ...]:
    """Return the changes that let nodes in where answers say that they are not; empty where none.

    Which node it is changes with the next rollout, so that all of them are let in.

    Args:
        clinic: The clinic.
        answers: What becomes of connections that nodes make.
        whose: Which nodes these are to a pod, where enforcers tell them apart by that.
    """
    engine = clinic.engine
    return clinic.add(_proposed(engine, answers, of_nodes(engine) | tunnels(engine), whose))


def addresses_let_in(
    engine: Engine, answers: Iterable[Explanation], addresses: AddressSet
) -> tuple[Proposal, ...]:
    """Return the rules that let addresses in where answers say that they are not.

    Args:
        engine: Who decides.
        answers: What becomes of connections from there.
        addresses: The addresses.
    """
    return tuple(_proposed(engine, answers, addresses)) if addresses else ()


def _proposed(
    engine: Engine,
    answers: Iterable[Explanation],
    addresses: AddressSet,
    whose: Sequence[Relative] = _EVERY_NODE,
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
            peers = _peers(engine, addresses - listed, whose)
            if peers:
                rule = Rule(Direction.INGRESS, Action.ALLOW, peers, TrafficMatch(traffic), 1)
                yield from added(engine, Direction.INGRESS, party, rule, "nodes")


def _peers(engine: Engine, addresses: AddressSet, whose: Sequence[Relative]) -> tuple[Peer, ...]:
    """Return peers that match some nodes; empty where no rule can name them."""
    reading = engine.profile.reading
    if reading.host_namespace is not None and reading.host_labels:
        labels = dict(reading.host_labels)
        own = {k: v for k, v in labels.items() if k != NAMESPACE_NAME_LABEL}
        where = LabelSelector.of(own or labels)
        return (Peer(PodsMatch(namespaces=where)),)
    if not engine.profile.block_matches_nodes:
        return tuple(Peer(RelativeMatch(each)) for each in whose)
    cidrs = list(blocks(addresses))
    if len(cidrs) > MOST_BLOCKS:
        return ()
    return tuple(Peer(BlockMatch(AddressSet.block(c), c)) for c in cidrs)


def service_let_out(
    clinic: Clinic, source: PodsEnd, service: Service, port: ServicePort
) -> tuple[Mend, ...]:
    """Return the changes that let pods call a Service whose calls are judged untranslated.

    A rule matches such a call by the labels that the Service selects, and by its target port.

    Args:
        clinic: The clinic.
        source: Who calls.
        service: The Service.
        port: Its port.
    """
    engine = clinic.engine
    target = port.target if port.target is not None else port.port
    traffic = (
        TrafficMatch(NO_TRAFFIC, named=(NamedPort(target, port.protocol),))
        if isinstance(target, str)
        else TrafficMatch(TrafficSet.ports(port.protocol, target))
    )
    if not service.selector:
        return ()
    pods = LabelSelector.of(service.selector)
    near = service.namespace == source.workload.id.namespace
    where = LabelSelector.of({NAMESPACE_NAME_LABEL: service.namespace})
    match = (
        PodsMatch(namespace=service.namespace, pods=pods)
        if near
        else PodsMatch(namespaces=where, pods=pods)
    )
    rule = Rule(Direction.EGRESS, Action.ALLOW, (Peer(match),), traffic, 1)
    subjects = {
        unit: Party(unit, source.text, engine.table.endpoints[index])
        for index in source.endpoints
        for unit in engine.table.by_endpoint[index]
    }
    found = (
        each
        for subject in subjects.values()
        for each in added(engine, Direction.EGRESS, subject, rule, service.name)
    )
    return clinic.add(found)
