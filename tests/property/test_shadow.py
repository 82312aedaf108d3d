"""What a candidate would have denied, against one question at a time."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from cloison.analyses.ask import Mend, Question, verdict_only
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.watch import Watch
from cloison.analyses.question import parse_traffic
from cloison.analyses.reconcile.seen import Became, Seen
from cloison.analyses.shadow.model import Edge, Fate
from cloison.app import load_objects
from cloison.app.session import Session
from cloison.app.shadow import Recorded, shadowed
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from tests.oracle.raw import Manifest
from tests.property.test_cube import ADDRESSES, names, seen_end
from tests.support.adminpolicies import Seen as Vocabulary
from tests.support.budget import tries
from tests.support.calicopolicies import CalicoMaker
from tests.support.ciliumpolicies import cilium_world
from tests.support.worlds import random_world

WORLDS = tries(20, 30)
PORTS = ("80/TCP", "8080/TCP", "53/UDP", "53/TCP", "9/SCTP", "icmp/8")
BECAME: tuple[Became, ...] = ("allowed", "allowed", "denied", "audited", "unknown", "error")
LET = ("allowed", "audited")
Point = tuple[str, str, str]
Made = tuple[list[Manifest], dict[str, Any]]


def plain(rng: random.Random) -> Made:
    return random_world(rng), {"profile": "generic"}


def calico(rng: random.Random) -> Made:
    objects = random_world(rng)
    objects += CalicoMaker(Vocabulary(objects), rng).objects(rng.randint(1, 7))
    return objects, {"profile": "calico@3.32"}


def cilium(rng: random.Random) -> Made:
    made = cilium_world(rng, random_world(rng), rng.randint(2, 8))
    return made.objects, {"profile": "cilium@1.19", "cilium": made.switches}


def sides(rng: random.Random, made: Made) -> tuple[Session, Session]:
    """Return a cluster before and with a candidate: some policies are other ones, or missing."""
    objects, said = made
    before = [o for o in objects if not _policy(o) or rng.random() < 0.5]
    after = [o for o in objects if not _policy(o) or rng.random() < 0.7]
    return load_objects(before, runtime=True, **said), load_objects(after, runtime=True, **said)


def _policy(manifest: Manifest) -> bool:
    return str(manifest["kind"]).endswith("Policy")


def rows(rng: random.Random, ends: list[str]) -> list[tuple[Point, Seen]]:
    """Return what several sources saw, in some hours."""
    found = []
    for number in range(rng.randint(1, 30)):
        source, destination = rng.choice(ends), rng.choice(ends)
        side = rng.random()
        if side < 0.15:
            source = rng.choice(ADDRESSES)
        elif side < 0.4:
            destination = rng.choice(ADDRESSES)
        port = rng.choice(PORTS)
        count, hour = rng.randint(1, 9), rng.randint(0, 30)
        seen = Seen(
            seen_end(source),
            seen_end(destination),
            protocol=port.partition("/")[2] if port[0].isdigit() else "ICMP",
            port=int(port.partition("/")[0]) if port[0].isdigit() else None,
            became=rng.choice(BECAME),
            count=count,
            first=hour * HOUR,
            last=hour * HOUR,
            adapters=(f"a{number % 2}",),
            initiator=rng.choice(("known", "known", "known", "inferred", "unknown")),
            icmp_type=8 if port == "icmp/8" else None,
            course=Course((hour,), (count,)),
        )
        found.append(((source, destination, port), seen))
    return found


def verdict(session: Session, point: Point) -> Verdict:
    """Return the verdict on a point by a single question."""
    source, destination = (session.names.end(text) for text in point[:2])
    try:
        return verdict_only(session.engine, Question(source, destination, parse_traffic(point[2])))
    except QuestionError:
        return Verdict.UNDETERMINED


def point_of(edge: Edge) -> Point:
    key = edge.key
    port = "icmp/8" if key.protocol == "ICMP" else f"{key.port}/{key.protocol}"
    return kinded(key.source), kinded(key.destination), port


def kinded(name: str) -> str:
    """Return a name as these tests write it: single pods with their kind."""
    return name.replace("/", "/Pod/") if name.count("/") == 1 else name


def is_block(text: str) -> bool:
    return text[0].isdigit()


def most(seen: list[Seen]) -> int:
    """Return how many connections there were: those of the source that tells of most."""
    by_source: Counter[tuple[str, ...]] = Counter()
    for each in seen:
        by_source[each.adapters] += each.count
    return max(by_source.values())


@pytest.mark.parametrize("world", [plain, calico, cilium])
@pytest.mark.parametrize("chunk", range(2))
def test_what_would_be_denied_is_what_single_questions_say(
    chunk: int, world: Callable[[random.Random], Made]
) -> None:
    told: Counter[Fate] = Counter()
    for seed in range(chunk, WORLDS, 2):
        rng = random.Random(f"shadow {seed}")
        before, after = sides(rng, world(rng))
        ends = names(after)
        if not ends:
            continue
        ends = rng.sample(ends, min(len(ends), 5))
        every = rows(rng, ends)
        recorded = Recorded(tuple(seen for _, seen in every), Watch({"a0": tuple(range(31))}))
        found = shadowed(before, after, recorded)
        placed: dict[Point, list[Seen]] = defaultdict(list)
        for point, seen in every:
            outside = is_block(point[0]) and is_block(point[1])
            if seen.initiator != "unknown" and not outside:
                placed[point].append(seen)
        assert len(found.unplaced) == len(every) - sum(map(len, placed.values()))
        wanted: dict[Fate, dict[Point, int]] = defaultdict(dict)
        for point, some in placed.items():
            now = verdict(after, point)
            for fate, became in (
                (Fate.DENIED if now is Verdict.DENIED else None, LET),
                (Fate.STILL if now is Verdict.DENIED else None, ("denied",)),
                (Fate.OPENED if now is Verdict.ALLOWED else None, ("denied",)),
                (Fate.PASSING if now is Verdict.ALLOWED else None, LET),
            ):
                here = [seen for seen in some if seen.became in became]
                if fate is not None and here:
                    wanted[fate][point] = most(here)
        for fate in (Fate.DENIED, Fate.STILL, Fate.OPENED, Fate.PASSING):
            got = {point_of(edge): edge.connections for edge in found.of(fate)}
            assert got == wanted[fate], (seed, fate)
            assert len(got) == len(found.of(fate))
            told[fate] += len(got)
        for edge in found.of(Fate.DENIED):
            assert edge.before is verdict(before, point_of(edge))
            assert edge.sides, (seed, edge)
        open_ = (*found.of(Fate.UNDETERMINED), *found.of(Fate.ALIKE))
        assert all(verdict(after, point_of(e)) not in _SURE for e in open_)
        in_findings = [e for finding in found.findings for e in finding.edges]
        assert sorted(map(point_of, in_findings)) == sorted(wanted[Fate.DENIED])
    assert min(told[fate] for fate in (Fate.DENIED, Fate.STILL, Fate.OPENED, Fate.PASSING)) > 3


_SURE = (Verdict.ALLOWED, Verdict.DENIED)


def test_mends_of_a_finding_let_its_edges_through() -> None:
    let = 0
    for seed in range(25):
        rng = random.Random(f"shadow mend {seed}")
        objects = random_world(rng)
        after = load_objects(objects, profile="generic", runtime=True)
        before = load_objects([o for o in objects if not _policy(o)], runtime=True)
        ends = names(after)
        if not ends:
            continue
        recorded = Recorded(tuple(seen for _, seen in rows(rng, ends)))
        for finding in shadowed(before, after, recorded).findings:
            if not finding.mends:
                continue
            mended = load_objects(applied(objects, finding.mends), profile="generic", runtime=True)
            for edge in finding.edges:
                source, destination, port = point_of(edge)
                if after.why(source, destination, port=port).mend:
                    assert mended.verdict(source, destination, port=port) is Verdict.ALLOWED, seed
                    let += 1
    assert let > 10


def applied(objects: list[Manifest], mends: tuple[Mend, ...]) -> list[Manifest]:
    """Return objects after all of some mends."""
    found = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]): o for o in objects}
    for mend in mends:
        for each in yaml.safe_load_all(mend.manifest):
            key = (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"])
            found[key] = each
    return list(found.values())
