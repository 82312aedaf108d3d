"""Checks that look at flows: what they find, and what is no drift though it looks like some."""

from dataclasses import replace

from cloison.analyses.drift.model import Accepted, Change, State
from cloison.analyses.past.course import HOUR
from tests.support.drifting import (
    BASE,
    DAY,
    START,
    WEEK,
    allow,
    contract,
    flow,
    keys,
    look,
    past,
    pods,
    texts,
    workload,
)

EVERY = range(14 * DAY)
USED = flow("shop/web", "shop/api", EVERY)
LATE = range(WEEK + 50, WEEK + 60)
TO_DB = (
    allow("shop", "api-db", "api", "to", pods("db", zone="data"), 5432),
    allow("data", "db-api", "db", "from", pods("api", zone="app"), 5432),
)
OPEN = allow("shop", "api-out", "api", "to", "{ipBlock: {cidr: 203.0.113.0/24}}", 443)
NOW = range(14 * DAY - 12, 14 * DAY)


# D2


def test_denied_in_three_of_six_hours() -> None:
    """It is confirmed with the policy that denies it, and both ways to settle it."""
    found = look(
        (*BASE, contract()),
        past(USED, flow("shop/web", "data/StatefulSet/db", NOW, 5432, "denied")),
        "D2",
    )
    (one,) = found.findings
    assert (one.state, one.new) == (State.CONFIRMED, True)
    assert str(one.key) == "D2|shop/Deployment/web|data/StatefulSet/db|TCP|5432"
    assert one.sign.atom is not None
    assert one.sign.allow is not None
    assert "5432" in one.sign.allow.manifest
    assert one.sign.remove is not None


def test_retries_in_one_hour_are_one_window() -> None:
    """A thousand packets in an hour are seen once."""
    many = flow("shop/web", "data/StatefulSet/db", [300], 5432, "denied", each=1000)
    found = look((*BASE, contract()), past(USED, many), "D2")
    assert not found.findings
    assert [each.state for each in found.suspects] == [State.SUSPECT]


def test_a_scan_is_one_finding() -> None:
    """Many ports of one source are told apart from callers that lack a rule."""
    scans = [
        flow("shop/web", "data/StatefulSet/db", range(330, 333), 9000 + port, "denied")
        for port in range(12)
    ]
    found = look((*BASE, contract()), past(USED, *scans), "D2")
    assert keys(found.findings) == ["D2|shop/Deployment/web|many"]


def test_a_scan_that_goes_on_is_one_finding_too() -> None:
    """However long it lasts; what the contract means is never a part of it."""
    scans = [
        flow("shop/web", "data/StatefulSet/db", range(320, 328), 9000 + port, "denied")
        for port in range(60)
    ]
    meant = flow("shop/web", "shop/api", NOW, 80, "denied")
    found = look((*BASE, contract()), past(*scans, meant), "D2")
    assert sorted(keys(found.findings)) == [
        "D2|shop/Deployment/web|many",
        "D2|shop/Deployment/web|shop/Deployment/api|TCP|80",
    ]
    few = look((*BASE, contract()), past(USED, *scans[:2]), "D2")
    assert all("many" not in key for key in keys(few.findings))


def test_replies_to_forgotten_connections_are_no_denials() -> None:
    """What goes back from a server to the port of a caller was asked for."""
    back = flow("shop/api", "shop/web", NOW, 40_000, "denied")
    found = look((*BASE, contract()), past(USED, back), "D2")
    assert not found.findings
    assert not found.suspects
    assert [each.count for each in found.unjudged] == [1]
    many = [flow("shop/api", "shop/web", NOW, 40_000 + port, "denied") for port in range(12)]
    found = look((*BASE, contract()), past(USED, *many), "D2")
    assert not (*found.findings, *found.suspects)


def test_it_is_over_after_a_day() -> None:
    """Denials that stopped are told as resolved, and are nothing new to a first run."""
    found = look(
        (*BASE, contract()),
        past(USED, flow("shop/web", "data/StatefulSet/db", range(240, 250), 5432, "denied")),
        "D2",
    )
    assert [(each.state, each.counts) for each in found.findings] == [(State.RESOLVED, False)]


def test_what_came_and_went_since_a_day_is_new() -> None:
    """Whoever asks about the last days hears of what was over before they asked."""
    found = look(
        (*BASE, contract()),
        past(USED, flow("shop/web", "data/StatefulSet/db", range(240, 250), 5432, "denied")),
        "D2",
        since=(START + 200) * HOUR,
    )
    assert [(each.state, each.counts) for each in found.findings] == [(State.RESOLVED, True)]


def test_changes_on_their_way_are_not_judged() -> None:
    """Denials while a policy is rolled out say nothing, and are counted."""
    hours = range(330, 333)
    changes = tuple(
        Change("patch", (START + hour) * HOUR, "u", "shop", "networkpolicies", "web-out")
        for hour in hours
    )
    denied = flow("shop/web", "data/StatefulSet/db", hours, 5432, "denied")
    found = look((*BASE, contract()), past(USED, denied, changes=changes), "D2")
    assert not found.findings
    assert sum(each.count for each in found.unjudged) == len(hours)


def test_callers_of_one_destination_are_one_finding() -> None:
    """Three callers that are denied the same thing lack one thing."""
    more = [workload("shop", f"w{at}") for at in range(3)]
    denied = [flow(f"shop/w{at}", "data/StatefulSet/db", NOW, 5432, "denied") for at in range(3)]
    found = look((*BASE, *more, contract()), past(USED, *denied), "D2")
    (one,) = found.findings
    assert str(one.key) == "D2|*|data/StatefulSet/db|TCP|5432"
    assert len(one.members) == 3
    assert len(one.sign.workloads) == 4


# D3


def test_a_new_flow_without_a_record() -> None:
    """It is told with the rule that lets it through and the entry that would record it."""
    found = look(
        (*BASE, *TO_DB, contract()),
        past(USED, flow("shop/api", "data/StatefulSet/db", LATE, 5432)),
        "D3",
    )
    (one,) = found.findings
    assert str(one.key) == "D3|shop/Deployment/api|data/StatefulSet/db|TCP|5432"
    assert one.sign.atom is not None
    assert "shop/api-db" in one.sign.atom.text
    assert one.sign.allow is not None
    assert "from: shop/api" in one.sign.allow.manifest


def test_a_recorded_flow_is_not_new() -> None:
    """What the contract means may begin when it likes."""
    said = "    - {name: db, from: shop/api, to: data/db, ports: [5432], owner: o, reason: r}\n"
    found = look(
        (*BASE, *TO_DB, contract(said)),
        past(USED, flow("shop/api", "data/StatefulSet/db", LATE, 5432)),
        "D3",
    )
    assert not found.findings
    assert not found.suspects


def test_the_first_week_is_for_learning() -> None:
    """What was there when watching began is counted, and not told as new."""
    found = look(
        (*BASE, *TO_DB, contract()),
        past(USED, flow("shop/api", "data/StatefulSet/db", [20, *LATE], 5432)),
        "D3",
    )
    assert not found.findings
    assert [each.count for each in found.unjudged] == [1]


def test_a_shell_is_a_suspicion() -> None:
    """A one-off from one pod is no application's, however much it may matter."""
    found = look(
        (*BASE, *TO_DB, contract()),
        past(USED, flow("shop/api", "data/StatefulSet/db", [WEEK + 50], 5432, each=3)),
        "D3",
    )
    assert not found.findings
    assert [(each.state, bool(each.sign.doubt)) for each in found.suspects] == [
        (State.SUSPECT, True)
    ]


def test_a_rolling_update_is_the_same_workload() -> None:
    """New pods with other labels are not somebody new."""
    seen = flow("shop/web", "shop/api", LATE)
    labels = ("app=web", "version=v2")
    new = replace(seen, source=replace(seen.source, pod="web-9", labels=labels))
    found = look((*BASE, contract()), past(USED, new), "D3")
    assert not found.findings
    assert not found.suspects


def test_addresses_of_one_block_are_one_service() -> None:
    """Another address of what was called before is nothing new."""
    calls = [
        flow("shop/api", "203.0.113.9", [10], 443),
        flow("shop/api", "203.0.113.10", LATE, 443),
    ]
    found = look((*BASE, OPEN, contract()), past(USED, *calls), "D3")
    assert not found.findings
    assert not found.suspects


def test_an_accepted_flow_is_acknowledged() -> None:
    """A row of the baseline takes it out of what counts, for as long as that says."""
    known = past(USED, flow("shop/api", "data/StatefulSet/db", LATE, 5432))
    row = Accepted("D3|shop/*|data/StatefulSet/db|TCP|5432", "team", "2027-01-01")
    found = look((*BASE, *TO_DB, contract()), known, "D3", accepted=(row,))
    assert [(each.state, each.counts) for each in found.findings] == [(State.ACKNOWLEDGED, False)]


# D8


def test_flows_that_policy_denies() -> None:
    """They got through though policy denied them before and does now."""
    known = past(USED, flow("shop/web", "data/StatefulSet/db", NOW, 5432))
    found = look((*BASE, contract()), known, "D8", before=(*BASE, contract()))
    assert keys(found.findings) == ["D8|shop/Deployment/web|data/StatefulSet/db|TCP|5432"]


def test_it_is_told_once() -> None:
    """A flow that policy denies and nobody means is one finding, not two."""
    known = past(USED, flow("shop/web", "data/StatefulSet/db", NOW, 5432))
    found = look((*BASE, contract()), known, "D3", "D8", before=(*BASE, contract()))
    assert [str(each.key.code) for each in (*found.findings, *found.suspects)] == ["D8"]


def test_flows_of_another_policy_do_not_contradict() -> None:
    """What got through before a rule was taken away was let through then."""
    known = past(USED, flow("shop/api", "data/StatefulSet/db", range(100, 330), 5432))
    found = look((*BASE, contract()), known, "D8", before=(*BASE, *TO_DB, contract()))
    assert not found.findings
    assert [each.count for each in found.unjudged] == [1]


def test_the_audit_log_tells_since_when() -> None:
    """From after the change on, what still gets through contradicts it."""
    change = Change("delete", (START + 200) * HOUR, "u", "shop", "networkpolicies", "api-db")
    seen = flow("shop/api", "data/StatefulSet/db", range(100, 330), 5432)
    known = past(USED, seen, changes=(change,))
    found = look((*BASE, contract()), known, "D8", before=(*BASE, *TO_DB, contract()))
    (one,) = found.findings
    assert one.confirmed is not None
    assert one.confirmed > START + 200
    assert one.preceded == change


def test_nodes_get_through() -> None:
    """A pod's own node does, whatever policies say: no contradiction."""
    seen = flow("203.0.113.1", "shop/api", NOW, 80)
    node = replace(seen, source=replace(seen.source, entity="host", ip="192.0.2.1"))
    found = look((*BASE, contract()), past(USED, node), "D8", before=(*BASE, contract()))
    assert not found.findings


def test_without_a_past_it_is_a_suspicion() -> None:
    """Nobody says since when policies are as they are."""
    known = past(USED, flow("shop/web", "data/StatefulSet/db", NOW, 5432))
    found = look((*BASE, contract()), known, "D8")
    assert not found.findings
    assert len(found.suspects) == 1


# D10

PROXY = (
    workload("shop", "proxy"),
    (
        "apiVersion: v1\nkind: Service\nmetadata: {name: proxy, namespace: shop}\n"
        "spec: {selector: {app: proxy}, ports: [{port: 3128}]}\n"
    ),
    (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: job, namespace: shop}\n"
        "spec: {selector: {matchLabels: {app: job}}, template: {metadata: {labels: {app: job}}, "
        "spec: {containers: [{name: c, image: i, "
        "env: [{name: HTTPS_PROXY, value: 'http://proxy.shop.svc:3128'}]}]}}}\n"
    ),
)
BY_PROXY = flow("shop/job", "shop/proxy", EVERY, 3128)


def test_past_the_proxy() -> None:
    """Others leave by the proxy; what leaves without it, and without a record, goes past it."""
    known = past(USED, BY_PROXY, flow("shop/api", "198.51.100.7", LATE, 443))
    found = look((*BASE, *PROXY, contract()), known, "D3", "D10")
    assert keys(found.findings) == ["D10|shop/Deployment/api|198.51.100.0/24|TCP|443"]
    assert "198.51.100.7" in found.findings[0].sign.message
    assert "shop/proxy" in found.findings[0].sign.message


def test_the_proxy_itself_leaves() -> None:
    """That is what it is for."""
    known = past(USED, BY_PROXY, flow("shop/proxy", "198.51.100.7", LATE, 443))
    assert not look((*BASE, *PROXY, contract()), known, "D10").findings


def test_without_a_proxy_there_is_no_way_past_it() -> None:
    """What leaves is new then, and nothing else."""
    known = past(USED, flow("shop/api", "198.51.100.7", LATE, 443))
    found = look((*BASE, contract()), known, "D3", "D10")
    assert [str(each.key.code) for each in found.findings] == ["D3"]


GATEWAY = "  workloads:\n    - {match: {namespace: shop, name: web}, class: gateway, owner: o}\n"


MORE = (workload("shop", "job"), workload("shop", "proxy"))
CALLING = (
    flow("shop/job", "shop/proxy", EVERY, 3128),
    flow("shop/api", "shop/proxy", EVERY, 3128),
    flow("shop/proxy", "api.example.com", EVERY, 443),
)
PAST = flow("shop/api", "api.example.com", LATE, 443)
EGRESS = "  workloads:\n    - {match: {namespace: shop, name: proxy}, class: gateway, owner: o}\n"


def test_what_looks_like_a_way_past_a_proxy_is_suspected() -> None:
    """Two leave by it, and one of these then calls the same name itself."""
    found = look((*BASE, *MORE, contract()), past(USED, *CALLING, PAST), "D10")
    assert not found.findings
    (one,) = found.suspects
    assert "goes past shop/proxy, by which others leave" in one.sign.message
    assert one.sign.doubt is not None
    assert "class: gateway" in one.sign.doubt
    both = look((*BASE, *MORE, contract()), past(USED, *CALLING, PAST), "D3", "D10")
    assert [str(each.key.code) for each in both.findings] == ["D3"]
    assert "as D10, too" in texts(both.findings)


def test_what_one_workload_calls_is_no_proxy() -> None:
    """A part of it may well call the same service; so may whoever never left by the proxy."""
    for some in (CALLING[1:], (*CALLING[:1], *CALLING[2:])):
        found = look((*BASE, *MORE, contract()), past(USED, *some, PAST), "D10")
        assert not (*found.findings, *found.suspects)
        ((count, reason),) = [(each.count, each.reason) for each in found.unjudged]
        assert count == 1
        assert reason.startswith("no egress proxy is known")
        assert "HTTPS_PROXY" in reason


def test_the_contract_says_which_is_the_proxy() -> None:
    """A gateway that pods call, and that leads out, is one for the way out."""
    manifests = (*BASE, *MORE, contract(more=EGRESS))
    found = look(manifests, past(USED, *CALLING, PAST), "D10")
    assert keys(found.findings) == ["D10|shop/Deployment/api|dns:api.example.com|TCP|443"]
    itself = flow("shop/proxy", "other.example.com", LATE, 443)
    assert not look(manifests, past(USED, *CALLING, itself), "D10").findings
    front = flow("192.0.2.1", "shop/proxy", EVERY, 443)
    assert not look(manifests, past(USED, *CALLING, front, PAST), "D10").findings
    led = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: in, namespace: shop}\n"
        "spec: {type: LoadBalancer, selector: {app: proxy}, ports: [{port: 443}]}\n"
    )
    assert not look((*manifests, led), past(USED, *CALLING, PAST), "D10").findings


def test_what_looks_like_a_way_past_a_gateway_is_suspected() -> None:
    """The outside always came by another that calls it."""
    usual, past_it = flow("192.0.2.1", "shop/web", EVERY), flow("192.0.2.1", "shop/api", LATE)
    found = look((*BASE, contract()), past(USED, usual, past_it), "D10")
    assert not found.findings
    (one,) = found.suspects
    assert "goes past shop/web, which leads there" in one.sign.message
    alone = look((*BASE, contract()), past(USED, past_it), "D10")
    assert not (*alone.findings, *alone.suspects)
    (reason,) = [each.reason for each in alone.unjudged]
    assert reason.startswith("no gateway is known")


def test_past_the_gateway() -> None:
    """Whoever comes from outside comes by the gateway, as there is one that leads there."""
    known = past(USED, flow("198.51.100.7", "shop/api", LATE, 80))
    found = look((*BASE, contract(more=GATEWAY)), known, "D10")
    assert keys(found.findings) == ["D10|world|shop/Deployment/api|TCP|80"]


def test_the_gateway_is_called_from_outside() -> None:
    """So it should."""
    known = past(USED, flow("198.51.100.7", "shop/web", LATE, 80))
    assert not look((*BASE, contract(more=GATEWAY)), known, "D10").findings


def test_health_checks_do_not_go_past_it() -> None:
    """A cloud's load balancer asks backends themselves."""
    known = past(USED, flow("35.191.0.7", "shop/api", LATE, 80))
    found = look((*BASE, contract(more=GATEWAY)), known, "D10")
    assert not found.findings
    assert [each.count for each in found.unjudged] == [1]


def test_spreading() -> None:
    """A workload that goes to many new places within a week is one finding."""
    places = [flow("shop/api", f"203.0.{at}.9", LATE, 443) for at in range(100, 108)]
    found = look((*BASE, contract()), past(USED, *places), "D3", "D9")
    assert keys(found.findings) == ["D9|shop/Deployment/api|spreading"]
