"""On random worlds a kernel does what the engine says, and what counts packets is what `why` names.

Seeds are fixed, so a run is the same everywhere. `CLOISON_WORLDS` asks for more worlds.
"""

import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from cloison.probe.lab.client import Lab
from tests.lab.judge import Findings, have_listeners, judged
from tests.lab.trials import DENIED, PROBES, Drawn, drawn

WORLDS, NIGHTLY = 20, 320
CHUNK = 5
"""Worlds of one test. They are tried at the same time: most of it is waiting for silence."""
MORE = max(int(os.environ.get("CLOISON_WORLDS", "0")), NIGHTLY)


def tried(found: Drawn) -> Findings:
    """Build a world, send its probes without policies and with, and compare."""
    with Lab.up(msgspec.structs.replace(found.plan, rulesets={})) as lab:
        have_listeners(lab, (t.probe for t in found.trials), found.plan)
        unpoliced = [msgspec.structs.replace(t.probe, source_port=0) for t in found.trials]
        silent = [
            f"{trial.cell}: {measured.outcome} {measured.detail} without any policy"
            for trial, measured in zip(found.trials, lab.probe(unpoliced), strict=True)
            if not measured.arrived
        ]
        lab.apply(found.plan.rulesets)
        anew = found.session.profile.keeps_connections is False
        findings = judged(lab, found.trials, anew=anew)
    findings.differences[:0] = silent
    return findings


def agree(seeds: Iterable[int]) -> None:
    """Try worlds, and see that enough was measured and all of it is as predicted."""
    worlds = [drawn(seed) for seed in seeds]
    with ThreadPoolExecutor(CHUNK) as pool:
        results = list(zip(worlds, pool.map(tried, worlds), strict=True))
    wrong = [f"{found.name}: {text}" for found, f in results for text in f.differences]
    assert not wrong, "\n".join([f"{len(wrong)} difference(s)", *wrong[:20]])
    left_out: Counter[str] = Counter()
    for found, findings in results:
        assert len(found.trials) == findings.outcomes.total() == PROBES >= 60
        assert found.denied >= DENIED * PROBES
        assert findings.counted >= 0.85 * PROBES * found.counted
        left_out += found.left_out
    assert left_out.total() <= PROBES * len(results)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("first", range(0, WORLDS, CHUNK))
def test_a_kernel_does_what_the_engine_says(first: int) -> None:
    agree(range(first, first + CHUNK))


@pytest.mark.nightly
@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("first", range(WORLDS, WORLDS + MORE, CHUNK))
def test_a_kernel_does_what_the_engine_says_on_more_worlds(first: int) -> None:
    agree(range(first, first + CHUNK))
