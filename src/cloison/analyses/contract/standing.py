"""What a guardrail that holds stands on: the caveats of the answers that deny what it forbids."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from cloison.analyses.contract.sets import Box, Sets
from cloison.analyses.explain import explain_case
from cloison.analyses.parties import Party
from cloison.analyses.question import Case
from cloison.engine import UnitKind
from cloison.engine.related import UNRELATED
from cloison.intent import Contract, ContractEnd, EndForm, Guardrail
from cloison.intent.read import ends_of
from cloison.ir.caveats import POD_ADDRESS_UNKNOWN
from cloison.ir.fidelity import Caveat

_MOST = 256
"""Pairs of unlike ends of a box that are looked at."""
_FEW = 8
"""Other ends that each end is looked at with, where there are more pairs than that."""


def standing(sets: Sets, guardrail: Guardrail, boxes: Iterable[Box]) -> frozenset[Caveat]:
    """Return the caveats of what `cloison why` would answer about flows that are forbidden.

    One end stands for all that no policy tells from it and of which as much is known.

    Args:
        sets: Whose engine answers.
        guardrail: The guardrail.
        boxes: The flows that it forbids.
    """
    # Names that only others ask about are outside like everything there: nothing hangs on them.
    apart = bool(sets.engine.mentioned) or any(
        _names(end, sets.ends.placed.contract) for end in ends_of(guardrail)
    )
    found: set[Caveat] = set()
    for box in boxes:
        sources, destinations = (
            list(_unlike(sets, group.units(sets.engine), names=apart))
            for group in (box.sources, box.destinations)
        )
        for source, destination in _pairs(sources, destinations):
            here = _caveats(sets, box, source, destination)
            comes = _comes(sets, source) or _comes(sets, destination)
            # What is not known of others is imagined of pods that may come, but for addresses.
            found |= here & {POD_ADDRESS_UNKNOWN} if comes else here
    return frozenset(found)


def _names(end: ContractEnd, contract: Contract) -> bool:
    """Return whether an end may stand for what is known by a name alone."""
    named = [each for each in contract.externals if each.hosts]
    match end.form:
        case EndForm.HOST:
            return True
        case EndForm.EXTERNAL:
            return any(each.name == end.rest for each in named)
        case EndForm.ZONE:
            return any(each.zone == end.rest for each in named)
    return False


def _unlike(sets: Sets, units: Iterable[int], *, names: bool) -> Iterator[int]:
    """Yield one unit of each kind; what is known by a name alone only where `names`."""
    engine = sets.engine
    seen: set[object] = set()
    for unit in units:
        if engine.table.units[unit].kind is UnitKind.NAMED and not names:
            continue
        kind: tuple[object, ...] = (engine.likeness(unit), _comes(sets, unit))
        for endpoint in (engine.table.endpoints[i] for i in engine.table.units[unit].endpoints[:1]):
            account = (endpoint.namespace, endpoint.shape.service_account)
            read = engine.world.namespaces[endpoint.namespace].span is not None
            kind = (*kind, read, account in engine.world.accounts)
        if kind not in seen:
            seen.add(kind)
            yield unit


def _pairs(sources: Sequence[int], destinations: Sequence[int]) -> Iterable[tuple[int, int]]:
    if len(sources) * len(destinations) <= _MOST:
        return product(sources, destinations)
    some = product(sources[:_MOST], destinations[:_FEW])
    return sorted({*some, *product(sources[:_FEW], destinations[:_MOST])})


def _comes(sets: Sets, unit: int) -> bool:
    held = sets.engine.table.units[unit].endpoints
    return bool(held) and min(held) >= sets.existing


def _caveats(sets: Sets, box: Box, source: int, destination: int) -> set[Caveat]:
    units = sets.engine.table.units
    families = {units[each].family for each in (source, destination)} - {0}
    if len(families) > 1:
        return set()
    case = Case(
        _party(sets, source),
        _party(sets, destination),
        UNRELATED,
        UNRELATED,
        box.traffic,
        family=families.pop() if families else None,
    )
    return set(explain_case(sets.engine, case, misses=False).caveats)


def _party(sets: Sets, unit: int) -> Party:
    table = sets.engine.table
    held = table.units[unit].endpoints
    return Party(unit, "", table.endpoints[held[0]] if held else None)
