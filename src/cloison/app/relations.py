"""`relate` for sessions: one world out of two, and the policies of both bound to it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cloison.algebra import NO_ADDRESSES
from cloison.analyses.relate import Related, Relation, relate_one, relate_two, union_of
from cloison.analyses.staged import PREVIEWED, enforced
from cloison.app.load import meant
from cloison.base import QuestionError
from cloison.dialects import told
from cloison.engine import Networks
from cloison.ir.policy import PolicySet
from cloison.ir.profile import Profile
from cloison.resources.world import World

if TYPE_CHECKING:
    from cloison.app.session import Session

_NOBODY = "no workload was read, so nobody can say whom the policies are about"


def relate(first: "Session", relation: str, second: "Session | None") -> Related:
    """Answer whether a relation holds; see `Session.relate`.

    Raises:
        QuestionError: There is no such relation, it is about one source and two are given or the
            other way round, or the two are judged under different profiles.
    """
    asked = _relation(relation)
    if asked.of_two is (second is None):
        number = "two sources" if asked.of_two else "one source"
        msg = f"{asked} is about {number}"
        raise QuestionError(msg, f"name {number}")
    if second is None:
        return _of_one(asked, first)
    profile = _profile(first, second)
    world, differing = union_of(_seen(first, profile), _seen(second, profile))
    sets = (_policies(first, world, profile), _policies(second, world, profile))
    if _deserted(world) and any(each.policies for each in sets):
        return Related(asked, holds=None, reason=_NOBODY, differing=differing)
    found = relate_two(asked, world, sets, profile, _networks(first, second))
    return replace(found, differing=differing)


def _of_one(asked: Relation, session: "Session") -> Related:
    if _deserted(session.world) and session.policies.policies:
        return Related(asked, holds=None, reason=_NOBODY)
    if not session.profile.enforces:
        reason = f"policies mean nothing under {session.profile.name}, which enforces none"
        return Related(asked, holds=None, reason=reason)
    return relate_one(asked, session.engine)


def _relation(text: str) -> Relation:
    try:
        return Relation(text)
    except ValueError:
        msg = f"{text!r} is not a relation"
        raise QuestionError(msg, f"relations are {', '.join(Relation)}") from None


def _profile(first: "Session", second: "Session") -> Profile:
    """Return who enforces, for both: whoever one of them named, where the other did not say."""
    ours, theirs = first.profile, second.profile
    if ours.name == theirs.name:
        return ours
    said = [s for s in (first, second) if s.settings.profile_chosen != "default"]
    named = [s.profile for s in said or (first, second) if s.profile.name != "generic"]
    if len(named) == 1:
        return named[0]
    msg = f"one source is judged as {ours.name} enforces, the other as {theirs.name} does"
    raise QuestionError(msg, "say which with --cni")


def _seen(session: "Session", profile: Profile) -> World:
    """Return a session's world as an enforcer sees it."""
    return told((session.objects or {}).values(), profile, session.world)


def _policies(session: "Session", world: World, profile: Profile) -> PolicySet:
    """Return a session's policies as they are meant in another world, which is as it is seen."""
    found = meant((session.objects or {}).values(), profile, world, seen=True)
    ahead = any(d.code == PREVIEWED for d in session.read_diagnostics)
    return enforced(found) if ahead else found


def _networks(first: "Session", second: "Session") -> Networks:
    ours, theirs = first.settings.networks(), second.settings.networks()
    names = {
        name: ours.names.get(name, NO_ADDRESSES) | theirs.names.get(name, NO_ADDRESSES)
        for name in sorted({*ours.names, *theirs.names})
    }
    return Networks(
        ours.pods | theirs.pods,
        ours.nodes | theirs.nodes,
        ours.services | theirs.services,
        names,
        ours.complete or theirs.complete,
        ours.likely | theirs.likely,
    )


def _deserted(world: World) -> bool:
    return not any(workload.endpoints for workload in world.workloads.values())
