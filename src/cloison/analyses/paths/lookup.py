"""The hop before a call by name: the client asks a resolver."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from cloison.algebra import NO_ADDRESSES, AddressSet, TrafficSet
from cloison.analyses.application import Application
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.assume import with_all
from cloison.analyses.paths.model import Hop, HopRole
from cloison.analyses.paths.site import Site
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.platform.resolvers import DNS_PORT, Resolver, ResolverKind, Resolvers
from cloison.platform.routes.model import Supposed


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


def lookups(
    engine: Engine, site: Site, source: PodsEnd, ask: Ask, name: str | None = None
) -> Iterator[Hop]:
    """Yield the hops by which pods get an address for a name, all of which they need.

    Args:
        engine: Whose pods.
        site: Where resolvers are.
        source: The pods.
        ask: Judges a hop.
        name: The name that is looked up, where it is known: some rules let single names through.
    """
    if name is not None:
        ask = _naming(ask, name)
    for members, needs in _needs(engine, site, source):
        tried = {each.id: hop for each, hop in _hops(engine, members, needs, ask)}
        perhaps = [tried[each.id] for each in needs.perhaps]
        # Who answers at the same address is not asked while the first is there to take it.
        asked = {text for group in needs.needed for one in group for text in one.addresses}
        later = [each for each in needs.fallback if not asked.intersection(each.addresses)]
        fallback = [tried[each.id] for each in later]
        groups = [[tried[each.id] for each in group] for group in needs.needed]
        for group in groups:
            hop = _one_of(group)
            hop = _unless(hop, [each for each in perhaps if each.answer is not None], needs)
            yield _or_else(hop, fallback)
        if not groups and perhaps:
            yield _or_else(_same(perhaps), fallback)


def _naming(ask: Ask, name: str) -> Ask:
    """Return what judges lookups of a name."""
    said = Application(dns=name)
    request = said.request()

    def named(question: Question, engine: Engine | None = None) -> Explanation:
        return ask(replace(question, request=request, application=said), engine)

    return named


def _needs(engine: Engine, site: Site, source: PodsEnd) -> Iterator[tuple[PodsEnd, Resolvers]]:
    """Yield the pods of an end with what they ask, those that ask the same together."""
    alike: dict[int, tuple[Resolvers, list[int]]] = {}
    for index in source.endpoints:
        found = site.resolvers(engine.table.endpoints[index].shape)
        alike.setdefault(id(found), (found, []))[1].append(index)
    for found, members in alike.values():
        yield replace(source, endpoints=tuple(members)), found


def _hops(
    engine: Engine, source: PodsEnd, needs: Resolvers, ask: Ask
) -> Iterator[tuple[Resolver, Hop]]:
    """Yield a hop to each resolver; it is not judged where nothing can stand for that one."""
    ends: dict[str, End | None] = {each.id: resolver_end(engine, each) for each in needs.every}
    missing = [
        (each, Supposed(each.component, each.namespace, each.pod_labels))
        for each in needs.every
        if ends[each.id] is None and each.is_pods and each.namespace and each.component
        if each.pod_labels
    ]
    added: Engine | None = None
    if missing:
        # The default pods of all of them at once: none is in the others' way.
        added, pods = with_all(engine, ((supposed, one.text) for one, supposed in missing))
        ends |= {one.id: end for (one, _), end in zip(missing, pods, strict=True)}
    absent = {one.id for one, _ in missing}
    for each in needs.every:
        other = added if each.id in absent else None
        yield each, _hop(source, each, ends[each.id], needs, ask, other)


def _hop(
    source: PodsEnd,
    resolver: Resolver,
    end: End | None,
    needs: Resolvers,
    ask: Ask,
    engine: Engine | None,
) -> Hop:
    port = resolver.service_port if isinstance(end, ServiceEnd) else resolver.port
    why = tuple(dict.fromkeys(text for text in (needs.why, resolver.why) if text))
    protocol = "UDP" if "UDP" in resolver.protocols else "TCP"
    asked = Question(
        source, end or AddressEnd(resolver.text, NO_ADDRESSES), dns_traffic(protocol, port)
    )
    answer = None
    if end is not None:
        answer = _judged(asked, ask, engine)
        longer = replace(asked, traffic=dns_traffic("TCP", port))
        long = _judged(longer, ask, engine) if protocol == "UDP" else answer
        if answer is not None and answer.verdict is Verdict.ALLOWED:
            if long is None:
                why = (*why, "it takes no TCP, so long answers fail")
            elif long.verdict is not Verdict.ALLOWED:
                why = (*why, f"long answers come over TCP, which is {long.verdict}")
    assumed = resolver.why if resolver.assumed else None
    return Hop(HopRole.LOOKUP, asked, why, resolver.span, assumed, needs.caveats, answer)


def _judged(asked: Question, ask: Ask, engine: Engine | None) -> Explanation | None:
    """Return what becomes of a lookup; None where nobody is behind the Service."""
    try:
        return ask(asked, engine)
    except QuestionError:
        return None


def _one_of(hops: Sequence[Hop]) -> Hop:
    """Return the hop that stands for resolvers of which any one will do."""
    if len(hops) > 1 and all(hop.assumed is not None for hop in hops):
        return _same(hops)  # only one of them is there, and nothing says which
    return min(hops, key=lambda hop: _BEST.index(hop.verdict))


def _same(hops: Sequence[Hop]) -> Hop:
    """Return the hop that stands for resolvers of which one is asked, nothing says which."""
    first = hops[0]
    if all(hop.answer is not None and hop.verdict is first.verdict for hop in hops):
        others = ", ".join(hop.question.destination.text for hop in hops[1:])
        said = (f"it fares alike with {others}",) if others else ()
        return replace(first, why=(*first.why, *said))
    if len(hops) == 1:
        return first
    fates = "; ".join(
        f"{hop.question.destination.text}: {hop.verdict if hop.answer else 'not judged'}"
        for hop in hops
    )
    return replace(first, answer=None, why=(*first.why, f"which one it is decides: {fates}"))


def _unless(hop: Hop, perhaps: list[Hop], needs: Resolvers) -> Hop:
    """Return a hop as it is known when others may stand in for it."""
    if hop.answer is None or all(each.verdict is hop.verdict for each in perhaps):
        return hop
    caveats = merge_caveats([hop.answer.caveats, needs.caveats])
    return _unclear(replace(hop, answer=replace(hop.answer, caveats=caveats)))


def _or_else(hop: Hop, fallback: list[Hop]) -> Hop:
    """Return a hop as it is known when others answer while nobody does here."""
    open_ = [each for each in fallback if each.answer and each.verdict is Verdict.ALLOWED]
    if not open_ or hop.answer is None or hop.verdict is Verdict.ALLOWED:
        return hop
    other = open_[0].question.destination.text
    said = f"{other} is let through and answers while the first does not; which names it knows"
    return replace(_unclear(hop), why=(*hop.why, f"{said} is not known here"))


def _unclear(hop: Hop) -> Hop:
    if hop.answer is None:
        return hop
    return replace(hop, answer=replace(hop.answer, verdict=Verdict.UNDETERMINED))


def resolver_end(engine: Engine, resolver: Resolver) -> End | None:
    """Return a resolver as the end of a question; None where the input does not hold it."""
    if resolver.service is not None and resolver.service in engine.world.services:
        name = "/".join(resolver.service)
        return ServiceEnd(f"svc:{name}", engine.world.services[resolver.service])
    if resolver.workloads:
        workload = engine.world.workloads[resolver.workloads[0]]
        return PodsEnd(str(workload.id), workload, engine.table.by_workload[workload.id])
    if resolver.addresses and not resolver.is_pods:
        spans = (span for text in resolver.addresses for span in AddressSet.block(text).spans)
        text = " and ".join(resolver.addresses)
        # Whoever takes an address on every node takes it from the node itself.
        own_node = resolver.kind is ResolverKind.NODE_CACHE
        return AddressEnd(text, AddressSet(spans), own_node=own_node)
    return None


def taken(engine: Engine, site: Site, asked: Question) -> tuple[Question, str] | None:
    """Return what is sent to an address that a cache takes as sent to the node, and why.

    A cache may take the address of a Service on every node: a lookup then arrives at the node
    itself, and never at the pods behind the Service. Its own address is the node's for all traffic.

    Args:
        engine: Whose pods.
        site: Where resolvers are.
        asked: A question about one connection.
    """
    source, end = asked.source, asked.destination
    if not isinstance(source, PodsEnd):
        return None
    if isinstance(end, AddressEnd):
        for each, found in _caches(engine, site, source):
            if each.addresses and end.addresses <= found.addresses:
                return replace(asked, destination=replace(end, own_node=True)), each.why
        return None
    lookup = TrafficSet.ports("UDP", DNS_PORT) | TrafficSet.ports("TCP", DNS_PORT)
    if not isinstance(end, ServiceEnd) or end.direct:
        return None
    if not asked.traffic.traffic or not asked.traffic.traffic <= lookup:
        return None
    addresses = set(end.service.cluster_ips)
    for each, found in _caches(engine, site, source):
        if addresses.issuperset(each.addresses):
            return replace(asked, destination=found), each.why
    return None


def _caches(engine: Engine, site: Site, source: PodsEnd) -> Iterator[tuple[Resolver, AddressEnd]]:
    """Yield the caches on the own node that pods surely ask, each with its addresses."""
    for _, needs in _needs(engine, site, source):
        for each in (one for group in needs.needed for one in group):
            found = resolver_end(engine, each)
            if each.kind is ResolverKind.NODE_CACHE and isinstance(found, AddressEnd):
                yield each, found


def dns_traffic(protocol: str, port: int) -> Traffic:
    """Return a lookup as traffic."""
    return Traffic(f"{protocol}/{port}", TrafficSet.ports(protocol, port))
