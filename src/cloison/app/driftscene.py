"""The cluster of a session as drift looks at it: what is meant, what was so, what was seen."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloison.algebra import AddressSet, IntervalSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.drift.edge import Edge, edges
from cloison.analyses.drift.model import Accepted, Change, Memory
from cloison.analyses.drift.scene import BOUNDS, Bounds, Gap, Live, Node, Scene
from cloison.analyses.egress import Seen as Sources
from cloison.analyses.egress.way import Ways
from cloison.analyses.past.begun import Begun
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.link import Link, LinkKey, links
from cloison.analyses.past.listening import Listening
from cloison.analyses.past.sorts import judged
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.reconcile.meant import Meant, meant
from cloison.analyses.reconcile.pairs import placed, together
from cloison.analyses.reconcile.seen import Finder, Seen
from cloison.analyses.reconcile.sources import assumed
from cloison.app.answers import hop
from cloison.app.contract import Agreed, agreed, ends, for_contract
from cloison.app.contract import edges as contracted
from cloison.app.driftagents import agents
from cloison.app.driftchanges import between
from cloison.app.past import past
from cloison.app.reconcile import seen_edges
from cloison.app.seennames import taught
from cloison.base import QuestionError, Span
from cloison.intent import Contract
from cloison.intent.read import is_contract
from cloison.ir.policy import PolicyId

if TYPE_CHECKING:
    from cloison.app.session import Session
    from cloison.flows.health import Changed

EXEMPT: Final = ("kube-system", "kube-public", "kube-node-lease")
"""Namespaces of the cluster's own, which no policy has to cover unless somebody says so."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What drift is asked about.

    Args:
        contracts: Files of contracts besides those among the sources.
        store: The store of flows; None for none.
        since: From when on what is confirmed is new; microseconds since 1970.
        until: Until when flows count.
        checks: Which checks, as `D3`; all when none is given.
        namespaces: Only findings about these; about all when none is given.
        baseline: The file of what is accepted.
        state: The file of what is remembered.
        today: The day it is.
        bounds: From where on something is drift.
        exempt: Namespaces that no policy has to cover.
        accepted: Rows of baselines that count today.
        late: Rows of baselines whose last day has passed.
        live: The live source that is followed meanwhile; None where none is.
        now: The time, in microseconds since 1970; None where no more is known than the day.
    """

    today: date
    contracts: tuple[str, ...] = ()
    store: Path | None = None
    since: int | None = None
    until: int | None = None
    checks: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    baseline: Path | None = None
    state: Path | None = None
    bounds: Bounds = BOUNDS
    exempt: tuple[str, ...] = EXEMPT
    accepted: tuple[Accepted, ...] = ()
    late: tuple[Accepted, ...] = ()
    live: Live | None = None
    now: int | None = None


Openings = Callable[[frozenset[tuple[str, int]], int | None], tuple[tuple[Seen, ...], ...]]
"""Ports, by protocol and number, and a time in microseconds: see `Past`."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a store of flows holds of the past.

    Args:
        seen: Observed edges, each with its course.
        watch: When anybody watched.
        nodes: What each node told and lost, hour by hour.
        changes: Changes of objects, in order of time.
        openings: Tells of connections to some ports, from a time on, which were opened in their
            hour, and which were opened earlier and go on; neither where records do not show it.
        gaps: Spans in which a live source could not be heard.
    """

    seen: tuple[Seen, ...] = ()
    watch: Watch = UNWATCHED
    nodes: Sequence[Node] = ()
    changes: tuple[Change, ...] = ()
    openings: Openings = lambda *_: ((), ())
    gaps: Sequence[Gap] = ()


NO_PAST: Final = Past()
"""Nobody watched."""


def read_past(store: Path | None, until: int | None = None) -> Past:
    """Return what a store holds.

    Args:
        store: The store; None for none.
        until: Until when flows count, in microseconds since 1970.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    if store is None:
        return NO_PAST
    seen, watch = past(store, (None, until))
    from cloison.flows.health import changes, gaps, told  # noqa: PLC0415 - only with the extra
    from cloison.flows.openings import openings  # noqa: PLC0415 - only with the extra

    def opened(
        ports: frozenset[tuple[str, int]], since: int | None
    ) -> tuple[tuple[Seen, ...], ...]:
        return tuple(tuple(seen_edges(each)) for each in openings(store, ports, since, until))

    found = tuple(map(_change, changes(store, None, until)))
    nodes, unheard = told(store, None, until), gaps(store, None, until)
    return Past(seen, watch, nodes, found, opened, unheard)


def _agreed(session: "Session", contracts: Sequence[str]) -> Agreed | None:
    """Return the contract of a session; None where there is none and none was named."""
    if not contracts and not any(is_contract(each) for each in session.own):
        return None
    return agreed(session, contracts)


def scene_of(
    session: "Session", asked: Asked, known: Past, memory: Memory, before: "Session | None"
) -> tuple[Scene, bool]:
    """Return what checks look at, and whether all of the contract could be read.

    Args:
        session: A session that was read with `runtime`.
        asked: What is asked about.
        known: What was seen.
        memory: What is remembered of the last run.
        before: The cluster as it was, read likewise; None where nobody says.

    Raises:
        SourceError: A contract cannot be read.
        QuestionError: There is no contract in a file that was named.
    """
    contract = _agreed(session, asked.contracts)
    changes = known.changes
    meaning = contract.contract if contract is not None else Contract()
    session = for_contract(session, meaning)
    session, _ = taught(session, meaning, known.seen)
    scene = _still(session, asked, contract)
    if before is not None:
        there = _agreed(before, asked.contracts)
        old = for_contract(before, there.contract if there is not None else Contract())
        scene = replace(scene, before=_still(old, asked, there))
        changes = (*between(before, session), *changes)
    scene = replace(
        scene,
        edges=_edges(session, scene, contract, known),
        watch=known.watch,
        nodes=known.nodes,
        gaps=known.gaps,
        live=asked.live,
        changes=changes,
        memory=_aware(session, memory, from_now(asked, known.watch)),
        ask=lambda question: _asked(session, question),
        begun=lambda some, since: _begun(session, known, some, since),
    )
    return scene, contract is None or contract.whole


def _still(session: "Session", asked: Asked, contract: Agreed | None) -> Scene:
    """Return a cluster without what was seen in it."""
    engine, site = session.engine, session.site
    wanted: tuple[Meant, ...] = ()
    if contract is not None:
        sources = assumed(engine, site)
        wanted, _ = meant(engine, site, contract.contract, contracted(session, contract), sources)
    return Scene(
        engine,
        site,
        asked.today,
        contract.contract if contract is not None else None,
        ends(session, contract).placed if contract is not None else None,
        wanted,
        contract.published if contract is not None else {},
        _notes(session),
        session.settings.annotation_prefix,
        agents=agents(session),
        bounds=asked.bounds,
        proxies=Ways(engine, site, Sources("", known=False)).proxies,
        exempt=frozenset(asked.exempt),
        until=asked.until,
        made=_made(session),
    )


def _edges(
    session: "Session",
    scene: Scene,
    contract: Agreed | None,
    known: Past,
) -> tuple[Edge, ...]:
    here, _ = placed(known.seen, Finder(session.names, scene.engine.world))
    wanted = scene.wanted
    if contract is None:
        sources = assumed(scene.engine, scene.site)
        nothing = contracted(session, Agreed(Contract()))
        wanted, _ = meant(scene.engine, scene.site, Contract(), nothing, sources)
    intended: set[int] = set()
    for pair in together(scene.engine, wanted, here).values():
        for traffic, one in pair.seen:
            if any(each.traffic & traffic for each in (*pair.meant, *pair.implied)):
                intended.add(id(one))

    def is_meant(link: Link) -> bool:
        return any(id(one) in intended for one in link.seen)

    names: list[tuple[str, AddressSet]] = []
    if contract is not None:
        known_ends = ends(session, contract)
        held = ((e.name, known_ends.addresses(e)) for e in contract.contract.externals)
        names += ((name, addresses) for name, addresses in held if addresses)
    said = Listening(scene.engine.world).said
    return edges(judged(links(here), known.watch, is_meant, said), is_meant, names)


def _begun(
    session: "Session", known: Past, some: Sequence[Edge], since: int | None
) -> Mapping[LinkKey, Begun]:
    """Return what records show of how connections of edges began, from an hour on."""
    ports = frozenset((each.protocol, each.port) for each in some if each.port >= 0)
    if not ports:
        return {}
    told = known.openings(ports, None if since is None else since * HOUR)
    finder = Finder(session.names, session.world)
    hours: list[dict[LinkKey, frozenset[int]]] = []
    for seen in told:
        here, _ = placed(seen, finder)
        let = (each for each in links(here) if each.allowed)
        hours.append({each.key: frozenset(each.allowed.hours) for each in let})
    opened, going_on = hours
    none = frozenset[int]()
    return {
        key: Begun(opened.get(key, none), going_on.get(key, none))
        for key in opened.keys() | going_on.keys()
    }


def _asked(session: "Session", question: Question) -> Explanation | None:
    try:
        return hop(session, question)
    except QuestionError:
        return None


def _notes(session: "Session") -> Mapping[PolicyId, Mapping[str, str]]:
    """Return the annotations of policies, as far as their dialects keep them."""
    found: dict[PolicyId, Mapping[str, str]] = {}
    for name, origin in session.origins.items():
        written = getattr(origin.object, "annotations", None)
        if written:
            found[name] = written
    return found


def _made(session: "Session") -> Mapping[PolicyId, int]:
    """Return when policies were created, as far as their dialects keep what a server says."""
    found: dict[PolicyId, int] = {}
    for name, origin in session.origins.items():
        said = getattr(origin.object, "created", None)
        if not isinstance(said, str):
            continue
        with suppress(ValueError):  # files may hold anything in the place of a time
            when = datetime.fromisoformat(said)
            if when.tzinfo is not None:
                found[name] = int(when.timestamp() * 1_000_000)
    return found


def _change(found: "Changed") -> Change:
    where = f"{found.namespace}/{found.name}" if found.namespace else found.name
    return Change(
        f"{found.verb} {found.kind} {where}",
        found.time,
        found.user or None,
        found.namespace or (found.name if found.kind == "namespaces" else ""),
        found.kind,
        found.name,
        found.labels,
    )


def _digest(session: "Session") -> str:
    """Return what tells the policies of a session from others, wherever they are written."""
    told = sorted(_plain(each) for each in session.policies.policies)
    return sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _plain(value: object) -> str:
    """Return a text that is the same for what says the same, whatever process writes it."""
    if isinstance(value, Span):
        return ""
    if isinstance(value, IntervalSet):
        return repr(value.spans)
    if is_dataclass(value) and not isinstance(value, type):
        inner = (f"{each.name}:{_plain(getattr(value, each.name))}" for each in fields(value))
        return f"{type(value).__name__}({','.join(inner)})"
    if isinstance(value, frozenset | set):
        return f"{{{','.join(sorted(map(_plain, value)))}}}"
    if isinstance(value, tuple | list):
        return f"({','.join(map(_plain, value))})"
    return repr(value)


def _aware(session: "Session", memory: Memory, now: int | None) -> Memory:
    """Return a memory that knows whether policies are as they were when it last saw them."""
    digest = _digest(session)
    if not memory.ran:
        return replace(memory, policies=digest)
    # Since the last run at the latest: before it nobody looked.
    last = None if memory.until is None else memory.until + 1
    if digest == memory.policies:
        return replace(memory, since=last if memory.since is None else memory.since)
    # They became so at some time since: what is certain is that they are so from now on.
    return replace(memory, policies=digest, since=last if now is None else now)


def from_now(asked: Asked, watch: Watch) -> int | None:
    """Return the first hour that begins after this run; None where nobody knows the time.

    What was recorded by then may have happened before policies became what they are now.

    Args:
        asked: Tells the time, if anybody does.
        watch: When anybody watched.
    """
    ends = [] if not watch else [watch.hours[-1] + 1]
    now = asked.now if asked.until is None else asked.until
    if now is not None:
        ends.append(-(-now // HOUR))
    return max(ends, default=None)
