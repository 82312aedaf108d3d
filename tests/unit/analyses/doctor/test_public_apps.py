"""What the doctor finds of public applications: little, and all of it true."""

import json

import pytest

from cloison.analyses.backends import members
from cloison.app import Session, load
from cloison.app.doctor import doctor
from cloison.platform.calls import calls, configs
from cloison.platform.names import service_of
from tests.support.cli import ROOT

DATA = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="public applications are not here")


def app(name: str) -> Session:
    """Return a public application."""
    return load(str(DATA / "apps" / name))


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("online-boutique", ["MET001"]),  # every policy lets out to everywhere
        ("sock-shop", ["SEL001", "SEL003"]),  # policies say `cart`, and pods are called `carts`
        ("bank-of-anthos", []),
        # As above; and a policy about node-exporter, which is on the network of its node.
        ("kube-prometheus", ["MET001", "SEL002"]),
        ("bookinfo", []),
    ],
)
def test_findings_are_few_and_true(name: str, codes: list[str]) -> None:
    assert [each.code for each in doctor(app(name))] == codes


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
