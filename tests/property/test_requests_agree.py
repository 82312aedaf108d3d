"""`relate` and `portability --between` against `why`, request by request, where Cilium enforces."""

import copy
import json
import random
from collections import Counter
from typing import Any

import pytest

from cloison.algebra import Request, RequestSet, TrafficSet, address_text
from cloison.analyses.connectivity import EndRef
from cloison.analyses.request import usual
from cloison.app import Session
from cloison.app.between import compare, sides
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from cloison.platform import profile
from tests.oracle.raw import Manifest
from tests.property.test_cilium_random import Question, samples, session
from tests.support import ciliumwords as made
from tests.support.budget import tries
from tests.support.chances import chance

CHUNKS = 2
WORLDS = tries(8, 60)
COMPARED = tries(3, 12)
SHOWN = 8
"""Differences of one world that are asked about."""
DEFINITE = (Verdict.ALLOWED, Verdict.DENIED)


def changed(rng: random.Random, objects: list[Manifest]) -> list[Manifest]:
    """Return the same with other requests in some rules."""
    found = copy.deepcopy(objects)
    for each in found:
        _change(rng, each)
    return found


def _change(rng: random.Random, part: Any) -> None:
    if isinstance(part, dict):
        for rule in part["http"] if isinstance(part.get("http"), list) else ():
            if chance(rng, 0.6):
                rule["path"] = rng.choice(made.PATH_PATTERNS)
            if chance(rng, 0.3):
                rule["method"] = rng.choice(made.METHOD_PATTERNS)
        for each in part.values():
            _change(rng, each)
    elif isinstance(part, list):
        for each in part:
            _change(rng, each)


def told(end: EndRef) -> str:
    if end.addresses is not None:
        return address_text(end.addresses.spans[0][0])
    kind = f"{end.type.lower()}/" if end.kind == "workload" else "pod/" if end.kind == "pod" else ""
    return f"{end.namespace}/{kind}{end.name}" if end.namespace else str(end)


def said(request: Request) -> dict[str, str] | None:
    """Return a request as questions have it; None for what cannot be asked about."""
    if request.kind == "dns":
        return {"dns": request.name} if request.name else None
    if request.kind != "http":
        return {"sni": request.sni} if request.sni and request.kind is None else None
    fields = {"method": request.method, "path": request.path, "host": request.host}
    parts = {name: value for name, value in fields.items() if value}
    found = {"http": json.dumps(parts | {"headers": dict(request.headers)})}
    return found | ({"sni": request.sni} if request.sni else {})


def verdict(
    asked: Session, ends: tuple[EndRef, EndRef], traffic: TrafficSet, requests: RequestSet | None
) -> Verdict | None:
    """Return what `why` says of one flow; None for what it cannot be asked about."""
    entry = next(iter(traffic.entries()))
    request = None if requests is None else usual(requests)
    about = {} if request is None else said(request)
    if about is None or entry.low is None or entry.protocol.startswith("ICMP"):
        return None
    try:
        answer = asked.why(*map(told, ends), port=entry.low, protocol=entry.protocol, **about)
    except QuestionError:
        return None
    return answer.verdict


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_shows_a_relation_is_what_why_says(chunk: int) -> None:
    seen: Counter[object] = Counter()
    for seed in range(chunk, WORLDS, CHUNKS):
        world, questions = samples(seed)
        one = session(world)
        world.objects = changed(random.Random(seed), world.objects)
        other = session(world)
        for first, second in ((one, other), (other, one)):
            found = first.relate("contained", second)
            seen[found.holds] += 1
            if found.holds:
                passing = [q for q in questions if asked(first, q) is Verdict.ALLOWED]
                assert all(asked(second, q) is not Verdict.DENIED for q in passing), seed
            flow = found.flow
            if flow is None or found.holds is None:
                continue
            seen["by request"] += flow.requests is not None
            for which, known in ((first, flow.first), (second, flow.second)):
                answer = verdict(which, (flow.src, flow.dst), flow.traffic, flow.requests)
                assert answer in (known.verdict, Verdict.MIXED, None), (seed, found)
                seen["asked"] += answer is known.verdict
    assert min(seen[True], seen[False], seen["asked"], seen["by request"]), seen


def asked(which: Session, question: Question) -> Verdict:
    src, dst, about = question.told()
    return which.why(src, dst, **about).verdict


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_differs_between_enforcers_is_what_why_says(chunk: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, COMPARED, CHUNKS):
        world, _ = samples(seed)
        pair = sides(session(world), profile(world.profile), profile("calico@3.32"))
        differences = compare(*pair).differences
        asking = [each for each in differences if each.requests is not None]
        for each in [*asking[:SHOWN], *differences[: SHOWN // 2]]:
            source, target = each.sources[0], each.destinations[-1]
            if source == target:
                continue
            for which, known in zip(pair, (each.first, each.second), strict=True):
                if known in DEFINITE:
                    answer = verdict(which, (source, target), each.traffic, each.requests)
                    assert answer in (known, Verdict.MIXED, None), (seed, each, answer)
                    seen["by request" if each.requests else "all"] += answer is known
    assert seen.total(), seen
