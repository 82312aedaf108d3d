"""What a proxy makes of a request: as what it reads it, how it refuses it, and what else passes."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cloison.algebra.paths import Answered, ways
from cloison.analyses.ask import Explanation, ask, verdict_only
from cloison.analyses.request import as_read, by_proxy, looked_at, readings
from cloison.engine import Engine
from cloison.ir.caveats import REQUEST_WRITTEN_OTHERWISE
from cloison.ir.fidelity import Caveat, Verdict

if TYPE_CHECKING:
    from cloison.algebra import Request


def with_proxy(engine: Engine, answer: Explanation) -> Explanation:
    """Return an answer about a request with what there is to know of who looks at it.

    Args:
        engine: Who decides, as it is without a request.
        answer: What was answered.
    """
    question, request = answer.question, answer.question.request
    if request is None or not looked_at(engine, answer.cases):
        return answer
    notes, caveats = list(answer.notes), set[Caveat](answer.caveats)
    instead, refusal = answer.instead, None
    if answer.verdict is Verdict.DENIED:
        instead = ask(engine, replace(question, request=None)).when
        if any(each.allowed or each.undetermined for each in instead):
            own = by_proxy(engine.profile, request)
            refusal = _OWN[own] if own else engine.profile.refusals.get(_kind(request))
    if answer.verdict in (Verdict.ALLOWED, Verdict.DENIED):
        found: dict[Verdict, list[str]] = {}
        for path in _told_apart(engine, request):
            other = replace(question, request=replace(request, path=path))
            verdict = verdict_only(engine, other)
            if verdict is not answer.verdict:
                found.setdefault(verdict, []).append(path)
                caveats.add(REQUEST_WRITTEN_OTHERWISE)
        for verdict, paths in sorted(found.items()):
            notes.append(f"written in another way, the path is {verdict}: {', '.join(paths)}")
    return replace(
        answer,
        notes=tuple(notes),
        caveats=tuple(sorted(caveats)),
        instead=instead,
        refusal=refusal,
    )


_OWN = {
    Answered.REDIRECTED: "the proxy answers with a redirect",
    Answered.REJECTED: "the proxy answers with HTTP 400",
}


def _kind(request: "Request") -> str:
    if request.kind == "dns":
        return "dns"
    return "http" if request.method or request.path or request.host else "tls"


def _told_apart(engine: Engine, request: "Request") -> list[str]:
    """Return other ways to write the path of which a rule makes something else."""
    if request.path is None or by_proxy(engine.profile, request) is not None:
        return []
    read = readings(engine, request)
    path = as_read(engine.profile, request).path or request.path
    return [
        other
        for name, other in ways(path)
        if name in engine.profile.tells_apart
        and readings(engine, replace(request, path=other)) != read
    ]
