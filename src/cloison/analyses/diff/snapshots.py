"""Change: what is different between two snapshots, filters and reasons included."""

from collections.abc import Sequence
from dataclasses import replace

from cloison.analyses.connectivity import Map, MapOptions
from cloison.analyses.diff.answer import Diff
from cloison.analyses.diff.comparison import compare
from cloison.analyses.diff.policies import policy_changes
from cloison.analyses.diff.responsible import Responsible
from cloison.analyses.ends import Names
from cloison.analyses.hosts import mentioned_by
from cloison.analyses.survey import policed_nodes, survey
from cloison.base import UnknownEndpointError
from cloison.engine import Engine

Sides = tuple[Names, Names]


def change(before: Engine, after: Engine, options: MapOptions | None = None) -> Diff:
    """Return connectivity opened, closed and changed from one snapshot to another.

    Args:
        before: Who decides on one side.
        after: Who decides on the other.
        options: What part is asked for, as of a map; what it names has to exist on one side
            only. Traffic among a workload's own replicas is always compared.

    Raises:
        QuestionError: A filter names nothing on either side.
    """
    hosts = mentioned_by(before, after)
    policed = policed_nodes(before) | policed_nodes(after)
    asked = replace(options or MapOptions(), self_edges=True, hosts=hosts, policed=policed)
    sides = (Names(before, asked.namespace), Names(after, asked.namespace))
    _namespace(sides, asked)
    known = [_known(sides, names) for names in (asked.focus, asked.sources, asked.destinations)]
    was, now = (
        _map(side, asked, [found[number] for found in known]) for number, side in enumerate(sides)
    )
    return compare(
        was,
        now,
        policies=policy_changes(before.policies, after.policies),
        explain=Responsible(before, after),
    )


def _namespace(sides: Sides, asked: MapOptions) -> None:
    """Make sure that a namespace asked for exists on a side."""
    if not any(_lives(side, asked) for side in sides):
        # The survey says which names come near.
        survey(sides[1].engine, asked, sides[1])


def _lives(side: Names, asked: MapOptions) -> bool:
    return asked.namespace is None or asked.namespace in side.engine.world.namespaces


def _known(sides: Sides, names: Sequence[str]) -> tuple[tuple[str, ...] | None, ...]:
    """Return, for each side, those of the names that mean something there.

    None where there were names and all of them exist on the other side only.
    """
    found: tuple[list[str], list[str]] = ([], [])
    for name in names:
        missing: list[UnknownEndpointError] = []
        for side, kept in zip(sides, found, strict=True):
            try:
                side.end(name)
            except UnknownEndpointError as error:
                missing.append(error)
            else:
                kept.append(name)
        if len(missing) == len(sides):
            raise missing[-1]
    return tuple(tuple(kept) if kept or not names else None for kept in found)


def _map(side: Names, asked: MapOptions, known: Sequence[tuple[str, ...] | None]) -> Map:
    """Return one side's part of what is asked for."""
    focus, sources, destinations = known
    if focus is None or sources is None or destinations is None or not _lives(side, asked):
        whole = MapOptions(
            pods=asked.pods, nodes=asked.nodes, hosts=asked.hosts, policed=asked.policed
        )
        return replace(
            survey(side.engine, whole, side),
            rows={},
            outward={},
            inward={},
            itself={},
            partial=True,
        )
    chosen = replace(asked, focus=focus, sources=sources, destinations=destinations)
    return survey(side.engine, chosen, side)
