"""Every row of the conformance cases that packets can express, tried with packets.

What is expected is what the case says, whoever else may say so: neither the engine nor the compiler
of packet filters is asked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from cloison.app.lab import rulesets
from cloison.ir.enforcement import Ruleset
from cloison.probe.lab.client import Lab
from cloison.probe.lab.plan import Plan
from tests.conformance.cases import HERE
from tests.lab.judge import have_listeners
from tests.lab.kernel import UNANSWERED, Expected, Round, sort
from tests.lab.rows import (
    EXCLUDED,
    FILES,
    LOOKED_UP,
    MESSAGE,
    NO_TRAFFIC,
    PROTOCOL,
    REDIRECTED,
    REWRITTEN,
    SEVERAL,
    UNKNOWN,
    WITHOUT_ADDRESS,
    every_row,
)

AT_ONCE = 5
"""Labs that run at the same time: most of it is waiting for silence."""
ROUNDS = 24
"""So many rounds, at most, one after another in one lab."""
LEFT_OUT = {
    "networkpolicy": {UNKNOWN: 9, SEVERAL: 1, REWRITTEN: 1, WITHOUT_ADDRESS: 2, MESSAGE: 2},
    "adminpolicy": {UNKNOWN: 4, PROTOCOL: 1},
    "adminpolicy-v1alpha1": {UNKNOWN: 2, PROTOCOL: 1},
    "calico": {UNKNOWN: 3, SEVERAL: 1, MESSAGE: 2, UNANSWERED: 2},
    "calico-fields": {},
    "cilium": {NO_TRAFFIC: 15, MESSAGE: 1},
    "cilium-fields": {},
    "cilium-networkpolicy": {NO_TRAFFIC: 1},
    "cilium-open": {UNKNOWN: 4, LOOKED_UP: 3},
    "cilium-requests": {NO_TRAFFIC: 21, LOOKED_UP: 5, UNKNOWN: 1},
    "cilium-state": {REDIRECTED: 2},
    "published-cilium": {MESSAGE: 3, LOOKED_UP: 8},
}
"""How many rows of each file packets cannot express, by why: all others are measured."""


def _labs(rounds: Sequence[Round]) -> Iterator[list[Round]]:
    """Yield rounds that can share a lab."""
    alike: dict[bytes, list[Round]] = defaultdict(list)
    for each in rounds:
        alike[msgspec.json.encode(each.bare)].append(each)
    for members in alike.values():
        for start in range(0, len(members), ROUNDS):
            yield members[start : start + ROUNDS]


def _tried(rounds: Sequence[Round]) -> list[str]:
    """Build a lab, apply the policies of each round, and say what is not as expected."""
    wrong: list[str] = []
    every = [probe for each in rounds for row in each.rows for probe in row.probes]
    with Lab.up(rounds[0].bare) as lab:
        have_listeners(lab, every, rounds[0].plan)
        unpoliced = list(dict.fromkeys(every))
        for probe, found in zip(unpoliced, lab.probe(unpoliced), strict=True):
            if not found.arrived:
                wrong.append(f"{probe}: {found.outcome} {found.detail} without any policy")
        told: dict[str, str] = {}
        for each in rounds:
            older = [row for row in each.rows if row.older]
            held = _opened(lab, older, each.plan) if older else {}
            changed = {n: s for n, s in each.plan.rulesets.items() if older or told.get(n) != s}
            changed |= {n: each.plan.rulesets[n] for n in each.plan.proxies}
            lab.apply(changed, each.plan.proxies)
            told |= changed
            wrong += _compared(lab, [row for row in each.rows if not row.older])
            wrong += _outlived(lab, held)
    return wrong


def _opened(lab: Lab, rows: Sequence[Expected], plan: Plan) -> dict[int, Expected]:
    """Open connections while there are no policies."""
    lab.apply(rulesets(Ruleset(()), plan))
    probes = [(row, probe) for row in rows for probe in row.probes]
    held = lab.hold([probe for _, probe in probes])
    return {number: row for number, (row, _) in zip(held, probes, strict=True)}


def _outlived(lab: Lab, held: Mapping[int, Expected]) -> Iterator[str]:
    """Yield what is not as expected of connections that policies came to."""
    for number, works in zip(held, lab.still(list(held)) if held else (), strict=True):
        row = held[number]
        if works is not row.arrives:
            yield f"{row.asked}: works: {works}, and the case says {row.asked.row.verdict}"
    lab.release(list(held))


def _compared(lab: Lab, rows: Sequence[Expected]) -> Iterator[str]:
    """Yield what is not as expected of new connections."""
    measured = iter(lab.probe([probe for row in rows for probe in row.probes]))
    for row in rows:
        for probe in row.probes:
            found = next(measured)
            if row.wrong(found.outcome):
                yield (
                    f"{row.asked}: {probe} {found.outcome} {found.detail}, and the case says "
                    f"{row.asked.row.verdict}: {row.asked.case.why}"
                )


def test_every_file_of_cases_is_tried_or_left_out_for_a_reason() -> None:
    there = sorted(path.stem for path in (HERE / "cases").glob("*.yaml"))
    assert sorted((*FILES, *EXCLUDED)) == there


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("file", FILES)
def test_a_kernel_does_what_the_cases_say(file: str) -> None:
    found = sort(asked for asked in every_row() if asked.file == file)
    assert found.left_out == LEFT_OUT[file]
    labs = list(_labs(found.rounds))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [text for found in pool.map(_tried, labs) for text in found]
    assert not wrong, "\n".join([f"{len(wrong)} difference(s)", *wrong[:30]])
