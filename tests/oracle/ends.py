"""What flows tell of an end, and whose it was: several may hold an address after each other."""

from collections import defaultdict
from typing import Any

from cloison.flows.schema import Flow

PLACES = ("cluster", "ns", "workload", "kind", "pod", "labels", "entity", "ip", "port")
HELD = ("cluster", "ns", "pod", "workload")


def end(flow: Flow, side: str) -> dict[str, Any]:
    return {name: getattr(flow, f"{side}_{name}") for name in PLACES}


def apart(flows: list[Flow]) -> list[list[Flow]]:
    """Return flows between the same addresses and ports, those of each pair of holders together."""
    tells: dict[Any, list[tuple[Flow, dict[str, Any]]]] = defaultdict(list)
    for flow in flows:
        for side in ("src", "dst"):
            told = end(flow, side)
            tells[told["ip"], told["port"]].append((flow, told))
    found: dict[Any, list[Flow]] = defaultdict(list)
    for flow in flows:
        src, dst = end(flow, "src"), end(flow, "dst")
        turns = {
            side: turn(flow, own, other["cluster"], tells[own["ip"], own["port"]])
            for side, own, other in (("src", src, dst), ("dst", dst, src))
        }
        first = (src["ip"], src["port"]) <= (dst["ip"], dst["port"])
        found[(turns["src"], turns["dst"]) if first else (turns["dst"], turns["src"])].append(flow)
    return list(found.values())


def turn(
    flow: Flow, own: dict[str, Any], other: str | None, tells: list[tuple[Flow, dict[str, Any]]]
) -> Any:
    """Return which of several holders of an end a flow is of; None where nobody tells of more."""
    if all(len({told[name] for _, told in tells} - {None}) < 2 for name in HELD):
        return None
    begun: dict[tuple[Any, ...], int] = {}
    for each, told in tells:
        said = tuple(told[name] for name in HELD)
        begun[said] = min(each.time or 0, begun.get(said, each.time or 0))
    holders = [said for said in begun if not any(tells_more(more, said) for more in begun)]
    mine = tuple(own[name] for name in HELD)
    fitting = [said for said in holders if said == mine or tells_more(said, mine)]
    home = own["cluster"] or other
    near = [said for said in fitting if said[0] is not None and said[0] == home] or fitting
    order = sorted(near, key=lambda said: (begun[said], [each or "" for each in said]))
    return [order[0], *(said for said in order if begun[said] <= (flow.time or 0))][-1]


def tells_more(more: tuple[Any, ...], less: tuple[Any, ...]) -> bool:
    """Return whether one tells of an end all that the other does, and more."""
    pairs = zip(more, less, strict=True)
    return more != less and all(there is None or there == here for here, there in pairs)
