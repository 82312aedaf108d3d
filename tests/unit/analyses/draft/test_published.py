"""Drafts of public applications find what these call, and hardly anything else."""

from pathlib import Path

import pytest

from benchmarks.init.score import Case, Result, cases, scored
from cloison.intent.read import Reading
from tests.support.cli import ROOT, run_cloison
from tests.unit.intent.said import reading

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not (DATA / "flows" / "ground-truth").is_dir() or not (DATA / "apps").is_dir(),
    reason="the public applications are not beside the checkout",
)

# Of each: how many calls are found and how many are drafted, at once and with suggestions.
EXPECTED = {
    ("online-boutique", False): ((16, 16), (16, 16)),
    ("online-boutique", True): ((16, 16), (16, 16)),
    ("sock-shop", False): ((1, 1), (10, 12)),
    ("sock-shop", True): ((14, 14), (15, 15)),
    # Two of the six calls of bookinfo are of workloads that this file does not have.
    ("bookinfo", False): ((0, 0), (3, 3)),
    ("bank-of-anthos", False): ((12, 13), (12, 15)),
}
TRUTH = {"online-boutique": 16, "sock-shop": 15, "bookinfo": 6, "bank-of-anthos": 12}
BEATEN = {"online-boutique": 16, "sock-shop": 4, "bookinfo": 3, "bank-of-anthos": 12}
"""What static synthesis is published to find, and one more where it does not find all."""


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, bool], Result]:
    every: list[Case] = list(cases(DATA))
    return {(each.app, each.policies): scored(DATA, each) for each in every}


def test_every_application_comes_to_the_numbers_that_are_told(
    results: dict[tuple[str, bool], Result],
) -> None:
    found = {
        key: tuple((s.right, len(s.drafted)) for s in (each.counting, each.confirmed))
        for key, each in results.items()
    }
    assert found == EXPECTED
    assert {key[0]: len(each.counting.truth) for key, each in results.items()} == TRUTH


def test_manifests_alone_find_more_than_is_published(
    results: dict[tuple[str, bool], Result],
) -> None:
    for app, least in BEATEN.items():
        found = results[app, False].confirmed
        assert found.right >= least
        assert found.precision >= 0.8


def test_recorded_flows_count_and_what_a_person_tried_among_them_does_not(tmp_path: Path) -> None:
    recorded = DATA / "flows" / "hubble" / "basic-sample-400-tcp-flows.jsonl"
    text = (DATA / "apps" / "bookinfo" / "bookinfo_deployments.yaml").read_text("utf-8")
    manifests, store = tmp_path / "bookinfo.yaml", tmp_path / "store"
    manifests.write_text(text.replace("namespace: default", "namespace: bookinfo"), "utf-8")
    assert run_cloison("flows", "ingest", str(recorded), "--store", str(store)).exit == 0
    ran = run_cloison("contract", "init", "-f", str(manifests), "--flows", str(store))
    assert ran.exit == 0, ran.err
    found: Reading = reading(ran.out)
    assert found.diagnostics == ()
    assert [str(each) for each in found.contract.dependencies] == [
        "bookinfo/productpage-v1 -> bookinfo/details-v1 on 9080",
        "bookinfo/productpage-v1 -> bookinfo/reviews-v2 on 9080",
        "bookinfo/productpage-v1 -> bookinfo/reviews-v3 on 9080",
        "bookinfo/reviews-v2 -> bookinfo/ratings-v1 on 9080",
    ]
    assert "#   from: bookinfo/ratings-v1\n  #   to: bookinfo/productpage-v1" in ran.out
