"""Made-up traffic: the same every time, with the rhythms it says."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from cloison.flows.generator.lives import lives
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Call, Connection, Made, Place, Pod, Rhythm
from tests.support.traffic import API, HOUR, JOB, PAYMENTS, PORTAL, SHOP, START, VISITORS, short


def test_same_plan_makes_the_same_traffic_and_another_seed_another() -> None:
    plan = short()
    made = list(connections(plan))
    assert made == list(connections(plan))
    assert made != list(connections(replace(plan, seed=1)))
    assert [one.time for one in made] == sorted(one.time for one in made)
    assert [one.serial for one in made] == list(range(len(made)))


def test_one_more_call_changes_none_of_the_others() -> None:
    plan = short()
    more = replace(plan, calls=(Call(VISITORS, API, 1), *plan.calls))

    def told(of: Call, traffic: list[Connection]) -> list[tuple[object, ...]]:
        return [
            (one.time, one.src_ip, one.dst_ip, one.src_port) for one in traffic if one.call == of
        ]

    before, after = list(connections(plan)), list(connections(more))
    for call in plan.calls:
        assert told(call, before) == told(call, after)


def test_rhythms_keep_their_hours() -> None:
    made = list(connections(SHOP))
    times: dict[tuple[Rhythm, int, Made | Place], list[datetime]] = {}
    for one in made:
        when = datetime.fromtimestamp(one.time / 1e6, UTC)
        times.setdefault((one.call.rhythm, one.call.port, one.call.dst), []).append(when)
    daily = times["daily", 9187, SHOP.calls[5].dst]
    assert len(daily) == 35
    assert {when.hour for when in daily} == {2}
    weekly = next(found for key, found in times.items() if key[0] == "weekly")
    assert {(when.weekday(), when.hour) for when in weekly} == {(0, 3)}
    assert len(weekly) == 5
    (month_end,) = next(found for key, found in times.items() if key[0] == "month-end")
    assert (month_end.month, month_end.day, month_end.hour) == (1, 31, 1)
    counts = Counter(one.call for one in made)
    rare = next(count for call, count in counts.items() if call.rhythm == "rare")
    assert 8 <= rare <= 22
    assert sum(call.rhythm == "once" for call in counts) == 2


def test_nights_are_quieter_than_days() -> None:
    hours = Counter(
        datetime.fromtimestamp(one.time / 1e6, UTC).hour
        for one in connections(SHOP)
        if one.call.rhythm == "chatty"
    )
    assert sum(hours[hour] for hour in range(8, 16)) > 2 * sum(
        hours[hour] for hour in (22, 23, 0, 1, 2, 3, 4, 5)
    )


def test_update_replaces_pods_and_gives_their_addresses_away() -> None:
    pods = lives(SHOP)
    first, second = pods[API][:2], pods[API][2:]
    assert {pod.labels for pod in first} == {("app=api", "version=v1")}
    assert {pod.labels for pod in second} == {("app=api", "version=v2")}
    assert first[0].until > second[0].since == START + 200 * HOUR
    reused = {pod.ip for pod in first} & {pod.ip for pod in pods[PORTAL]}
    assert reused
    for ip in reused:
        holders = [pod for of in pods.values() for pod in of if pod.ip == ip]
        spans = sorted((pod.since, pod.until) for pod in holders)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_only_living_pods_talk() -> None:
    for one in connections(SHOP):
        for end in (one.src, one.dst):
            if isinstance(end, Pod):
                assert end.since <= one.time < end.until


def test_attack_is_denied_and_visitors_come_from_nodes() -> None:
    made = list(connections(SHOP))
    assert [one.call.sort for one in made if not one.allowed] == ["attack"]
    visits = [one for one in made if one.call.src == VISITORS]
    assert {one.seen_ip for one in visits} == set(SHOP.nodes)
    assert {one.src_ip for one in visits} == set(VISITORS.ips)


def test_call_ends_when_it_says_so() -> None:
    calls = (
        Call(PORTAL, API, 8080, until=24),
        Call(JOB, PAYMENTS, 443, since=24),
    )
    made = list(connections(replace(SHOP, calls=calls, hours=48)))
    ended = [one.time for one in made if one.call == calls[0]]
    begun = [one.time for one in made if one.call == calls[1]]
    assert ended
    assert begun
    assert max(ended) < START + 24 * HOUR <= min(begun)
