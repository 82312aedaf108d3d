"""A lab that runs, together with what it was built from: asked and changed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from cloison.analyses.application import NOTHING_SAID, Application
from cloison.analyses.applied import Applied, Deed, Done
from cloison.analyses.matrix import Row
from cloison.analyses.question import split_port
from cloison.analyses.traced import Trace
from cloison.app import snapshot
from cloison.app.answers import connectivity_tests
from cloison.app.lab import enforced, layout
from cloison.app.load import over, session_of, taker
from cloison.app.overlay import Item as ReadItem
from cloison.app.overlay import ObjectId, Overlay
from cloison.app.session import Session
from cloison.app.snapshot import Snapshot
from cloison.base import Diagnostic, QuestionError, Severity, SourceError
from cloison.dialects import TABLE
from cloison.engine.resolve import resolve
from cloison.probe.lab.change import Side, change
from cloison.probe.lab.client import Lab
from cloison.probe.lab.plan import Plan
from cloison.probe.lab.trace import trace as send
from cloison.resources.documents import Document, RawObject
from cloison.resources.world import World

_POLICIES = {kind for row in TABLE for _, kind in row.kinds}
_TOLD = 5
"""Faults of a change that are told; more are counted."""


@dataclass(frozen=True, slots=True)
class Running:
    """A lab that runs.

    Args:
        lab: The lab.
        plan: What was built.
        world: The world as built.
        session: Its policies as they are now, over the world as built.
        kept: The sources, as they were read and as they are now.
    """

    lab: Lab
    plan: Plan
    world: World
    session: Session
    kept: Snapshot

    @classmethod
    def find(cls, name: str) -> "Running":
        """Return a lab that runs.

        Raises:
            QuestionError: There is none of that name.
            SourceError: What it was built from is not known any more.
        """
        lab = Lab.find(name)
        kept = snapshot.restore(lab.place.snapshot)
        plan = lab.plan
        read = kept.session()
        made = layout(read, connectivity_tests(read, ())[0], plan)
        if _places(made.plan) != _places(plan):
            msg = f"the lab {name!r} is not what its sources would be built into now"
            raise SourceError(msg, "build it anew: cloison lab down, cloison lab up")
        current = read if kept.now is None else kept.current()
        return cls(lab, plan, made.world, over(current, made.world), kept)

    def trace(
        self,
        source: str,
        destination: str,
        family: int | None = None,
        application: Application = NOTHING_SAID,
    ) -> Trace:
        """Send one flow, and say which rules counted its packets.

        Args:
            source: Who connects, as in a question.
            destination: Who listens, with the port: `web/api:8080`.
            family: 4 or 6 to send over that one.
            application: The request that is made, if any.

        Raises:
            QuestionError: It cannot be asked, or means nothing that can be sent.
            SourceError: The lab has ended.
        """
        target, carried = split_port(destination)
        port, _, protocol = (carried or "").partition("/")
        if port.lower().startswith("icmp"):
            port, protocol = carried or "", ""
        name = f"{source} -> {destination}"
        on = port or None, protocol or "TCP"
        row = Row(name, source, target, None, *on, application=application)
        unclear = resolve(self.session.engine).unclear
        engine = self.session.engine
        return send(self.lab, engine, self.plan, row, family=family, unclear=unclear)

    def apply(
        self, names: Sequence[str], delete: Sequence[str] = (), stdin: BinaryIO | None = None
    ) -> "tuple[Running, Applied]":
        """Change policies while the lab runs.

        Args:
            names: Sources of policies that replace those of their names, or are new.
            delete: Policies to delete before, `KIND/NAMESPACE/NAME`.
            stdin: What `-` reads.

        Returns:
            The lab as it is then, and what was done.

        Raises:
            SourceError: A source cannot be read, or the packet filter refuses the rules; nothing
                is changed then.
            QuestionError: The change is about more than policies, or about nothing.
        """
        how = self.kept.how()
        now = self.kept.items if self.kept.now is None else self.kept.now
        there = list(snapshot.restored(now))
        proposed = list(_of_interest(snapshot.proposed(names, how, stdin), there))
        overlay = Overlay(proposed, delete, how.namespace, taker(how))
        items = [item for item in there if overlay.keeps(item)]
        overlay.check()
        items += overlay.items
        read = session_of(items, how)
        known_before = set(self.session.read_diagnostics)
        said = [d for d in read.read_diagnostics if d not in known_before]
        _only_policies({*overlay.objects, *overlay.deleted}, said)
        after = over(read, self.world)
        told = resolve(after.engine)
        plan = enforced(self.plan, told, after.profile)
        before = Side(self.session.engine, resolve(self.session.engine).unclear)
        flows, more = change(self.lab, plan, before, Side(after.engine, told.unclear))
        kept = self.kept.changed(items)
        snapshot.save(kept, self.lab.place.snapshot)
        known = [_plain(item) for item in there]
        same = [item for item in proposed if _plain(item) in known]
        unchanged = Overlay(same, (), how.namespace, taker(how)).objects
        done = tuple(_done(overlay, self.session, unchanged))
        keeps = after.profile.keeps_connections
        result = Applied(done, tuple(plan.rulesets), flows, more, keeps, _notes(said))
        return Running(self.lab, plan, self.world, after, kept), result


def _places(plan: Plan) -> set[tuple[str, tuple[str, ...]]]:
    return {(each.name, each.addresses) for each in (*plan.nodes, *plan.pods)}


def _of_interest(proposed: Iterable[ReadItem], there: Iterable[ReadItem]) -> Iterator[ReadItem]:
    """Yield what a change is about: without what stands beside policies and is as it was."""
    known = [_plain(item) for item in there if _is_built(item)]
    for item in proposed:
        if not _is_built(item) or _plain(item) not in known:
            yield item


def _is_built(item: ReadItem) -> bool:
    """Whether an item is an object that labs are built of, or of Cloison's own kinds."""
    if isinstance(item, Diagnostic):
        return False
    kind = _plain(item).get("kind")
    return kind not in _POLICIES


def _plain(item: ReadItem) -> dict[str, object]:
    """Return an object without places."""
    found: object = None
    if isinstance(item, Document):
        found = item.root.plain()
    elif isinstance(item, RawObject):
        found = msgspec.json.decode(item.data)
    return found if isinstance(found, dict) else {}


def _only_policies(objects: set[ObjectId], said: Sequence[Diagnostic]) -> None:
    """Make sure that a change leaves alone what was built.

    Args:
        objects: What it is about.
        said: What reading it brought to light.

    Raises:
        QuestionError: It does not, or it is about nothing.
    """
    refused = [each for each in said if each.severity is Severity.ERROR]
    if not objects and refused:
        first, more = refused[0], len(refused) - 1
        msg = f"nothing of it can be applied: {_placed(first)}"
        msg += f", and {more} more such faults" if more else ""
        raise QuestionError(msg, first.help)
    if not objects:
        msg = "there is nothing to apply"
        raise QuestionError(msg, "name a file of policies, or one to delete with --delete")
    for each in sorted(objects, key=lambda o: (o.kind, o.place)):
        if each.kind not in _POLICIES:
            msg = (
                f"{each.kind} {each.place} is no policy, and a lab that runs changes policies only"
            )
            raise QuestionError(msg, "build the lab anew: cloison lab down, cloison lab up")


def _done(overlay: Overlay, before: Session, unchanged: Collection[ObjectId]) -> list[Done]:
    """Say what a change did with each object."""
    known = {(p.id.kind, p.id.namespace, p.id.name) for p in before.policies.policies}
    kinds = {kind for kind, _, _ in known}
    found = [Done(Deed.DELETED, o.kind, o.place) for o in overlay.deleted - overlay.objects]
    for each in overlay.objects:
        deed = Deed.APPLIED
        if each in unchanged:
            deed = Deed.UNCHANGED
        elif (each.kind, each.namespace, each.name) in known:
            deed = Deed.REPLACED
        elif each.kind in kinds:
            deed = Deed.ADDED
        found.append(Done(deed, each.kind, each.place))
    return sorted(found, key=lambda done: (done.kind, done.name))


def _notes(said: Sequence[Diagnostic]) -> tuple[str, ...]:
    """Return what reading a change brought to light, the worst first."""
    found = [each for each in said if each.severity is not Severity.INFO]
    found.sort(key=lambda each: -each.severity.rank)
    notes = [f"{each.severity}: {_placed(each)}" for each in found[:_TOLD]]
    if len(found) > _TOLD:
        notes.append(f"{len(found) - _TOLD} more faults in what was applied; see cloison validate")
    return tuple(notes)


def _placed(said: Diagnostic) -> str:
    """Return a diagnostic's message with the object and the place."""
    places = ", ".join(filter(None, (said.object, said.span.place if said.span else None)))
    return f"{said.message} ({places})" if places else said.message
