"""Pods of made-up workloads, from birth to death, and their addresses, which are used again."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from random import Random

from cloison.flows.generator.model import Made, Place, Plan, Pod

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_HOUR = 3_600_000_000
_FOREVER = 1 << 62
_OVERLAP = 30_000_000  # a new pod is ready half a minute before the old one goes


def lives(plan: Plan) -> dict[Made, tuple[Pod, ...]]:
    """Return every pod that lives while a plan's traffic is made, by workload, the oldest first."""
    made = _workloads(plan)
    free: list[tuple[int, str]] = []
    fresh = (f"10.244.{high}.{low}" for high in range(256) for low in range(2, 250))
    births = [(plan.start - _HOUR, order, one, one.labels) for order, one in enumerate(made)]
    births += [
        (plan.start + int(change.at * _HOUR), order, change.workload, change.labels)
        for order, change in enumerate(plan.rollouts)
    ]
    found: dict[Made, list[Pod]] = {one: [] for one in made}
    for time, _, one, labels in sorted(births, key=lambda birth: birth[:2]):
        _retire(found[one], time + _OVERLAP, free)
        for index in range(one.replicas):
            node = plan.nodes[(index + len(one.name)) % len(plan.nodes)]
            ip = node if one.host_network else _address(free, fresh, time)
            name = _name(one, index, Random(f"{plan.seed}/{one.namespace}/{one.name}/{time}"))
            found[one].append(Pod(one, name, ip, node, labels, time, _FOREVER))
    return {one: tuple(pods) for one, pods in found.items()}


def living(pods: Sequence[Pod], time: int) -> list[Pod]:
    """Return those of some pods that live at a time."""
    return [pod for pod in pods if pod.since <= time < pod.until]


def _workloads(plan: Plan) -> list[Made]:
    found: dict[Made, None] = {}
    for call in plan.calls:
        for end in (call.src, call.dst):
            if not isinstance(end, Place):
                found.setdefault(end)
    return sorted(found, key=lambda one: (one.namespace, one.name, one.kind))


def _retire(pods: list[Pod], time: int, free: list[tuple[int, str]]) -> None:
    for index, pod in enumerate(pods):
        if pod.until == _FOREVER:
            pods[index] = Pod(pod.made, pod.name, pod.ip, pod.node, pod.labels, pod.since, time)
            if not pod.made.host_network:
                heappush(free, (time, pod.ip))


def _address(free: list[tuple[int, str]], fresh: Iterator[str], time: int) -> str:
    # What was given back longest ago is given out first, once its pod is gone.
    if free and free[0][0] <= time:
        return heappop(free)[1]
    return next(fresh)


def _name(one: Made, index: int, random: Random) -> str:
    template = "".join(random.choices(_LETTERS, k=10))
    tails = ["".join(random.choices(_LETTERS, k=5)) for _ in range(index + 1)]
    if one.kind == "StatefulSet":
        return f"{one.name}-{index}"
    if one.kind == "Deployment":
        return f"{one.name}-{template}-{tails[-1]}"
    return f"{one.name}-{tails[-1]}"
