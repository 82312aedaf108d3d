"""What an ordered tier costs the engine, beside the same cluster without it.

    python benchmarks/tiers_fold.py [--workloads N] [--policies N] [--runs N]

The baseline is a cluster of apps under a default deny, each with NetworkPolicies of its own. Two
others have a tier of Calico policies before those, each policy about all pods and one peer:
`distinct` under ports of its own, `repeated` with one more rule that all have in common. For each,
processor seconds from a loaded session to all decisions, and from there to every rectangle of the
map, as medians, and how many times the baseline's that is. The runs take turns, so that what else
the machine does falls on all alike.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import cloison
from cloison.ir.policy import Direction
from tests.support.large import default_deny

Manifest = dict[str, Any]
BASELINE = "baseline"
ACTIONS = ("Deny", "Allow", "Pass")
DNS = {"action": "Pass", "protocol": "UDP", "destination": {"ports": [53]}}


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tier(workloads: int, policies: int, more: list[Manifest]) -> list[Manifest]:
    """Return a tier whose policies select every pod, each with one peer."""
    spec = {"order": 10, "defaultAction": "Pass"}
    found = [_calico("Tier", "platform", spec)]
    for number in range(policies):
        peer = {"selector": f"app == 'app-{number * workloads // policies}'"}
        ports = {"ports": [1024 + number]}
        rule = {"action": ACTIONS[number % len(ACTIONS)], "protocol": "TCP"}
        spec = {
            "tier": "platform",
            "order": number,
            "selector": "all()",
            "types": ["Ingress", "Egress"],
            "ingress": [{**rule, "source": peer, "destination": ports}, *more],
            "egress": [{**rule, "destination": {**peer, **ports}}, *more],
        }
        found.append(_calico("GlobalNetworkPolicy", f"platform.p{number}", spec))
    return found


def _calico(kind: str, name: str, spec: Manifest) -> Manifest:
    version = "projectcalico.org/v3"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=int, default=2000)
    parser.add_argument("--policies", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    own = default_deny(asked.workloads)
    worlds = {
        BASELINE: own,
        "distinct": [*own, *tier(asked.workloads, asked.policies, [])],
        "repeated": [*own, *tier(asked.workloads, asked.policies, [DNS])],
    }
    took: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for name, items in worlds.items():
            source = Path(folder, f"{name}.json")
            source.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        for _ in range(asked.runs):
            for name in worlds:
                took[name].append(measure(Path(folder, f"{name}.json")))
    say(f"{asked.workloads} workloads, {asked.policies} policies in the tier")
    base = medians(took[BASELINE])
    for name, runs in took.items():
        told = (
            f"{what} {seconds:.2f} s, {seconds / by:.1f} times the baseline"
            for what, seconds, by in zip(
                ("decisions", "rectangles"), medians(runs), base, strict=True
            )
        )
        say(f"  {name}: {'; '.join(told)}")


def measure(source: Path) -> tuple[float, float]:
    """Return the seconds to all decisions of an input, and from there to every rectangle."""
    session = cloison.load(str(source), profile="calico@3.31")
    started = time.process_time()
    engine = session.engine
    for direction in Direction:
        for unit in engine.governed:
            engine.decision(unit, direction)
    decided = time.process_time()
    for _ in engine.rectangles():
        pass
    return decided - started, time.process_time() - decided


def medians(runs: list[tuple[float, float]]) -> list[float]:
    """Return the median of each column."""
    return [statistics.median(column) for column in zip(*runs, strict=True)]


if __name__ == "__main__":
    main()
