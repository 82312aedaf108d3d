"""Blocks of addresses without the pods in them: bounded, and told where that is not exact."""

from datetime import date
from typing import Any

from cloison.app.compile import compile_contract
from tests.support.contracted import app, policy, said, session

DAY = date(2026, 11, 1)
CORP = {"name": "in", "from": "external:corp", "to": "shop/db", "ports": [5432]}
OUT = {"name": "out", "from": "shop/web", "to": "external:corp", "ports": [5432]}
EXTERNALS = [{"name": "corp", "cidrs": ["10.0.0.0/8"]}]
_MOST = 64


def _pod(number: int, address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"p{number}", "namespace": "wild", "labels": {"app": "p"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }


def _node(cidr: str) -> dict[str, Any]:
    spec = {"podCIDR": cidr, "podCIDRs": [cidr]}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": spec}


def _holes(objects: tuple[dict[str, Any], ...]) -> tuple[list[str], list[str]]:
    """Return the holes that are written, and what is told of them."""
    held = session(CORP, objects=(app("db"), *objects), externals=EXTERNALS)
    done = compile_contract(held, "networkpolicy", today=DAY)
    (rule,) = policy(done, "shop/db.yaml")["spec"]["ingress"]
    assert not done.proof.differences
    blocks = [each["ipBlock"] for each in rule["from"]]
    assert len(blocks) == 1
    after = done.read_back()
    for each in objects:
        if each["kind"] == "Pod":
            name = f"wild/{each['metadata']['name']}"
            assert str(after.verdict(name, "shop/db", port=5432)) == "denied"
    return blocks[0]["except"], said(done, "CON209")


def test_few_pods_are_left_out_one_by_one() -> None:
    holes, _ = _holes(tuple(_pod(n, f"10.2.{n}.7") for n in range(5)))
    assert holes == [f"10.2.{n}.7/32" for n in range(5)]


def test_many_pods_that_no_node_has_a_range_for_are_left_out_by_few_blocks() -> None:
    near = [_pod(n, f"10.2.0.{2 * n}") for n in range(100)]
    far = [_pod(100 + n, f"10.9.{n}.7") for n in range(40)]
    holes, told = _holes((*near, *far))
    assert len(holes) <= _MOST
    # Neighbours share a block before those that are far apart do.
    assert "10.9.39.7/32" in holes
    assert any("140 addresses that pods have are left out" in each for each in told)


def test_ranges_of_nodes_are_left_out_instead_of_many_pods() -> None:
    pods = tuple(_pod(n, f"10.2.0.{n}") for n in range(100))
    holes, told = _holes((*pods, _node("10.2.0.0/24")))
    assert holes == ["10.2.0.0/24"]
    assert not any("by blocks around them" in each for each in told)


def test_where_pods_only_probably_are_is_told_as_such() -> None:
    apps = (app("web"), app("db"))
    known = session(CORP, OUT, objects=(*apps, _node("10.2.0.0/16")), externals=EXTERNALS)
    done = compile_contract(known, "networkpolicy", today=DAY)
    assert not said(done, "CON205")
    (note,) = (each for each in said(done, "CON209") if "may reach" in each)
    assert "10.2.0.0/16" in note
    assert not done.proof.differences
    blind = compile_contract(
        session(CORP, OUT, objects=apps, externals=EXTERNALS), "networkpolicy", today=DAY
    )
    (note,) = said(blind, "CON205")
    assert note.startswith("which addresses pods have is not known: shop/web may reach shop/db")
