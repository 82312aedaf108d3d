"""Pods that do not exist yet: every kind of pod that policies could tell apart.

`any:` asks about pods that exist and pods that somebody may create. For the second half a
pod is imagined for each combination of the labels that matter, in each namespace that
matters and in a new one, and the same engine judges them all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product

from cloison.algebra import LabelSelector, Operator
from cloison.analyses.ends import AnyEnd
from cloison.base import Span
from cloison.engine import Engine
from cloison.ir.policy import PodsMatch, Policy, plain_matches
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Labels, Namespace, PodShape
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World

MOST = 4096
"""Imagined pods at most; beyond that an answer without an exception is undetermined."""

MOST_OF_BOTH = 512
"""The same where both ends ask for any pod: every pair of them is looked at."""

_OTHER = "some-other-value"
_NEW = "(a new namespace)"


def imagine(engine: Engine, ends: Sequence[AnyEnd]) -> tuple[Engine, bool]:
    """Return an engine over a world with imagined pods added.

    Args:
        engine: The engine of the world as it is.
        ends: The ends that ask for any pod.

    Returns:
        The engine, and whether every kind of pod could be imagined.
    """
    wanted = {end.namespace for end in ends}
    names: set[str | None] = {None, *engine.world.namespaces} if None in wanted else wanted
    matches = list(_matches(engine.ordered))
    pod_keys = _values(m.pods for m in matches)
    namespaces = dict(engine.world.namespaces)
    workloads = dict(engine.world.workloads)
    left = MOST if len(ends) == 1 else MOST_OF_BOTH
    complete = True
    for home in _homes(engine.world, names, matches):
        namespaces.setdefault(home.name, home)
        shapes = list(islice(_assignments(pod_keys), left + 1))
        complete = complete and len(shapes) <= left
        for labels in shapes[:left]:
            workload = _pod(home.name, labels)
            workloads[workload.id] = workload
        left -= min(left, len(shapes))
    # Imagined pods come last, so that every endpoint keeps its number.
    world = replace(engine.world, namespaces=dict(sorted(namespaces.items())), workloads=workloads)
    return Engine(world, engine.policies, engine.profile, engine.networks), complete


def _matches(policies: Iterable[Policy]) -> Iterator[PodsMatch]:
    for policy in policies:
        yield from policy.subjects
        for rule in policy.rules:
            for peer in rule.peers:
                yield from (m for m in plain_matches(peer.match) if isinstance(m, PodsMatch))


def _values(selectors: Iterable[LabelSelector]) -> dict[str, list[str | None]]:
    """Return for each key the values that any selector can tell apart; None is its absence."""
    found: dict[str, set[str]] = {}
    for selector in selectors:
        for requirement in selector.requirements:
            values = found.setdefault(requirement.key, set())
            if requirement.operator in (Operator.IN, Operator.NOT_IN):
                values.update(requirement.values)
    return {key: [None, *sorted(values), _OTHER] for key, values in sorted(found.items())}


def _assignments(keys: Mapping[str, list[str | None]]) -> Iterator[dict[str, str]]:
    for values in product(*keys.values()):
        yield {k: v for k, v in zip(keys, values, strict=True) if v is not None}


def _homes(world: World, names: set[str | None], matches: list[PodsMatch]) -> Iterator[Namespace]:
    """Yield namespaces to imagine pods in; those that policies cannot tell apart only once."""
    keys = _values(m.namespaces for m in matches if m.namespace is None)
    named = {m.namespace for m in matches} | {
        value
        for m in matches
        for r in m.namespaces.requirements
        if r.key == NAMESPACE_NAME_LABEL
        for value in r.values
    }
    seen = set()
    for name in sorted(n for n in names if n is not None):
        home = world.namespaces.get(name)
        if home is None:
            yield from _new(keys, name)
            continue
        kind = (
            name if name in named else "",
            tuple(home.labels.get(k) for k in keys if k != NAMESPACE_NAME_LABEL),
        )
        if kind not in seen:
            seen.add(kind)
            yield home
    if None in names:
        yield from _new(keys, None)


def _new(keys: Mapping[str, list[str | None]], name: str | None) -> Iterator[Namespace]:
    """Yield namespaces that do not exist, with every combination of labels that matters."""
    others = {k: v for k, v in keys.items() if k != NAMESPACE_NAME_LABEL}
    for labels in islice(_assignments(others), MOST):
        said = ", ".join(f"{k}={v}" for k, v in labels.items())
        title = name or (f"{_NEW[:-1]} labelled {said})" if said else _NEW)
        yield Namespace(title, {**labels, NAMESPACE_NAME_LABEL: title})
        if name is not None:
            return


def _pod(namespace: str, labels: Labels) -> Workload:
    said = ", ".join(f"{k}={v}" for k, v in labels.items())
    name = f"(any pod labelled {said})" if said else "(any pod without such labels)"
    workload = WorkloadId(namespace, name, "Pod")
    endpoint = PodEndpoint(workload, None, PodShape(labels), Span("", 0, 0))
    return Workload(workload, (endpoint,))
