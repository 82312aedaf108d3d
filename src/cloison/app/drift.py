"""What has drifted in the cluster of a session, against what was and what is meant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloison.algebra import AddressSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.drift.checks import CHECKS
from cloison.analyses.drift.edge import Edge, edges
from cloison.analyses.drift.examine import Wanted, examine
from cloison.analyses.drift.labels import keys_used
from cloison.analyses.drift.model import (
    Change,
    Code,
    Drift,
    Known,
    Memory,
    State,
)
from cloison.analyses.drift.scene import BOUNDS, Bounds, Scene
from cloison.analyses.egress import Seen as Sources
from cloison.analyses.egress.way import Ways
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.link import Link, links
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
from cloison.app.driftfiles import baseline, remember, remembered, swept
from cloison.app.past import past
from cloison.app.seennames import taught
from cloison.base import QuestionError, unhurried
from cloison.intent import Contract
from cloison.intent.read import is_contract
from cloison.ir.policy import PolicyId

if TYPE_CHECKING:
    from cloison.app.session import Session
    from cloison.flows.health import Changed, Told

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


def drift(
    session: "Session", asked: Asked, before: "Session | None" = None, against: str | None = None
) -> tuple[Drift, bool]:
    """Return what has drifted, and whether all of the contract could be read.

    Where a state file is named, what is found is remembered in it.

    Args:
        session: A session that was read with `runtime`.
        asked: What is asked about.
        before: The cluster as it was, read likewise; None where nobody says.
        against: What that is called.

    Raises:
        SourceError: A contract, the store, the baseline or the state cannot be read.
        QuestionError: There is no such check, or no contract in a file that was named.
    """
    checks = _checks(asked.checks)
    accepted, _ = baseline(asked.baseline, asked.today)
    if asked.state is not None:
        swept(asked.state)
    memory = remembered(asked.state)
    with unhurried():
        scene, whole = _scene(session, asked, memory, before)
        wanted = Wanted(
            checks,
            frozenset(asked.namespaces),
            accepted,
            None if asked.since is None else asked.since // HOUR,
        )
        found, known = examine(scene, wanted)
    if asked.state is not None:
        remember(asked.state, _memory(scene, memory, found, known))
    told = against if before is not None else "the last run" if memory.ran else None
    store = None if asked.store is None else str(asked.store)
    return replace(found, store=store, against=told), whole


def _checks(names: Sequence[str]) -> tuple[Code, ...]:
    found: list[Code] = []
    for name in names:
        try:
            found.append(Code(name.upper()))
        except ValueError:
            msg = f"there is no check {name!r}"
            raise QuestionError(msg, f"known: {', '.join(CHECKS)}") from None
    return tuple(found)


def _agreed(session: "Session", contracts: Sequence[str]) -> Agreed | None:
    """Return the contract of a session; None where there is none and none was named."""
    if not contracts and not any(is_contract(each) for each in session.own):
        return None
    return agreed(session, contracts)


def _scene(
    session: "Session", asked: Asked, memory: Memory, before: "Session | None"
) -> tuple[Scene, bool]:
    """Return what checks look at, and whether all of the contract could be read."""
    contract = _agreed(session, asked.contracts)
    seen: tuple[Seen, ...] = ()
    watch: Watch = UNWATCHED
    nodes: tuple[Told, ...] = ()
    changes: tuple[Change, ...] = ()
    if asked.store is not None:
        seen, watch = past(asked.store, (None, asked.until))
        nodes, changes = _health(asked.store, asked.until)
    meaning = contract.contract if contract is not None else Contract()
    session = for_contract(session, meaning)
    session, _ = taught(session, meaning, seen)
    scene = _still(session, asked, contract)
    if before is not None:
        there = _agreed(before, asked.contracts)
        old = for_contract(before, there.contract if there is not None else Contract())
        scene = replace(scene, before=_still(old, asked, there))
    scene = replace(
        scene,
        edges=_edges(session, scene, contract, seen, watch),
        watch=watch,
        nodes=nodes,
        changes=changes,
        memory=_aware(session, memory),
        ask=lambda question: _asked(session, question),
        flows=asked.store is not None,
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
    )


def _edges(
    session: "Session",
    scene: Scene,
    contract: Agreed | None,
    seen: tuple[Seen, ...],
    watch: Watch,
) -> tuple[Edge, ...]:
    here, _ = placed(seen, Finder(session.names, scene.engine.world))
    wanted = scene.wanted
    if contract is None:
        sources = assumed(scene.engine, scene.site)
        known = contracted(session, Agreed(Contract()))
        wanted, _ = meant(scene.engine, scene.site, Contract(), known, sources)
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
    return edges(judged(links(here), watch, is_meant), is_meant, names)


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


def _health(store: Path, until: int | None) -> "tuple[tuple[Told, ...], tuple[Change, ...]]":
    from cloison.flows.health import changes, told  # noqa: PLC0415 - only with the extra

    return told(store, None, until), tuple(map(_change, changes(store, None, until)))


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
    """Return what tells the policies of a session from others."""
    told = sorted(
        repr((str(p.id), p.id.kind, p.subjects, sorted(p.isolates), p.rules, p.tier, p.mode))
        for p in session.policies.policies
    )
    return sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _aware(session: "Session", memory: Memory) -> Memory:
    """Return a memory that knows whether policies are as they were when it last saw them."""
    digest = _digest(session)
    if not memory.ran or digest == memory.policies:
        return replace(memory, policies=digest)
    # They became so at some time since; before the next hour that is judged, at the latest.
    return replace(
        memory, policies=digest, since=None if memory.until is None else memory.until + 1
    )


def _memory(scene: Scene, before: Memory, found: Drift, known: Mapping[str, Known]) -> Memory:
    """Return what to remember of a run.

    What changed and nobody accepted is remembered as it was: it stays a finding.
    """
    world = scene.engine.world
    used = keys_used(scene.engine.policies.policies)
    labels = {
        name: {key: each.labels[key] for key in sorted(used) if key in each.labels}
        for name, each in world.namespaces.items()
    }
    ranges = {name: tuple(a.blocks()) for name, a in scene.published.items()}
    for key, state in known.items():
        code, _, rest = key.partition("|")
        if state.state is not State.CONFIRMED:
            continue
        subject, _, rest = rest.partition("|")
        if code == Code.LABELS and subject in labels:
            label = rest.partition("|")[0]
            was = before.labels.get(subject, {}).get(label)
            labels[subject].pop(label, None)
            if was is not None:
                labels[subject][label] = was
        external = subject.removeprefix("external:")
        if code == Code.RANGES and external in before.ranges:
            ranges[external] = before.ranges[external]
    return Memory(
        scene.began,
        found.last if found.last is not None else before.until,
        known,
        labels,
        ranges,
        scene.memory.policies,
        scene.memory.since,
        ran=True,
    )
