"""Made-up traffic of some weeks, with what makes real traffic hard to learn from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from cloison.flows.generator.model import Call, Made, Place, Plan, Rhythm, Rollout, Sort

Besides = Callable[[str, str], Iterable[Call]]
"""Returns the calls of a source to a destination with its port, as policies let them through."""

_RHYTHMS: Final[tuple[Rhythm, ...]] = (
    "chatty",
    "chatty",
    "rare",
    "chatty",
    "daily",
    "weekly",
    "month-end",
)
"""One call after the other has the next of these."""

_TRIED: Final = 3
"""How many ports an attacker tries."""

_SWAPPED: Final = 0.02
_UPDATE, _SECOND, _ATTACK, _PERSON = 0.4, 0.41, 0.6, 0.3
"""When things happen, as shares of the whole time."""


def weeks(plan: Plan, besides: Besides) -> Plan:
    """Return a plan in which calls have every rhythm, and things go on besides.

    Two workloads are updated, so that the addresses of the first's old pods become those of other
    pods; calls from outside arrive with a node's address; of some connections only a packet back is
    recorded; a pod that was broken into tries what it never called; and a person runs `curl`.

    Args:
        plan: The plan.
        besides: Makes the calls that nobody means.
    """
    calls = tuple(_rhythmic(plan.calls))
    made = sorted(_workloads(calls), key=lambda each: (each.namespace, each.name))
    updates = zip(made, (_UPDATE, _SECOND), strict=False)
    odd = islice(_odd(calls, made, besides), _TRIED + 1)
    return replace(
        plan,
        calls=(*calls, *_timed(odd, plan.hours)),
        rollouts=tuple(
            Rollout(each, plan.hours * at, tuple(sorted({*each.labels, "release=2"})))
            for each, at in updates
        ),
        translated=frozenset(
            each.src.name
            for each in calls
            if isinstance(each.src, Place) and each.src.entity == "world"
        ),
        swapped=_SWAPPED,
    )


def _rhythmic(calls: Sequence[Call]) -> Iterator[Call]:
    number = 0
    for call in calls:
        if call.rhythm != "chatty" or call.sort != "legitimate":
            yield call
            continue
        yield replace(call, rhythm=_RHYTHMS[number % len(_RHYTHMS)])
        number += 1


def _workloads(calls: Iterable[Call]) -> set[Made]:
    ends = {end for call in calls for end in (call.src, call.dst)}
    return {end for end in ends if isinstance(end, Made) and not end.host_network}


def _odd(calls: Sequence[Call], made: Sequence[Made], besides: Besides) -> Iterator[Call]:
    """Yield calls of the first workload, and then of others, to what they never call."""
    known = {(call.src, call.dst) for call in calls}
    reached = {call.dst: call for call in calls if isinstance(call.dst, Made)}
    for src in made:
        for dst, call in reached.items():
            if src != dst and (src, dst) not in known:
                port = f"{call.protocol}/{call.port}" if call.protocol != "TCP" else call.port
                yield from besides(
                    f"{src.namespace}/{src.name}", f"{dst.namespace}/{dst.name}:{port}"
                )


def _timed(odd: Iterable[Call], hours: float) -> Iterator[Call]:
    """Yield calls that happen once: the first by a person, the others by an attacker."""
    for number, call in enumerate(odd):
        sort: Sort = "attack" if number else "person"
        at = hours * (_ATTACK if number else _PERSON) + number * 0.01
        yield replace(call, rhythm="once", at=at, sort=sort)
