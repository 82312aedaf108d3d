"""D1: what counts as unused, and how it is told."""

from typing import Any

import pytest

from cloison.analyses.drift.model import Accepted, State
from cloison.analyses.reconcile.seen import Seen
from tests.support.drifting import (
    BASE,
    DAY,
    allow,
    contract,
    flow,
    keys,
    look,
    past,
    pods,
    policy,
    space,
    texts,
    workload,
)

MONTH = 35
EVERY = range(MONTH * DAY)
WEB = flow("shop/web", "shop/api", EVERY)
CLUSTER = (*BASE, contract())
PREFIX = "policy.cloison.dev"


def _unused(*manifests: str, seen: tuple[Seen, ...] = (), **more: Any) -> list[str]:
    found = look((*CLUSTER, *manifests), past(WEB, *seen, days=MONTH), "D1", **more)
    return keys(found.findings)


@pytest.mark.parametrize(
    ("day", "told"), [("2026-02-01", False), ("2026-01-31", True), ("soon", True)]
)
def test_a_policy_that_says_its_last_day(day: str, *, told: bool) -> None:
    """Somebody needs it until then, as once a year; after it, it is judged as any other."""
    said = f"{PREFIX}/expires: '{day}'"
    dated = allow("shop", "season", "api", "from", pods("web"), 8080, annotations=said)
    assert bool(_unused(dated)) is told


def _cron(name: str, schedule: str = "0 2 * * *", *, suspended: bool = False) -> str:
    made = workload("shop", name, "CronJob").replace('"0 2 * * *"', f'"{schedule}"')
    return made.replace("spec: {schedule", "spec: {suspend: true, schedule") if suspended else made


RULE = allow("shop", "idle", "api", "from", "{podSelector: {}}", 8080)
"""A rule for everybody of a namespace, which nobody uses."""


def test_any_cronjob_among_the_peers_has_to_run_twice() -> None:
    """A broad peer is for those, too, that run once a month."""
    once = flow("shop/CronJob/month", "shop/api", [300])
    month = _cron("month", "0 12 1 * *")
    assert not _unused(month, RULE, seen=(once,))
    twice = flow("shop/CronJob/month", "shop/api", [12, 756])
    assert len(_unused(month, RULE, seen=(twice,))) == 1
    assert len(_unused(RULE)) == 1


def test_a_cronjob_that_runs_every_hour_has_run_twice_in_two() -> None:
    """Though what is seen of it never stops."""
    hourly = flow("shop/CronJob/hourly", "shop/api", EVERY)
    assert len(_unused(_cron("hourly", "0 * * * *"), RULE, seen=(hourly,))) == 1
    long = flow("shop/CronJob/long", "shop/api", range(612, 840))
    assert not _unused(_cron("long", "0 12 26 * *"), RULE, seen=(long,))


def test_nobody_waits_for_a_suspended_cronjob_among_others() -> None:
    """Where a rule is for that alone, nothing can be said."""
    assert len(_unused(_cron("asleep", suspended=True), RULE)) == 1
    own = allow("shop", "asleep", "asleep", "to", pods("asleep"), 8080)
    heard = flow("shop/CronJob/asleep", "shop/api", [3])
    assert not _unused(_cron("asleep", suspended=True), own, seen=(heard,))


PEERS = ", ".join(f"{{from: [{pods(f'w{at}')}], ports: [{{port: 8080}}]}}" for at in range(3))
MANY = policy(
    "shop",
    "many",
    f"{{podSelector: {{matchLabels: {{app: api}}}}, policyTypes: [Ingress], ingress: [{PEERS}]}}",
)
CALLERS = tuple(workload("shop", f"w{at}") for at in range(3))


def test_unused_parts_of_one_policy_are_one_finding() -> None:
    """With each of them as a member, and what to take out."""
    found = look((*CLUSTER, *CALLERS, MANY), past(WEB, days=MONTH), "D1")
    (one,) = found.findings
    assert str(one.key) == "D1|NetworkPolicy/shop/many|*"
    assert one.sign.message == (
        "3 parts of shop/many are not used any more: from app=w0 in its own namespace shop on "
        "TCP/8080, from app=w1 in its own namespace shop on TCP/8080, from app=w2 in its own "
        "namespace shop on TCP/8080"
    )
    assert len({str(each.key) for each in one.members}) == 3
    assert one.sign.remove is not None
    assert one.sign.remove.text.startswith("take out of shop/many what is from app=w0")


def test_what_is_used_of_it_is_not_among_them() -> None:
    """Two that are left are told one by one; what is accepted is apart."""
    used = flow("shop/w1", "shop/api", EVERY, 8080)
    found = look((*CLUSTER, *CALLERS, MANY), past(WEB, used, days=MONTH), "D1")
    assert [("w0" in key, "w2" in key) for key in keys(found.findings)] == [
        (True, False),
        (False, True),
    ]
    row = Accepted("D1|NetworkPolicy/shop/many|*", "team")
    found = look((*CLUSTER, *CALLERS, MANY), past(WEB, days=MONTH), "D1", accepted=(row,))
    assert {each.state for each in found.findings} == {State.ACKNOWLEDGED}


def test_what_a_broader_rule_allows_is_redundant_with_it() -> None:
    """Of another policy or of its own; the broader one is not redundant with the narrower."""
    narrow = allow("shop", "narrow", "api", "from", pods("web"), 8080)
    found = look((*CLUSTER, narrow, RULE), past(WEB, days=MONTH), "D1")
    told = {str(each.key).split("|")[1]: texts((each,)) for each in found.findings}
    assert "redundant with shop/idle ingress rule 1" in told["NetworkPolicy/shop/narrow"]
    assert "redundant" not in told["NetworkPolicy/shop/idle"]
    rules = "{from: [{podSelector: {}}], ports: [{port: 8080}]}, " + PEERS.partition("}, {from")[0]
    own = policy(
        "shop",
        "own",
        f"{{podSelector: {{matchLabels: {{app: api}}}}, ingress: [{rules}}}]}}",
    )
    found = look((*CLUSTER, *CALLERS, own), past(WEB, days=MONTH), "D1")
    assert "redundant with shop/own ingress rule 1" in texts(found.findings)


def test_a_rule_for_other_namespaces_that_nobody_uses() -> None:
    """However broad it is: one part of it, and not one for each of those it is for."""
    broad = allow("shop", "broad", "api", "from", "{namespaceSelector: {}}", 8080)
    (key,) = _unused(space("more"), *(workload("more", f"m{at}") for at in range(9)), broad)
    assert key.startswith("D1|NetworkPolicy/shop/broad|ingress from ")


@pytest.mark.parametrize(("entry", "wanted"), [("late", True), ("other", False)])
def test_the_contract_is_asked_first(entry: str, *, wanted: bool) -> None:
    port = 9000 if wanted else 9001
    said = contract(
        f"    - {{name: {entry}, from: shop/web, to: shop/api, ports: [{port}], owner: o, "
        "reason: r}\n"
    )
    rule = allow("shop", "later", "api", "from", pods("web"), 9000)
    (found,) = look((*BASE, said, rule), past(WEB, days=MONTH), "D1").findings
    assert ("the contract wants it: late" in texts((found,))) is wanted
    assert found.sign.remove is not None
    assert found.sign.remove.text.startswith("take late out of the contract, and ") is wanted
    assert found.sign.help.startswith("ask who owns it") is wanted
