"""D-CALL: Services that the environment names are let through (F5)."""

import json
from typing import Any

import pytest

from tests.support.doctoring import examined, mended
from tests.support.smallworlds import (
    Manifest,
    found,
    listening,
    peer,
    policy,
    rule,
    service,
    text,
    thing,
    variables,
    workload,
)

DB = workload("db", "data", "StatefulSet", ports=listening(5432))
SERVICE = service("db", "data", {"port": 5432})
SHUT = policy("data", ingress=[])
OPEN = policy("data", ingress=[rule("from", peer("a", app="web"), ports=(5432,))])
SECRET = "hunter2"


def web(**values: str) -> Manifest:
    """Return an application with an environment."""
    return workload("web", env=variables(**values))


def told(app: Manifest, *objects: Manifest) -> list[str]:
    """Return the codes of what is found."""
    return [each.code for each in found("D-CALL", app, DB, SERVICE, *objects)]


URL = f"postgres://me:{SECRET}@db.data.svc:5432/cases?password={SECRET}"


def test_a_service_that_a_variable_names_is_wanted() -> None:
    (one,) = found("D-CALL", web(DATABASE_URL=URL), DB, SERVICE, SHUT)
    assert (one.code, str(one.severity)) == ("DEP001", "error")
    assert one.message == (
        "a/web is told to call svc:data/db:5432/TCP by variable DATABASE_URL, and that is not "
        "let through"
    )
    assert one.evidence[0].text == "variable DATABASE_URL names db.data.svc and port 5432"
    assert told(web(DATABASE_URL=URL), OPEN) == []


def test_what_is_proposed_mends_it() -> None:
    here = text(web(DATABASE_URL=URL), DB, SERVICE, SHUT)
    first = examined(here, "D-CALL")
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-CALL") == ()


def test_values_are_never_shown() -> None:
    for each in found("D-CALL", web(DATABASE_URL=URL), DB, SERVICE, SHUT):
        assert SECRET not in repr(each)
        assert "cases" not in json.dumps([e.text for e in each.evidence])


@pytest.mark.parametrize(
    "values",
    [
        {"DATABASE_URL": "jdbc:postgresql://db.data:5432/x"},
        {"DATABASE_URL": "postgres://db.data.svc.cluster.local/x"},
        {"DB_HOST": "db.data", "DB_PORT": "5432"},
        {"DB_HOST": "db.data"},
        {"DB": "db.data:5432"},
        {"BROKERS": "other:1,db.data:5432"},
        {"HOST_NAME": "db.data", "URL": "tcp://$(HOST_NAME):5432"},
    ],
)
def test_ways_to_name_a_service(values: dict[str, str]) -> None:
    assert told(web(**values), SHUT) == ["DEP001"]
    assert told(web(**values), OPEN) == []


def test_pods_have_names_behind_headless_services() -> None:
    app = web(REPLICA="db-0.db.data.svc.cluster.local:5432")
    assert told(app, SHUT) == []
    headless = service("db", "data", {"port": 5432}, clusterIP="None")
    assert [each.code for each in found("D-CALL", app, DB, headless, SHUT)] == ["DEP001"]


@pytest.mark.parametrize(
    "values",
    [
        {"APP_NAME": "db.data"},
        {"GREETING": "say db.data and go"},
        {"ALLOWED_HOSTS": "db.data:5432"},
        {"NO_PROXY": "db.data:5432"},
        {"ADVERTISED_LISTENERS": "PLAINTEXT://db.data:5432"},
        {"DATABASE_URL": "postgres://db.example.org:5432"},
        {"DATABASE_URL": "postgres://$(UNKNOWN):5432"},
        {"RATIO": "1:5432"},
        {"DATABASE": "db.data"},
        {"IMAGE": "db.data:7"},
    ],
)
def test_what_names_nobody(values: dict[str, str]) -> None:
    assert told(web(**values), SHUT) == []


def test_arguments_and_config_maps_count_too() -> None:
    by_argument = workload("web", args=["--listen=:80", "--db=postgres://db.data:5432"])
    (one,) = found("D-CALL", by_argument, DB, SERVICE, SHUT)
    assert "by argument --db" in one.message
    settings = thing("ConfigMap", "s", "a", data={"DB_URL": URL})
    whole = workload("web", envFrom=[{"configMapRef": {"name": "s"}}])
    part = workload(
        "web",
        env=[{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "DB_URL"}}}],
    )
    for app in (whole, part):
        (one,) = found("D-CALL", app, DB, SERVICE, SHUT, settings)
        assert one.evidence[0].span is not None
        assert "db.data.svc" in one.evidence[0].text


def test_settings_that_many_share_are_not_used_by_all() -> None:
    settings = thing("ConfigMap", "s", "a", data={"DB_URL": URL})
    web, other = (
        workload(name, envFrom=[{"configMapRef": {"name": "s"}}]) for name in ("web", "x")
    )
    (one,) = found("D-CALL", web, other, DB, SERVICE, SHUT, settings)
    assert (one.code, str(one.severity), one.mend) == ("DEP001", "info", ())
    assert [each.name for each in one.workloads] == ["web", "x"]


def test_secrets_are_not_read() -> None:
    secret = thing("Secret", "s", "a", stringData={"DB_URL": URL})
    key = {"name": "DB_URL", "valueFrom": {"secretKeyRef": {"name": "s", "key": "DB_URL"}}}
    assert told(workload("web", env=[key]), SHUT, secret) == []


def test_a_workload_that_is_told_its_own_name_calls_nobody() -> None:
    own = workload("db", "data", "StatefulSet", env=variables(PEER_ADDR="db.data:5432"))
    assert [e.code for e in found("D-CALL", own, SERVICE, SHUT)] == []


def test_a_port_that_the_service_lacks_is_no_matter_of_policy() -> None:
    (one,) = found("D-CALL", web(DB_ADDR="db.data:5433"), DB, SERVICE)
    assert one.code == "DEP002"
    assert one.mend == ()
    assert one.help == "call a port that it has: 5432/TCP"
    headless = service("db", "data", {"port": 5432}, clusterIP="None")
    assert found("D-CALL", web(DB_ADDR="db.data:5433"), DB, headless) == ()


def test_hostile_values_are_read_in_no_time() -> None:
    hostile: dict[str, Any] = {
        "A": "a://" * 2_000_000,
        "B": "a" * 2_000_000 + ":",
        "C": "://" + "@" * 500_000,
        "D": ",".join(f"h{n}:1" for n in range(200_000)),
    }
    assert told(web(**hostile), SHUT) == []
