"""What recorded edges are, as recommending sorts them: an application's, a person's, or a scan."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from cloison.analyses.contract.compile.build import build
from cloison.analyses.contract.compile.model import Compiled
from cloison.analyses.contract.compile.naming import Order
from cloison.analyses.past.link import Link, LinkKey, links
from cloison.analyses.past.sorts import Judged, judged
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.basis import Basis
from cloison.analyses.recommend.covering import Let
from cloison.analyses.recommend.known import Known
from cloison.analyses.reconcile.pairs import Placed
from cloison.app.compile import clinic_of, words_of
from cloison.app.contract import Agreed, agreed, ends, for_contract
from cloison.app.recommend import language
from cloison.base import QuestionError, SourceError
from cloison.intent import Contract
from cloison.intent.read import is_contract

if TYPE_CHECKING:
    from cloison.app.session import Session


def sorts(session: "Session", here: Sequence[Placed], watch: Watch) -> Mapping[LinkKey, Judged]:
    """Return what each edge is, by what it is known by.

    Contracts among the sources count, as far as they can be read.

    Args:
        session: The cluster as it is.
        here: What was seen: an edge is judged beside the others of its source.
        watch: When anybody watched.
    """
    found = _agreed(session)
    session = for_contract(session, found.contract)
    words, clinic = words_of(language(session.profile)), clinic_of(session)
    # What expires is judged by when it was used.
    today = datetime.fromtimestamp(watch.hours[-1] * 3600, UTC).date() if watch else date.max

    def built(contract: Contract) -> Compiled:
        known = ends(session, replace(found, contract=contract))
        return build(
            Order(contract, known, clinic, words, session.settings.annotation_prefix, today)
        )

    seen = links(here)
    known = Known(found.contract, ends(session, found), clinic, seen, (), watch, built, today)
    basis = Basis(known)
    hints: dict[LinkKey, tuple[Let, ...]] = {}

    def hinted(link: Link) -> tuple[Let, ...]:
        # It is asked about most edges more than once, and takes most of the time.
        if link.key not in hints:
            hints[link.key] = tuple(basis.hinted.of(link))
        return hints[link.key]

    def meant(link: Link) -> bool:
        sure = (basis.edges[int(each.name)] in basis.statics.sure for each in hinted(link))
        return bool(basis.covers.of(link)) or any(sure)

    told = judged(seen, watch, meant, basis.said, lambda link: bool(hinted(link)))
    return {each.link.key: each for each in told}


def _agreed(session: "Session") -> Agreed:
    """Return the contract of a session; an empty one where it has none that can be read."""
    if any(map(is_contract, session.own)):
        try:
            return agreed(session, ())
        except (SourceError, QuestionError):
            return Agreed(Contract())
    return Agreed(Contract())
