"""Edges that workloads are told of: environment, ConfigMaps, arguments, scripts and files."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from cloison.algebra import AddressSet
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.depends import Wish, wishes
from cloison.analyses.draft.model import Doubt, Edge, Found, Hint, Need, Outside, Party, Sure
from cloison.analyses.draft.sight import Sight
from cloison.base import Span
from cloison.ir.names import is_host_name
from cloison.platform.apiserver import SERVICE
from cloison.platform.calls import HOST_ADDRESS, Call, calls, configs
from cloison.platform.component import Role
from cloison.platform.customs import team
from cloison.platform.mentions import Mention, mentions
from cloison.platform.names import is_of_cluster, service_of
from cloison.resources.world import Workload, World

_HERE = ("localhost", "ip6-localhost", HOST_ADDRESS)
_INSIDE = AddressSet.block("127.0.0.0/8") | AddressSet.block("::1/128")
_NOBODY = AddressSet.block("0.0.0.0/32") | AddressSet.block("::/128")
_LINK_LOCAL = AddressSet.block("169.254.0.0/16") | AddressSet.block("fe80::/10")
_METADATA = AddressSet.address("169.254.169.254")
_API_NAME = ".".join(reversed(SERVICE))
_COUNTRY = 2
"""Letters of the top-level domains of countries."""
_TOPS = frozenset(
    (
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "mil",
        "int",
        "info",
        "biz",
        "name",
        "pro",
        "io",
        "dev",
        "app",
        "cloud",
        "ai",
        "tech",
        "online",
        "site",
        "store",
        "xyz",
        "page",
        "run",
        "live",
        "shop",
        "systems",
        "network",
        "services",
        "solutions",
        "global",
        "world",
        "bank",
        "health",
        "eu",
        "example",
        "test",
        "invalid",
        "internal",
        "corp",
        "lan",
        "local",
        "home",
        "intranet",
        "private",
    )
)
"""Last labels of short names of hosts outside: common top-level domains, and those that
organizations use among themselves (RFC 2606, RFC 6762 appendix G)."""
_DNS = 53
API_SERVER = Role.API_SERVER.value
_FAMILY_BITS = {4: 32, 6: 128}


def told(sight: Sight) -> Iterator[Found]:
    """Yield edges that workloads are told of by their settings."""
    known, shared = configs(sight.world), _shared(sight.clinic)
    for workload in sight.clinic.everyone():
        shape, space = workload.endpoints[0].shape, workload.id.namespace
        said = calls(known, space, shape.runtime)
        own = _own_maps(sight, workload, said)
        there: set[Edge] = set()
        for wish in wishes(sight.clinic, workload, list(said)):
            if (wish.service.namespace, wish.service.name) == SERVICE:
                yield Need(API_SERVER, f"{workload.id} calls it: {wish.by}", workload.span)
                continue
            common = all(each.whole in shared[space] for each in wish.said)
            for hint in _wish(sight, workload, wish, own, common=common):
                there.add(hint.edge)
                yield hint
        yield from _beyond(sight.world, workload, said)
        for each in mentions(sight.world, known, space, shape.runtime):
            for hint in _mention(sight, workload, each):
                if hint.edge not in there:
                    yield hint


def _mention(sight: Sight, workload: Workload, each: Mention) -> Iterator[Hint]:
    for party, port in sight.behind(each.service, each.port, "TCP"):
        if party != workload.id:
            text = f"{each.by} names Service {each.service.namespace}/{each.service.name}"
            text += f", port {each.port}" if each.port else ""
            text += ", and waits for it" if each.waits else ""
            sure = Sure.MEDIUM if port is not None else Sure.LOW
            edge = Edge(workload.id, party, "TCP", port)
            yield Hint(edge, text, each.span or workload.span, sure, ask=port is None)


def _shared(clinic: Clinic) -> Mapping[str, frozenset[str]]:
    """Return the ConfigMaps that several workloads take in whole, by namespace."""
    count: dict[tuple[str, str], int] = defaultdict(int)
    for workload in clinic.everyone():
        run = workload.endpoints[0].shape.runtime
        containers = run.containers if run is not None else ()
        for name in {name for each in containers for name in each.config_maps}:
            count[workload.id.namespace, name] += 1
    found: dict[str, set[str]] = defaultdict(set)
    for (space, name), number in count.items():
        if number > 1:
            found[space].add(name)
    return defaultdict(frozenset, {space: frozenset(names) for space, names in found.items()})


def _own_maps(sight: Sight, workload: Workload, said: Iterable[Call]) -> frozenset[str]:
    """Return the ConfigMaps taken in whole that name the workload itself: written for others."""
    mine = {(s.namespace, s.name) for s in sight.serving.services.get(workload.id, ())}
    return frozenset(
        each.whole
        for each in said
        if each.whole is not None
        and service_of(sight.world, workload.id.namespace, each.host) in mine
    )


def _wish(
    sight: Sight, workload: Workload, wish: Wish, own: frozenset[str], *, common: bool
) -> Iterator[Hint]:
    service = wish.service
    name = f"{service.namespace}/{service.name}"
    for party, port in sight.behind(service, wish.port, wish.protocol):
        if party == workload.id:
            continue
        edge = Edge(workload.id, party, wish.protocol, port)
        for call in wish.said:
            text = f"{call.by} names Service {name}"
            text += f", port {wish.port}" if wish.port else ""
            if port not in (None, wish.port):
                text += f", which is port {port} of the pods"
            sure = Sure.HIGH if call.sure or _exact(wish, call) else Sure.MEDIUM
            ask = port is None
            if call.prose:
                text += ", among other words"
                sure, ask = Sure.LOW, True
            if common and call.whole is not None:
                text += f"; shared settings: others take ConfigMap {call.whole} as well"
                sure = Sure.MEDIUM
                if call.whole in own and _apart(sight.world, workload, party):
                    text += ", it names the caller itself, and another team has this Service"
                    sure, ask = Sure.LOW, True
            yield Hint(edge, text, call.span or workload.span, sure, ask)


def _exact(wish: Wish, call: Call) -> bool:
    """Return whether a setting names a Service and a port that it has: that is no image's tag."""
    return call.port is not None and any(
        (each.port, each.protocol) == (call.port, wish.protocol) for each in wish.service.ports
    )


def _apart(world: World, workload: Workload, party: Party) -> bool:
    """Return whether labels say that two workloads are of different teams."""
    other = world.workloads.get(party) if not isinstance(party, str | Outside) else None
    if other is None:
        return False
    mine, theirs = (team(each.endpoints[0].labels) for each in (workload, other))
    return mine is not None and theirs is not None and mine != theirs


def _beyond(world: World, workload: Workload, said: Iterable[Call]) -> Iterator[Found]:
    """Yield who outside the input is called, and names that nobody has."""
    space = workload.id.namespace
    for call in said:
        host = call.host
        if not call.sure or host in _HERE or service_of(world, space, host) is not None:
            continue
        span = call.span or workload.span
        what = f"{workload.id} is told to call {host}" + (f":{call.port}" if call.port else "")
        block = _block(host)
        if host.startswith(_API_NAME):
            yield Need(API_SERVER, f"{workload.id} calls it: {call.by}", span)
        elif block is not None:
            yield from _address(world, workload, call, block, span)
        elif "." not in host or not is_host_name(host):
            yield Doubt(f"{what} by {call.by}, and no Service here is called so", span)
        elif (
            is_of_cluster(world, host)
            or _is_unclear(host)
            or _namespace_of(host) in world.namespaces
        ):
            yield Doubt(f"{what} by {call.by}, and the input has no such Service", span)
        else:
            sure = Sure.HIGH if call.port else Sure.MEDIUM
            ask = call.port is None
            if call.whole is not None:
                sure = Sure.MEDIUM
            for protocol in _protocols(call):
                edge = Edge(workload.id, Outside(host), protocol, call.port)
                yield Hint(edge, f"{call.by} names {host}", span, sure, ask)


def _is_unclear(host: str) -> bool:
    """Return whether a name of two labels ends in nothing that names outside end in."""
    space = _namespace_of(host)
    return space is not None and len(space) != _COUNTRY and space not in _TOPS


def _namespace_of(host: str) -> str | None:
    """Return the namespace that a name of two labels would mean."""
    first, _, rest = host.partition(".")
    return rest if first and "." not in rest else None


def _block(host: str) -> AddressSet | None:
    try:
        return AddressSet.address(host)
    except ValueError:
        return None


def _address(
    world: World, workload: Workload, call: Call, at: AddressSet, span: Span | None
) -> Iterator[Found]:
    if at <= _METADATA:
        yield Need(Role.METADATA.value, f"{workload.id} calls it: {call.by}", span)
    if at <= _INSIDE | _NOBODY | _LINK_LOCAL:
        return
    for service in world.services.values():
        if call.host in service.cluster_ips:
            what = f"Service {service.namespace}/{service.name} by its address"
            yield Doubt(f"{workload.id} is told to call {what}: name it instead", span)
            return
    family = 6 if ":" in call.host else 4
    party = Outside(f"{call.host}/{_FAMILY_BITS[family]}", block=True)
    for protocol in _protocols(call):
        edge = Edge(workload.id, party, protocol, call.port)
        yield Hint(edge, f"{call.by} names {call.host}", span, Sure.HIGH, ask=call.port is None)


def _protocols(call: Call) -> tuple[str, ...]:
    """Return the protocols of a call: names are looked up by both (RFC 7766)."""
    return ("TCP", "UDP") if call.port == _DNS else (call.protocol,)
