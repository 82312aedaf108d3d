"""Made-up traffic of a session: what its contract means happens, as its policies let it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from cloison.algebra import AddressSet, TrafficSet, address_text
from cloison.analyses.ask import Question, ask
from cloison.analyses.ends import AddressEnd, End, NameEnd, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.question import Traffic, parse_traffic, split_port
from cloison.analyses.reconcile.meant import Meant, meant
from cloison.analyses.reconcile.pairs import together
from cloison.analyses.reconcile.seen import NODES, ref
from cloison.analyses.reconcile.sources import assumed
from cloison.analyses.services import lead
from cloison.app.contract import agreed, edges, for_contract
from cloison.app.scenario import weeks
from cloison.base import QuestionError
from cloison.flows.generator.model import Call, Made, Place, Plan, Rhythm, Service, Sort
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.resources.world import APART

if TYPE_CHECKING:
    from cloison.app.session import Session

START: Final = 1_767_225_600_000_000
"""When made-up traffic starts: 2026-01-01, in microseconds."""
NODES_MADE: Final = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
_MOST_PODS: Final = 3
_USUAL: Final = tuple(AddressSet.block(b) for b in ("198.51.100.0/24", "203.0.113.0/24"))
"""Blocks for documentation: what outside addresses are taken from where they may be any."""
_FEW: Final = 3
_SEEDS: Final = 97


SCENARIOS: Final = ("usual", "weeks")
"""What goes on: only what is meant, day by day; or all that `scenario.weeks` says."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What traffic is made.

    Args:
        days: For how many days.
        seed: Another seed makes other traffic of the same shape.
        loss: The share of records that are lost.
        without: Entries of the contract that never happen.
        also: What happens besides, as `why` is asked about it: source, and destination with port.
        scenario: One of `SCENARIOS`.
    """

    days: float = 7
    seed: int = 0
    loss: float = 0.0
    without: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    scenario: str = SCENARIOS[0]


def plan(session: "Session", contracts: Sequence[str], wanted: Wanted) -> Plan:
    """Return traffic for a session: everything its contract means, and what is wanted besides.

    What policies deny is tried and denied. Kubelets probe.

    Args:
        session: A session that was read with `runtime`.
        contracts: Files of contracts besides those among its sources.
        wanted: What traffic is made.

    Raises:
        SourceError: A contract cannot be read.
        QuestionError: There is none, or something named is not there.
    """
    found = agreed(session, contracts)
    unknown = set(wanted.without) - {each.name for each in found.contract.dependencies}
    if unknown:
        msg = f"no dependency of the contract is called {min(unknown)!r}"
        raise QuestionError(msg, "name one of its `dependencies`")
    session = for_contract(session, found.contract)
    sources = assumed(session.engine, session.site)
    every, _ = meant(session.engine, session.site, found.contract, edges(session, found), sources)
    kept = [each for each in every if each.because.name not in wanted.without]
    makers = _Maker(session)
    calls = [call for each in _cut(session, kept) for call in makers.calls(each)]
    for source, destination in wanted.also:
        calls += makers.besides(source, destination)
    made = Plan(
        tuple(dict.fromkeys(calls)),
        START,
        wanted.days * 24,
        wanted.seed,
        NODES_MADE,
        loss=wanted.loss,
    )
    return made if wanted.scenario == SCENARIOS[0] else weeks(made, makers.besides)


def _cut(session: "Session", every: Sequence[Meant]) -> Iterator[Meant]:
    """Yield what is meant with addresses that are in one end only."""
    for pair in together(session.engine, every, ()).values():
        for one in (*pair.meant, *pair.implied):
            yield replace(one, source=pair.source, destination=pair.destination)


class _Maker:
    """Makes calls out of what is meant."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._services = dict(_services(session))

    def calls(self, one: Meant) -> Iterator[Call]:
        """Yield the calls that what is meant comes to: one for each protocol and run of ports."""
        for entry in islice(one.traffic.entries(), _FEW):
            if entry.low and entry.protocol in ("TCP", "UDP", "SCTP"):
                call = self._call(one.source, one.destination, entry.low, entry.protocol)
                if call is not None:
                    yield call

    def besides(self, source: str, destination: str) -> Iterator[Call]:
        """Yield the calls that questions stand for."""
        text, port = split_port(destination)
        asked = parse_traffic(port)
        here, there = self._session.names.end(source), self._session.names.end(text)
        for entry in islice(asked.traffic.entries(), 1):
            call = self._call(here, there, entry.low or 1, entry.protocol, "attack")
            if call is None:
                msg = f"no traffic can be made from {source} to {destination}"
                raise QuestionError(msg, "name workloads, addresses or nodes, with a port")
            yield call

    def _call(
        self, source: End, destination: End, port: int, protocol: str, sort: Sort = "legitimate"
    ) -> Call | None:
        src, dst = _end(source), _end(destination)
        if src is None or dst is None or (isinstance(src, Place) and isinstance(dst, Place)):
            return None
        traffic = TrafficSet.ports(protocol, port)
        denied = self._denied(source, destination, Traffic(f"{protocol}/{port}", traffic))
        seed = sum(f"{src}{dst}{port}".encode()) % _SEEDS
        call = Call(
            src,
            dst,
            port,
            protocol,
            _rhythm(source),
            0.4 + seed / _SEEDS,
            seed % 24,
            self._services.get((ref(destination), port, protocol)),
            sort,
        )
        if denied is None:
            return call
        name, at = denied
        return replace(call, denied=name, denied_at="src" if at is Direction.EGRESS else "dst")

    def _denied(
        self, source: End, destination: End, traffic: Traffic
    ) -> tuple[str, Direction] | None:
        """Return which policy denies a call, and on which side; None where none does."""
        if isinstance(source, SomeNodeEnd):
            return None
        answer = ask(self._session.engine, Question(source, destination, traffic))
        if answer.verdict is not Verdict.DENIED:
            return None
        for each in answer.deciders:
            if each.direction is not None:
                name = f"{each.policy.namespace}/{each.policy.name}" if each.policy else ""
                return name, each.direction
        return "", Direction.INGRESS


def _rhythm(source: End) -> Rhythm:
    if isinstance(source, PodsEnd) and source.workload.id.kind in ("Job", "CronJob"):
        return "daily"
    return "chatty"


def _end(end: End) -> Made | Place | None:
    """Return an end as traffic is made of it; None for one that none can be made of."""
    match end:
        case PodsEnd():
            name = end.workload.id
            pods = end.workload.endpoints
            if name.namespace == APART or not pods:
                return None
            labels = tuple(sorted(f"{key}={value}" for key, value in pods[0].labels.items()))
            return Made(
                name.namespace,
                name.name,
                name.kind,
                labels,
                min(len(pods) + 1, _MOST_PODS),
                pods[0].shape.host_network,
            )
        case AddressEnd():
            ips = _some(end.addresses)
            return Place(end.text, ips) if ips else None
        case NameEnd():
            host = end.text.removeprefix("dns:")
            ips = _some(end.addresses) or (f"203.0.113.{1 + sum(host.encode()) % 250}",)
            return None if "*" in host else Place(host, ips, host)
        case SomeNodeEnd():
            return Place(NODES.text, NODES_MADE, entity="host")
        case _:
            return None


def _some(addresses: AddressSet) -> tuple[str, ...]:
    """Return a few addresses of a set, of those for documentation where they are in it."""
    for block in _USUAL:
        if block <= addresses:
            low = block.spans[0][0]
            return tuple(address_text(low + number) for number in (7, 8, 9))
    found = addresses.family(4) or addresses
    for low, high in found.spans:
        # The first of a block is its own address.
        step = 4 if high - low > _FEW * 2 else 0
        return tuple(address_text(low + step + n) for n in range(min(_FEW, high - low + 1)))
    return ()


def _services(session: "Session") -> Iterator[tuple[tuple[object, int, str], Service]]:
    """Yield the Service by which a workload's port is called."""
    for number, service in enumerate(session.world.services.values()):
        if not service.selector or "None" in service.cluster_ips:
            continue
        made = f"10.96.{number // 250}.{number % 250 + 1}"
        ip = service.cluster_ips[0] if service.cluster_ips else made
        end = ServiceEnd(f"svc:{service.namespace}/{service.name}", service)
        for port in service.ports:
            traffic = TrafficSet.ports(port.protocol, port.port)
            asked = Traffic(f"{port.protocol}/{port.port}", traffic)
            for part in lead(session.engine, NODES, end, asked):
                for each in part.followed:
                    if isinstance(each.destination, PodsEnd):
                        for entry in islice(each.traffic.traffic.entries(), 1):
                            key = (ref(each.destination), entry.low or 0, entry.protocol)
                            yield key, Service(service.namespace, service.name, ip, port.port)
