"""What recommended policies let through, in weeks they never saw."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.recommend.worlds import DAYS, START, UPDATED, World
from cloison.analyses.ends import End
from cloison.analyses.past.course import HOUR
from cloison.analyses.question import Traffic, parse_traffic
from cloison.analyses.replay import Batch, Code, replay
from cloison.app.compile import in_force
from cloison.app.session import Session
from cloison.flows.engines.duck import Duck
from cloison.flows.generator.export import exporter
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Call, Connection, Made, Place
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import writer

HELD_OUT: Final = 14
"""Days after which nothing is shown to a recommender: it is held to weeks three and four."""
DAY: Final = 24 * HOUR
DNS: Final = ("UDP", 53)

Edge = tuple[str, str, str, int]
"""Who calls, who is called, protocol and port."""


@dataclass(frozen=True, slots=True)
class Recommended:
    """What a recommender says.

    Args:
        texts: The policies as YAML.
        asked: Edges that it asks about instead of letting them through.
        unseen: Which share of what is to come it says that it has not seen; None where it says
            nothing of it.
    """

    texts: Sequence[str]
    asked: frozenset[Edge] = frozenset()
    unseen: float | None = None


Recommender = Callable[[World, Path, int], Recommended]
"""Takes a world, its store, and the time before which flows count."""


@dataclass(frozen=True, slots=True)
class Score:
    """How good policies are.

    Args:
        recall: Of the legitimate edges seen in the window, the share that is let through.
        named: The share of these that is let through or asked about.
        truth: Of all legitimate edges there are, the share that is let through.
        precision: Of what is let through, the share that is legitimate; before the Deployments
            are updated or after it, whichever is worse.
        excess: Edges that are let through and are not.
        broken: Legitimate connections of the held-out weeks that are stopped, per workload-day.
        silent: Edges of the attacker and of the person that are let through.
        unseen: Which share of what is to come the recommender says that it has not seen.
        new: Which share of the held-out weeks' connections were on edges it had not seen.
    """

    recall: float
    named: float
    truth: float
    precision: float
    excess: int
    broken: float
    silent: int
    unseen: float | None
    new: float


@dataclass(frozen=True)
class Past:
    """What happened in a world, read into a store."""

    world: World
    store: Path
    happened: tuple[Connection, ...]


def lived(world: World, place: Path) -> Past:
    """Make the traffic of a world, and read all of it into a store."""
    happened = tuple(connections(world.plan))
    return Past(world, read_in(world, happened, place / world.name), happened)


def read_in(world: World, happened: Iterable[Connection], store: Path) -> Path:
    """Read what happened into a store, from records as Hubble writes them."""
    log = store.with_suffix(".log")
    lines = exporter("hubble")(world.plan, happened)
    log.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with writer(store) as held:
        ingest(held, log, Wanted())
        engine = Duck(store)
        try:
            refresh(held, engine)
        finally:
            engine.close()
    log.unlink()
    return store


def scored(past: Past, said: Recommended, until: int) -> Score:
    """Return how good policies are that were recommended of what happened before a time."""
    world = past.world
    forces = [
        in_force(each, said.texts, "networkpolicy", each.profile)
        for each in (world.before, world.after)
    ]
    legitimate = [c for c in world.plan.calls if c.sort == "legitimate"]
    shady = {edge_of(c) for c in world.plan.calls if c.sort != "legitimate"}
    meant = {edge_of(c) for c in legitimate}
    # Long answers come over TCP, whether or not there was one in these weeks.
    meant |= {(src, dst, "TCP", port) for src, dst, proto, port in meant if (proto, port) == DNS}
    every = {_spot(c) for c in past.happened if _about(c.call, world)}
    through = _through(forces[0], every)
    before = (c for c in past.happened if c.time < until and c.call.sort == "legitimate")
    seen = {_spot(c) for c in before if _about(c.call, world)}
    lets = [_let(force, world) for force in forces]
    let = max(lets, key=lambda some: len(some - meant))
    later = [
        c
        for c in past.happened
        if c.time >= START + HELD_OUT * DAY
        and c.call.sort == "legitimate"
        and _about(c.call, world)
    ]
    stopped = _stopped(forces, later)
    ours = [w for w in world.before.world.workloads.values() if w.id.namespace in world.namespaces]
    mine = {each for each in every if each[0].sort == "legitimate"}
    known = {edge_of(c.call) for c in past.happened if c.time < until}
    new = sum(edge_of(c.call) not in known for c in later)
    return Score(
        _share(sum(through[e] for e in seen), len(seen)),
        _share(sum(through[e] or edge_of(e[0]) in said.asked for e in seen), len(seen)),
        _share(sum(through[e] for e in mine), len(mine)),
        _share(len(let & meant), len(let)),
        len(let - meant),
        stopped / (len(ours) * (DAYS - HELD_OUT)),
        len({edge_of(e[0]) for e in every if through[e] and edge_of(e[0]) in shady}),
        said.unseen,
        _share(new, len(later)),
    )


def _share(some: int, of: int) -> float:
    return some / of if of else 1.0


def edge_of(call: Call) -> Edge:
    """Return the edge that a call is of."""
    return _name(call.src), _name(call.dst), call.protocol, call.port


def _name(end: Made | Place) -> str:
    return end.name if isinstance(end, Place) else f"{end.namespace}/{end.kind}/{end.name}"


def _about(call: Call, world: World) -> bool:
    """Return whether a policy that is recommended could be about a call."""
    ends = [e for e in (call.src, call.dst) if isinstance(e, Made)]
    kubelet = isinstance(call.src, Place) and call.src.entity == "host"
    return any(e.namespace in world.namespaces for e in ends) and not kubelet


_Spot = tuple[Call, str, str]
"""A call, and the addresses of its ends outside, of those that happened."""


def _spot(each: Connection) -> _Spot:
    call = each.call
    src = each.src_ip if isinstance(call.src, Place) else ""
    return call, src, each.dst_ip if isinstance(call.dst, Place) else ""


def _asked(session: Session, spot: _Spot) -> tuple[End, End, Traffic]:
    call, src, dst = spot
    source = replace(call.src, ips=(src,)) if isinstance(call.src, Place) else call.src
    there = replace(call.dst, ips=(dst,)) if isinstance(call.dst, Place) else call.dst
    traffic = parse_traffic(f"{call.port}/{call.protocol}")
    return ends(session, source)[0], ends(session, there)[0], traffic


def _through(session: Session, spots: Iterable[_Spot]) -> dict[_Spot, bool]:
    """Return of what happened whether policies let it through."""
    every = list(spots)
    codes = _replayed(session, [_asked(session, each) for each in every])
    return {each: code == Code.ALLOWED for each, code in zip(every, codes, strict=True)}


def ends(session: Session, end: Made | Place) -> tuple[End, ...]:
    """Return the ends of a session that an end of made-up traffic stands for."""
    if isinstance(end, Place):
        return tuple(session.names.end(ip) for ip in end.ips)
    return (session.names.end(f"{end.namespace}/{end.kind}/{end.name}"),)


def _replayed(session: Session, rows: Sequence[tuple[End, End, Traffic]]) -> list[int]:
    if not rows:
        return []
    every = {end.text: end for one, other, _ in rows for end in (one, other)}
    traffics = list(dict.fromkeys(traffic for *_, traffic in rows))
    places = {text: number for number, text in enumerate(every)}
    kinds = {traffic: number for number, traffic in enumerate(traffics)}
    table = np.array([(places[a.text], places[b.text], kinds[t]) for a, b, t in rows], np.int64)
    batch = Batch(list(every.values()), traffics, table[:, 0], table[:, 1], table[:, 2])
    return [int(code) for code in replay(session.engine, batch)]


def _let(session: Session, world: World) -> set[Edge]:
    """Return everything that policies let through between workloads, on ports that anybody uses."""
    every = list(session.world.workloads.values())
    ports: dict[str, set[tuple[str, int]]] = {}
    for each in every:
        name = f"{each.id.namespace}/{each.id.kind}/{each.id.name}"
        declared = {(p.protocol, p.number) for p in each.endpoints[0].ports}
        used = {(c.protocol, c.port) for c in world.plan.calls if _name(c.dst) == name}
        ports[name] = declared | used
    rows: list[tuple[Edge, End, End, Traffic]] = []
    held = {name: session.names.end(name) for name in ports}
    spaces = {name: name.split("/")[0] for name in ports}
    for source, one in held.items():
        for destination, other in held.items():
            inside = {spaces[source], spaces[destination]} & {*world.namespaces}
            if source == destination or not inside:
                continue
            for protocol, port in sorted(ports[destination]):
                traffic = parse_traffic(f"{port}/{protocol}")
                rows.append(((source, destination, protocol, port), one, other, traffic))
    codes = _replayed(session, [row[1:] for row in rows])
    return {row[0] for row, code in zip(rows, codes, strict=True) if code == Code.ALLOWED}


def _stopped(forces: Sequence[Session], later: Iterable[Connection]) -> int:
    """Return how many connections policies would have stopped, each under the labels of its day."""
    counts: Counter[tuple[_Spot, int]] = Counter()
    for each in later:
        updated = each.time >= START + (UPDATED + DAYS) * HOUR
        counts[_spot(each), int(updated)] += 1
    stopped = 0
    for era, session in enumerate(forces):
        through = _through(session, [spot for spot, when in counts if when == era])
        stopped += sum(counts[spot, era] for spot, passes in through.items() if not passes)
    return stopped


def day(until: int) -> date:
    """Return the day of a time."""
    return datetime.fromtimestamp(until / 1e6, UTC).date()
