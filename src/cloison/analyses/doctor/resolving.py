"""What becomes of lookups: every resolver that pods may ask, over both protocols."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic, on, stopped
from cloison.analyses.ends import PodsEnd, ServiceEnd
from cloison.analyses.paths.assume import with_pods
from cloison.analyses.paths.lookup import resolver_end
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.component import ANY_VALUE
from cloison.platform.resolvers import Resolver, Resolvers
from cloison.platform.routes.model import Supposed
from cloison.resources.world import Workload

PROTOCOLS = ("UDP", "TCP")


class Need(StrEnum):
    """How much pods need a resolver."""

    NEEDED = "needed"
    PERHAPS = "perhaps"
    FALLBACK = "fallback"


@dataclass(frozen=True)
class Lookup:
    """What becomes of lookups of some pods at one resolver.

    Args:
        workload: Whose pods.
        pods: The pods.
        resolver: The resolver.
        need: How much they need it.
        needs: All that they may ask.
        answers: By protocol.
        engine: Who answered, where pods of the resolver had to be assumed.
    """

    workload: Workload
    pods: PodsEnd
    resolver: Resolver
    need: Need
    needs: Resolvers
    answers: dict[str, Explanation]
    engine: Engine | None = None

    @property
    def closed(self) -> tuple[str, ...]:
        """Protocols that are denied, or partly so."""
        shut = (Verdict.DENIED, Verdict.MIXED)
        return tuple(name for name, each in self.answers.items() if each.verdict in shut)

    @property
    def unclear(self) -> tuple[str, ...]:
        """Protocols of which nobody can say."""
        return tuple(n for n, each in self.answers.items() if each.verdict is Verdict.UNDETERMINED)

    @property
    def sides(self) -> frozenset[Direction]:
        """The ends that stop it."""
        return frozenset(d for name in self.closed for d in stopped(self.answers[name]))


def lookups(clinic: Clinic) -> Iterator[Lookup]:
    """Yield what does not pass of all lookups of the workloads to examine."""
    assumed: dict[str, tuple[Engine, PodsEnd]] = {}
    known: dict[object, tuple[Lookup, ...]] = {}
    for workload in clinic.workloads():
        for pods, needs in asking(clinic, workload):
            key = (clinic.kind_of(pods), id(needs))
            found = known.get(key)
            if found is None:
                found = known[key] = tuple(_failing(clinic, workload, pods, needs, assumed))
            for each in found:
                yield replace(each, workload=workload, pods=pods)


def asking(clinic: Clinic, workload: Workload) -> Iterator[tuple[PodsEnd, Resolvers]]:
    """Yield the pods of a workload with what they ask, those that ask the same together."""
    alike: dict[int, tuple[Resolvers, list[int]]] = {}
    pods = clinic.pods(workload.id)
    for index in pods.endpoints:
        found = clinic.site.resolvers(clinic.engine.table.endpoints[index].shape)
        alike.setdefault(id(found), (found, []))[1].append(index)
    for found, members in alike.values():
        yield replace(pods, endpoints=tuple(members)), found


def _failing(
    clinic: Clinic,
    workload: Workload,
    pods: PodsEnd,
    needs: Resolvers,
    assumed: dict[str, tuple[Engine, PodsEnd]],
) -> Iterator[Lookup]:
    fine = True
    for group in needs.needed:
        tried = [_tried(clinic, workload, pods, r, Need.NEEDED, needs, assumed) for r in group]
        told = [each for each in tried if each.answers]
        if told and all(each.closed for each in told):
            fine = False
            yield told[0]
    perhaps = [
        _tried(clinic, workload, pods, r, Need.PERHAPS, needs, assumed) for r in needs.perhaps
    ]
    shut = [each for each in perhaps if each.closed]
    if shut and len(shut) == len([each for each in perhaps if each.answers]) and not needs.needed:
        shut = [replace(shut[0], need=Need.NEEDED), *shut[1:]]
    yield from shut
    for resolver in needs.fallback if fine and not shut else ():
        one = _tried(clinic, workload, pods, resolver, Need.FALLBACK, needs, assumed)
        if one.closed:
            yield one


def _tried(
    clinic: Clinic,
    workload: Workload,
    pods: PodsEnd,
    resolver: Resolver,
    need: Need,
    needs: Resolvers,
    assumed: dict[str, tuple[Engine, PodsEnd]],
) -> Lookup:
    """Return what becomes of lookups; no answers where nobody can stand for the resolver."""
    engine, end = None, resolver_end(clinic.engine, resolver)
    if resolver.is_pods and not resolver.workloads and resolver.pod_labels and resolver.namespace:
        # Policies select its pods, so pods there must be.
        engine, end = assumed_pods(clinic, resolver, assumed)
    answers: dict[str, Explanation] = {}
    if end is not None:
        port = resolver.service_port if isinstance(end, ServiceEnd) else resolver.port
        for protocol in PROTOCOLS:
            if protocol not in resolver.protocols and resolver.is_pods:
                continue
            try:
                answers[protocol] = clinic.reach(pods, end, on(protocol, port), engine)
            except QuestionError:
                continue  # nobody is behind the Service: there is nothing to judge
    return Lookup(workload, pods, resolver, need, needs, answers, engine)


def assumed_pods(
    clinic: Clinic, resolver: Resolver, assumed: dict[str, tuple[Engine, PodsEnd]]
) -> tuple[Engine, PodsEnd]:
    """Return the pods that a resolver would have, in a world of their own."""
    if resolver.id not in assumed:
        labels = {k: "any" if v == ANY_VALUE else v for k, v in resolver.pod_labels.items()}
        home = resolver.namespace or ""
        supposed = Supposed(resolver.component or resolver.id, home, labels)
        name = resolver.id.rpartition("/")[2]
        assumed[resolver.id] = with_pods(clinic.engine, supposed, name)
    return assumed[resolver.id]


def together_asked(clinic: Clinic, lookup: Lookup) -> tuple[Explanation, ...]:
    """Return the answers whose change mends all of it: asked at once where pods answer."""
    closed = lookup.closed
    resolver = replace(lookup.resolver, service=None)
    end = resolver_end(clinic.engine, resolver) if lookup.engine is None else None
    if len(closed) > 1 and end is not None and resolver.workloads:
        traffic = TrafficSet.ports(closed[0], resolver.port)
        traffic |= TrafficSet.ports(closed[1], resolver.port)
        asked = replace(on(closed[0], resolver.port), text=str(traffic), traffic=traffic)
        return (clinic.reach(lookup.pods, end, asked),)
    return tuple(lookup.answers[name] for name in closed)
