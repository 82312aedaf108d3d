"""Headless Services that are dialled on a port which nobody declares."""

from datetime import date
from typing import Any

import pytest

from cloison.app.compile import compile_contract
from cloison.app.contract import check
from cloison.base import Severity
from tests.support.contracted import app, session

DAY = date(2026, 11, 1)


def _service(port: int, target: int | str, address: str = "None") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "hl", "namespace": "shop"},
        "spec": {
            "clusterIP": address,
            "selector": {"app": "db"},
            "ports": [{"port": port, "targetPort": target}],
        },
    }


def _database() -> dict[str, Any]:
    one = app("db")
    ports = [{"name": "pg", "containerPort": 8200}]
    one["spec"]["template"]["spec"]["containers"] = [{"name": "c", "image": "i", "ports": ports}]
    return one


@pytest.mark.parametrize(
    ("port", "target", "address", "told"),
    [
        (7000, 8200, "None", True),
        (7000, "pg", "None", True),
        (8200, 8200, "None", False),
        # Somebody declares the number that is dialled.
        (8200, 9999, "None", False),
        (7000, 8200, "10.96.0.20", False),
    ],
)
def test_a_port_that_nobody_declares_is_noted(
    port: int, target: int | str, address: str, *, told: bool
) -> None:
    call = {"name": "d", "from": "shop/one", "to": "svc:shop/hl", "ports": [port]}
    found = session(call, objects=(app("one"), _database(), _service(port, target, address)))
    checked, _ = check(found, (), DAY)
    compiled = compile_contract(found, "networkpolicy", today=DAY).result
    for findings in (checked.findings, compiled.findings):
        notes = [each for each in findings if each.code == "CON117"]
        assert [each.severity for each in notes] == [Severity.INFO] * told
        assert all(f"`targetPort` is {target}" in each.message for each in notes)
    assert compiled.read_back is not None
    assert compiled.read_back.through == 1
