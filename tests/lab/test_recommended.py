"""Policies recommended from some days of flows, enforced by a kernel."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from cloison.analyses.matrix import Expect
from cloison.analyses.measured import RowStatus
from cloison.app.compile import in_force
from cloison.app.recommend import Wish, recommend
from cloison.flows.generator.model import Call, Made, Place
from tests.support import week
from tests.support.cli import run_cloison

pytestmark = pytest.mark.usefixtures("machine")


def _name(end: Made | Place, address: str) -> str:
    return f"{end.namespace}/{end.kind}/{end.name}" if isinstance(end, Made) else address


def _rows(calls: tuple[Call, ...]) -> list[dict[str, object]]:
    """Return what happened as tests: what is meant has to pass, what nobody means must not."""
    found = []
    for call in calls:
        source = call.src.ips[0] if isinstance(call.src, Place) else ""
        there = call.dst.ips[0] if isinstance(call.dst, Place) else ""
        if isinstance(call.src, Place) and call.src.entity != "world":
            # A kubelet's probes: a policy of pods is not asked about them.
            continue
        found.append(
            {
                "from": _name(call.src, source),
                "to": _name(call.dst, there),
                "port": call.port,
                "protocol": call.protocol,
                "expect": "allow" if call.sort == "legitimate" else "deny",
            }
        )
    return [row for number, row in enumerate(found) if row not in found[:number]]


@pytest.mark.parametrize("to", ["networkpolicy", "cilium"])
def test_what_is_meant_gets_through_a_kernel_and_what_is_not_does_not(
    tmp_path: Path, to: str
) -> None:
    made = week.week()
    log, store = week.logged(made, tmp_path / "flows.log"), tmp_path / "store"
    ran = run_cloison("flows", "ingest", "--store", str(store), str(log))
    assert ran.exit == 0, ran.err
    found, session, _ = recommend(week.session(), Wish(to, date(2026, 1, 9), store=store))
    assert found.proved, found.findings

    tests = tmp_path / "tests.yaml"
    tests.write_text(yaml.safe_dump({"tests": _rows(made.calls)}), "utf-8")
    texts = [each.text for each in found.result.files]
    enforced = in_force(session, texts, to, session.profile)
    matrix = enforced.measure([str(tests)])
    wrong = [(str(r.row), r.status) for r in matrix if r.status is not RowStatus.PASSED]
    assert not wrong
    asked = [each.row.expect for each in matrix]
    assert asked.count(Expect.ALLOW) > 60
    assert asked.count(Expect.DENY) > 15
