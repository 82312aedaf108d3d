"""Checks of what a platform needs, on public applications: few findings, and all of them true."""

import json

import pytest

from cloison.analyses.backends import members
from cloison.app import Session, load
from cloison.app.doctor import doctor
from cloison.platform.calls import calls, configs, service_of
from tests.support.cli import ROOT

DATA = ROOT.parent / "shared" / "data"
MINE = (
    "D-CALL",
    "D-API",
    "D-WEBHOOK",
    "D-SCRAPE",
    "D-IMDS",
    "D-PEER",
    "D-JOB",
    "D-CERT",
    "D-TELEMETRY",
    "D-READ",
)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="public applications are not here")


def app(name: str) -> Session:
    """Return a public application."""
    return load(str(DATA / "apps" / name))


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("online-boutique", ["MET001"]),  # every policy lets out to everywhere
        ("sock-shop", []),
        ("bank-of-anthos", []),
        ("kube-prometheus", ["MET001"]),  # as above
        ("bookinfo", []),
    ],
)
def test_findings_are_few_and_true(name: str, codes: list[str]) -> None:
    assert [each.code for each in doctor(app(name), (), MINE)] == codes


def test_the_environment_names_every_call_that_was_counted_by_hand() -> None:
    for name in ("online-boutique", "bank-of-anthos"):
        session = app(name)
        lines = (DATA / "flows" / "ground-truth" / f"{name}.jsonl").read_text().splitlines()
        counted = {(row["src"], row["dst"]) for row in map(json.loads, lines)}
        known, found = configs(session.world), set()
        for workload in session.world.workloads.values():
            run, space = workload.endpoints[0].shape.runtime, workload.id.namespace
            for call in calls(known, space, run):
                key = service_of(session.world, space, call.host)
                if key is None:
                    continue
                for end, _ in members(session.engine, session.world.services[key]).ends:
                    found.add((workload.id.name, end.text.partition("/")[2]))
        assert counted <= found
