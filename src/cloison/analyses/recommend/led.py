"""Observed edges to a Service's own address, as the pods behind it see them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloison.analyses.ends import End, PodsEnd, ServiceEnd
from cloison.analyses.question import Traffic
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.seen import Outside, SeenEnd
from cloison.analyses.services import follow
from cloison.base import QuestionError
from cloison.engine import Engine


def led(engine: Engine, every: Iterable[Placed]) -> Iterator[Placed]:
    """Yield observed edges; those to a Service once for each workload that it leads to.

    Sources that look before addresses are translated show the Service, and policies never do.

    Args:
        engine: Whose Services.
        every: The edges.
    """
    for each in every:
        found = tuple(_followed(engine, each)) if isinstance(each.destination, ServiceEnd) else ()
        yield from found or (each,)


def _followed(engine: Engine, each: Placed) -> Iterator[Placed]:
    source: End | None = each.source.address if isinstance(each.source, Outside) else each.source
    if source is None or not isinstance(each.destination, ServiceEnd):
        return
    traffic = Traffic(str(each.traffic), each.traffic)
    try:
        parts = list(follow(engine, source, each.destination, traffic))
    except QuestionError:
        return
    for part in parts:
        if not isinstance(part.destination, PodsEnd):
            continue
        workload = part.destination.workload
        name = workload.id
        pods = PodsEnd(str(name), workload, engine.table.by_workload.get(name, ()))
        end = SeenEnd("pod", name.namespace, name.name, name.kind)
        for entry in part.traffic.traffic.entries():
            seen = replace(each.seen, destination=end, port=entry.low, protocol=entry.protocol)
            yield Placed(seen, each.source, pods, part.traffic.traffic)
