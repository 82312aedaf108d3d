"""A few days of the example without its policies: what is meant happens, and what nobody means."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from cloison.app import Session
from cloison.app.load import load_objects
from cloison.app.traffic import Wanted, plan
from cloison.flows.generator.export import exporter
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Call, Made, Plan

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "case-management"
_ATTACK: Final = 30.0
"""Hours after the start at which somebody in a pod begins to look around."""
_HAND: Final = 50.0


def bare() -> list[dict[str, Any]]:
    """Return the objects of the example that are no policies, and nothing of Cloison's own."""
    files = sorted(EXAMPLE.glob("*.yaml"))
    every = [each for file in files for each in yaml.safe_load_all(file.read_text("utf-8")) if each]
    return [
        each
        for each in every
        if "Policy" not in each["kind"] and not each["apiVersion"].startswith("cloison.dev")
    ]


def session(objects: list[dict[str, Any]] | None = None) -> Session:
    """Return the example without its policies."""
    return load_objects(bare() if objects is None else objects, runtime=True)


def week(days: float = 4) -> Plan:
    """Return a plan: the contract's calls, a scan from the portal, and a person in another pod."""
    made = plan(session(), (str(EXAMPLE / "contract.yaml"),), Wanted(days))
    return replace(made, calls=(*made.calls, *_planted(made)))


def _planted(made: Plan) -> tuple[Call, ...]:
    inside = {
        (end.namespace, end.name): end
        for call in made.calls
        for end in (call.src, call.dst)
        if isinstance(end, Made)
    }
    meant = {(call.src, call.dst, call.port) for call in made.calls}
    portal, store = inside["web", "case-portal"], inside["evidence", "evidence-store"]
    ports = {(c.dst, c.port) for c in made.calls if isinstance(c.dst, Made) and c.protocol == "TCP"}
    targets = sorted(ports, key=lambda pair: (str(pair[0]), pair[1]))
    scan = [
        Call(portal, dst, port, rhythm="once", at=_ATTACK + number / 100, sort="attack")
        for number, (dst, port) in enumerate(targets)
        if dst != portal and (portal, dst, port) not in meant
    ]
    case = inside["sandbox", "case-api"]
    hand = [
        Call(case, store, 9000, rhythm="once", at=_HAND + turn / 30, sort="person")
        for turn in range(3)
    ]
    return (*scan, *hand)


def logged(made: Plan, file: Path) -> Path:
    """Write the flows of a plan as Hubble does."""
    lines = exporter("hubble")(made, connections(made))
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return file
