"""Denied edges put together: those that break together, and lack the same."""

from collections import defaultdict
from collections.abc import Iterable

from cloison.analyses.past.link import shown
from cloison.analyses.reconcile.seen import Outside
from cloison.analyses.shadow.model import Edge, Fate, Finding, Weight
from cloison.ir.fidelity import Verdict


def findings(edges: Iterable[Edge]) -> tuple[Finding, ...]:
    """Return what got through and would be denied, what breaks everything first.

    All lookups at one resolver are one finding, whoever asks. So are all callers from outside at
    one workload, all addresses outside that one workload calls on a port, and all ports between
    two workloads. What a person or a scan did is apart from what applications do.
    """
    groups: dict[object, list[Edge]] = defaultdict(list)
    for each in edges:
        if each.fate is Fate.DENIED:
            groups[each.sort, _key(each)].append(each)
    found = (
        Finding(some[0].weight, tuple(sorted(some, key=lambda edge: edge.sort_key)))
        for some in groups.values()
    )
    return tuple(sorted(found, key=lambda finding: finding.sort_key))


def _key(edge: Edge) -> object:
    link, key = edge.link, edge.key
    today = edge.before is Verdict.DENIED
    if edge.weight is Weight.DNS and not isinstance(link.destination, Outside):
        return today, edge.weight, key.destination
    source, destination = (
        None if isinstance(end, Outside) else name
        for end, name in (
            (link.source, shown(key.source)),
            (link.destination, shown(key.destination)),
        )
    )
    port = (key.protocol, key.port) if destination is None else None
    if edge.weight is Weight.DNS:
        return today, edge.weight, key.destination
    return today, edge.weight, source, destination, port
