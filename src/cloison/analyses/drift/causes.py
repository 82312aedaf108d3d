"""Which change came before a finding and can have caused it: the ends concerned say which.

A policy of the same namespace that selects neither end, or whose rules are about others, explains
nothing, and whoever is called at night would look there first. Of an object that is not there any
more, and was not in the version compared with, nobody knows whom it was about: it may explain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cloison.algebra.bitmaps import BitMap
from cloison.analyses.ask import Question
from cloison.analyses.drift.labels import keys_used
from cloison.analyses.drift.model import Change, Code, Sign
from cloison.analyses.drift.scene import POLICIES, Scene
from cloison.analyses.ends import AddressEnd, End, PodsEnd, SomeNodeEnd
from cloison.analyses.past.course import HOUR
from cloison.engine import Engine, UnitKind
from cloison.ir.policy import Action, Direction, Policy
from cloison.resources.world import WorkloadId

_LET: Final = (Code.NEW_FLOW, Code.BYPASS)
_STOPPED: Final = (Code.DENIED, Code.NOT_ENFORCED)
_OPENING: Final = (Action.ALLOW, Action.PASS)
_WORKLOADS: Final = ("cronjobs", "daemonsets", "deployments", "jobs", "pods", "statefulsets")
_SPACES: Final = "namespaces"
_Ends = tuple[BitMap, BitMap]
"""Units of a source and of a destination."""


@dataclass(frozen=True)
class _Side:
    """A cluster, now or as it was."""

    engine: Engine

    @cached_property
    def policies(self) -> dict[tuple[str, str], list[Policy]]:
        """Policies by namespace and name: those of several kinds may share one."""
        found: dict[tuple[str, str], list[Policy]] = {}
        for each in self.engine.policies.policies:
            if each.stated:
                found.setdefault((each.id.namespace or "", each.id.name), []).append(each)
        return found

    def held(self, change: Change) -> list[Policy]:
        """Return the policies that a change may be about."""
        known = self.policies.get((change.namespace, change.name), [])
        return [each for each in known if not change.kind or plural(each.id.kind) == change.kind]

    def units(self, end: End) -> BitMap:
        """Return the units of an end; of pods, those of their workload."""
        table = self.engine.table
        if isinstance(end, PodsEnd):
            return self.of((end.workload.id,))
        if isinstance(end, SomeNodeEnd):
            return table.kinds[UnitKind.HOST]
        if isinstance(end, AddressEnd):
            return table.external_range(end.addresses)
        return BitMap()

    def of(self, names: Sequence[WorkloadId]) -> BitMap:
        """Return the units of workloads."""
        table = self.engine.table
        indices = (index for name in names for index in table.by_workload.get(name, ()))
        return BitMap([unit for index in indices for unit in table.by_endpoint[index]])

    def ends(self, question: Question) -> _Ends:
        """Return the units of what is asked about."""
        return self.units(question.source), self.units(question.destination)

    def isolates(self, policy: Policy, ends: _Ends, beside: "_Side | None" = None) -> bool:
        """Return whether a policy stops what it does not allow between two ends.

        Args:
            policy: The policy.
            ends: The ends.
            beside: A cluster without the policy: where others stop the same there, it is not what
                does.
        """
        return any(
            direction in policy.isolates
            and not (beside is not None and beside.closed(here, direction, policy))
            for direction, here, _ in self._touched(policy, ends)
        )

    def closed(self, units: BitMap, direction: Direction, but: Policy) -> bool:
        """Return whether a policy other than one of a name isolates units."""
        return any(
            direction in each.isolates and units <= self.engine.binder.subject(each)
            for each in self.engine.policies.policies
            if each.id != but.id
        )

    def speaks(self, policy: Policy, ends: _Ends, actions: Sequence[Action]) -> bool:
        """Return whether a rule of a policy with one of some actions is about both ends."""
        return any(
            rule.action in actions and bool(self.engine.binder.peers(rule.peers).possible & there)
            for direction, _, there in self._touched(policy, ends)
            for rule in policy.rules_for(direction)
        )

    def _touched(self, policy: Policy, ends: _Ends) -> Iterator[tuple[Direction, BitMap, BitMap]]:
        """Yield the directions in which a policy selects an end, that end and the other one."""
        subjects = self.engine.binder.subject(policy)
        source, destination = ends
        if subjects & source:
            yield Direction.EGRESS, source, destination
        if subjects & destination:
            yield Direction.INGRESS, destination, source


class Causes:
    """Which changes explain findings.

    Args:
        scene: The cluster as it is and as it was, and the changes.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._now = _Side(scene.engine)
        self._then = None if scene.before is None else _Side(scene.before.engine)
        dated = {_object(each) for each in scene.changes if each.time is not None}
        # Where an audit log tells when something changed, a comparison has nothing to add.
        self._changes = [
            each for each in scene.changes if each.time is not None or _object(each) not in dated
        ]

    def preceding(self, sign: Sign, hour: int | None) -> Change | None:
        """Return the last change before an hour's end that can have caused what began in it.

        One of which only the order is known, where no other can.

        Args:
            sign: What began.
            hour: The hour since 1970; None where nobody knows when.
        """
        timed = untimed = None
        for each in self._changes:
            if each.time is not None and hour is not None and each.time >= (hour + 1) * HOUR:
                continue
            if each.time is None and untimed is not None:
                continue
            if self._explains(each, sign):
                if each.time is None:
                    untimed = each
                else:
                    timed = each
        return timed or untimed

    def _explains(self, change: Change, sign: Sign) -> bool:
        code = sign.key.code
        if code is Code.LABELS:
            return change.kind == _SPACES and change.name == sign.key.source
        if change.kind in _WORKLOADS:
            return self._rolled(change, sign)
        if change.kind == _SPACES:
            concerned = code in (*_LET, *_STOPPED, Code.UNUSED) and change.name in sign.namespaces
            return concerned and self._selected_by(change)
        if change.kind and change.kind not in POLICIES:
            return False
        if self._own(change, sign):
            return True
        if code is Code.UNPROTECTED:
            return self._bared(change, sign)
        if sign.asked is None:
            return code is Code.DENIED and self._stopped_one(change, sign)
        return self._between(change, sign.asked, let=code in _LET)

    def _selected_by(self, change: Change) -> bool:
        """Return whether selectors ask for labels of a namespace that changed."""
        used = keys_used(self._scene.engine.policies.policies)
        if self._then is None:
            return bool(used)
        was = self._then.engine.world.namespaces.get(change.name)
        now = self._scene.engine.world.namespaces.get(change.name)
        if was is None or now is None:
            return True
        return any(was.labels.get(key) != now.labels.get(key) for key in used)

    @staticmethod
    def _own(change: Change, sign: Sign) -> bool:
        """Return whether a change is of the policy that a finding is about."""
        kind, _, name = sign.key.source.partition("/")
        where = f"{change.namespace}/{change.name}" if change.namespace else change.name
        return name == where and change.kind in ("", plural(kind))

    def _rolled(self, change: Change, sign: Sign) -> bool:
        """Return whether a change is of a workload that a finding is about."""
        code = sign.key.code
        if code is Code.SELECTS_NOBODY:
            # Whom it selected may have gone.
            return change.namespace in sign.namespaces and _ended(change)
        names = set(sign.workloads)
        if code is Code.AGENT:
            names |= {e.workload for e in self._scene.agents.found if _about(e.workload, sign)}
        if code is Code.NOT_ENFORCED:
            names |= {each.workload for each in self._scene.agents.found}
        mine = {(each.namespace, each.name, plural(each.kind)) for each in names}
        return (change.namespace, change.name, change.kind) in mine

    def _bared(self, change: Change, sign: Sign) -> bool:
        """Return whether a change is of a policy that restricted what nothing restricts now."""
        if self._then is None:
            return self._vanished(change, sign)
        ends = self._then.of(sign.workloads), BitMap()
        if sign.key.destination == str(Direction.INGRESS):
            ends = (ends[1], ends[0])
        return any(self._then.isolates(each, ends) for each in self._then.held(change))

    def _stopped_one(self, change: Change, sign: Sign) -> bool:
        """Return whether a change is of a policy that restricts a caller that tries much."""
        for side in self._sides():
            ends = side.of(sign.workloads), BitMap()
            if any(side.isolates(each, ends) for each in side.held(change)):
                return True
        return self._vanished(change, sign)

    def _between(self, change: Change, question: Question, *, let: bool) -> bool:
        """Return whether a change of a policy can have let through, or stopped, what was seen."""
        now, ends = self._now, self._now.ends(question)
        for each in now.held(change):
            opens = now.speaks(each, ends, _OPENING)
            closes = now.isolates(each, ends, self._then) or now.speaks(each, ends, (Action.DENY,))
            if opens if let else closes:
                return True
        then = self._then
        if then is None:
            return not now.held(change) and _at(question, change)
        ends = then.ends(question)
        for each in then.held(change):
            opened = then.speaks(each, ends, _OPENING)
            closed = then.isolates(each, ends, now) or then.speaks(each, ends, (Action.DENY,))
            if closed if let else opened:
                return True
        return not now.held(change) and not then.held(change) and _at(question, change)

    def _vanished(self, change: Change, sign: Sign) -> bool:
        """Return whether nobody knows whom a policy was about, and it lived where a finding is."""
        known = any(side.held(change) for side in self._sides())
        return not known and (not change.namespace or change.namespace in sign.namespaces)

    def _sides(self) -> list[_Side]:
        return [self._now] if self._then is None else [self._now, self._then]


def _ended(change: Change) -> bool:
    """Return whether a change took its object away, as audit logs or comparisons say it."""
    return change.text.startswith("delete") or change.text.endswith(" removed")


def _object(change: Change) -> tuple[str, str, str]:
    home = "" if change.kind == _SPACES else change.namespace
    return change.kind, home, change.name


def _about(agent: WorkloadId, sign: Sign) -> bool:
    return sign.key.source == f"{agent.kind}/{agent}"


def _at(question: Question, change: Change) -> bool:
    """Return whether a change is where an end lives."""
    ends = (question.source, question.destination)
    homes = {end.workload.id.namespace for end in ends if isinstance(end, PodsEnd)}
    return not change.namespace or change.namespace in homes


def plural(kind: str) -> str:
    """Return a kind as audit logs write it.

    >>> plural("NetworkPolicy"), plural("Deployment"), plural("GlobalNetworkSet")
    ('networkpolicies', 'deployments', 'globalnetworksets')
    """
    name = kind.lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
