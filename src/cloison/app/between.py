"""`portability --between`: the same objects with two enforcers, held against each other."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloison.analyses.between import Between, between
from cloison.analyses.connectivity import MapOptions
from cloison.app.compared import outsiders_only
from cloison.app.load import under
from cloison.app.session import Session
from cloison.base import QuestionError
from cloison.ir.profile import Profile
from cloison.platform import DEFAULT_PROFILE, profile, profile_names
from cloison.platform.differences import Fact
from cloison.platform.facts import differing

if TYPE_CHECKING:
    from cloison.engine import Engine

CHOSEN = "--between"
"""How the profiles of a comparison were chosen."""


def pair_of(text: str) -> tuple[Profile, Profile]:
    """Return the two profiles named in a text, `cilium@1.19,calico@3.32`.

    Raises:
        QuestionError: There are not two names, they are the same, or one names no profile.
    """
    names = [each.strip() for each in text.split(",")]
    if len(names) != len(("first", "second")) or not all(names):
        msg = f"{text!r} does not name two CNI profiles"
        raise QuestionError(msg, "name two, as in --between cilium@1.19,calico@3.32")
    first, second = (profile(name) for name in names)
    if first == second:
        msg = f"{names[0]} and {names[1]} are the same profile"
        others = ", ".join(each for each in profile_names() if each != first.name)
        raise QuestionError(msg, f"compare {first.name} with one of: {others}")
    return first, second


def sides(session: Session, first: Profile, second: Profile) -> tuple[Session, Session]:
    """Return what was read as each of two enforcers would have it, were it alone in the cluster.

    So policies of a kind that only one of them has are nothing to the other.
    """
    one, two = (under(session, each, CHOSEN) for each in (first, second))
    return _alone(one, two.profile), _alone(two, one.profile)


def _alone(session: Session, other: Profile) -> Session:
    """Return a session whose enforcer knows that it does not enforce another one's own kinds."""
    mine = session.profile
    if mine.name == DEFAULT_PROFILE or mine.bundles == other.name.partition("@")[0]:
        return session  # it may be anybody, or have that in it
    foreign = {kind: None for kind in other.places if _has_group(kind) and kind not in mine.places}
    if not foreign:
        return session
    return _judged(session, replace(mine, places={**foreign, **mine.places}))


def _has_group(kind: str) -> bool:
    """Return whether a kind is of a vendor's own group: those of Kubernetes go without."""
    return "." in kind.partition("/")[0]


def _judged(session: Session, changed: Profile) -> Session:
    """Return a session under a profile as it is: the cluster's settings would make another."""
    alone = replace(session, settings=session.settings.but(cilium={}))
    found = under(alone, changed, CHOSEN)
    return replace(found, settings=replace(found.settings, cilium=session.settings.cilium))


def compare(one: Session, two: Session, options: MapOptions | None = None) -> Between:
    """Return where two enforcers differ over what was read.

    Args:
        one: What was read, with the one.
        two: The same, with the other.
        options: What part is asked for, as of a map. Nodes are always compared.

    Raises:
        QuestionError: A filter names nothing.
    """
    asked = replace(options or MapOptions(), nodes=True)
    found = outsiders_only(one.diff(two, asked), one)
    facts = differing(one.profile, two.profile)
    return between((one.engine, two.engine), found, facts, _Hybrids(one, two).engine)


@dataclass
class _Hybrids:
    """Enforcers in between, each made when it is first asked for; lives for one call."""

    one: Session
    two: Session
    _known: "dict[tuple[int, str], Engine | None]" = field(default_factory=dict)

    def engine(self, side: int, fact: Fact) -> "Engine | None":
        """Return the engine of one side with a fact of the other."""
        key = (side, fact.id)
        if key not in self._known:
            mine, other = (self.one, self.two) if side == 0 else (self.two, self.one)
            changed = fact.swap(mine.profile, other.profile)
            self._known[key] = None if changed is None else _judged(mine, changed).engine
        return self._known[key]
