"""Dependencies that name the port of a Service where the pods are meant."""

from datetime import date
from typing import Any

import pytest

from cloison.app.compile import compile_contract
from cloison.app.contract import check
from cloison.base import Severity
from tests.support.contracted import app, session

DAY = date(2026, 11, 1)


def _service(port: int, target: int | str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "front", "namespace": "shop"},
        "spec": {
            "clusterIP": "10.96.0.20",
            "selector": {"app": "db"},
            "ports": [{"name": "main", "port": port, "targetPort": target}],
        },
    }


def _database(*ports: int) -> dict[str, Any]:
    one = app("db")
    told = [{"name": f"p{n}", "containerPort": n} for n in ports]
    one["spec"]["template"]["spec"]["containers"] = [{"name": "c", "image": "i", "ports": told}]
    return one


@pytest.mark.parametrize(
    ("to", "port", "service", "pods", "told"),
    [
        ("shop/db", 80, _service(80, 8080), (8080,), "8080"),
        ("shop/db", 80, _service(80, "p8080"), (8080,), "8080"),
        ("shop/db", 80, _service(80, 8080), (), "8080"),
        # The pods have it as well, or it is the Service that is meant, or no Service has it.
        ("shop/db", 80, _service(80, 8080), (80, 8080), None),
        ("shop/db", 80, _service(80, 80), (), None),
        ("svc:shop/front", 80, _service(80, 8080), (8080,), None),
        ("shop/db", 8080, _service(80, 8080), (8080,), None),
        ("shop/db", 9090, _service(80, 8080), (8080,), None),
    ],
)
def test_the_port_of_a_service_is_not_that_of_its_pods(
    to: str, port: int, service: dict[str, Any], pods: tuple[int, ...], told: str | None
) -> None:
    call = {"name": "d", "from": "shop/one", "to": to, "ports": [port]}
    found = session(call, objects=(app("one"), _database(*pods), service))
    checked, _ = check(found, (), DAY)
    compiled = compile_contract(found, "networkpolicy", today=DAY).result
    for findings in (checked.findings, compiled.findings):
        warned = [each for each in findings if each.code == "CON118"]
        assert [each.severity for each in warned] == [Severity.WARNING] * (told is not None)
        assert all(f"leads to {told} of the pods" in each.message for each in warned)
        assert all("svc:shop/front" in (each.help or "") for each in warned)
