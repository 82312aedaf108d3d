"""D-CERT: who issues certificates reaches the servers they come from."""

from collections.abc import Iterator

from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.control import anywhere
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import about, denied, tried
from cloison.analyses.ends import End, Names
from cloison.analyses.explain import merge_caveats
from cloison.base import QuestionError, Severity
from cloison.base.words import listed
from cloison.ir.policy import Direction
from cloison.platform.certificates import CONTROLLER, Issuer, issuers
from cloison.resources.world import Workload

_SOURCE = "cert-manager/cert-manager pkg/apis/acme/v1/types_issuer.go, pkg/issuer/acme/http/http.go"
_HTTP = 80


def certificates(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each issuer that nobody can get certificates from."""
    found = tuple(issuers(clinic.engine.world))
    names = [
        name
        for each in clinic.site.components
        if each.component.id == CONTROLLER
        for name in each.workloads
        if clinic.examines(name.namespace)
    ]
    for name in names if found else ():
        workload = clinic.engine.world.workloads[name]
        if workload.endpoints and clinic.isolated(name, Direction.EGRESS):
            for issuer in found:
                yield from _asked(clinic, workload, issuer)


def _asked(clinic: Clinic, workload: Workload, issuer: Issuer) -> Iterator[Finding]:
    pods = clinic.pods(workload.id)
    server = _end(clinic, issuer.host)
    shut: list[tuple[str, Explanation]] = []
    if server is not None:
        answer = tried(clinic, pods, server, on("TCP", issuer.port))
        if answer is not None and denied(answer):
            shut.append((f"{issuer.host} on TCP/{issuer.port}", answer))
    if issuer.over_http:
        # Before it asks the server to look, the controller calls the name itself, wherever it is.
        every = [tried(clinic, pods, end, on("TCP", _HTTP)) for end in anywhere()]
        if all(map(denied, every)) and every[0] is not None:
            shut.append((f"the names to be proven on TCP/{_HTTP}", every[0]))
    if shut:
        yield _finding(clinic, workload, issuer, shut)


def _end(clinic: Clinic, host: str) -> End | None:
    """Return a server as the end of a question; None where its name means nothing."""
    names = Names(clinic.engine)
    for form in (host, f"dns:{host}") if host[:1].isdigit() or ":" in host else (f"dns:{host}",):
        try:
            return names.end(form)
        except QuestionError:
            continue
    return None


def _finding(
    clinic: Clinic, workload: Workload, issuer: Issuer, shut: list[tuple[str, Explanation]]
) -> Finding:
    where = listed([text for text, _ in shut])
    told = [answer for _, answer in shut]
    return Finding(
        code="CRT001",
        check="D-CERT",
        severity=Severity.ERROR,
        message=f"{workload.id} cannot get certificates of {issuer.item.shown}: {where} is not "
        "let through",
        effect="certificates are not issued, and those that there are run out",
        help="let it out to the server on its port, and to the names on port 80 where HTTP "
        "proves them",
        mode=Mode.MESH,
        **about(workload),
        evidence=(Evidence(f"{issuer.item.shown} names {issuer.host}", issuer.span),),
        mend=clinic.mend(told[:1]) if shut[0][0].startswith(issuer.host) else (),
        caveats=merge_caveats(each.caveats for each in told),
        source=_SOURCE,
    )
