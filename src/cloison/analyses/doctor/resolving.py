"""What becomes of lookups: every resolver that pods may ask, over both protocols."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic, on, stopped
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd
from cloison.analyses.paths.assume import with_all
from cloison.analyses.paths.lookup import resolver_end
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.component import ANY_VALUE
from cloison.platform.resolver import ResolverKind
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
        end: The resolver as an end.
        need: How much they need it.
        needs: All that they may ask.
        closed: Protocols that are denied.
        sides: The ends that deny them.
        tried: All protocols that the resolver answers over.
    """

    workload: Workload
    pods: PodsEnd
    resolver: Resolver
    end: End
    need: Need
    needs: Resolvers
    closed: tuple[str, ...]
    sides: frozenset[Direction]
    tried: tuple[str, ...]


@dataclass(frozen=True)
class Unsettled:
    """Lookups that pass or not, as it is one resolver or another that the input does not show.

    Args:
        workload: Whose.
        needs: All that its pods may ask.
        open: Resolvers that they reach.
        shut: Resolvers that they do not.
    """

    workload: Workload
    needs: Resolvers
    open: tuple[Resolver, ...]
    shut: tuple[Resolver, ...]


@dataclass(frozen=True)
class Room:
    """A clinic that also has the pods that resolvers would have which the input does not show.

    Args:
        clinic: The clinic.
        assumed: Those pods, by the id of the resolver.
    """

    clinic: Clinic
    assumed: dict[str, PodsEnd]

    def end(self, resolver: Resolver) -> End | None:
        """Return a resolver as an end; None where nobody can stand for it."""
        return self.assumed.get(resolver.id) or resolver_end(self.clinic.engine, resolver)


def room(clinic: Clinic) -> Room:
    """Return a clinic with the pods of all resolvers that the workloads to examine may ask."""
    wanted: dict[str, Supposed] = {}
    for workload in clinic.workloads():
        for _, needs in asking(clinic, workload):
            for resolver in needs.every:
                if resolver.is_pods and not resolver.workloads and resolver.pod_labels:
                    labels = resolver.pod_labels.items()
                    said = {k: "any" if v == ANY_VALUE else v for k, v in labels}
                    home, what = resolver.namespace or "", resolver.component
                    if home and what:
                        wanted.setdefault(resolver.id, Supposed(what, home, said))
    if not wanted:
        return Room(clinic, {})
    names = [(each, name.rpartition("/")[2]) for name, each in wanted.items()]
    engine, ends = with_all(clinic.engine, names)
    return Room(clinic.with_engine(engine), dict(zip(wanted, ends, strict=True)))


def lookups(here: Room) -> Iterator[Lookup]:
    """Yield what does not pass of all lookups of the workloads to examine."""
    for workload in here.clinic.workloads():
        for pods, needs in asking(here.clinic, workload):
            yield from _failing(here, workload, pods, needs)


def unsettled(here: Room) -> Iterator[Unsettled]:
    """Yield the workloads to examine of which it depends on the resolver whether names resolve."""
    for workload in here.clinic.workloads():
        if not here.clinic.isolated(workload.id, Direction.EGRESS):
            continue
        for pods, needs in asking(here.clinic, workload):
            for group in needs.needed:
                if len(group) == 1 or not all(each.assumed for each in group):
                    continue
                told = [_tried(here, workload, pods, r, Need.NEEDED, needs) for r in group]
                known = [each for each in told if each is not None]
                shut = tuple(each.resolver for each in known if each.closed)
                if shut and len(shut) < len(known):
                    passing = tuple(each.resolver for each in known if not each.closed)
                    yield Unsettled(workload, needs, passing, shut)


def asking(clinic: Clinic, workload: Workload) -> Iterator[tuple[PodsEnd, Resolvers]]:
    """Yield the pods of a workload with what they ask, those that ask the same together."""
    alike: dict[int, tuple[Resolvers, list[int]]] = {}
    pods = clinic.pods(workload.id)
    for index in pods.endpoints:
        found = clinic.site.resolvers(clinic.engine.table.endpoints[index].shape)
        alike.setdefault(id(found), (found, []))[1].append(index)
    for found, members in alike.values():
        yield replace(pods, endpoints=tuple(members)), found


def _failing(here: Room, workload: Workload, pods: PodsEnd, needs: Resolvers) -> Iterator[Lookup]:
    def tried(resolvers: Iterable[Resolver], need: Need) -> list[Lookup]:
        found = (_tried(here, workload, pods, each, need, needs) for each in resolvers)
        return [each for each in found if each is not None]

    fine = True
    for group in needs.needed:
        told = _until_open(here, workload, pods, group, needs)
        if told:
            fine = False
            yield told[0]
    perhaps = tried(needs.perhaps, Need.PERHAPS)
    shut = [each for each in perhaps if each.closed]
    # Whichever answers: nothing resolves only where all that may be asked are shut altogether.
    whole = all(len(each.closed) == len(each.tried) for each in shut)
    if shut and whole and len(shut) == len(perhaps) and not needs.needed:
        shut = [replace(shut[0], need=Need.NEEDED), *shut[1:]]
    yield from shut
    if fine and not shut:
        yield from (each for each in tried(needs.fallback, Need.FALLBACK) if each.closed)


def _until_open(
    here: Room, workload: Workload, pods: PodsEnd, group: Iterable[Resolver], needs: Resolvers
) -> list[Lookup]:
    """Return what is closed of resolvers any of which will do; nothing where one is open."""
    told: list[Lookup] = []
    for resolver in group:
        one = _tried(here, workload, pods, resolver, Need.NEEDED, needs)
        if one is not None and not one.closed:
            return []
        told += [one] if one is not None else []
    return told


def _tried(
    here: Room,
    workload: Workload,
    pods: PodsEnd,
    resolver: Resolver,
    need: Need,
    needs: Resolvers,
) -> Lookup | None:
    """Return what becomes of lookups; None where nobody can stand for the resolver."""
    end = here.end(resolver)
    if end is None:
        return None
    closed: list[str] = []
    asked: list[str] = []
    sides: set[Direction] = set()
    for protocol in PROTOCOLS:
        if protocol not in resolver.protocols and resolver.is_pods:
            continue
        shut = _shut(here, pods, resolver, end, protocol)
        if shut is None:
            continue
        asked.append(protocol)
        if shut:
            closed.append(protocol)
            sides |= shut
    if not asked:
        return None
    found = tuple(closed), frozenset(sides), tuple(asked)
    return Lookup(workload, pods, resolver, end, need, needs, *found)


def _shut(
    here: Room, pods: PodsEnd, resolver: Resolver, end: End, protocol: str
) -> frozenset[Direction] | None:
    """Return the ends that deny lookups, none where they pass; None where nobody can be asked."""
    quick = _quick(here, pods, resolver, end, protocol)
    if quick is not None:
        return quick
    try:
        answer = here.clinic.reach(pods, end, dialled(resolver, end, protocol))
    except QuestionError:
        return None  # nobody is behind the Service: there is nothing to judge
    return stopped(answer) if answer.verdict in (Verdict.DENIED, Verdict.MIXED) else frozenset()


def _quick(
    here: Room, pods: PodsEnd, resolver: Resolver, end: End, protocol: str
) -> frozenset[Direction] | None:
    """Return the same without an explanation, where the ends are plain pods."""
    engine = here.clinic.engine
    if isinstance(end, ServiceEnd):
        early = any(t.before_nat for layer in engine.policies.layers for t in layer.tiers)
        early = early or end.service.redirect is not None
        if early or resolver.kind is not ResolverKind.SERVICE or len(resolver.workloads) != 1:
            return None
        end = here.clinic.pods(resolver.workloads[0])
    if not isinstance(end, PodsEnd | AddressEnd):
        return None
    ends = (*pods.endpoints, *(end.endpoints if isinstance(end, PodsEnd) else ()))
    if any(engine.table.endpoints[index].shape.host_network for index in ends):
        return None
    return here.clinic.denied(pods, end, (protocol, resolver.port))


def dialled(resolver: Resolver, end: End, protocol: str) -> Traffic:
    """Return a lookup as it is dialled."""
    return on(protocol, resolver.service_port if isinstance(end, ServiceEnd) else resolver.port)


def answers(here: Room, lookup: Lookup) -> dict[str, Explanation]:
    """Return why lookups are closed, by protocol."""
    return {
        protocol: here.clinic.reach(
            lookup.pods, lookup.end, dialled(lookup.resolver, lookup.end, protocol)
        )
        for protocol in lookup.closed
    }


def together_asked(here: Room, lookup: Lookup) -> tuple[Explanation, ...]:
    """Return the answers whose change mends all of it: asked at once where pods answer."""
    closed, resolver = lookup.closed, lookup.resolver
    end = here.end(replace(resolver, service=None))
    if len(closed) > 1 and isinstance(end, PodsEnd):
        traffic = TrafficSet.ports(closed[0], resolver.port)
        traffic |= TrafficSet.ports(closed[1], resolver.port)
        return (here.clinic.reach(lookup.pods, end, Traffic(str(traffic), traffic)),)
    return tuple(answers(here, lookup).values())
