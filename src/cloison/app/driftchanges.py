"""What differs between a cluster as it was and as it is, as changes whose time nobody knows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cloison.analyses.diff.policies import policy_changes
from cloison.analyses.drift.causes import plural
from cloison.analyses.drift.model import Change
from cloison.resources.world import APART

if TYPE_CHECKING:
    from cloison.app.session import Session


def between(before: "Session", after: "Session") -> tuple[Change, ...]:
    """Return what is not as it was: policies, workloads and labels of namespaces."""
    policies = (
        Change(
            f"{each.id.kind} {each.id} {each.kind}",
            namespace=each.id.namespace or "",
            kind=plural(each.id.kind),
            name=each.id.name,
        )
        for each in policy_changes(before.policies, after.policies)
    )
    return (*policies, *_workloads(before, after), *_namespaces(before, after))


def _workloads(before: "Session", after: "Session") -> Iterator[Change]:
    was, now = before.world.workloads, after.world.workloads
    for name in sorted(was.keys() ^ now.keys()):
        if name.namespace == APART or (was.get(name) or now[name]).span is None:
            continue
        done = "added" if name in now else "removed"
        text = f"{name.kind} {name} {done}"
        yield Change(text, namespace=name.namespace, kind=plural(name.kind), name=name.name)


def _namespaces(before: "Session", after: "Session") -> Iterator[Change]:
    was, now = before.world.namespaces, after.world.namespaces
    for name in sorted(was.keys() & now.keys()):
        if was[name].labels != now[name].labels:
            text = f"labels of namespace {name} changed"
            yield Change(text, namespace=name, kind="namespaces", name=name)
