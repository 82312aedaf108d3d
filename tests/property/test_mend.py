"""Applying the printed change flips the verdict, and closes nothing that was open."""

import random
from collections.abc import Iterator

import yaml

from cloison.analyses.ask import Explanation
from cloison.analyses.ends import PodsEnd
from cloison.app import Session
from cloison.ir.fidelity import Verdict
from tests.oracle.raw import Manifest
from tests.support.budget import tries
from tests.support.session import load
from tests.support.worlds import Flow, FlowMaker, end_text, random_world

DENIALS = tries(300, 3000)
PORTED = ("TCP", "UDP", "SCTP")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def why(session: Session, flow: Flow) -> Explanation:
    src, dst, protocol, port, family = flow.question()
    return session.why(src, dst, protocol=protocol, port=port, family=family)


def verdict(session: Session, flow: Flow) -> Verdict:
    src, dst, protocol, port, family = flow.question()
    return session.verdict(src, dst, protocol=protocol, port=port, family=family)


def applied(objects: list[Manifest], answer: Explanation) -> list[Manifest]:
    """Return `objects` after `kubectl apply` of the mend."""
    found = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]): o for o in objects}
    for mend in answer.mend:
        for each in yaml.load_all(mend.manifest, Loader=LOADER):
            key = (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"])
            found[key] = each
    return list(found.values())


def denials() -> Iterator[tuple[int, list[Manifest], Session, list[Flow], Flow, Explanation]]:
    for seed in range(100_000, 200_000):
        rng = random.Random(seed)
        objects = random_world(rng)
        session = load(objects)
        maker = FlowMaker(objects)
        flows = [maker.flow(rng) for _ in range(8)]
        passing = [flow for flow in flows if verdict(session, flow) is Verdict.ALLOWED]
        for flow in flows:
            if flow.protocol in PORTED and flow.port is not None:
                answer = why(session, flow)
                if answer.verdict is Verdict.DENIED:
                    yield seed, objects, session, passing, flow, answer


def nameable(session: Session, flow: Flow) -> bool:
    """Whether a rule can name both ends: a pod on its node's network has only an address."""
    for end in (flow.src, flow.dst):
        if end[0] in ("pod", "workload"):
            found = session.names.end(why_name(end))
            assert isinstance(found, PodsEnd)
            for index in found.endpoints:
                endpoint = session.engine.table.endpoints[index]
                if endpoint.shape.host_network and not endpoint.addresses:
                    return False
    return True


def why_name(end: tuple[str, ...]) -> str:
    return end_text(end)


def test_applying_the_mend_flips_the_denial() -> None:
    flipped = 0
    for seed, objects, session, passing, flow, answer in denials():
        where = f"seed {seed}: {answer.question}"
        if not answer.mend:
            assert not nameable(session, flow), f"{where} has no mend"
            continue
        after = load(applied(objects, answer))
        again = why(after, flow)
        assert again.verdict is Verdict.ALLOWED, f"{where} stays {again.verdict} after\n" + (
            "---\n".join(m.manifest for m in answer.mend)
        )
        for other in passing:
            assert verdict(after, other) is Verdict.ALLOWED, f"{where} closes {other}"
        flipped += 1
        if flipped == DENIALS:
            return
