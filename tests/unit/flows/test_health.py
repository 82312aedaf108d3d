"""What nodes told and lost hour by hour, and what was changed, as a store holds it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloison.base import SourceError
from cloison.flows.generator.export import exporter
from cloison.flows.generator.make import connections
from cloison.flows.health import changes, told
from tests.support.cli import run_cloison
from tests.support.traffic import HOUR, START, short

_AT = "2026-01-01T10:00:00.000000Z"


def _event(verb: str, code: int, **labels: str) -> str:
    return json.dumps(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "RequestResponse",
            "auditID": f"{verb}-{code}",
            "stage": "ResponseComplete",
            "verb": verb,
            "user": {"username": "someone"},
            "sourceIPs": ["192.0.2.60"],
            "objectRef": {"resource": "namespaces", "name": "ops", "apiVersion": "v1"},
            "responseStatus": {"code": code},
            "requestReceivedTimestamp": _AT,
            "responseObject": {
                "kind": "Namespace",
                "metadata": {"name": "ops", "labels": labels},
            },
        }
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two days with a tenth of the events lost, and an audit log."""
    place = tmp_path_factory.mktemp("health")
    plan = replace(short(), loss=0.1)
    flows, audit = place / "flows.log", place / "audit.log"
    lines = exporter("hubble")(plan, connections(plan))
    flows.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    audit.write_text(
        f"{_event('patch', 200, zone='app')}\n{_event('update', 403, zone='data')}\n"
        f"{_event('get', 200)}\n",
        "utf-8",
    )
    ran = run_cloison("flows", "ingest", "--store", str(place / "st"), str(flows), str(audit))
    assert ran.exit == 0, ran.err
    return place / "st"


def test_every_event_is_told_of_or_lost_in_its_hour(store: Path) -> None:
    found = told(store)
    first = START // HOUR
    assert {each.hour for each in found} <= set(range(first, first + 49))
    assert [(e.hour, e.node or "") for e in found] == sorted((e.hour, e.node or "") for e in found)
    events, lost = (sum(getattr(each, name) for each in found) for name in ("events", "lost"))
    assert 0.05 < lost / (events + lost) < 0.15
    assert len({each.node for each in found if each.events}) > 1


def test_a_span_takes_its_hours_only(store: Path) -> None:
    first = START // HOUR
    found = told(store, (first + 2) * HOUR, (first + 4) * HOUR)
    assert {each.hour for each in found} == {first + 2, first + 3}


def test_changes_that_were_carried_out(store: Path) -> None:
    (one,) = changes(store)
    assert (one.user, one.verb, one.kind, one.name) == ("someone", "patch", "namespaces", "ops")
    assert one.labels == ("zone=app",)
    assert not changes(store, one.time + 1)
    assert changes(store, one.time - 1, one.time + 1) == (one,)


def test_there_has_to_be_a_store(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        told(tmp_path / "none")
    with pytest.raises(SourceError):
        changes(tmp_path / "none")
