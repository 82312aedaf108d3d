"""What is open to the outside and should not be, or not so widely."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cloison.algebra import (
    EVERY_ADDRESS,
    FAMILY,
    L4,
    NO_ADDRESSES,
    NO_TRAFFIC,
    AddressSet,
    TrafficSet,
)
from cloison.analyses.egress.model import Destination, Leaver, Opener, Outward, Reach
from cloison.analyses.egress.way import Ways
from cloison.base import Diagnostic, Severity
from cloison.base.words import few, listed
from cloison.ir.fidelity import Verdict
from cloison.platform.metadata import effect, needed, severity
from cloison.platform.ranges import NamedRange, RangeKind, public, public_of

_EIGHT = 1 << 24
"""Addresses of an IPv4 block of eight bits."""
_NAMES = 5
_SOURCE = "kubernetes.io concept page Network Policies"


def findings(
    workloads: Sequence[Leaver], ranges: Sequence[NamedRange], ways: Ways
) -> tuple[Diagnostic, ...]:
    """Return what is wider than it should be, the worst first.

    Args:
        workloads: Those to judge.
        ranges: Address ranges with names.
        ways: What leads workloads out.
    """
    found = (
        *_unrestricted(workloads),
        *_blocks(workloads, ranges, ways),
        *_past_proxy(workloads, ways),
        *_past_gateway(workloads, ways),
    )
    return tuple(sorted(found, key=lambda d: (-d.severity.rank, d.code, d.message)))


def _unrestricted(workloads: Iterable[Leaver]) -> Iterator[Diagnostic]:
    """Yield the workloads of which nothing restricts egress."""
    for hosted in (False, True):
        held = [
            each
            for each in workloads
            if any(
                o.reach is Reach.EVERYTHING and not o.isolated and o.hosted is hosted
                for o in each.outward
            )
        ]
        if not held:
            continue
        names = _named(held)
        if hosted:
            message = f"on their node's network, where nothing restricts them: {names}"
            help_ = "take them off the node's network, or police the nodes themselves"
        else:
            message = f"no policy restricts the egress of {names}"
            help_ = "isolate egress (policyTypes: [Egress]) and open what they need"
        yield Diagnostic(
            "EGR009" if hosted else "EGR008",
            Severity.INFO if hosted else Severity.WARNING,
            message,
            held[0].span,
            f"{held[0].id.kind} {held[0].id}",
            "they may connect to everything outside, the metadata of their cloud among it",
            help_,
            _SOURCE,
        )


@dataclass(slots=True)
class _Wide:
    """What one rule opens, put together over the decisions that it has a say in."""

    opener: Opener
    addresses: AddressSet = NO_ADDRESSES
    traffic: TrafficSet | None = None
    workloads: dict[str, Leaver] = field(default_factory=dict)


def _blocks(
    workloads: Sequence[Leaver], ranges: Sequence[NamedRange], ways: Ways
) -> Iterator[Diagnostic]:
    """Yield rules that open more addresses than they should."""
    wide: dict[Opener, _Wide] = {}
    exposed: dict[tuple[Opener, NamedRange], tuple[TrafficSet, list[Leaver]]] = {}
    shared: dict[int, tuple[Outward, list[Leaver]]] = {}
    for each in workloads:
        for outward in each.outward:
            if outward.isolated:
                shared.setdefault(id(outward), (outward, []))[1].append(each)
    metadata = [each for each in ranges if each.kind is RangeKind.METADATA]
    for outward, members in shared.values():
        mine: dict[Opener, tuple[AddressSet, TrafficSet | None]] = {}
        for place in outward.destinations:
            if place.verdict is not Verdict.ALLOWED or not place.addresses:
                continue
            for opener in place.openers:
                held, traffic = mine.get(opener, (NO_ADDRESSES, None))
                both = place.traffic if traffic is None else traffic & place.traffic
                mine[opener] = held | place.addresses, both
            for where in metadata:
                _expose(place, where, members, exposed)
        for opener, (addresses, traffic) in mine.items():
            one = wide.setdefault(opener, _Wide(opener))
            one.addresses |= addresses
            both = traffic or NO_TRAFFIC
            one.traffic = both if one.traffic is None else one.traffic & both
            one.workloads |= {str(m.id): m for m in members}
    whole = [w for w in wide.values() if _is_everything(w)]
    total = {one.opener for one in whole}
    known = False
    for (opener, where), (through, leavers) in exposed.items():
        idle = [each for each in leavers if not _needs(each, ways)]
        known |= where.sure and opener in total and bool(idle)
        if idle and opener not in total:
            yield _metadata(opener, where, through, idle)
    yield from _opened(whole, severity(certain=known))
    unjudged = (RangeKind.METADATA, RangeKind.CREDENTIALS, RangeKind.NAME)
    others = [each for each in ranges if each.kind not in unjudged]
    for one in wide.values():
        if one.opener not in total:
            yield from _wide(one, others)


def _is_everything(one: _Wide) -> bool:
    return one.addresses == EVERY_ADDRESS and one.traffic is not None and one.traffic >= L4


def _needs(leaver: Leaver, ways: Ways) -> bool:
    """Return whether pods have their own credentials from where their node's are, too."""
    world = ways.engine.world
    shape = world.workloads[leaver.id].endpoints[0].shape
    return bool(needed(world, ways.site.platform, leaver.id.namespace, shape))


def _opened(whole: Sequence[_Wide], severe: Severity) -> Iterator[Diagnostic]:
    """Yield the rules that open everything, which leaves nothing of isolation: once for all."""
    if not whole:
        return
    held = {name: leaver for one in whole for name, leaver in one.workloads.items()}
    rules = few([one.opener.text for one in whole], _NAMES)
    verb = "opens" if len(whole) == 1 else "open"
    yield Diagnostic(
        "EGR010",
        severe,
        f"{rules} {verb} everything outside to {_named(list(held.values()))}",
        whole[0].opener.span,
        _object(whole[0].opener),
        "policies isolate their egress, and it is as open as without them; the metadata of their "
        "cloud is among it",
        "name what they need instead",
        _SOURCE,
    )


def _expose(
    place: Destination,
    metadata: NamedRange,
    members: Sequence[Leaver],
    found: dict[tuple[Opener, NamedRange], tuple[TrafficSet, list[Leaver]]],
) -> None:
    """Note that a destination holds addresses at which a cloud hands out credentials."""
    traffic = place.traffic & (metadata.traffic or L4)
    if not traffic or not place.addresses & metadata.addresses:
        return
    for opener in place.openers:
        held, named = found.setdefault((opener, metadata), (NO_TRAFFIC, []))
        named += [m for m in members if m not in named]
        found[opener, metadata] = held | traffic, named


def _metadata(
    opener: Opener, where: NamedRange, traffic: TrafficSet, held: Sequence[Leaver]
) -> Diagnostic:
    return Diagnostic(
        "EGR002",
        severity(certain=where.sure),
        f"{opener.text} opens {where.name} ({where.addresses}, {traffic}) to {_named(held)}",
        opener.span,
        _object(opener),
        effect(certain=where.sure),
        f"leave {where.addresses} out (`except`), in every policy that opens it",
        where.source,
    )


def _wide(one: _Wide, ranges: Sequence[NamedRange]) -> Iterator[Diagnostic]:
    """Yield what is to be said of the addresses that one rule opens."""
    held = list(one.workloads.values())
    traffic = one.traffic or NO_TRAFFIC
    holds = [each for each in ranges if each.addresses & one.addresses]
    if _internet(one.addresses):
        within = [
            each.name for each in holds if each.kind not in (RangeKind.SPECIAL, RangeKind.PROVIDER)
        ]
        proxies = all(each.is_proxy for each in held)
        ports = "every port" if traffic >= L4 else str(traffic)
        effect = f"anything on the internet can be reached on {ports}"
        if within:
            effect += f"; besides: {'; '.join(within)}"
        yield Diagnostic(
            "EGR001",
            Severity.INFO if proxies and not within else Severity.WARNING,
            f"{one.opener.text} opens the whole internet ({traffic}) to {_named(held)}"
            + (", which others use as their proxy" if proxies else ""),
            one.opener.span,
            _object(one.opener),
            effect,
            "name the destinations, or let them out through a proxy or egress gateway only"
            if not proxies
            else "see that the proxy itself lists its destinations",
        )
        return
    own = [
        each for each in holds if each.kind in (RangeKind.POD, RangeKind.SERVICE, RangeKind.NODE)
    ]
    if own:
        yield Diagnostic(
            "EGR003",
            Severity.WARNING,
            f"{one.opener.text} opens a block that holds {listed([o.name for o in own])} to "
            f"{_named(held)}",
            one.opener.span,
            _object(one.opener),
            "enforcers differ in whether a block matches those, and addresses of pods change hands",
            "select pods by label, and cut these ranges out of the block",
            _SOURCE,
        )
    large = [text for text, size in _sizes(one.addresses) if size >= _EIGHT]
    if large:
        yield Diagnostic(
            "EGR004",
            Severity.WARNING,
            f"{one.opener.text} opens {few(large)} ({traffic}) to {_named(held)}",
            one.opener.span,
            _object(one.opener),
            "a block as wide as a /8 or wider holds far more than any one service",
            "name the block of the service that is meant",
        )
    for each in holds:
        if each.kind is RangeKind.PROVIDER:
            blocks = [b for b in each.blocks if AddressSet.block(b) <= one.addresses]
            if blocks:
                yield Diagnostic(
                    "EGR005",
                    Severity.WARNING,
                    f"{one.opener.text} opens whole ranges of {each.name} ({few(blocks)}) to "
                    f"{_named(held)}",
                    one.opener.span,
                    _object(one.opener),
                    "every customer of the provider can be reached, whoever that is",
                    "name the addresses of the service, or go by its DNS name where the enforcer "
                    "can",
                    each.source,
                )


def _block(text: str) -> AddressSet:
    first, dash, last = text.partition("-")
    if not dash:
        return AddressSet.block(text)
    low, high = (AddressSet.address(each).spans[0][0] for each in (first, last))
    return AddressSet([(low, high)])


def _sizes(addresses: AddressSet) -> Iterator[tuple[str, int]]:
    """Yield the IPv4 ranges of addresses with how many each holds."""
    for text in addresses.family(4).blocks():
        yield text, _block(text).size()


def _internet(addresses: AddressSet) -> bool:
    """Return whether addresses are most of the internet, of one family."""
    for family in FAMILY:
        every = public_of(family)
        if 2 * (addresses & every).size() > every.size():
            return True
    return False


def _past_proxy(workloads: Iterable[Leaver], ways: Ways) -> Iterator[Diagnostic]:
    """Yield the workloads that may leave without the proxy that they, or others, are to use."""
    told: dict[bool, list[Leaver]] = defaultdict(list)
    for each in workloads:
        if not each.is_proxy and (each.proxies or ways.proxies) and direct(each):
            told[bool(each.proxies)].append(each)
    proxies = few([str(name) for name in ways.proxies]) or "the proxy"
    for names_one, held in sorted(told.items(), reverse=True):
        openers = few([o.text for o in _direct_openers(held)])
        by = "their environment names a proxy" if names_one else f"{proxies} is the way out here"
        yield Diagnostic(
            "EGR006",
            Severity.WARNING,
            f"past the proxy: {_named(held)} may reach the internet directly, while {by}",
            next((o.span for o in _direct_openers(held) if o.span), held[0].span),
            f"{held[0].id.kind} {held[0].id}",
            "what leaves directly is neither checked nor recorded by the proxy; a variable of the "
            "environment binds nobody",
            f"close what opens it: {openers}",
        )


def direct(leaver: Leaver) -> bool:
    """Return whether anything on the internet is open to a workload."""
    return any(o.names or (o.allowed & public()) for o in leaver.outward)


def _direct_openers(held: Iterable[Leaver]) -> tuple[Opener, ...]:
    found: dict[Opener, None] = {}
    for each in held:
        for outward in each.outward:
            for place in outward.destinations:
                if place.verdict is Verdict.ALLOWED and (place.name or place.addresses & public()):
                    found |= dict.fromkeys(place.openers)
    return tuple(found)


def _past_gateway(workloads: Iterable[Leaver], ways: Ways) -> Iterator[Diagnostic]:
    """Yield the workloads that leave by their own node though there are egress gateways."""
    if not ways.site.leaving:
        return
    past: list[Leaver] = []
    for each in workloads:
        workload = ways.engine.world.workloads[each.id]
        covered = NO_ADDRESSES
        for gateway in ways.gateways(workload):
            covered |= gateway.destinations
        if any((o.allowed & public()) - covered or (o.names and not covered) for o in each.outward):
            past.append(each)
    if past:
        names = listed([each.name for each in ways.site.leaving])
        yield Diagnostic(
            "EGR007",
            Severity.WARNING,
            f"past the egress gateway: {_named(past)} may reach the internet by their own node",
            ways.site.leaving[0].span,
            f"{past[0].id.kind} {past[0].id}",
            f"{names} does not take all of their traffic, so it shows another source address",
            "take them in by its selectors and destinationCIDRs, or close what they may reach",
        )


def _named(held: Sequence[Leaver]) -> str:
    return few([str(each.id) for each in held], _NAMES)


def _object(opener: Opener) -> str | None:
    return f"{opener.policy.kind} {opener.policy}" if opener.policy is not None else None
