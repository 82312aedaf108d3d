"""Calls by name, through Services and gateways: packets take the path that was predicted.

What is expected of a call is what its case says, and of worlds of this file what stands beside
them: who gets through, and as whom. The prediction has to agree hop by hop, besides.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import jsonschema
import pytest
from msgspec.structs import replace as with_fields

from cloison.analyses.matrix import Row
from cloison.analyses.measured import Agreement, MeasuredRow, RowStatus
from cloison.analyses.question import split_port
from cloison.app import Session, load, load_texts
from cloison.app.lab import blueprint
from cloison.app.measure import measured
from cloison.base.version import VERSION
from cloison.report import About, Look, render
from cloison.report.schema import schemas
from tests.conformance.platformcases import REPAIRED, PlatformCase, Run, platform_cases
from tests.lab.pathworlds import CLIENT, N2, SEEN, WORLDS, Call, PathWorld
from tests.lab.rows import REDIRECTED

AT_ONCE = 5
"""Labs that run at the same time: most of it is waiting for silence."""
CASES = tuple(case for case in platform_cases() if case.number <= 42)
NAMES = {"db.corp.example": ("10.60.0.5",)}
"""What names stand for that the settings of a case say."""
PARTS = 6
_BY_SERVICE = "policies judge it by the Service's own address, and a lab's filters by the pod's"
_OF_NODE = "to its agents it is an address of the node, and a lab's nodes have no other"
LEFT_OUT: Mapping[tuple[str, str], str] = {
    ("P7a", "shop/web 169.254.20.10:53/UDP"): _OF_NODE,
    ("P8", "shop/web svc:kube-system/kube-dns:53"): REDIRECTED,
    ("P12", "shop/web 169.254.10.11:53/UDP"): _OF_NODE,
    ("P12a", "shop/web 169.254.10.11:53/UDP"): _OF_NODE,
    ("P14", "node:worker-1 kube-system/coredns:53/TCP"): "in a lab it is known who runs where",
    ("P22", "shop/web svc:pay/pay:8080"): _BY_SERVICE,
    ("P23", "shop/web svc:pay/pay:80"): _BY_SERVICE,
    ("P30", "gw:web/public api/api"): "nothing is sent, as no ReferenceGrant permits it",
}
"""Calls of cases that are not measured, or come out otherwise than the case says, and why."""

pytestmark = pytest.mark.usefixtures("machine")


def _row(source: str, destination: str) -> Row:
    to, port = (destination, None) if destination.startswith("gw:") else split_port(destination)
    number, _, protocol = (port or "").partition("/")
    return Row(f"{source} {destination}", source, to, None, number or None, protocol or "TCP")


def _answers(session: Session, asked: Sequence[str]) -> tuple[MeasuredRow, ...]:
    rows = [_row(*text.split()) for text in asked]
    return measured(blueprint(session, rows), rows).results


def _world(objects: str) -> Session:
    return load_texts({"all.yaml": objects}, profile="calico@3.32")


def _session(run: Run) -> Session:
    cni = run.flags[run.flags.index("--cni") + 1] if "--cni" in run.flags else "auto"
    return load(str(run.directory), profile=cni, names=NAMES)


def _asked(run: Run) -> dict[str, str | None]:
    """Return the questions of a directory that are calls, with what the case says of each."""
    return {
        each["ask"]: each.get("verdict")
        for each in run.why
        if len(str(each["ask"]).split()) == 2 and not each.get("lookup")
    }


def _tried(case: PlatformCase) -> Iterator[str]:
    for name, run in case.runs.items():
        asked = _asked(run)
        found = _answers(_session(run), list(asked)) if asked else ()
        for wanted, row in zip(asked.values(), found, strict=True):
            about = (case.id, row.row.name)
            said: str | None = None
            odd = [c for c in row.cells if c.agreement is not Agreement.AGREES]
            if odd:
                said = "; ".join(f"{c.leg} {c.flow} {c.agreement}: {c.reason}" for c in odd)
            elif wanted not in (None, str(row.measured)):
                said = f"measured {row.measured}, and the case says {wanted}"
            elif row.error:
                said = row.error
            if said is not None and about not in LEFT_OUT:
                yield f"{case.id} {name}: {row.row.name}: {said}"
            elif said is None and about in LEFT_OUT and name not in REPAIRED:
                yield f"{case.id} {name}: {row.row.name} comes out now"


@pytest.mark.parametrize("part", range(PARTS))
def test_calls_of_the_cases_take_the_path_that_was_predicted(part: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = pool.map(lambda case: list(_tried(case)), CASES[part::PARTS])
        wrong = [each for found in tried for each in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_calls_arrive_as_whom_they_do_in_a_cluster(world: PathWorld) -> None:
    session = _world(world.objects)
    assert not session.diagnostics, session.diagnostics
    found = _answers(session, [f"{call.source} {call.destination}" for call in world.calls])
    wrong = [said for call, row in zip(world.calls, found, strict=True) for said in _odd(call, row)]
    assert not wrong, "\n".join(wrong)


def _odd(call: Call, row: MeasuredRow) -> Iterator[str]:
    """Yield what of a call is not as it has to be."""
    about = f"{call.source} {call.destination}"
    told = [f"{c.leg} {c.flow} {c.predicted} {c.arrival} {c.seen} {c.reason}" for c in row.cells]
    if str(row.measured) != call.measured:
        yield f"{about}: measured {row.measured}, not {call.measured}: {row.error} {told}"
    own = [cell for cell in row.cells if cell.leg is None or not cell.leg.beside]
    yield from (
        f"{about}: {c.leg} {c.flow} {c.agreement}: {c.reason}"
        for c in own
        if c.agreement is not Agreement.AGREES
    )
    seen = tuple(dict.fromkeys(cell.seen for cell in own if cell.seen))
    if seen != call.seen:
        yield f"{about}: {seen} was seen, and not {call.seen}"
    closed = [str(c.leg.role) for c in own if c.leg and str(c.measured) == "denied"]
    if call.closed is not None and call.closed not in closed:
        yield f"{about}: closed at {closed}, not at {call.closed}"


GATE = "tests/conformance/platform/P28"


def test_the_report_says_which_hop_is_not_as_predicted() -> None:
    """Another world's filters are loaded: they close what was predicted to be open."""
    rows = [_row(CLIENT, "gw:web/public")]
    right, wrong = load(f"{GATE}/repaired"), load(f"{GATE}/broken")
    made = blueprint(right, rows)
    lied = replace(made, plan=blueprint(wrong, rows, like=made.plan).plan)
    found = measured(lied, rows)
    odd = [c for c in found.cells if c.agreement is Agreement.DIFFERS]
    assert [str(c.leg) for c in odd] == ["hop 1, entry"]
    assert [r.status for r in found] == [RowStatus.FAILED]
    assert not found.passed
    about = About(VERSION, right.profile, right.settings.profile_chosen)
    text = "".join(render("measured", found, about, "text", Look(width=100)))
    assert "    hop 1, entry: 203.0.113.9 -> svc:envoy-gateway-system/envoy-web-public" in text
    document = json.loads("".join(render("measured", found, about, "json", Look())))
    jsonschema.Draft202012Validator(schemas()["measured"]).validate(document)
    legs = [each["leg"] for each in document["results"][0]["cells"]]
    assert legs[0] == {"way": 1, "hop": 1, "role": "entry"}
    assert {each["role"] for each in legs[1:]} == {"backend"}


def test_a_source_that_was_not_predicted_differs() -> None:
    """The lab is told to keep the client's address, and everybody is let in."""
    session = _world(SEEN)
    rows = [_row(CLIENT, "svc:shop/ports")]
    made = blueprint(session, rows)
    kept = tuple(with_fields(each, local=each.name == "shop/ports") for each in made.plan.services)
    lied = replace(made, plan=with_fields(made.plan, services=kept))
    (found,) = measured(lied, rows).results
    (cell,) = found.cells
    assert cell.agreement is Agreement.DIFFERS
    assert cell.reason == f"shop/web saw {CLIENT}, and {N2} was predicted"
