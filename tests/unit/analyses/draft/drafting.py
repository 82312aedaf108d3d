"""Drafts of small worlds."""

from collections.abc import Iterable

from cloison.analyses.draft.model import Draft, Drafted
from cloison.analyses.draft.seen import Observed
from cloison.app import load_texts
from cloison.app.draft import draft
from tests.support.smallworlds import Manifest, text


def drafted(*objects: Manifest, seen: Iterable[Observed] = (), accept: bool = False) -> Draft:
    """Return the draft of some manifests."""
    return draft(load_texts({"in.yaml": text(*objects)}), seen, accept=accept)


def calls(found: Iterable[Drafted]) -> list[str]:
    """Return dependencies as `from -> to on ports`, without those from outside."""
    return [str(each.entry) for each in found if each.source != "zone:world"]


def hints(found: Iterable[Drafted]) -> list[str]:
    """Return what speaks for dependencies, without places."""
    return [hint.text for each in found for hint in each.hints]
