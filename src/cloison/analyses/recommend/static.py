"""What manifests say of calls, and of what workloads need of the platform."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.draft.model import WORLD, Edge, Hint, Need, Outside, Sure
from cloison.analyses.draft.needed import needed
from cloison.analyses.draft.routed import routed
from cloison.analyses.draft.sight import Sight
from cloison.analyses.draft.told import told
from cloison.resources.world import WorkloadId


@dataclass(frozen=True, slots=True)
class Statics:
    """What manifests say.

    Args:
        sure: Calls that somebody wrote down, and where.
        likely: Calls that manifests only hint at: nothing is let through for them alone.
        needs: What of the platform workloads need, as contracts name it, sorted.
    """

    sure: Mapping[Edge, tuple[Hint, ...]]
    likely: Mapping[Edge, tuple[Hint, ...]]
    needs: tuple[str, ...]


def statics(clinic: Clinic) -> Statics:
    """Return what the manifests of a cluster say of calls.

    Its policies are not asked: they are what is to be replaced, with all that they open too much.

    Args:
        clinic: The cluster, read with `runtime`.
    """
    sight = Sight(clinic)
    found = [*told(sight), *routed(sight)]
    hints = [each for each in found if isinstance(each, Hint)]
    found += needed(sight, tuple(hints))
    by_edge: dict[Edge, list[Hint]] = defaultdict(list)
    for hint in hints:
        if hint not in by_edge[hint.edge]:
            by_edge[hint.edge].append(hint)
    known = {edge: tuple(some) for edge, some in by_edge.items() if _is_known(edge)}
    sure = {edge: some for edge, some in known.items() if any(map(_counts, some))}
    return Statics(
        dict(sorted(sure.items(), key=lambda item: item[0].key)),
        {edge: some for edge, some in known.items() if edge not in sure},
        tuple(sorted({each.id for each in found if isinstance(each, Need)})),
    )


def _counts(hint: Hint) -> bool:
    return hint.sure is Sure.HIGH and not hint.ask


def _is_known(edge: Edge) -> bool:
    """Return whether both ends of a call and its port are known."""
    if edge.port is None:
        return False
    ends = (edge.source, edge.destination)
    return all(isinstance(each, WorkloadId | Outside) or each == WORLD for each in ends)
