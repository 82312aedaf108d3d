"""Compiled policies read back: what does not pass, what passes besides, guardrails that break."""

from dataclasses import replace
from datetime import date

import pytest

from cloison.app.compile import TARGETS, Compilation, compile_contract
from tests.support.contracted import app, said, session

DAY = date(2026, 11, 1)
CALL = {"name": "orders", "from": "shop/web", "to": "shop/db", "ports": [5432]}
APPS = (app("web"), app("db"), app("other"))
GUARDRAIL = {"name": "closed", "deny": {"from": "shop/other", "to": "shop/db"}}


def _changed(done: Compilation, path: str, old: str, new: str) -> Compilation:
    """Return a compilation of which one file says something else."""
    files = [
        replace(each, text=each.text.replace(old, new)) if each.path == path else each
        for each in done.files
    ]
    assert [each.text for each in files] != [each.text for each in done.files]
    return replace(done, files=tuple(files))


@pytest.mark.parametrize("to", TARGETS)
def test_what_was_written_is_asked_of_the_engine(to: str) -> None:
    done = compile_contract(session(CALL, objects=APPS, guardrails=[GUARDRAIL]), to, today=DAY)
    found = done.proof
    assert (found.asked, found.through, found.unsure) == (1, 1, ())
    assert (found.workloads, found.complete, found.more) == (3, True, 0)
    assert (found.guardrails, found.holding) == (1, 1)
    assert not found.differences


def test_a_call_that_does_not_pass_is_an_error_with_its_ends() -> None:
    done = compile_contract(session(CALL, objects=APPS), "networkpolicy", today=DAY)
    lost = _changed(done, "shop/db.yaml", "port: 5432", "port: 5433")
    (message,) = said(lost, "CON213")
    assert message == (
        "what is written was read back, and shop/web does not reach shop/db on TCP/5432, as "
        "'orders' wants it"
    )
    assert (lost.proof.asked, lost.proof.through) == (1, 0)
    assert [str(each.severity) for each in lost.result.findings if each.code == "CON213"] == [
        "error"
    ]


def test_a_call_that_nobody_wants_is_an_error_with_its_ends() -> None:
    objects = (*APPS, app("more"))
    both = (CALL, {**CALL, "name": "also", "from": "shop/other", "to": "shop/web", "ports": [80]})
    done = compile_contract(session(*both, objects=objects), "networkpolicy", today=DAY)
    wide = _changed(
        done, "shop/web.yaml", "      port: 80\n", "      port: 80\n      endPort: 81\n"
    )
    wide = _changed(
        wide, "shop/other.yaml", "      port: 80\n", "      port: 80\n      endPort: 90\n"
    )
    (message,) = said(wide, "CON213")
    assert message == (
        "what is written was read back, and shop/other reaches shop/web on TCP/81, as no "
        "dependency says"
    )
    assert wide.proof.more == 1


def test_a_guardrail_that_the_contract_itself_breaks_is_an_error() -> None:
    breaking = {**CALL, "from": "shop/other"}
    held = session(breaking, objects=APPS, guardrails=[GUARDRAIL])
    done = compile_contract(held, "cilium", today=DAY)
    (message,) = said(done, "CON214")
    assert "guardrail 'closed'" in message
    assert "shop/other reaches shop/db on 5432" in message
    assert done.proof.holding == 0


def test_between_two_addresses_outside_nothing_can_be_written() -> None:
    call = {"name": "d", "from": "203.0.113.0/24", "to": "198.51.100.0/24", "ports": [443]}
    done = compile_contract(session(CALL, call, objects=APPS), "networkpolicy", today=DAY)
    (message,) = said(done, "CON201")
    assert message == (
        "dependency 'd': 203.0.113.0/24 and 198.51.100.0/24 are both outside the cluster"
    )
    assert done.proof.asked == 1


def test_what_one_namespace_gets_is_proved_alone() -> None:
    objects = (*APPS, *(replace_home(app(name)) for name in ("back",)))
    call = {**CALL, "name": "on", "from": "shop/db", "to": "back/back"}
    held = session(CALL, call, objects=objects, guardrails=[GUARDRAIL])
    done = compile_contract(held, "networkpolicy", today=DAY, namespaces=["back"])
    assert (done.proof.asked, done.proof.through) == (1, 1)
    assert not done.proof.differences


def replace_home(manifest: dict[str, object]) -> dict[str, object]:
    """Return a workload of a namespace of its own."""
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    return {**manifest, "metadata": {**metadata, "namespace": metadata["name"]}}
