"""Whom a selector that matches nobody looks like: labels that are there, a little otherwise."""

from difflib import get_close_matches

from cloison.algebra import LabelSelector, Operator
from cloison.algebra.selectors import Requirement
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence
from cloison.analyses.telling import NAMING
from cloison.ir.peers import PodsMatch
from cloison.resources.objects import Labels
from cloison.resources.world import Workload

NEAR = 0.6
"""How much alike two keys, or two values of namespaces' labels, are at least."""
CLOSE = 0.8
"""The same for labels of pods, where other applications have names that begin alike."""


def lives(clinic: Clinic, match: PodsMatch, workload: Workload) -> bool:
    """Return whether a workload is in a namespace that a match looks into."""
    if match.namespace is not None:
        return match.namespace == workload.id.namespace
    home = clinic.engine.world.namespaces[workload.id.namespace]
    return match.namespaces.matches(home.labels)


def nearest(selector: LabelSelector, among: list[tuple[str, Labels]]) -> str | None:
    """Return labels that are there and look like those that are asked for."""
    for each in selector.requirements:
        if each.operator is not Operator.IN or len(each.values) != 1:
            continue
        for _, labels in among:
            for key, value in sorted(labels.items()):
                if _alike(each, key, value) and not each.matches(labels):
                    return f"{key}={value}"
    return None


def _alike(wanted: Requirement, key: str, value: str) -> bool:
    """Return whether a label looks like what is asked for: its value, or its key, written so."""
    asked = wanted.values[0]
    if key == wanted.key:
        return bool(get_close_matches(asked, [value], 1, CLOSE))
    named = wanted.key in NAMING and key in NAMING
    return value == asked and (named or bool(get_close_matches(wanted.key, [key], 1, NEAR)))


def there(clinic: Clinic, match: PodsMatch, workload: Workload) -> Evidence:
    """Return the labels that are there in place of those that are asked for."""
    home = clinic.engine.world.namespaces[workload.id.namespace]
    if match.namespace is None and not match.namespaces.matches(home.labels):
        keys = match.namespaces.keys
        labels = [f"{k}={v}" for k, v in sorted(home.labels.items()) if k in keys]
        labels = labels or [f"{k}={v}" for k, v in sorted(home.labels.items())]
        return Evidence(f"namespace {home.name} has {', '.join(labels)}", home.span)
    labels = [f"{k}={v}" for k, v in sorted(workload.endpoints[0].labels.items())]
    return Evidence(f"{workload.id} has {', '.join(labels[:4])}", workload.span)


def pods_like(selector: LabelSelector, labels: Labels) -> LabelSelector | None:
    """Return a selector that matches some labels and looks like another that does not."""
    if selector.matches(labels):
        return None  # on the network of its node: not what the labels are for
    changed = list(selector.requirements)
    for place, each in enumerate(selector.requirements):
        if each.matches(labels):
            continue
        if each.operator is not Operator.IN or len(each.values) != 1:
            return None
        near = [(k, v) for k, v in sorted(labels.items()) if _alike(each, k, v)]
        if not near:
            return None
        changed[place] = Requirement(near[0][0], Operator.IN, (near[0][1],))
    return LabelSelector(tuple(sorted(changed)))
