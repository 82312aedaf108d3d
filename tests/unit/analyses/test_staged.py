"""Staged policies shown as if they were enforced."""

from dataclasses import replace

import pytest

from cloison.analyses.staged import PREVIEWED, added, enforced, previewed, staged
from cloison.app import Session, load_objects
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Mode, Policy, PolicyId, PolicySet, Preview
from cloison.report import About, render
from tests.oracle.raw import Manifest

NOTE = Caveat("PREVIEW_ADDS", "The enforcer's own preview adds it.", "made up")


def pod(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "registry.example/app:1"}]},
    }


def netpol(name: str, app: str, *ports: int) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": app}},
            "ingress": [{"ports": [{"port": port}]} for port in ports],
        },
    }


def stage(policy: Policy, twin: str, *, removes: bool = False) -> Policy:
    """Return a policy as the staged one that would take another one's place."""
    id_ = PolicyId("StagedPolicy", policy.id.namespace, twin)
    replaces = PolicyId("NetworkPolicy", "shop", twin)
    preview = Preview(replaces, removes, NOTE)
    return replace(policy, id=id_, mode=Mode.STAGED, preview=preview)


@pytest.fixture
def session() -> Session:
    """Return a snapshot: `db` is open on 5432, and is meant to be on 5433."""
    found = load_objects(
        [pod("web"), pod("db"), netpol("db", "db", 5432), netpol("next", "db", 5433)]
    )
    now, then = found.policies.policies
    return replace(found, policies=replace(found.policies, policies=(now, stage(then, "db"))))


def ports(session: Session) -> dict[int, Verdict]:
    return {p: session.why("shop/web", f"shop/db:{p}").verdict for p in (5432, 5433)}


def with_policies(session: Session, *policies: Policy) -> Session:
    return replace(session, policies=replace(session.policies, policies=policies))


def test_takes_the_place_of_its_twin(session: Session) -> None:
    assert ports(session) == {5432: Verdict.ALLOWED, 5433: Verdict.DENIED}
    assert ports(session.staged()) == {5432: Verdict.DENIED, 5433: Verdict.ALLOWED}


def test_is_enforced_where_it_has_no_twin(session: Session) -> None:
    alone = with_policies(session, session.policies.policies[1])
    assert ports(alone) == {5432: Verdict.ALLOWED, 5433: Verdict.ALLOWED}
    assert ports(alone.staged()) == {5432: Verdict.DENIED, 5433: Verdict.ALLOWED}


def test_takes_its_twin_away(session: Session) -> None:
    now, then = session.policies.policies
    gone = with_policies(session, now, stage(then, "db", removes=True))
    assert ports(gone.staged()) == {5432: Verdict.ALLOWED, 5433: Verdict.ALLOWED}
    (said,) = previewed(gone.policies)
    assert said.message == "NetworkPolicy shop/db is left out, as StagedPolicy shop/db says"


def test_removing_nothing_is_said(session: Session) -> None:
    _, then = session.policies.policies
    gone = with_policies(session, stage(then, "db", removes=True))
    assert ports(gone.staged()) == dict.fromkeys((5432, 5433), Verdict.ALLOWED)
    (said,) = previewed(gone.policies)
    assert said.message == "StagedPolicy shop/db removes nothing"


def test_a_preview_that_adds_keeps_the_twin(session: Session) -> None:
    both = replace(session, policies=added(session.policies))
    assert ports(both) == {5432: Verdict.ALLOWED, 5433: Verdict.ALLOWED}
    now, then = session.policies.policies
    gone = PolicySet((now, stage(then, "db", removes=True)), session.policies.layers)
    assert added(gone) == gone


def test_nothing_is_left_staged(session: Session) -> None:
    (promoted,) = enforced(session.policies).policies
    assert (promoted.id.kind, promoted.mode, promoted.preview) == (
        "StagedPolicy",
        Mode.ENFORCED,
        None,
    )
    assert staged(enforced(session.policies)) == ()


def test_is_the_same_where_nothing_is_staged(session: Session) -> None:
    shown = session.staged()
    assert shown.staged() is shown


def test_audited_policies_stay_out(session: Session) -> None:
    now, then = session.policies.policies
    audit = replace(then, mode=Mode.AUDIT)
    only = with_policies(session, now, audit)
    assert only.staged() is only


def test_the_difference_names_the_staged_policy(session: Session) -> None:
    found = session.diff(session.staged())
    assert [(str(c.gained), str(c.lost)) for c in found] == [("TCP/5433", "TCP/5432")] * 2
    assert [(str(c.id), c.id.kind, c.kind) for c in found.policies] == [
        ("shop/db", "NetworkPolicy", "removed"),
        ("shop/db", "StagedPolicy", "enforced"),
    ]


@pytest.mark.parametrize("form", ["text", "json", "yaml", "jsonl", "md", "svg", "dot", "mermaid"])
def test_every_form_says_what_is_shown_as_enforced(session: Session, form: str) -> None:
    shown = session.staged()
    about = About("0", shown.profile, "default", shown.diagnostics)
    said = "".join(render("map", shown.map(), about, form))
    flat = " ".join(said.replace("\\n", " ").replace("<br/>", " ").split())
    assert "StagedPolicy shop/db" in flat
    assert "own preview adds it" in flat


def test_says_whose_place_it_takes(session: Session) -> None:
    (said,) = (d for d in session.staged().diagnostics if d.code == PREVIEWED)
    assert said.message == (
        "StagedPolicy shop/db is shown as if it were enforced, in place of NetworkPolicy shop/db"
    )
    assert said.effect == NOTE.text
