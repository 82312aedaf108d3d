"""Traffic of a plan: every connection that really happened."""

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import merge
from math import log
from random import Random

from cloison.flows.generator.lives import lives, living
from cloison.flows.generator.model import Call, Connection, Made, Place, Plan, Pod

_HOUR = 3_600_000_000
_DAY_HOURS = 24
_NIGHT = (0.35, 22, 6)  # share of the day's traffic, from this hour to that
_DAYS_BETWEEN = 2.5
_MONDAY = 0


def connections(plan: Plan) -> Iterator[Connection]:
    """Yield what happens, in order of time.

    A call's moments depend on the seed and on the call alone: one more call in a plan changes none
    of the others.
    """
    pods = lives(plan)
    streams = [_moments(plan, call, index) for index, call in enumerate(plan.calls)]
    serial = 0
    for time, index, number in merge(*streams):
        call = plan.calls[index]
        random = Random(f"{plan.seed}/{_key(call)}/{number}")
        src, dst = _pick(call.src, pods, time, random), _pick(call.dst, pods, time, random)
        if src is None or dst is None:
            continue
        src_ip, dst_ip = _ip(src, random), _ip(dst, random)
        away = isinstance(src, Place) and src.name in plan.translated
        hour = (time - plan.start) / _HOUR
        allowed = call.denied is None or hour < call.denied_since
        yield Connection(
            time=time,
            call=call,
            src=src,
            src_ip=src_ip,
            seen_ip=random.choice(plan.nodes) if away else src_ip,
            src_port=random.randrange(32768, 61000),
            dst=dst,
            dst_ip=dst_ip,
            allowed=allowed,
            swapped=allowed and random.random() < plan.swapped,
            serial=serial,
        )
        serial += 1


def _key(call: Call) -> str:
    ends = f"{_name(call.src)}>{_name(call.dst)}:{call.port}/{call.protocol}"
    return f"{ends}/{call.rhythm}/{call.at}/{call.sort}"


def _name(end: Made | Place) -> str:
    return end.name if isinstance(end, Place) else f"{end.namespace}/{end.name}"


def _pick(
    end: Made | Place, pods: dict[Made, tuple[Pod, ...]], time: int, random: Random
) -> Pod | Place | None:
    if isinstance(end, Place):
        return end
    there = living(pods[end], time)
    return random.choice(there) if there else None


def _ip(end: Pod | Place, random: Random) -> str:
    return random.choice(end.ips) if isinstance(end, Place) else end.ip


def _moments(plan: Plan, call: Call, index: int) -> Iterator[tuple[int, int, int]]:
    """Yield when a call happens, with its place in the plan and a number for each time."""
    random = Random(f"{plan.seed}/{_key(call)}")
    begin, end = max(0.0, call.since), min(plan.hours, call.until)
    for number, hour in enumerate(_hours(call, plan, random)):
        if hour >= end:
            return
        if hour >= begin:
            yield plan.start + int(hour * _HOUR), index, number


def _hours(call: Call, plan: Plan, random: Random) -> Iterator[float]:
    """Yield hours after the plan's start, in order."""
    if call.rhythm == "once":
        yield call.at
    elif call.rhythm == "chatty":
        yield from _chatty(call, plan, random)
    elif call.rhythm == "rare":
        hour = 0.0
        while hour < plan.hours:
            hour += -log(1.0 - random.random()) * _DAYS_BETWEEN * _DAY_HOURS
            yield hour
    else:
        yield from _by_calendar(call, plan, random)


def _chatty(call: Call, plan: Plan, random: Random) -> Iterator[float]:
    """Yield hours of a Poisson process that is slower at night."""
    hour = 0.0
    share, dusk, dawn = _NIGHT
    while hour < plan.hours:
        hour += -log(1.0 - random.random()) / call.per_hour
        of_day = _clock(plan.start, hour).hour
        night = of_day >= dusk or of_day < dawn
        if not night or random.random() < share:
            yield hour


def _by_calendar(call: Call, plan: Plan, random: Random) -> Iterator[float]:
    midnight = _clock(plan.start, 0.0).replace(hour=0, minute=0, second=0, microsecond=0)
    first = (midnight.timestamp() * 1e6 - plan.start) / _HOUR
    for day in range(int(plan.hours // _DAY_HOURS) + 2):
        hour = first + day * _DAY_HOURS + call.at + random.random() / 60
        when = _clock(plan.start, hour)
        last = calendar.monthrange(when.year, when.month)[1]
        due = {
            "daily": True,
            "weekly": when.weekday() == _MONDAY,
            "month-end": when.day == last,
        }[call.rhythm]
        if due and hour >= 0:
            yield hour


def _clock(start: int, hour: float) -> datetime:
    return datetime.fromtimestamp(start / 1e6 + hour * 3600, UTC)
