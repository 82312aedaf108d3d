"""Who held an address at a time, as records of identities say it: plainly, one after the other."""

from collections.abc import Collection
from typing import Any

from cloison.flows.schema import Identity


def whose(one: Identity) -> tuple[Any, ...]:
    sort = one.kind if one.kind in {"Node", "Service"} else "Pod"
    return one.cluster, sort, one.ns, one.pod or one.workload


def holders(ip: str, time: int, identities: Collection[Identity]) -> list[Identity]:
    """Return what is said of who held an address at a time."""
    said = [each for each in identities if each.ip == ip]
    return [each for each in said if each.since <= time and holds(each, time, said, identities)]


def holds(
    one: Identity, time: int, said: Collection[Identity], identities: Collection[Identity]
) -> bool:
    """Return whether what began before a time still held then."""
    if one.until is not None:
        return time < one.until
    own = [each for each in said if whose(each) == whose(one)]
    closed = [(each.since, each.until) for each in own if each.until is not None]
    ends = [
        until for _, until in closed
        if not any(other <= until < later for other, later in closed)
    ]  # fmt: skip
    ends += [each.since for each in own]
    ends += [each.since for each in identities if each.snapshot and speaks(each, one, identities)]
    if whose(one)[1] == "Pod" and not one.host_network:
        ends += [
            each.since for each in said
            if whose(each)[1] == "Pod" and not each.host_network
            and each.cluster == one.cluster and whose(each) != whose(one)
        ]  # fmt: skip
    return not any(one.since < end <= time for end in ends)


def speaks(listed: Identity, one: Identity, identities: Collection[Identity]) -> bool:
    """Return whether the snapshot that lists somebody would list another as well."""
    if whose(listed)[:2] != whose(one)[:2]:
        return False
    return listed.ns == one.ns or any(
        each.snapshot and each.kind == "Node" and each.cluster == listed.cluster
        for each in identities if each.since == listed.since
    )  # fmt: skip


def known_of(held: Collection[Identity]) -> dict[str, Any] | None:
    """Return what is known of who held an address; None where that were several."""
    if all(each.host_network or each.kind == "Node" for each in held):
        nodes = {each.workload for each in held if each.kind == "Node"}
        node = nodes.pop() if len(nodes) == 1 else None
        clusters = {each.cluster for each in held}
        return {
            "cluster": clusters.pop() if len(clusters) == 1 else None,
            "ns": None, "pod": None, "labels": None, "workload": node,
            "kind": "Node" if node else None, "entity": "host",
        }  # fmt: skip
    if len({whose(each) for each in held}) > 1:
        return None
    last = max(each.since for each in held)
    took: dict[str, Any] = {}
    for column in ("cluster", "ns", "pod", "workload", "kind", "labels"):
        words = {getattr(each, column) for each in held if each.since == last}
        took[column] = words.pop() if len(words) == 1 else None
    return {**took, "entity": "service" if took["kind"] == "Service" else "pod"}
