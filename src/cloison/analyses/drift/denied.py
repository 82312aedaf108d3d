"""D2: what policy denies again and again, scans apart from callers that lack a rule."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from cloison.analyses.drift.edge import Edge
from cloison.analyses.drift.model import Code, Evidence, Key, Sign
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import AGAIN
from cloison.analyses.past.course import Course
from cloison.analyses.past.link import shown
from cloison.analyses.past.sorts import Sort
from cloison.base import Severity
from cloison.base.words import few, plural

_EPHEMERAL: Final = 32768
"""The first port that callers take for themselves, on Linux."""
_SCAN: Final = 8
"""Destinations and ports that nobody means from which on a caller tries what there is."""


def denied(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each edge that was denied, and one for each source that scans."""
    scans: dict[str, list[Edge]] = defaultdict(list)
    talking = {(edge.source, edge.destination) for edge in scene.edges if edge.allowed}
    replies = 0
    single: list[Edge] = []
    for edge in scene.edges:
        if not edge.denied:
            continue
        if edge.port >= _EPHEMERAL and (edge.destination, edge.source) in talking:
            replies += 1
        elif edge.sort is Sort.SCAN:
            scans[edge.source].append(edge)
        else:
            single.append(edge)
    lasting: set[int] = set()
    for source, tried in _lasting(single).items():
        scans[source] += tried
        lasting.update(map(id, tried))
    for edge in single:
        if id(edge) not in lasting:
            yield _edge(scene, edge)
    reason = "what was denied looks like the reply to a connection that nobody remembered"
    scene.skip(Code.DENIED, reason, replies)
    for source, some in scans.items():
        yield _scan(source, some)


def _lasting(some: list[Edge]) -> dict[str, list[Edge]]:
    """Return what sources try that keep going: so much of it that it is a scan all the same.

    What is meant, or got through at times, is a caller's that lacks a rule.
    """
    found: dict[str, list[Edge]] = defaultdict(list)
    for edge in some:
        if not edge.meant and not edge.allowed:
            found[edge.source].append(edge)
    return {
        source: tried
        for source, tried in found.items()
        if len({(e.destination, e.protocol, e.port) for e in tried}) >= _SCAN
    }


def _edge(scene: Scene, edge: Edge) -> Sign:
    hours = len(edge.denied.hours)
    times = plural(edge.denied.total, "connection")
    told = f"{times} denied in {plural(hours, 'hour')} ({', '.join(edge.adapters)})"
    evidence = [Evidence(told)]
    if edge.allowed.hours:
        evidence.append(Evidence(f"{plural(edge.allowed.total, 'connection')} got through"))
    severity = Severity.ERROR if edge.meant else Severity.WARNING
    need = "the contract means it" if edge.meant else "nobody means it"
    return Sign(
        key=Key(Code.DENIED, edge.source, edge.destination, edge.protocol, edge.port_text),
        severity=severity,
        message=f"{edge.text} is denied again and again, and {need}",
        help="allow it, if the caller needs it"
        if edge.meant
        else "find out what calls, and why: "
        "allow it and write it into the contract, or stop the caller",
        workloads=edge.inside,
        course=edge.denied,
        pace=AGAIN,
        evidence=tuple(evidence),
        asked=scene.question(edge),
        brief=edge.text,
        namespaces=edge.namespaces,
        meant=edge.meant,
    )


def _scan(source: str, some: list[Edge]) -> Sign:
    """Return a sign for a source that tries many ports or destinations."""
    course = Course.together(edge.denied for edge in some)
    whom = few(edge.text.partition(" -> ")[2] for edge in some)
    return Sign(
        key=Key(Code.DENIED, source, "many"),
        severity=Severity.WARNING,
        message=f"{shown(source)} tries {plural(len(some), 'edge')} that policy denies: {whom}",
        help="find out who is in there, before anything of it is allowed",
        workloads=some[0].inside[:1],
        course=course,
        pace=AGAIN,
        evidence=(Evidence(_why(some)),),
        namespaces=some[0].namespaces[:1],
        doubt=None,
    )


def _why(some: list[Edge]) -> str:
    """Return why edges are a scan: as one of them was judged, or because there are so many."""
    judged = next((edge.why for edge in some if edge.sort is Sort.SCAN), None)
    hours = plural(len({hour for edge in some for hour in edge.denied.hours}), "hour")
    return judged or f"it tried {len(some)} destinations and ports that nobody means, in {hours}"
