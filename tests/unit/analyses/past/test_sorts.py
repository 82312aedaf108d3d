"""What observed edges are: the application's own, denied, somebody's trial, or a scan."""

from collections.abc import Callable, Sequence

import pytest

from cloison.analyses.past.brief import below
from cloison.analyses.past.link import Link
from cloison.analyses.past.sorts import Judged, Sort, judged
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.seen import NODES, Became
from tests.support.past import Hours, linked, outside, pods, seen, watch, workload

LONG = watch(24 * 14)
USUAL = [
    seen(outside("203.0.113.77"), "web/portal", range(0, 300, 2)),
    seen("web/portal", "shop/api", range(0, 300, 3)),
    seen("shop/api", "shop/db", range(0, 300, 3), port=5432),
]
"""What goes on anyway: a front, and what is behind it."""


def nothing(_: Link) -> bool:
    return False


def judge(
    *rows: Placed,
    known: Watch = LONG,
    meant: Callable[[Link], bool] = nothing,
    hinted: Callable[[Link], bool] = nothing,
) -> dict[str, Judged]:
    """Return what edges are, by their ends and port."""
    found = judged(linked(*USUAL, *rows), known, meant, hinted=hinted)
    return {str(each.link.key): each for each in found}


def one(*rows: Placed, known: Watch = LONG, meant: Callable[[Link], bool] = nothing) -> Judged:
    """Return what the only edge besides the usual is."""
    usual = {each.key for each in linked(*USUAL)}
    (found,) = [
        e for e in judge(*rows, known=known, meant=meant).values() if e.link.key not in usual
    ]
    return found


def sorts(found: dict[str, Judged]) -> set[Sort]:
    return {each.sort for each in found.values()}


def test_what_goes_on_is_legitimate() -> None:
    found = judge()
    assert sorts(found) == {Sort.LEGITIMATE}
    assert found["web/portal to shop/api on 8080/TCP"].why == (
        "it got through in 100 hours of 336 watched hours"
    )


# What policy denied


def test_what_never_got_through_is_a_question_whoever_means_it() -> None:
    row = seen("shop/api", "shop/mail", {5: 2, 9: 1}, became="denied")
    assert one(row).sort is Sort.DENIED
    assert one(row).why == "policy denied 3 connections, and none ever got through"
    meant = one(row, meant=lambda _: True)
    assert meant.sort is Sort.DENIED
    assert meant.why.endswith("though it is meant")


@pytest.mark.parametrize(
    ("let", "denied", "sort", "why"),
    [
        (range(200), [300], Sort.DENIED, "the last one too, after 200 connections"),
        ([7], [7], Sort.DENIED, "the last one too"),
        ([335], range(335), Sort.DENIED, "since then too few got through"),
        (range(310, 336), range(310), Sort.DENIED, "since then too few got through"),
        ({240: 5, 288: 5, 335: 1}, range(230), Sort.LEGITIMATE, "the last connection got through"),
        (range(200), [3], Sort.LEGITIMATE, "the last connection got through, though policy denied"),
    ],
)
def test_the_last_word_counts_where_both_were_seen(
    let: Hours, denied: Sequence[int], sort: Sort, why: str
) -> None:
    found = one(
        seen("shop/api", "shop/mail", let),
        seen("shop/api", "shop/mail", denied, became="denied"),
    )
    assert found.sort is sort
    assert why in found.why


def test_what_is_meant_got_its_policy_with_the_first_that_got_through() -> None:
    rows = [
        seen("shop/api", "shop/mail", [300]),
        seen("shop/api", "shop/mail", range(300), became="denied"),
    ]
    assert one(*rows, meant=lambda _: True).sort is Sort.LEGITIMATE


def test_what_was_denied_at_no_known_time_is_denied() -> None:
    row = seen("shop/api", "shop/mail", [], became="denied")
    assert one(row).sort is Sort.DENIED


# Who knows


@pytest.mark.parametrize(
    ("became", "why"),
    [("unknown", "no record says whether"), ("error", "lost on the way, and not by policy")],
)
def test_what_nobody_knows_is_unclear(became: Became, why: str) -> None:
    row = seen("shop/api", "shop/mail", range(40), became=became)
    assert one(row).sort is Sort.UNCLEAR
    assert why in one(row).why
    assert one(row, seen("shop/api", "shop/mail", [50, 60])).sort is Sort.LEGITIMATE


def test_ends_that_several_held_are_unclear_when_there_are_no_others() -> None:
    doubtful = seen("shop/api", "shop/mail", {3: 2}, ambiguous=2)
    assert one(doubtful).sort is Sort.UNCLEAR
    assert one(doubtful, seen("shop/api", "shop/mail", [9, 20])).sort is Sort.LEGITIMATE


# A person


def test_a_moment_in_a_long_watch_is_a_person() -> None:
    found = one(seen("shop/api", "shop/mail", {100: 3}, pod="api-1"))
    assert found.sort is Sort.PERSON
    assert found.why == "3 connections in one moment only, of 336 watched hours"
    assert one(seen("shop/api", "shop/mail", {100: 3, 101: 2})).sort is Sort.PERSON
    assert one(seen(NODES, "shop/mail", [100])).sort is Sort.PERSON


@pytest.mark.parametrize(
    "rows",
    [
        [seen("shop/api", "shop/mail", [100, 102])],
        [seen("shop/api", "shop/mail", {100: 11})],
        [seen("shop/api", "shop/mail", [100], pod=pod) for pod in ("a", "b")],
        [seen("shop/api", "shop/mail", [])],
    ],
    ids=["twice", "many", "two pods", "no time"],
)  # fmt: skip
def test_what_no_person_does(rows: list[Placed]) -> None:
    assert one(*rows).sort is Sort.LEGITIMATE


def test_what_is_meant_is_no_person() -> None:
    row = seen("shop/api", "shop/mail", [100])
    found = one(row, meant=lambda link: link.key.destination == "shop/Deployment/mail")
    assert (found.sort, found.why) == (Sort.LEGITIMATE, "it is meant")


def test_a_short_watch_says_nothing_of_what_was_seen_once() -> None:
    row = seen("shop/api", "shop/mail", [10])
    assert one(row, known=watch(23)).sort is Sort.LEGITIMATE
    assert one(row, known=watch(24)).sort is Sort.PERSON
    # What counts is what was watched, not how long ago it began.
    assert one(row, known=watch([*range(12), *range(500, 511)])).sort is Sort.LEGITIMATE


def test_from_behind_a_front_to_the_front_needs_no_long_watch() -> None:
    found = one(seen("shop/db", "web/portal", [10], port=8443), known=watch(12))
    assert found.sort is Sort.PERSON
    assert "from behind a front" in found.why
    # Not behind it:
    assert one(seen("shop/mail", "web/portal", [10]), known=watch(12)).sort is Sort.LEGITIMATE
    # Often:
    often = one(seen("shop/db", "web/portal", range(9)), known=watch(12))
    assert often.sort is Sort.LEGITIMATE


def test_a_pod_that_somebody_made_by_hand_needs_none_either() -> None:
    found = one(seen(pods("shop/shell", "Pod"), "shop/api", [1]), known=watch(2))
    assert found.sort is Sort.PERSON
    assert "nothing but a person made" in found.why
    static = pods(workload("kube-system/proxy", "Pod", host_network=True))
    assert one(seen(static, "shop/api", [1]), known=watch(2)).sort is Sort.LEGITIMATE
    busy = seen(pods("shop/shell", "Pod"), "shop/api", range(100))
    assert (one(busy).sort, one(busy).why) == (
        Sort.UNCLEAR,
        "it is from a pod that no controller made",
    )
    assert one(busy, meant=lambda link: "shell" in link.key.source).sort is Sort.LEGITIMATE
    daemon = pods(workload("kube-system/proxy", "Pod", host_network=True))
    assert one(seen(daemon, "shop/api", range(100))).sort is Sort.LEGITIMATE


@pytest.mark.parametrize("kind", ["Job", "CronJob"])
def test_a_job_is_short_by_nature(kind: str) -> None:
    job = pods("shop/month-end", kind)
    assert one(seen(job, "shop/db", [200], port=5432)).sort is Sort.LEGITIMATE


def test_what_a_job_did_besides_in_one_run_of_many_is_not_its_pattern() -> None:
    job, nights = pods("shop/nightly", "CronJob"), range(3, 300, 24)
    usual = [
        seen(job, "shop/db", nights, port=5432),
        seen(job, "kube-system/dns", [*nights, 200], port=53),
    ]
    besides = judge(*usual, seen(job, "shop/mail", [nights[4]]))
    assert besides["shop/nightly to shop/db on 5432/TCP"].sort is Sort.LEGITIMATE
    assert besides["shop/nightly to shop/mail on 8080/TCP"].sort is Sort.PERSON
    # A run of another kind, as on a month's last day, is one of its own.
    apart = judge(*usual, seen(job, "shop/mail", [200]))
    assert apart["shop/nightly to shop/mail on 8080/TCP"].sort is Sort.LEGITIMATE


def test_addresses_of_one_service_outside_are_one_habit() -> None:
    rows = [seen("shop/api", outside(f"198.51.100.{n}"), [n * 40], port=443) for n in (1, 2, 3)]
    assert sorts(judge(*rows)) == {Sort.LEGITIMATE}
    each_hour = [seen("shop/api", outside(f"192.0.2.{n}"), [n], port=443) for n in (1, 2, 3)]
    assert sorts(judge(*each_hour)) == {Sort.LEGITIMATE}
    strange = seen("shop/api", outside("203.0.113.200"), [50], port=443)
    found = judge(*rows, strange)
    assert found["shop/api to 203.0.113.200 on 443/TCP"].sort is Sort.PERSON
    assert found["shop/api to 198.51.100.1 on 443/TCP"].sort is Sort.LEGITIMATE


def test_one_of_many_addresses_outside_is_nothing_special() -> None:
    rows = [seen("shop/proxy", outside(f"198.51.{n}.7"), [n * 20], port=443) for n in range(12)]
    assert sorts(judge(*rows)) == {Sort.LEGITIMATE}


def test_a_lookup_that_is_repeated_by_tcp_is_no_person() -> None:
    by_tcp = seen("shop/api", "kube-system/dns", [99], port=53)
    by_udp = seen("shop/api", "kube-system/dns", range(50), port=53, protocol="UDP")
    assert sorts(judge(by_tcp, by_udp)) == {Sort.LEGITIMATE}
    elsewhere = seen("shop/mail", "kube-system/dns", range(50), port=53, protocol="UDP")
    assert judge(by_tcp, elsewhere)["shop/api to kube-system/dns on 53/TCP"].sort is Sort.PERSON


def test_one_call_from_outside_is_a_question_unless_something_leads_clients_in() -> None:
    row = seen(outside("203.0.113.9"), "shop/db", [100], port=5432)
    for known in (LONG, watch(range(95, 105))):
        found = one(row, known=known)
        assert found.sort is Sort.PERSON
        assert found.why.endswith("from outside, and nothing leads clients in there")
    assert one(row, meant=lambda link: link.key.port == 5432).sort is Sort.LEGITIMATE


def test_scanners_that_take_turns_are_a_question_each() -> None:
    rows = [seen(outside(f"203.0.113.{n}"), "shop/db", [100 + n]) for n in range(12)]
    assert len([e for e in judge(*rows).values() if e.sort is Sort.PERSON]) == 12


def test_who_comes_in_once_where_clients_come_in_all_the_time_is_one_of_them() -> None:
    clients = [seen(outside(f"203.0.113.{n}"), "shop/front-end", [n * 2]) for n in range(168)]
    assert sorts(judge(*clients)) == {Sort.LEGITIMATE}
    # In less than half of the hours, at another port, and at what is no front, it is not so.
    assert sorts(judge(*clients[1:])) == {Sort.LEGITIMATE, Sort.PERSON}
    other = judge(*clients, seen(outside("203.0.113.99"), "shop/front-end", [9], port=22))
    assert other["203.0.113.99 to shop/front-end on 22/TCP"].sort is Sort.PERSON
    inside = [seen(outside(f"203.0.113.{n}"), "shop/db", [n * 2]) for n in range(168)]
    assert sorts(judge(*inside)) == {Sort.LEGITIMATE, Sort.PERSON}


def test_who_comes_all_the_time_from_the_internet_where_nothing_leads_in_is_a_question() -> None:
    for end, port in (("shop/db", 5432), ("shop/edge-cache", 5432), ("shop/api", 9999)):
        found = one(seen(outside("203.0.113.9"), end, range(336), port=port))
        assert found.sort is Sort.UNCLEAR
        assert found.why.startswith("nothing leads clients in there")
    assert one(seen(outside("10.20.0.9"), "shop/db", range(336))).sort is Sort.LEGITIMATE
    many = [
        seen(outside(f"198.51.{n // 200}.{n % 200}"), "shop/edge-cache", [n], port=5432)
        for n in range(336)
    ]
    assert {each.sort for key, each in judge(*many).items() if "edge-cache" in key} == {Sort.PERSON}


def test_who_comes_back_seldom_from_outside_is_a_question_too() -> None:
    found = one(seen(outside("203.0.113.9"), "shop/db", [10, 100, 200]))
    assert found.sort is Sort.UNCLEAR
    assert found.why == "nothing leads clients in there, and it was seen on 3 of 14 watched days"


def test_what_nodes_do_seldom_may_be_a_port_that_somebody_forwards() -> None:
    found = one(seen(NODES, "shop/db", [10, 11, 12], port=5432))
    assert found.sort is Sort.UNCLEAR
    assert found.why == "somebody may have forwarded a port: it was seen on 1 of 14 watched days"
    assert one(seen(NODES, "shop/db", range(0, 300, 20))).sort is Sort.LEGITIMATE


def test_what_a_person_repeats_is_told_by_what_they_did_once() -> None:
    """Calls of two afternoons, in one of which the same pod did something else once."""
    repeated = seen("shop/api", "shop/mail", {100: 3, 126: 3})
    assert one(repeated).sort is Sort.LEGITIMATE
    once = seen("shop/api", "shop/ledger", {101: 2})
    name = "shop/api to shop/mail on 8080/TCP"
    found = judge(repeated, once)[name]
    assert found.sort is Sort.PERSON
    assert found.why == (
        "it was seen on 2 of 14 watched days, in the hours of one-offs of the same source"
    )
    # What manifests hint at, another's one-off, other hours, and what is used on most days are not.
    assert judge(repeated, once, hinted=lambda _: True)[name].sort is Sort.LEGITIMATE
    other = seen("shop/cart", "shop/ledger", {101: 2})
    assert judge(repeated, other)[name].sort is Sort.LEGITIMATE
    later = seen("shop/api", "shop/ledger", {200: 2})
    assert judge(repeated, later)[name].sort is Sort.LEGITIMATE
    daily = seen("shop/api", "shop/mail", range(4, 330, 24))
    assert judge(daily, seen("shop/api", "shop/ledger", [100]))[name].sort is Sort.LEGITIMATE


# A scan


def test_many_ports_in_an_hour_are_a_scan() -> None:
    rows = [seen("web/portal", "shop/db", [50], port=n, became="denied") for n in range(1, 9)]
    found = judge(*rows)
    scan = [each for each in found.values() if each.sort is Sort.SCAN]
    assert {each.link.key.port for each in scan} == set(range(1, 9))
    assert scan[0].why == "its source tried 8 destinations and ports within two hours"
    assert found["web/portal to shop/api on 8080/TCP"].sort is Sort.LEGITIMATE
    assert sorts(judge(*rows[1:])) == {Sort.LEGITIMATE, Sort.DENIED}


def test_a_scan_that_meets_no_policy_is_one_too_once_it_is_over() -> None:
    rows = [seen("web/portal", f"shop/w{n}", [50]) for n in range(9)]
    assert len([e for e in judge(*rows).values() if e.sort is Sort.SCAN]) == 9
    # Still going on at the end, it may be a workload that is new; each edge is a question still.
    late = [seen("web/portal", f"shop/w{n}", [335]) for n in range(9)]
    assert sorts(judge(*late)) == {Sort.LEGITIMATE, Sort.PERSON}


def test_what_is_meant_and_what_goes_on_are_no_part_of_a_scan() -> None:
    rows = [seen("web/portal", "shop/db", [50], port=n, became="denied") for n in range(1, 10)]
    found = judge(
        *rows,
        seen("web/portal", "shop/mail", [50], became="denied"),
        seen("web/portal", "shop/mail", [49, 50, 120], port=9, became="denied"),
        meant=lambda link: link.key.destination.endswith("mail") and link.key.port == 8080,
    )
    assert found["web/portal to shop/mail on 8080/TCP"].sort is Sort.DENIED
    assert found["web/portal to shop/mail on 9/TCP"].sort is Sort.DENIED
    assert found["web/portal to shop/db on 9/TCP"].sort is Sort.SCAN


def mover(number: int, *, kind: str = "Deployment") -> list[Placed]:
    """Return the calls of one who goes from one workload to the next, twice each."""
    source = pods("shop/helper", kind)
    return [
        seen(source, f"inner/s{n}", [48 + n * 12, 149 + n * 12], pod="helper-1")
        for n in range(number)
    ]


def test_one_who_looks_around_on_ports_in_use_is_a_scan() -> None:
    found = [e for e in judge(*mover(10)).values() if e.sort is Sort.SCAN]
    assert len(found) == 10
    assert found[0].why == (
        "its source called 10 workloads, each of them seldom, and nothing says that it should"
    )


def test_who_calls_few_or_is_said_to_or_runs_seldom_does_not_look_around() -> None:
    assert sorts(judge(*mover(7))) == {Sort.LEGITIMATE}
    to = {f"inner/Deployment/s{n}" for n in range(3)}
    assert sorts(judge(*mover(10), meant=lambda e: e.key.destination in to)) == {Sort.LEGITIMATE}
    assert sorts(judge(*mover(10), hinted=lambda e: e.key.destination in to)) == {Sort.LEGITIMATE}
    assert sorts(judge(*mover(10, kind="CronJob"))) == {Sort.LEGITIMATE}
    often = [seen("shop/helper", f"inner/s{n}", range(n, 336, 24)) for n in range(10)]
    assert sorts(judge(*often)) == {Sort.LEGITIMATE}


def test_a_scan_may_begin_before_the_hour_is_over() -> None:
    rows = [
        seen("web/portal", "shop/db", [50 + n % 2], port=n, became="denied") for n in range(1, 9)
    ]
    assert Sort.SCAN in sorts(judge(*rows))
    apart = [seen("web/portal", "shop/db", [n], port=n, became="denied") for n in range(1, 9)]
    assert sorts(judge(*apart)) == {Sort.LEGITIMATE, Sort.DENIED}


@pytest.mark.parametrize(
    "rows",
    [
        # A scraper that policy cuts off asks again and again.
        [seen("ops/scraper", f"shop/w{n}", range(100, 150), became="denied") for n in range(9)],
        # One from outside that calls everybody.
        [seen(outside("198.51.100.9"), f"shop/w{n}", range(0, 300, 5)) for n in range(9)],
    ],
    ids=["denied for long", "often"],
)  # fmt: skip
def test_what_repeats_is_no_scan(rows: list[Placed]) -> None:
    assert Sort.SCAN not in sorts(judge(*rows))


def test_a_proxy_that_visits_many_addresses_is_no_scan() -> None:
    rows = [seen("shop/proxy", outside(f"198.51.{n}.7"), [50], port=443) for n in range(30)]
    assert sorts(judge(*rows)) == {Sort.LEGITIMATE}
    ports = [seen("shop/proxy", outside("198.51.0.7"), [50], port=n) for n in range(1, 31)]
    assert Sort.SCAN in sorts(judge(*ports))


def test_a_job_that_calls_everybody_is_no_scan() -> None:
    rows = [seen(pods("shop/backup", "CronJob"), f"shop/w{n}", [50]) for n in range(9)]
    assert sorts(judge(*rows)) == {Sort.LEGITIMATE}


def test_a_short_watch_shows_scans_by_what_was_refused_only() -> None:
    let = [seen("monitoring/scraper", f"shop/w{n}", [1]) for n in range(9)]
    assert sorts(judge(*let, known=watch(2))) == {Sort.LEGITIMATE}
    lost = [seen("monitoring/scraper", f"shop/w{n}", [1], became="error") for n in range(9)]
    assert Sort.SCAN in sorts(judge(*lost, known=watch(2)))


# A scan that takes its time

OPEN = {
    ("shop/Deployment/api", 8080),
    ("shop/Deployment/db", 5432),
    ("web/Deployment/portal", 8080),
}


def said(link: Link) -> bool:
    """Return whether anything listens there."""
    return (link.key.destination, link.key.port) in OPEN


def sorted_(*rows: Placed, known: Watch = LONG) -> dict[str, Judged]:
    found = judged(linked(*USUAL, *rows), known, nothing, said)
    return {str(each.link.key): each for each in found}


def test_a_scan_that_begins_anew_every_other_day_is_a_scan() -> None:
    probes = [seen("ops/prom", "shop/api", range(n % 60, 336, 60), port=n) for n in range(20, 140)]
    found = sorted_(*probes, seen("ops/prom", "shop/api", range(336)))
    scan = [each for each in found.values() if each.sort is Sort.SCAN]
    assert {each.link.key.port for each in scan} == set(range(20, 140))
    assert scan[0].why == (
        "its source tried 120 destinations and ports at which nothing is said to listen, "
        "each of them seldom"
    )
    assert found["ops/prom to shop/api on 8080/TCP"].sort is Sort.LEGITIMATE


def test_a_slow_scan_tries_what_does_listen_too() -> None:
    grid = [(to, port) for to in ("shop/api", "shop/db") for port in (22, 80, 443, 5432, 8080)]
    probes = [
        seen("data/ftp", to, range(5 * n, 336, 5 * len(grid)), port=port)
        for n, (to, port) in enumerate(grid)
    ]
    rare = seen("data/ftp", "web/portal", [9, 150, 300], port=8080)
    other = seen("web/portal", "shop/db", [9, 150, 300], port=5432)
    found = sorted_(*probes, rare, other)
    scan = {str(each.link.key) for each in found.values() if each.sort is Sort.SCAN}
    assert "data/ftp to shop/db on 5432/TCP" in scan
    assert len(scan) == len(grid) + 1
    # What another does seldom, where something is said to listen, is its own affair.
    assert found["web/portal to shop/db on 5432/TCP"].sort is Sort.LEGITIMATE


def test_many_ports_that_are_used_every_day_are_no_scan() -> None:
    rows = [seen("shop/api", "data/ftp", range(0, 336, 5), port=n) for n in range(30000, 30020)]
    assert sorts(sorted_(*rows)) == {Sort.LEGITIMATE}


def test_where_nothing_is_said_to_listen_what_is_rare_is_a_question() -> None:
    row = seen("shop/api", "shop/db", [30, 100, 200], port=5433)
    found = sorted_(row)["shop/api to shop/db on 5433/TCP"]
    assert (found.sort, found.why) == (
        Sort.UNCLEAR,
        "nothing says that anything listens there, and it was seen on 3 of 14 watched days",
    )
    meant = judged(linked(row), LONG, lambda _: True, said)
    assert [each.sort for each in meant] == [Sort.LEGITIMATE]
    # Every day is no rarity, a short watch shows none, and what is said may be as rare as it likes.
    daily = seen("shop/api", "shop/db", range(3, 336, 24), port=5433)
    assert sorts(sorted_(daily)) == {Sort.LEGITIMATE}
    short = judged(linked(row), watch(23), nothing, said)
    assert [each.sort for each in short] == [Sort.LEGITIMATE]
    weekly = seen("shop/mail", "shop/db", [30, 198], port=5432)
    assert sorts(sorted_(weekly)) == {Sort.LEGITIMATE}


# All together


def test_edges_come_back_in_order_and_nothing_is_not_much() -> None:
    links = linked(*USUAL)
    assert [each.link for each in judged(links, LONG, nothing)] == list(links)
    assert judged((), watch(0), nothing) == ()


def test_whom_a_party_was_seen_to_call() -> None:
    calls = {"a": {"b"}, "b": {"c", "a"}, "d": {"a"}}
    assert below(calls, "a") == {"a", "b", "c"}
    assert below(calls, "c") == set()
