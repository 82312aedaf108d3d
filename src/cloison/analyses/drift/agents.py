"""D7: agents of the network plugin that fail: pods not ready, nodes that fell silent, losses."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from math import log
from typing import Final

from cloison.algebra import parse_address
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.nobody import enforced
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import DAY, FAST, Pace
from cloison.analyses.past.course import HOUR, Course
from cloison.base import Severity
from cloison.base.words import few, plural
from cloison.resources.world import WorkloadId

_RUN: Final = 3
"""Hours in a row in which a node has to be silent."""
_CHANCE: Final = 1e-6
"""How likely a stretch of silence may be while all is well, to be told."""
_RISE: Final = 3
"""How many times the share of lost events has to be what it was; or half of the rest is lost."""
_SHARE: Final = 0.2
"""The share of lost events from which on a rise counts."""
_LITTLE: Final = 50
"""Events of an hour below which a share says nothing."""
_LATE: Final = DAY
"""Hours without a word from anybody after which nobody watches any more."""
_SILENCE: Final = Pace(FAST.span, _RUN, DAY, 0)


def agents(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each node whose agent fails, by what objects and flows tell."""
    yield from _unready(scene)
    yield from _silent(scene)
    yield from _losing(scene)
    yield from _unwatched(scene)
    yield from _away(scene)


def _unready(scene: Scene) -> Iterator[Sign]:
    resting = 0
    for agent in scene.agents.found:
        down = [(node, pod) for node, pod in agent.down if node not in scene.agents.resting]
        rested = len(agent.down) - len(down)
        resting += rested
        missing = len(down)
        if agent.ready is not None:
            # Agents run on cordoned nodes, too: only pods that were read excuse what is missing.
            missing = max(missing, agent.ready[1] - agent.ready[0] - rested)
        if missing <= 0:
            continue
        name = agent.workload
        title = agent.title if agent.title == str(name) else f"{agent.title} ({name})"
        nodes = few(node for node, _ in down if node)
        counted = f": {agent.ready[0]} of {agent.ready[1]} pods are" if agent.ready else ""
        where = f" on {nodes}" if nodes else ""
        yield Sign(
            key=Key(Code.AGENT, f"{name.kind}/{name}"),
            severity=Severity.ERROR,
            message=f"{title} is not ready on {plural(missing, 'node')}{counted}{where}",
            help="look at it: kubectl -n "
            f"{name.namespace} get pods -o wide; policies there may be old, or not enforced",
            evidence=(
                *(Evidence(f"pod {pod} is not ready", agent.span) for _, pod in down),
                *(() if down else (Evidence("its status says so", agent.span),)),
                *_lodged(scene, {node for node, _ in down if node}),
            ),
            atom=_in_doubt(scene, {node for node, _ in down if node}),
            namespaces=(name.namespace,),
            place=agent.span,
            allow=_spared([node for node, _ in down if node]),
            remove=_restarted(name, [pod for _, pod in down]),
        )
    scene.skip(Code.AGENT, "its node is cordoned", resting, "agent")


def _lodged(scene: Scene, nodes: set[str]) -> Iterator[Evidence]:
    """Yield who lives on nodes where nobody may enforce: policies of these may be old."""
    names = {
        each.id: None
        for each in scene.workloads()
        if any(p.shape.node in nodes and not p.shape.host_network for p in each.endpoints)
    }
    if names:
        yield Evidence(f"pods of {few(map(str, names))} are on {few(sorted(nodes))}")


def _in_doubt(scene: Scene, nodes: set[str]) -> Atom | None:
    """Return the policies that nodes may enforce no more, named by one of them."""
    table = scene.engine.table
    units = BitMap(
        [
            unit
            for index, each in enumerate(table.endpoints)
            if each.shape.node in nodes and not each.shape.host_network
            for unit in table.by_endpoint[index]
        ]
    )
    held = [p for p in enforced(scene.engine) if scene.engine.binder.subject(p) & units]
    if not held:
        return None
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    return Atom(f"{held[0].id.said}{more}, which may not be in force there", held[0].span)


def _spared(nodes: list[str]) -> Step:
    if not nodes:
        return Step("where a node is meant to be without it, cordon that: kubectl cordon NODE")
    return Step(
        f"if it is meant to be down there, cordon the node: kubectl cordon {' '.join(nodes)}"
    )


def _restarted(name: WorkloadId, pods: list[str]) -> Step:
    space = f"kubectl -n {name.namespace}"
    if not pods:
        return Step(
            f"mend or replace what is not ready: {space} describe daemonset {name.name}, then "
            f"{space} rollout restart daemonset {name.name}"
        )
    return Step(
        f"read why ({space} logs {pods[0]} --previous), then replace it: {space} delete pod "
        f"{' '.join(pods)}"
    )


def _silent(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each node of which nothing was heard while others were."""
    by_node: dict[str, dict[int, int]] = defaultdict(dict)
    for each in scene.nodes:
        if each.node is not None and each.events:
            by_node[each.node][each.hour] = each.events
    if len(by_node) < len(("one", "other")):
        return
    covered = scene.windows.covered
    resting = 0
    for node, heard in sorted(by_node.items()):
        silent = _stretches(covered, heard)
        if not silent:
            continue
        if node in scene.agents.resting or _gone(scene, node):
            resting += 1
            continue
        hours = Course.of((hour, 1) for some in silent for hour in some)
        yield Sign(
            key=Key(Code.AGENT, f"node:{node}", "silent"),
            severity=Severity.ERROR,
            message=f"nothing was heard of node {node} for {plural(len(hours.hours), 'hour')} "
            "while others told of flows",
            help="look at the agent and at what collects flows on it; what happened there in these "
            "hours is not known",
            course=hours,
            pace=_SILENCE,
            evidence=(
                Evidence(f"heard in {plural(len(heard), 'hour')} of {len(covered)} covered ones"),
                *_lodged(scene, {node}),
            ),
            atom=_in_doubt(scene, {node}),
            allow=_spared([node]),
            remove=Step(
                f"mend the agent on that node: kubectl get pods -A -o wide --field-selector "
                f"spec.nodeName={node}"
            ),
        )
    scene.skip(Code.AGENT, "its node is cordoned, or there no more", resting, "node")


def _gone(scene: Scene, node: str) -> bool:
    """Return whether the input holds nodes, and this one is none of them, by name or address."""
    nodes = [each for each in scene.engine.world.nodes.values() if each.span is not None]
    if not nodes:
        return False
    try:
        # Flow records may call nodes by their addresses.
        point = parse_address(node)
    except ValueError:
        return node not in {each.name for each in nodes}
    held = {each for known in nodes for each in known.addresses}
    return bool(held) and point not in held


def _stretches(covered: tuple[int, ...], heard: Mapping[int, int]) -> list[list[int]]:
    """Return stretches of covered hours without a word that chance does not explain.

    How much an hour of the day usually brings says how odd its silence is.
    """
    first = min(heard)
    hours = [hour for hour in covered if hour >= first]
    usual = _usual(hours, heard)
    found: list[list[int]] = []
    run: list[int] = []
    for hour in [*hours, None]:
        if hour is not None and hour not in heard:
            run.append(hour)
            continue
        expected = sum(usual[each % DAY] for each in run)
        if len(run) >= _RUN and expected >= -log(_CHANCE):
            found.append(run)
        run = []
    return found


def _usual(hours: list[int], heard: Mapping[int, int]) -> dict[int, float]:
    """Return the events that an hour of the day usually brings: the middle of what it brought."""
    told: dict[int, list[int]] = defaultdict(list)
    for hour in hours:
        told[hour % DAY].append(heard.get(hour, 0))
    return {of_day: float(sorted(some)[len(some) // 2]) for of_day, some in told.items()}


def _losing(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each node that loses a good deal more than it used to."""
    by_node: dict[str | None, dict[int, tuple[int, int]]] = defaultdict(dict)
    for each in scene.nodes:
        by_node[each.node][each.hour] = (each.events, each.lost)
    for node, told in sorted(by_node.items(), key=lambda item: item[0] or ""):
        shares = {hour: lost / (seen + lost) for hour, (seen, lost) in told.items() if seen + lost}
        if len(shares) < DAY:
            continue
        # Hours with little in them are what is usual, too: else a quiet node has none but bad ones.
        usual = sorted(shares.values())[len(shares) // 2]
        most = max(_SHARE, min(_RISE * usual, (1 + usual) / 2))
        bad = [
            hour
            for hour, share in sorted(shares.items())
            if share >= most and sum(told[hour]) >= _LITTLE
        ]
        if not bad:
            continue
        where = f"node {node}" if node else "some node"
        yield Sign(
            key=Key(Code.AGENT, f"node:{node or '?'}", "losing"),
            severity=Severity.WARNING,
            message=f"{where} lost a fifth of its events or more in {plural(len(bad), 'hour')}, "
            f"usually {usual:.0%}",
            help="look at its agent's buffers, and at the load of the node",
            course=Course.of((hour, told[hour][1]) for hour in bad),
            pace=FAST,
            evidence=(Evidence(f"{sum(told[hour][1] for hour in bad):,} events were lost"),),
            allow=Step(
                "leave it, if flows of that node need not be known: accept it with an owner and a "
                "day (--accept)"
            ),
            remove=Step("give the agent more room, or the node less to do"),
            dark=True,
        )


def _away(scene: Scene) -> Iterator[Sign]:
    """Yield a sign where the live source that is followed does not answer."""
    live = scene.live
    if live is None or live.away is None:
        return
    since = f"{datetime.fromtimestamp(live.away // 1_000_000, UTC):%Y-%m-%d %H:%MZ}"
    brief = live.now - live.away < scene.bounds.propagation
    yield Sign(
        key=Key(Code.AGENT, f"relay:{live.address}", "away"),
        severity=Severity.ERROR,
        message=f"{live.address} does not answer since {since}: no flows come in",
        help="what happens meanwhile is seen only as far as nodes still hold it when it is back; "
        "it is asked again and again",
        evidence=(Evidence(live.why),),
        doubt="it may just be restarting" if brief else None,
        remove=Step(
            "bring it back: kubectl -n kube-system get pods -l k8s-app=hubble-relay; where it is "
            "reached by a port-forward, start that again"
        ),
    )


def _unwatched(scene: Scene) -> Iterator[Sign]:
    """Yield a sign where all sources of flows have fallen silent, and nobody sees a thing."""
    if not scene.watch:
        return
    # Of today no more is known than the day.
    midnight = datetime.combine(scene.today, time(), UTC)
    now = int(midnight.timestamp()) * 1_000_000 // HOUR
    if scene.until is not None:
        now = min(now, scene.until // HOUR)
    end = scene.watch.hours[-1] + 1
    if now - end <= _LATE:
        return
    since = f"{datetime.fromtimestamp(end * 3600, UTC):%Y-%m-%d %H:00Z}"
    yield Sign(
        key=Key(Code.AGENT, "flows", "silent"),
        severity=Severity.ERROR,
        message=f"nobody has watched since {since}: the store holds no flows of later",
        help="look at what collects flows and at its ingest; for a look back at what was recorded, "
        "say --until",
        evidence=(Evidence(f"the last flows are of {plural((now - end) // DAY, 'day')} ago"),),
        allow=Step("look back only, at what was recorded: say --until"),
        remove=Step(
            "let flows be collected again: cloison flows ingest, or --watch --relay HOST:PORT"
        ),
    )
