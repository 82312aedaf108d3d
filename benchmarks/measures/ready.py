"""From decoded objects to a session that answers at once."""

from collections.abc import Mapping

import msgspec

from benchmarks.measured import Measured, Meter
from benchmarks.samples import Lot, Question, agreed
from benchmarks.worlds import WORLDS, Manifest
from benchmarks.worlds.published import indexed
from cloison.app.load import load_objects
from cloison.app.session import Session


def decoded(world: str, size: int, shape: Mapping[str, int] | None = None) -> list[Manifest]:
    """Return the objects of a world as a decoder gives them: nothing is shared between two.

    Args:
        world: Its name.
        size: Its size.
        shape: For `indexed`: `pods` and `policies` of each namespace.
    """
    made = indexed(size, **shape) if shape else WORLDS[world].make(size)
    return [msgspec.json.decode(msgspec.json.encode(each)) for each in made]


def opened(objects: list[Manifest], profile: str, meter: Meter) -> Session:
    """Return a session that is ready, and say what that took.

    Ready is: everything loaded and compiled, every policy bound, every name to be found.
    """
    warm(profile)
    meter.begin()
    with meter.phase("load"):
        session = load_objects(objects, profile=profile, runtime=False)
    with meter.phase("bind"):
        ready_to_ask(session)
    count(session, meter)
    return session


def warm(profile: str) -> None:
    """Import what answering takes: that is what `startup` measures."""
    session = load_objects(list(indexed(1)), profile=profile, runtime=False)
    session.why("ns-00000/pod1", "ns-00000/pod2:80")


def ready_to_ask(session: Session) -> tuple[object, object]:
    """Make whatever a first question would have to make: both are kept once they are there."""
    return session.engine, session.names


def count(session: Session, meter: Meter) -> None:
    """Take note of how much there is."""
    world = session.world
    pods = sum(len(each.endpoints) for each in world.workloads.values())
    meter.facts |= {
        "namespaces": len(world.namespaces),
        "workloads": len(world.workloads),
        "pods": pods,
        "policies": len(session.policies.policies),
    }


def asked(session: Session, question: Question) -> object:
    """Ask a question the way a caller does."""
    source, destination = question.words
    return session.why(source, f"{destination}:{question.port}", protocol=question.protocol)


def ready(
    world: str,
    size: int,
    shape: Mapping[str, int] | None = None,
    whys: int = 0,
    sampled: int = 0,
) -> Measured:
    """Measure the way from decoded objects to answers.

    Args:
        world: Its name.
        size: Its size.
        shape: For `indexed`: `pods` and `policies` of each namespace.
        whys: How many questions are timed after the first.
        sampled: How many answers are held against the oracle's.

    Raises:
        DisagreementError: One of them is not the oracle's.
    """
    meter = Meter()
    session = opened(decoded(world, size, shape), WORLDS[world].profile, meter)
    lot = Lot(session)
    if whys:
        questions = list(lot.questions(whys + 1))
        with meter.phase("first why"):
            asked(session, questions[0])
        meter.median("why", lambda each: asked(session, each), questions[1:])
    most = meter.peak
    if whys:
        with meter.phase("compile"):
            for dialect, objects in (session.objects or {}).values():
                dialect.compile(objects, session.profile, session.world)
    if sampled:
        meter.facts |= agreed(session, list(lot.questions(sampled, seed=1)))
    meter.peak = most
    return meter.done()
