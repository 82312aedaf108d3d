"""Flows summed up, one after the other: what the expressions mean.

It shares the form of a flow with Cloison, and nothing of the expressions. Times are microseconds.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cloison.flows.columns import labels_id
from cloison.flows.schema import Flow, Identity
from tests.oracle.ends import apart, end
from tests.oracle.held import holders, known_of

HOUR, WINDOW = 3_600_000_000, 300_000_000
SAY_LAST = {"dst", "both", "node", "learned"}
OUTSIDE = {"world", "set", "host", "apiserver"}
Edge = tuple[Any, ...]


@dataclass
class Connection:
    """A connection, oriented."""

    src: dict[str, Any]
    dst: dict[str, Any]
    port: int | None
    verdict: str
    initiator: str
    proto: str | None
    icmp: int | None
    window: int | None
    hour: int | None
    first: int | None
    last: int | None
    count: int = 1
    halfway: int = 0
    refused: int = 0
    bytes: int = 0
    ambiguous: bool = False
    dst_name: str | None = None
    svc: tuple[str | None, str | None] = (None, None)
    opened_at: Any = None
    home: str | None = None


@dataclass
class Sum:
    """What is known of an edge."""

    count: int = 0
    halfway: int = 0
    refused: int = 0
    ambiguous: int = 0
    bytes: int = 0
    windows: set[tuple[int | None, int | None]] = field(default_factory=set)
    hours: set[int] = field(default_factory=set)
    first: int | None = None
    last: int | None = None

    def told(self) -> tuple[Any, ...]:
        """Return it as a plain row."""
        return (
            self.count, self.halfway, self.refused, self.ambiguous, self.bytes,
            len(self.windows), len(self.hours), self.first, self.last,
        )  # fmt: skip


def orient(flow: Flow, listening: Collection[tuple[str, int]]) -> tuple[str, bool]:
    """Return how it is known who opened, and whether that was `dst`."""
    if flow.initiator == "known" or flow.is_reply is not None or flow.opens:
        return "known", bool(flow.is_reply)
    if flow.icmp_type in {0, 8, 128, 129}:
        return "known", flow.icmp_type in {0, 129}
    if flow.initiator == "inferred":
        return "inferred", False
    if flow.src_port is None or flow.dst_port is None or flow.proto is None:
        return "unknown", False
    lower, higher = sorted((flow.src_port, flow.dst_port))
    one = lower != higher and (flow.proto, lower) in listening
    if not one or (flow.proto, higher) in listening:
        return "unknown", False
    return "inferred", flow.src_port == lower


def edges(
    flows: Iterable[Flow], identities: Collection[Identity], listening: Collection[tuple[str, int]]
) -> dict[Edge, tuple[Any, ...]]:
    """Return what every edge comes to."""
    paired: dict[Any, list[Flow]] = defaultdict(list)
    summed: dict[Any, list[Flow]] = defaultdict(list)
    for flow in flows:
        hour = None if flow.time is None else flow.time // HOUR
        told = (flow.src_ip, flow.src_port, flow.dst_ip, flow.dst_port, flow.proto)
        if None not in told:
            ends = sorted([(flow.src_ip, flow.src_port), (flow.dst_ip, flow.dst_port)])
            paired[(hour, flow.proto, *ends)].append(flow)
            continue
        initiator, turned = orient(flow, listening)
        src, dst = end(flow, "src"), end(flow, "dst")
        if turned:
            src, dst = dst, src
        icmp = flow.icmp_type
        if turned and icmp is not None:
            icmp = {0: 8, 129: 128}.get(icmp, icmp)
        port = dst["port"] if initiator != "unknown" else None
        names = [who(side) for side in (src, dst)]
        window = None if flow.time is None else flow.time // WINDOW
        key = (hour, window, flow.proto, initiator, icmp, port, *names)
        summed[key].append(flow)
    found = [one for some in paired.values() for own in apart(some) for one in pair(own, listening)]
    for key, some in summed.items():
        found += total(key, some, listening)
    sums: dict[Edge, Sum] = defaultdict(Sum)
    for one in found:
        name(one, identities)
    for one in found:
        if not goes_on(one, found):
            add(sums[edge(one)], one)
    return {key: known.told() for key, known in sums.items()}


def who(side: dict[str, Any]) -> tuple[Any, ...]:
    """Return what makes an end the same for whoever tells of it."""
    place = (side["cluster"], side["ns"])
    name = side["workload"] if side["workload"] is not None else side["pod"]
    if name is not None:
        sort = "pod" if side["entity"] == "unknown" else side["entity"]
        return (*place, "name", name, sort)
    if side["ip"] is not None:
        return (*place, "ip", side["ip"])
    return (*place, "labels", side["labels"], side["entity"])


def goes_on(one: Connection, others: Iterable[Connection]) -> bool:
    """Return whether what answers for a Service was seen to be reached from the same port."""
    if one.dst["entity"] != "service" or not one.halfway or one.opened_at is None:
        return False
    times = [
        each.first for each in others
        if each.dst["entity"] != "service" and each.first is not None
        and (each.opened_at, each.home) == (one.opened_at, one.home)
        and (each.proto, each.hour) == (one.proto, one.hour)
    ]  # fmt: skip
    if one.first is None or not times:
        return False
    return max(times) >= one.first - 10_000_000 and min(times) <= one.first + 10_000_000


def most(values: Iterable[Any]) -> Any:
    return max((each for each in values if each is not None), default=None)


def least(values: Iterable[Any]) -> Any:
    return min((each for each in values if each is not None), default=None)


def both(flows: list[Flow]) -> dict[str, Any]:
    """Return what connections of either sort take from their flows."""
    here = sum(flow.bytes or 0 for flow in flows if flow.observer == "src")
    there = sum(flow.bytes or 0 for flow in flows if flow.observer != "src")
    return {
        "first": least(flow.time for flow in flows),
        "last": most(until(flow) for flow in flows),
        "bytes": max(here, there),
        "proto": flows[0].proto,
        "hour": None if flows[0].time is None else flows[0].time // HOUR,
    }


def pair(flows: list[Flow], listening: Collection[tuple[str, int]]) -> list[Connection]:
    """Return the connections that flows between the same addresses and ports are of."""
    own = flows[0]
    both_ends: list[Any] = [(own.src_ip, own.src_port), (own.dst_ip, own.dst_port)]
    one, two = sorted(both_ends)
    seen = []
    for flow in flows:
        initiator, turned = orient(flow, listening)
        first = one in (two, (flow.src_ip, flow.src_port))
        seen.append((flow, initiator, turned, first != turned))
    replies = [flow for side in (True, False) for flow in answers(seen, side=side)]
    votes: Counter[tuple[str, bool]] = Counter()
    facts: dict[bool, dict[str, list[Any]]] = {True: defaultdict(list), False: defaultdict(list)}
    words: Counter[str] = Counter()
    said: dict[str, list[Flow]] = defaultdict(list)
    names, asked = [], []
    for flow, initiator, turned, by_one in seen:
        if flow not in replies:
            votes[initiator, by_one] += 1
        first = by_one != turned
        for side, here in (("src", first), ("dst", not first)):
            for key, value in end(flow, side).items():
                facts[here][key].append(value)
        for word in say(flow, turned=turned):
            kept = "error" if word == "denied" and flow in replies else word
            words[kept] += 1
            said[kept].append(flow)
            if word == "denied":
                said["any denied"].append(flow)
        asked += [] if turned else [flow]
        if not turned and flow.names:
            names.append(flow.names[0])
    opener = None
    initiator = "unknown"
    for kind in ("known", "inferred"):
        forth, back = votes[kind, True], votes[kind, False]
        if forth or back:
            if not (forth and back):
                opener, initiator = bool(forth), kind
            break
    ends = {here: blend(facts[here]) for here in (True, False)}
    src, dst = (ends[False], ends[True]) if opener is False else (ends[True], ends[False])
    otherwise = (
        "audited" if words["audited"] else
        "allowed" if words["settled"] or answered(seen) else
        "error" if words["error"] else
        "unknown" if words["let go"] else
        "denied" if words["refused"] else
        "unknown"
    )  # fmt: skip
    verdict = "denied" if words["denied"] else otherwise
    count = max(flow.count for flow in flows)
    told = Connection(
        src, dst, dst["port"] if opener is not None else None, verdict, initiator,
        icmp=None, count=count, refused=words["refused"],
        halfway=count if verdict == "unknown" and words["let go"] else 0,
        window=least(None if flow.time is None else flow.time // WINDOW for flow in flows),
        dst_name=least(names), **both(flows), svc=service(asked),
        opened_at=(src["ip"], src["port"]) if opener is not None else None,
    )  # fmt: skip
    if not changed(said):
        return [told]
    denial = span(told, said["denied"], said["any denied"])
    denial.bytes = denial.refused = 0
    passing = span(told, said["settled"], said["settled"])
    passing.verdict = otherwise
    return [denial, passing]


def answers(seen: list[tuple[Flow, str, bool, bool]], *, side: bool) -> list[Flow]:
    """Return what a side was denied that were answers to what the other had asked it."""
    own = seen[0][0]
    denied = [each for each in seen if "denied" in say(each[0], turned=each[2])]
    here = [flow for flow, _, _, by_one in denied if by_one is side]
    passed = [
        flow.time for flow, _, _, by_one in seen
        if by_one is not side and flow.verdict == "allowed" and flow.time is not None
    ]  # fmt: skip
    if not here or own.time is None or not passed or own.src_port == own.dst_port:
        return []

    def sure(*, of: bool) -> int:
        sort = {"known": 4, "inferred": 2, "unknown": 0}
        found = (
            sort[each[1]] - (each in denied and each[1] != "unknown")
            for each in seen if each[3] is of
        )  # fmt: skip
        return max(found, default=0)

    weaker = sure(of=side) < sure(of=not side) or sure(of=side) == sure(of=not side) == 0
    late = min(flow.time or 0 for flow in here) + 10_000_000 >= min(passed)
    return here if weaker and late else []


def changed(said: dict[str, list[Flow]]) -> bool:
    """Return whether something was denied, and at another time settled."""
    denied, settled = said["denied"], said["settled"]
    if not denied or not settled or denied[0].time is None:
        return False
    begun = [min(flow.time or 0 for flow in some) for some in (denied, settled)]
    ended = [max(until(flow) or 0 for flow in some) for some in (said["any denied"], settled)]
    return ended[1] >= ended[0] + 1_000_000 or begun[1] + 1_000_000 <= begun[0]


def until(flow: Flow) -> int | None:
    return flow.end_time if flow.end_time is not None else flow.time


def span(told: Connection, firsts: list[Flow], lasts: list[Flow]) -> Connection:
    """Return a connection, with the times of some of its flows."""
    first = least(flow.time for flow in firsts)
    last = most(until(flow) for flow in lasts)
    src, dst, window = dict(told.src), dict(told.dst), first // WINDOW
    return replace(told, src=src, dst=dst, first=first, last=last, window=window)


def service(flows: list[Flow]) -> tuple[str | None, str | None]:
    return most(flow.svc_ns for flow in flows), most(flow.svc_name for flow in flows)


def blend(facts: dict[str, list[Any]]) -> dict[str, Any]:
    said = {key: most(values) for key, values in facts.items()}
    said["entity"] = least(value for value in facts["entity"] if value != "unknown") or "unknown"
    sets = [value for value in facts["labels"] if value is not None]
    said["labels"] = max((each for each in sets if each), key=labels_id, default=most(sets))
    return said


def say(flow: Flow, *, turned: bool) -> Iterable[str]:
    if flow.verdict == "denied" and not turned:
        yield "refused" if flow.observer == "proxy" else "denied"
    if flow.verdict == "audited" and not turned:
        yield "audited"
    if flow.verdict == "error" or (flow.verdict == "denied" and turned):
        yield "error"
    if flow.verdict == "allowed":
        yield "settled" if turned or flow.observer in SAY_LAST else "let go"
    if carried(flow):
        yield "settled" if turned else "sent"


def carried(flow: Flow) -> bool:
    """Return whether a flow says of packets that they were on their way, and no more."""
    return (flow.verdict, flow.observer, flow.event) == ("unknown", "node", "connection")


def answered(seen: list[tuple[Flow, str, bool, bool]]) -> bool:
    """Return whether both ends sent, where it is not known of all of it who answered."""
    went = [each for each in seen if each[0].verdict == "allowed" or carried(each[0])]
    return (
        {by_one for _, _, _, by_one in went} == {True, False}
        and any(initiator == "unknown" for _, initiator, _, _ in went)
        and seen[0][0].src_port != seen[0][0].dst_port
    )


def total(
    key: tuple[Any, ...], flows: list[Flow], listening: Collection[tuple[str, int]]
) -> Iterable[Connection]:
    """Yield what flows come to that tell less than both addresses and ports."""
    _hour, window, _proto, initiator, icmp, port, *_names = key
    facts: dict[str, dict[str, list[Any]]] = {"src": defaultdict(list), "dst": defaultdict(list)}
    words: Counter[tuple[str, bool]] = Counter()
    # Either end sees requests and answers: of the same, whoever saw most of them counts.
    seen: dict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    known, asked = [], []
    said: dict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        turned = orient(flow, listening)[1]
        asked += [] if turned else [flow]
        here = flow.observer in {"src", "proxy"} and not turned
        for side, other in (("src", "dst"), ("dst", "src")):
            for column, value in end(flow, other if turned else side).items():
                facts[side][column].append(value)
        whose = (flow.observer, flow.direction, turned)
        for word in say(flow, turned=turned):
            words["lost" if turned and word == "error" else word, here] += flow.count
            seen[word][whose] += flow.count
            said[word].append(flow)
        if flow.verdict == "unknown" and not carried(flow):
            seen["mute"][whose] += flow.count
            said["let go"].append(flow)
        if flow.names:
            known.append(flow.names[0])

    def of(word: str) -> int:
        return words[word, True] + words[word, False]

    def top(word: str) -> int:
        return max(seen[word].values(), default=0)

    src, dst = blend(facts["src"]), blend(facts["dst"])
    audited = max(words["audited", True], words["audited", False])
    requests, replies = (
        max((number for whose, number in seen["settled"].items() if whose[2] is way), default=0)
        for way in (False, True)
    )
    # What would have been denied is answered, too.
    settled = max(requests, replies - audited)
    # An answer that was lost is one to a request that got through.
    lost = words["error", False] + max(0, words["lost", False] - settled)
    ended = settled + lost + sum(words[word, False] for word in ("denied", "audited"))
    halfway = max(0, top("let go") - ended)
    denied = of("denied")
    if not (denied or of("let go") or settled):
        denied = of("refused")
    for verdict, word, number in (
        ("denied", "denied", denied),
        ("audited", "audited", audited),
        ("allowed", "settled", settled),
        ("error", "error", max(words["error", True], lost)),
        ("unknown", "let go", max(0, max(top("let go"), top("mute"), top("sent")) - ended)),
    ):
        if number:
            some = [*said[word], *(said["sent"] if verdict == "unknown" else [])] or flows
            told = both(some)
            times = {name: told[name] for name in ("first", "last") if told[name] is not None}
            yield Connection(
                dict(src), dict(dst), port, verdict, initiator, icmp=icmp, count=number,
                halfway=halfway if verdict == "unknown" else 0, window=window,
                refused=sum(
                    flow.observer == "proxy" and flow.verdict == "denied"
                    and not orient(flow, listening)[1]
                    for flow in flows
                ) and of("refused"),
                dst_name=least(known), **both(flows) | times, svc=service(asked),
            )  # fmt: skip


def name(one: Connection, identities: Collection[Identity]) -> None:
    """Name the ends of which only the address is known."""
    told = (one.src["cluster"], one.dst["cluster"])
    one.home = told[0] if told[0] is not None else told[1]
    for side, own, other in ((one.src, *told), (one.dst, *reversed(told))):
        nobody = side["ns"] is None and side["workload"] is None
        world = side is one.dst and side["entity"] == "world"
        asks = nobody and (world or side["entity"] in {"unknown", "pod", "service"})
        if not (asks or (side["pod"] is not None and side["workload"] is None)):
            continue
        held = [] if one.first is None else holders(side["ip"], one.first, identities)
        held = of_cluster(held, own if own is not None else other, identities)
        if not held:
            continue
        took = known_of(held)
        if took is None:
            one.ambiguous |= nobody and not world
            continue
        entity = took.pop("entity")
        same = side["pod"] is not None and (side["ns"], side["pod"]) == (took["ns"], took["pod"])
        if nobody and world and entity != "service":
            continue
        if nobody or (same and side["ns"] is not None):
            for key, value in took.items():
                if side[key] is None:
                    side[key] = value
            if nobody:
                side["entity"] = entity
    if one.dst["entity"] == "world" and one.dst["ns"] is None and one.dst["workload"] is None:
        ns, known = one.svc
        if known is not None:
            one.dst |= {"ns": ns, "workload": known, "kind": "Service", "entity": "service"}
    if one.halfway and one.dst["entity"] in OUTSIDE:
        one.verdict, one.halfway = "allowed", 0


def of_cluster(
    held: list[Identity], home: str | None, identities: Collection[Identity]
) -> list[Identity]:
    """Return who may be meant by an address in a cluster. Nobody knows where the unnamed are."""
    if home in {None, ""} or (home == "default" and not any(i.cluster == home for i in identities)):
        return held
    return [each for each in held if each.cluster in {home, None, ""}]


def edge(one: Connection) -> Edge:
    """Return what connections of one edge have in common."""
    ends = []
    for side in (one.src, one.dst):
        named = side["workload"] if side["workload"] is not None else side["pod"]
        kind = "Pod" if side["workload"] is None and side["pod"] is not None else side["kind"]
        labels = None if side["labels"] is None else tuple(side["labels"])
        ip = side["ip"] if named is None else None
        ends += [side["cluster"], side["ns"], named, kind, labels, side["entity"], ip]
    return (*ends, one.dst_name, one.proto, one.port, one.icmp, one.verdict, one.initiator)


def add(known: Sum, one: Connection) -> None:
    known.count += one.count
    known.halfway += one.halfway
    known.refused += one.refused
    known.ambiguous += one.count if one.ambiguous else 0
    known.bytes += one.bytes
    if one.window is not None:
        known.windows.add((one.hour, one.window))
    if one.hour is not None:
        known.hours.add(one.hour)
    known.first = least((known.first, one.first))
    known.last = most((known.last, one.last))
