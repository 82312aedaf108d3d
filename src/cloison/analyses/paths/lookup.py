"""The hop before a call by name: the client asks a resolver."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from cloison.algebra import NO_ADDRESSES, AddressSet, TrafficSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.model import Hop, HopRole
from cloison.analyses.paths.site import Site
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.platform.resolvers import Resolver, Resolvers


class Ask(Protocol):
    """Answers a question about one hop."""

    def __call__(self, question: Question, engine: Engine | None = None) -> Explanation:
        """Return the answer.

        Args:
            question: The question.
            engine: Who decides, where that is not the engine of the session: one with pods that
                are assumed, say.

        Raises:
            QuestionError: It cannot be asked of these ends.
        """


_BEST = (Verdict.ALLOWED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.DENIED)


def lookups(engine: Engine, site: Site, source: PodsEnd, ask: Ask) -> Iterator[Hop]:
    """Yield the hops by which pods get an address for a name, all of which they need.

    Args:
        engine: Whose pods.
        site: Where resolvers are.
        source: The pods.
        ask: Judges a hop.
    """
    for members, needs in _needs(engine, site, source):
        perhaps = [_hop(engine, members, each, needs, ask) for each in needs.perhaps]
        for group in needs.needed:
            hops = [_hop(engine, members, each, needs, ask) for each in group]
            best = min(hops, key=lambda hop: _BEST.index(hop.verdict))
            yield _either(best, [hop for hop in perhaps if hop.answer is not None], needs)


def _needs(engine: Engine, site: Site, source: PodsEnd) -> Iterator[tuple[PodsEnd, Resolvers]]:
    """Yield the pods of an end with what they ask, those that ask the same together."""
    alike: dict[int, tuple[Resolvers, list[int]]] = {}
    for index in source.endpoints:
        found = site.resolvers(engine.table.endpoints[index].shape)
        alike.setdefault(id(found), (found, []))[1].append(index)
    for found, members in alike.values():
        yield replace(source, endpoints=tuple(members)), found


def _hop(engine: Engine, source: PodsEnd, resolver: Resolver, needs: Resolvers, ask: Ask) -> Hop:
    """Return the hop to one resolver; it is not judged where the input does not show that one."""
    end = resolver_end(engine, resolver)
    traffic = dns_traffic("UDP", resolver.port)
    if isinstance(end, ServiceEnd):
        traffic = dns_traffic("UDP", resolver.service_port)
    why = tuple(dict.fromkeys(text for text in (needs.why, resolver.why) if text))
    asked = Question(source, end or AddressEnd(resolver.text, NO_ADDRESSES), traffic)
    answer = None
    if end is not None:
        try:
            answer = ask(asked)
        except QuestionError:
            answer = None  # nobody is behind the Service: there is nothing to judge
    assumed = resolver.why if resolver.assumed else None
    return Hop(HopRole.LOOKUP, asked, why, resolver.span, assumed, needs.caveats, answer)


def _either(hop: Hop, perhaps: list[Hop], needs: Resolvers) -> Hop:
    """Return a hop as it is known when others may stand in for it."""
    if hop.answer is None or all(each.verdict is hop.verdict for each in perhaps):
        return hop
    caveats = merge_caveats([hop.answer.caveats, needs.caveats])
    unclear = replace(hop.answer, verdict=Verdict.UNDETERMINED, caveats=caveats)
    return replace(hop, answer=unclear)


def resolver_end(engine: Engine, resolver: Resolver) -> End | None:
    """Return a resolver as the end of a question; None where the input does not hold it."""
    if resolver.service is not None and resolver.service in engine.world.services:
        name = "/".join(resolver.service)
        return ServiceEnd(f"svc:{name}", engine.world.services[resolver.service])
    if resolver.workloads:
        workload = engine.world.workloads[resolver.workloads[0]]
        return PodsEnd(str(workload.id), workload, engine.table.by_workload[workload.id])
    if resolver.addresses:
        spans = (span for text in resolver.addresses for span in AddressSet.block(text).spans)
        return AddressEnd(" and ".join(resolver.addresses), AddressSet(spans))
    return None


def dns_traffic(protocol: str, port: int) -> Traffic:
    """Return a lookup as traffic."""
    return Traffic(f"{protocol}/{port}", TrafficSet.ports(protocol, port))
