"""Which change is told to have come before a finding: one that can have caused it, or none."""

from collections.abc import Iterable
from typing import Any

import pytest

from cloison.analyses.drift.model import Change
from cloison.analyses.past.course import HOUR
from tests.support.drifting import (
    BASE,
    DAY,
    START,
    WEEK,
    allow,
    contract,
    deny,
    flow,
    look,
    past,
    pods,
    policy,
    space,
    workload,
)

DAYS = 14
LATE = range(WEEK + 50, DAYS * DAY)


def _changed(verb: str, kind: str, name: str, hour: int, namespace: str = "shop") -> Change:
    where = f"{namespace}/{name}" if namespace else name
    text, time = f"{verb} {kind} {where}", (START + hour) * HOUR
    return Change(text, time, "ann", namespace or name, kind, name)


def _told(
    manifests: Iterable[str], seen: Any, check: str, *changes: Change, **more: Any
) -> list[str | None]:
    """Return the texts of changes that are told to have come before findings."""
    found = look(manifests, past(seen, days=DAYS, changes=changes), check, **more)
    assert found.findings
    return [None if each.preceded is None else each.preceded.text for each in found.findings]


@pytest.mark.parametrize(
    ("change", "explains"),
    [
        (_changed("create", "networkpolicies", "api-in", WEEK), True),  # lets it in
        (_changed("create", "networkpolicies", "web-out", WEEK), True),  # lets it out
        (_changed("patch", "networkpolicies", "cart-in", WEEK), False),  # of another workload
        (_changed("patch", "networkpolicies", "api-else", WEEK), False),  # for another caller
        (_changed("delete", "networkpolicies", "gone", WEEK), True),  # nobody knows of whom
        (_changed("delete", "networkpolicies", "gone", WEEK, "data"), False),  # at neither end
        (_changed("create", "networkpolicies", "api-in", WEEK + 60), False),  # came afterwards
        (_changed("patch", "deployments", "web", WEEK), True),  # the caller was rolled out
        (_changed("patch", "deployments", "cart", WEEK), False),
        (_changed("patch", "deployments/status", "web", WEEK), False),
        (_changed("patch", "services", "api", WEEK), False),
    ],
)
def test_a_flow_that_is_new(change: Change, *, explains: bool) -> None:
    """Only what its ends have to do with can have let it through."""
    manifests = (
        *BASE,
        workload("shop", "cart"),
        allow("shop", "cart-in", "cart", "from", "{podSelector: {}}"),
        allow("shop", "api-else", "api", "from", pods("cart")),
    )
    told = _told(manifests, flow("shop/web", "shop/api", LATE), "D3", change)
    assert told == [change.text if explains else None]


@pytest.mark.parametrize(
    ("name", "explains"), [("deny", True), ("db-in", True), ("web-out", False), ("api-in", False)]
)
def test_a_flow_that_is_denied(name: str, *, explains: bool) -> None:
    """What isolates an end can have stopped it; what lets others through cannot."""
    home = "data" if name.startswith(("db", "deny")) else "shop"
    manifests = (*BASE, allow("data", "db-in", "db", "from", pods("api")))
    change = _changed("create", "networkpolicies", name, WEEK, home)
    seen = flow("shop/web", "data/StatefulSet/db", LATE, became="denied")
    if name == "web-out":
        # It isolates the caller, which `deny` does as well: nobody can tell which of them it was.
        explains = True
    assert _told(manifests, seen, "D2", change) == [change.text if explains else None]


def test_what_others_did_before_a_policy_is_not_its_doing() -> None:
    """In a comparison, a policy that isolates what was isolated already has stopped nothing."""
    added = allow("data", "db-in", "db", "from", pods("api", zone="app"))
    seen = flow("shop/web", "data/StatefulSet/db", LATE, became="denied")
    assert _told((*BASE, added), seen, "D2", before=BASE) == [None]
    bare = tuple(each for each in BASE if each != deny("data"))
    assert _told((*bare, added), seen, "D2", before=bare) == ["NetworkPolicy data/db-in added"]
    assert _told(bare, flow("shop/web", "data/StatefulSet/db", LATE), "D3", before=BASE) == [
        "NetworkPolicy data/deny removed"
    ]


def test_a_change_whose_time_is_known_is_not_told_without() -> None:
    """The comparison says that labels changed, the audit log that it was afterwards."""
    seen = flow("shop/web", "data/StatefulSet/db", LATE, became="denied")
    open_ = allow("data", "from-app", "db", "from", "{namespaceSelector: {matchLabels: {zone: x}}}")
    out = allow("shop", "web-any", "web", "to", "{namespaceSelector: {}}")
    now = (*BASE, open_, out)
    before = tuple(each.replace("zone: app", "zone: x") for each in now)
    assert _told(now, seen, "D2", before=before) == ["labels of namespace shop changed"]
    late = _changed("patch", "namespaces", "shop", WEEK + 60, "")
    assert _told(now, seen, "D2", late, before=before) == [None]
    assert _told(now, seen, "D6", late, before=before) == [late.text]


def test_workloads_policies_and_agents() -> None:
    """Each finding is told what became of its own object, and not of others in the namespace."""
    quiet = past(days=0)
    new = (space("new"), workload("new", "app"), policy("shop", "typo", _TYPO))
    found = look((*BASE, *new), quiet, "D4", "D5", before=BASE)
    assert [each.preceded and each.preceded.text for each in found.findings] == [
        "Deployment new/app added",
        "Deployment new/app added",
        "NetworkPolicy shop/typo added",
    ]
    bare = tuple(each for each in BASE if each != deny("data"))
    found = look(bare, quiet, "D4", before=BASE)
    assert {each.preceded and each.preceded.text for each in found.findings} == {
        "NetworkPolicy data/deny removed"
    }


_TYPO = "{podSelector: {matchLabels: {app: wep}}, policyTypes: [Ingress]}"


def test_rules_that_nobody_uses() -> None:
    """A policy's own change, or its workload's, and no other of the namespace."""
    other = _changed("create", "networkpolicies", "web-out", 0)
    own = _changed("patch", "networkpolicies", "api-in", 0)
    manifests = (*BASE, workload("shop", "old"), contract())
    seen = flow("shop/old", "shop/api", range(10), 81)
    known = past(seen, days=40, changes=(own, other))
    found = look(manifests, known, "D1")
    told = {e.key.source: e.preceded and e.preceded.text for e in found.findings}
    assert told["NetworkPolicy/shop/api-in"] == own.text
