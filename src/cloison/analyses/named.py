"""Which rules about names leave an answer about an address open."""

from collections.abc import Iterable, Iterator

from cloison.analyses.explain import CaseAnswer
from cloison.engine import Engine, UnitKind
from cloison.ir.peers import NamesMatch, plain_matches
from cloison.ir.policy import Peer

_SHOWN = 3


def naming_notes(engine: Engine, answers: Iterable[CaseAnswer]) -> Iterator[str]:
    """Yield, for each rule by name that may be about an address in question, what is not known."""
    for answer in answers:
        if engine.table.units[answer.case.destination.unit].kind is not UnitKind.EXTERNAL:
            continue
        for point in answer.points:
            for step in point.walk.steps if point.walk is not None else ():
                if step.sure or step.rule is None:
                    continue
                names = list(_open(engine, step.rule.rule.peers, point.point.peer))
                if names:
                    rule = f"{step.rule.policy.id.said} {step.rule.rule.label}"
                    yield (
                        f"{answer.case.destination.text} may be an address of "
                        f"{_either(names)} ({rule}); a DNS table settles it"
                    )


def _open(engine: Engine, peers: Iterable[Peer], unit: int) -> Iterator[str]:
    """Yield the names of peers that an address may have."""
    matcher = engine.binder.matcher
    for peer in peers:
        for match in plain_matches(peer.match):
            if isinstance(match, NamesMatch) and matcher.holds(match, unit) is False:
                yield from (str(name) for name in match.names if not matcher.book.knows(name))


def _either(names: list[str]) -> str:
    some = list(dict.fromkeys(names))
    if len(some) > _SHOWN:
        return f"{', '.join(some[:_SHOWN])} or {len(some) - _SHOWN} more names"
    return " or ".join(some)
