"""What a session answers, apart from the session: engine and analyses are imported with it.

A load that nobody asks anything does without them, and is a good deal smaller for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cloison.analyses.application import Application, Said
from cloison.analyses.ask import Explanation, Question, ask, verdict_only
from cloison.analyses.ends import Names
from cloison.analyses.paths.which import is_call, may_leave
from cloison.analyses.question import State, parse_traffic, split_port
from cloison.analyses.request import requested
from cloison.app.mends import written
from cloison.base import (
    ENFORCED_ONLY,
    Diagnostic,
    QuestionError,
    Severity,
    UnknownEndpointError,
    sort_diagnostics,
    unhurried,
)
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.resources.documents import Document
from cloison.resources.world import APART
from cloison.sources import read

if TYPE_CHECKING:
    from cloison.analyses.connectivity import Map, MapOptions
    from cloison.analyses.describe import PolicyDescription
    from cloison.analyses.diff import Diff
    from cloison.analyses.effective import Effective
    from cloison.analyses.exposure import Exposure
    from cloison.analyses.matrix import Matrix, Row
    from cloison.analyses.tiers import Tiers
    from cloison.app.session import Session


_ENTRY = "gw:"


def bind(session: "Session") -> Engine:
    """Return the policies bound to the world."""
    with unhurried():
        return Engine(session.seen, session.policies, session.profile, session.settings.networks())


def with_ends(session: "Session", *texts: str) -> "Session":
    """Return a session that also has the ends besides pods that some texts name."""
    wanted = [text for text in texts if text.startswith(APART)]
    if any(text.startswith(_ENTRY) for text in texts):
        planes = (plane for entry in session.site.entries for plane in entry.planes)
        wanted += sorted({plane.apart for plane in planes if plane.apart is not None})
    if not wanted:
        return session
    from cloison.app.apart import with_ends as added

    return added(session, wanted)


def find_names(session: "Session", namespace: str | None = None) -> Names:
    """Return what finds ends by name; bare names are looked up in `namespace`."""
    known = session.world.declared and session.settings.runtime
    return Names(session.engine, namespace, session.site.entries if known else ())


def _names(session: "Session", namespace: str | None) -> Names:
    return find_names(session, namespace) if namespace else session.names


def question(
    session: "Session",
    source: str,
    destination: str,
    *,
    port: int | str | None = None,
    protocol: str | None = None,
    state: str = "new",
    family: int | None = None,
    namespace: str | None = None,
) -> Question:
    """Read a question; see `Session.question`."""
    names = _names(session, namespace)
    if port is None:
        destination, carried = split_port(destination)
        traffic = parse_traffic(carried, protocol)
    else:
        traffic = parse_traffic(str(port), protocol)
    try:
        ends = names.end(source), names.end(destination)
    except UnknownEndpointError as error:
        refused = _refused(session, error.message, (source, destination), names.namespace)
        if refused is None:
            raise
        raise UnknownEndpointError(error.message, refused) from None
    return Question(*ends, traffic, State(state), family)


def _refused(
    session: "Session", message: str, texts: Iterable[str], home: str | None
) -> str | None:
    """Return what to say of an object that is meant and was refused; None where none was."""
    for text in texts:
        first, _, last = text.rpartition("/")
        wanted = f"{first.partition('/')[0] or home or 'default'}/{last}"
        if repr(wanted) not in message and repr(text) not in message:
            continue
        for each in session.read_diagnostics:
            of = (each.object or "").partition(" ")[2]
            if each.severity is Severity.ERROR and of == wanted:
                at = f" at {each.span}" if each.span is not None else ""
                return (
                    f"{each.object} was refused{at} and is treated as absent: {each.message}; "
                    "`cloison validate` shows all of it"
                )
    return None


def with_request(asked: Question, said: Said) -> Question:
    """Return a question with the request that is made, if it says one."""
    application = Application(**said)
    request, traffic = application.request(), application.over(asked.traffic)
    return replace(asked, request=request, traffic=traffic, application=application)


def why(session: "Session", asked: Question) -> Explanation:
    """Answer a question with its reasons; see `Session.why`."""
    return _called(session, asked) or hop(session, asked)


def _called(session: "Session", asked: Question) -> Explanation | None:
    """Answer a question about a call of several hops; None where it is one connection."""
    known = session.settings.runtime and session.world.declared
    if not is_call(asked) and not (known and may_leave(asked) and session.site.leaving):
        return None
    from cloison.analyses.paths.ways import joined, ways

    def one(question: Question, engine: Engine | None = None) -> Explanation:
        return hop(session, question, engine)

    found = ways(session.engine, session.site, asked, one)
    return joined(asked, found) if found else None


def hop(session: "Session", asked: Question, engine: Engine | None = None) -> Explanation:
    """Answer a question about one connection, by the session's engine if no other is given."""
    plain = session.engine if engine is None else engine
    bound = requested(plain, asked.request)
    answer = ask(bound, asked)
    if asked.request is not None:
        from cloison.analyses.proxy import with_proxy

        answer = with_proxy(plain, answer)
    if answer.mending is not None:
        return answer
    origins = session.origins
    return replace(answer, mending=lambda found: written(bound, found, origins))


def map_(session: "Session", options: "MapOptions | None") -> "Map":
    """Return everything permitted; see `Session.map`."""
    from cloison.analyses.connectivity import MapOptions
    from cloison.analyses.survey import survey

    chosen = options or MapOptions()
    if chosen.logical:
        return _calls(session, chosen)
    engine, names = session.engine, _names(session, chosen.namespace)
    with unhurried():
        found = survey(engine, chosen, names)
        return _marked(session, found, engine, chosen)


def _marked(session: "Session", found: "Map", engine: Engine, options: "MapOptions") -> "Map":
    """Return a map whose ends say what they are for others, as far as that was read."""
    if not session.settings.runtime:
        return found
    from cloison.analyses.marks import marked

    return marked(found, engine, session.site, options)


def _calls(session: "Session", options: "MapOptions") -> "Map":
    """Return who may call whom through Services, gateways and names."""
    from cloison.analyses.logical import assumed, calls

    session = with_ends(session, _ENTRY)
    entries = session.site.entries
    with unhurried():
        there = assumed(session.engine, entries)
        names = Names(there.engine, options.namespace, there.entries)
        return _marked(session, calls(there, options, names), there.engine, options)


def exposure(session: "Session", options: "MapOptions | None") -> "Exposure":
    """Return what workloads are open to beyond the input; see `Session.exposure`."""
    from cloison.analyses.connectivity import MapOptions
    from cloison.analyses.exposure import expose

    chosen = options or MapOptions()
    engine, names = session.engine, _names(session, chosen.namespace)
    with unhurried():
        return expose(engine, chosen, names)


def tiers_(session: "Session", options: "MapOptions | None") -> "Tiers":
    """Return which tier decides about how many pairs; see `Session.tiers`."""
    from cloison.analyses.connectivity import MapOptions
    from cloison.analyses.tiers import tiers

    chosen = options or MapOptions()
    return tiers(session.engine, chosen, _names(session, chosen.namespace))


def diff(before: "Session", after: "Session", options: "MapOptions | None") -> "Diff":
    """Return what is different between two snapshots; see `Session.diff`."""
    from cloison.analyses.diff import change

    return change(before.engine, after.engine, options)


def staged(session: "Session") -> "Session":
    """Return the snapshot as if staged policies were enforced; see `Session.staged`."""
    from cloison.analyses.staged import enforced, previewed

    said = tuple(previewed(session.policies))
    if not said:
        return session
    kept = [d for d in session.read_diagnostics if d.effect != ENFORCED_ONLY]
    return replace(
        session,
        policies=enforced(session.policies),
        read_diagnostics=sort_diagnostics([*kept, *said]),
    )


def verdict(session: "Session", asked: Question) -> Verdict:
    """Answer a question without its reasons; see `Session.verdict`."""
    called = _called(session, asked)
    return called.verdict if called is not None else verdict_only(session.engine, asked)


def governs(session: "Session", name: str, namespace: str | None) -> "Effective":
    """Answer what governs a workload or pod; see `Session.effective`."""
    from cloison.analyses.effective import effective

    return effective(session.engine, _names(session, namespace).end(name))


def describe_policy(session: "Session", name: str, namespace: str | None) -> "PolicyDescription":
    """Say in words what one policy does; see `Session.describe_policy`."""
    from cloison.analyses.describe import describe, find_policy

    policy = find_policy(session.engine, name, namespace)
    own = f"{policy.id.kind} {policy.id}"
    said = {*session.diagnostics, *session.suspicions}
    return describe(session.engine, policy, sort_diagnostics(d for d in said if d.object == own))


def verify(session: "Session", tests: Sequence[str], on: str) -> "Matrix":
    """Answer every row of the connectivity tests; see `Session.verify`."""
    from cloison.probe.simulate import run

    if on != "simulate":
        msg = f"nobody called {on!r} can answer tests"
        raise QuestionError(msg, "say simulate; a kernel is asked by measure")
    rows, diagnostics = connectivity_tests(session, tests)
    if not rows and not diagnostics:
        raise no_tests("in the source")
    session = with_ends(session, *(text for row in rows for text in (row.source, row.destination)))
    return run(
        session.engine,
        rows,
        names=session.names,
        diagnostics=diagnostics,
        calls=lambda asked: why(session, asked),
    )


def connectivity_tests(
    session: "Session", tests: Sequence[str]
) -> "tuple[tuple[Row, ...], tuple[Diagnostic, ...]]":
    """Return the rows of connectivity tests, and what reading them brought to light.

    Args:
        session: Whose tests, where no file is named.
        tests: Files of tests, or `-`.

    Raises:
        SourceError: A file of tests cannot be read.
        QuestionError: There are no tests in a file.
    """
    from cloison.analyses.testfile import is_tests, read_tests

    items: list[object] = []
    for name in tests:
        found_here = list(read([name], anything=True))
        if not any(map(_is_test_input, found_here)):
            raise no_tests(f"in {name}")
        items += found_here
    items = items or list(session.own)
    documents = [d for d in items if isinstance(d, Document) and (tests or is_tests(d))]
    said = [d for d in items if isinstance(d, Diagnostic)]
    # Of two rows of one name the first counts, whichever file was read first.
    documents.sort(key=lambda d: d.root.span(d.file))
    found = read_tests(documents)
    return found.rows, sort_diagnostics([*said, *found.diagnostics])


def _is_test_input(item: object) -> bool:
    """Return whether something read out of a file of tests is a test, or a fault to report."""
    if isinstance(item, Diagnostic):
        return item.severity is Severity.ERROR
    return isinstance(item, Document)


def no_tests(where: str) -> QuestionError:
    """Return the error for tests that are not there."""
    from cloison.analyses.testfile import MINIMAL

    msg = f"there are no connectivity tests {where}"
    return QuestionError(msg, f"write some, or name a file of them; the least is:\n{MINIMAL}")
