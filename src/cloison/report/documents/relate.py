"""`relate` as published."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from cloison.algebra import AddressSet
from cloison.analyses.relate import Flow, Found, Overlap, Part, Related, Relation, Told, Uncaptured
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.report.about import About
from cloison.report.documents import ends, parts
from cloison.report.documents.map import cells
from cloison.report.documents.why import DecidedBy, decided_by


class Side(parts.Base, frozen=True):
    """What one source makes of the traffic of a witness.

    `named` says whether a rule that allows names all of it; null where the relation does not ask.
    """

    verdict: Verdict
    named: bool | None
    decided_by: list[DecidedBy]


class FlowShown(parts.Base, frozen=True, tag_field="kind", tag="flow"):
    """Traffic between two ends that shows it, and what each source makes of that.

    `when` says with which requests, as in an edge of `map`, where not all of them show it. Where
    nobody knows the address of an end and it counts, `srcPlace` and `dstPlace` say where the
    address would have to be; else they are null.
    """

    src: parts.Endpoint
    dst: parts.Endpoint
    src_place: list[str] | None
    dst_place: list[str] | None
    traffic: list[parts.Traffic]
    when: list[str]
    a: Side
    b: Side


class PolicyShown(parts.Base, frozen=True, tag_field="kind", tag="policy"):
    """A policy. Where `certain` is false, nobody can say whether it is one of those meant."""

    policy: parts.PolicyRef
    certain: bool
    file: str | None
    line: int | None
    column: int | None


class RuleShown(parts.Base, frozen=True, tag_field="kind", tag="rule"):
    """A rule, counted from 1 within its policy and direction."""

    policy: parts.PolicyRef
    direction: Direction
    rule: int
    certain: bool
    file: str | None
    line: int | None
    column: int | None


class OverlapShown(parts.Base, frozen=True, tag_field="kind", tag="overlap"):
    """Two policies, and a workload that both select."""

    policies: list[PolicyShown]
    workload: parts.Endpoint
    certain: bool


class UncapturedShown(parts.Base, frozen=True, tag_field="kind", tag="uncaptured"):
    """A workload that no policy selects, or only some of its pods (`partly`).

    Policies do not see a pod on its node's network (`hostNetwork`).
    """

    workload: parts.Endpoint
    host_network: bool
    partly: bool
    certain: bool
    file: str | None
    line: int | None
    column: int | None


Shown: TypeAlias = PolicyShown | RuleShown | OverlapShown | UncapturedShown


class RelateDocument(parts.Envelope, frozen=True):
    """Whether a relation holds, over all flows of a world.

    `holds` is null where nobody can say, and `reason` says why. `witness` shows why it does not
    hold or, for the relations that hold where something is found, why it does; `found` lists
    everything of that kind, and `more` is the number of those that are not listed. `differing`
    names the objects that the two sources describe differently: they are taken as B has them.
    """

    relation: Relation
    holds: bool | None
    reason: str | None
    witness: FlowShown | PolicyShown | RuleShown | OverlapShown | UncapturedShown | None
    found: list[Shown]
    more: int
    differing: list[str]
    caveats: list[parts.CaveatSaid]


DOCUMENT = RelateDocument


def document(result: Related, about: About) -> RelateDocument:
    """Return an answer as published."""
    found = [_found(each) for each in result.found]
    first = next((each for each in found if each.certain), found[0] if found else None)
    return RelateDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        relation=result.relation,
        holds=result.holds,
        reason=result.reason,
        witness=_flow(result.flow) if result.flow else first,
        found=found,
        more=result.more,
        differing=list(result.differing),
        caveats=parts.caveats(result.caveats),
    )


def _flow(known: Flow) -> FlowShown:
    return FlowShown(
        src=ends.ref(known.src),
        dst=ends.ref(known.dst),
        src_place=_ranges(known.if_src),
        dst_place=_ranges(known.if_dst),
        traffic=parts.traffic(known.traffic),
        when=[] if known.requests is None else [str(known.requests)],
        a=_side(known.first),
        b=_side(known.second),
    )


def _ranges(place: AddressSet | None) -> list[str] | None:
    return None if place is None else list(place.ranges())


def _side(known: Told) -> Side:
    return Side(
        verdict=known.verdict,
        named=known.named,
        decided_by=[decided_by(each) for each in known.decided_by],
    )


def _found(known: Found) -> Shown:
    match known:
        case Part():
            return _part(known)
        case Overlap():
            return OverlapShown(
                policies=[_policy(known.first), _policy(known.second)],
                workload=ends.ref(known.workload),
                certain=known.sure,
            )
        case Uncaptured():
            span = known.span
            return UncapturedShown(
                workload=ends.ref(known.workload),
                host_network=known.host_network,
                partly=known.partly,
                certain=known.sure,
                file=span.file if span else None,
                line=span.line if span else None,
                column=span.column if span else None,
            )


def _part(known: Part) -> PolicyShown | RuleShown:
    span = known.span
    if known.direction is None or known.rule is None:
        return _policy(known)
    return RuleShown(
        policy=parts.policy_ref(known.policy),
        direction=known.direction,
        rule=known.rule,
        certain=known.sure,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


def _policy(known: Part) -> PolicyShown:
    span = known.span
    return PolicyShown(
        policy=parts.policy_ref(known.policy),
        certain=known.sure,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


HEADER = (
    "relation",
    "holds",
    "what",
    "name",
    "other",
    "traffic",
    "a",
    "b",
    "certain",
    "file",
    "line",
    "when",
)


def rows(result: Related) -> Iterator[Sequence[object]]:
    """Iterate over what was found, one row each; the answer alone where there is nothing."""
    head = (result.relation, _said(answer=result.holds))
    flow = result.flow
    if flow is not None:
        src, dst = ("/".join(filter(None, cells(end)[1:])) for end in (flow.src, flow.dst))
        sides = (flow.first.verdict, flow.second.verdict)
        certain = _said(answer=result.holds is not None)
        when = "" if flow.requests is None else str(flow.requests)
        yield (*head, "flow", src, dst, str(flow.traffic), *sides, certain, "", "", when)
    for each in result.found:
        yield (*head, *_row(each))
    if flow is None and not result.found:
        yield (*head, *[""] * (len(HEADER) - len(head)))


def _row(known: Found) -> Sequence[object]:
    match known:
        case Part():
            span = known.span
            names = ("policy" if known.rule is None else "rule", known.text, "")
        case Overlap():
            span = known.first.span
            names = ("overlap", known.first.text, known.second.text)
        case _:
            span = known.span
            names = ("uncaptured", str(known.workload), "")
    place = (span.file, span.line) if span else ("", "")
    return (*names, "", "", "", _said(answer=known.sure), *place, "")


def _said(*, answer: bool | None) -> str:
    return "" if answer is None else str(answer).lower()
