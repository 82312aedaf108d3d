"""What two sessions allow differently, where both say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cloison.algebra import ANY, AddressSet, TrafficSet
from cloison.analyses.connectivity import MapOptions
from cloison.app.session import Session

if TYPE_CHECKING:
    from cloison.analyses.diff import Diff
    from cloison.analyses.diff.shifts import Outer, Shift


def differences(before: Session, after: Session) -> "Diff":
    """Return what two sessions allow differently, pod by pod.

    What the first leaves open may come out either way in the second, and protocols that one of
    the two says nothing about are left aside.
    """
    found = before.diff(after, MapOptions(pods=True))
    return _decided(found, defined(before) & defined(after), _known(before))


def _known(session: Session) -> AddressSet:
    """Return the addresses of pods and nodes: who has one is not outside."""
    pods = (e.addresses for w in session.world.workloads.values() for e in w.endpoints)
    nodes = (node.addresses for node in session.world.nodes.values())
    return AddressSet.points(tuple(point for held in (*pods, *nodes) for point in held))


def defined(session: Session) -> TrafficSet:
    """Return the traffic of which the tiers that hold policies say what becomes of it."""
    held = {policy.tier for policy in session.policies.policies}
    found = ANY
    for layer in session.policies.layers:
        for tier in layer.tiers:
            found = found & tier.end_scope if tier.name in held else found
    return found


def _decided(found: "Diff", scope: TrafficSet, inside: AddressSet) -> "Diff":
    """Return the changes but for those that only decide what was left open."""

    def differs(shift: "Shift") -> bool:
        before, after = shift.before, shift.after
        lost = before.allowed - after.allowed
        gained = (after.allowed | after.undetermined) - (before.allowed | before.undetermined)
        return bool((lost | gained) & scope)

    def outer(held: "Mapping[int, Outer]") -> "dict[int, Outer]":
        kept = {
            place: {
                shift: outside
                for shift, ends in each.items()
                if differs(shift) and (outside := ends - inside)
            }
            for place, each in held.items()
        }
        return {place: each for place, each in kept.items() if each}

    rows = {
        place: {shift: ends for shift, ends in row.items() if differs(shift)}
        for place, row in found.rows.items()
    }
    return replace(
        found,
        rows={place: row for place, row in rows.items() if row},
        outward=outer(found.outward),
        inward=outer(found.inward),
        itself={place: shift for place, shift in found.itself.items() if differs(shift)},
        policies=(),
    )
