"""Worlds as a lab builds them."""

from collections.abc import Iterable
from dataclasses import replace as with_fields

from cloison.analyses.ends import PodsEnd
from cloison.analyses.staged import added
from cloison.app import Session
from cloison.app.lab import enforced
from cloison.app.load import over
from cloison.engine.resolve import resolve
from cloison.probe.lab.plan import Plan
from cloison.probe.lab.realise import realise


def built(
    session: Session, outside: Iterable[str], twice: Iterable[str] = (), *, staged: bool = False
) -> tuple[Session, Plan]:
    """Return a world as it is built, and what to build, packet filters included.

    Args:
        session: The world as declared.
        outside: Addresses of external hosts.
        twice: Workloads of which two pods are built.
        staged: Whether staged policies are enforced beside the others.
    """
    ends = [session.names.end(text) for text in twice]
    several = frozenset(e.workload.id for e in ends if isinstance(e, PodsEnd) and not e.single)
    made = realise(session.engine, outside, twice=several)
    found = over(session, made.world)
    if staged:
        found = with_fields(found, policies=added(found.policies))
    return found, enforced(made.plan, resolve(found.engine), found.profile)
