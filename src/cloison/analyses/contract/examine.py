"""`contract check`: whether a contract holds, and what is missing in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cloison.algebra import TrafficSet
from cloison.analyses.backends import members
from cloison.analyses.contract.borders import CROSSING, crossings
from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.fronted import EFFECT as NOT_THERE
from cloison.analyses.contract.fronted import FRONTED, fronted
from cloison.analyses.contract.headless import EFFECT, UNHEARD, unheard
from cloison.analyses.contract.idle import idle
from cloison.analyses.contract.intended import Edges, Intended, intended
from cloison.analyses.contract.placed import Placed
from cloison.analyses.contract.prove import Proof, Proved, Status, prove
from cloison.analyses.contract.sets import Group, Sets
from cloison.analyses.ends import AnyEnd, PodsEnd
from cloison.base import Diagnostic, QuestionError, Severity, Span
from cloison.base.words import few
from cloison.engine import Engine
from cloison.intent import Contract, Dependency
from cloison.intent.entries import PRIMITIVES
from cloison.intent.faults import SOURCE, nearest
from cloison.platform.apiserver import control_plane, front
from cloison.platform.component import Found, Role
from cloison.platform.components import known
from cloison.resources.names import printable
from cloison.resources.world import World

BROKEN = "CON101"
UNPROVED = "CON102"
UNASKED = "CON103"
UNMATCHED = "CON104"
PROOFS = (BROKEN, UNPROVED, UNASKED)
"""Codes of findings about guardrails."""
UNKNOWN_END = "CON110"
EXPIRED = "CON112"
BLANK = "CON113"
UNOWNED = "CON114"
CONTRADICTED = "CON115"
NO_REQUESTS = "CON116"
REVIEW_DUE = "CON120"
LABEL_WRONG = "CON130"
LABEL_MISSING = "CON131"
UNZONED = "CON140"
IDLE = "CON141"
UNKNOWN_COMPONENT = "CON150"
ABSENT_COMPONENT = "CON151"

_NO_PODS: Final = frozenset((Role.METADATA, Role.NODE, Role.LOAD_BALANCER))
"""What is addresses, and no pods that an input could lack."""
_GUARDRAILS: Final = "Cloison contract: guardrails"


@dataclass(frozen=True, slots=True)
class Check:
    """What came of a contract.

    Args:
        contract: The contract.
        proofs: What came of each guardrail, in order.
        edges: What its dependencies come to.
        placed: What it says of workloads.
        blanks: What each dependency does not say of the ten primitives, by its name.
        findings: Everything that is wrong, what reading the contract brought to light first.
        today: The day it was checked for.
        options: Options of the command line that name the same cluster, to show a flow with.
    """

    contract: Contract
    proofs: tuple[Proof, ...]
    edges: Edges
    placed: Placed
    blanks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[Diagnostic, ...] = ()
    today: date = date.min
    options: tuple[str, ...] = ()

    def count(self, status: Status) -> int:
        """Return how many guardrails came out so."""
        return sum(each.status is status for each in self.proofs)


def examine(
    contract: Contract,
    ends: Ends,
    components: Sequence[Found],
    today: date,
    said: Sequence[Diagnostic] = (),
) -> Check:
    """Return what is wrong with a contract, and whether its guardrails hold.

    Args:
        contract: The contract.
        ends: Finds what it names.
        components: Components of the platform that the input holds.
        today: The day it is.
        said: What reading the contract brought to light.
    """
    proved = prove(contract, ends)
    edges = intended(contract, ends)
    blanks = {each.name: found for each in contract.dependencies if (found := blank(each, ends))}
    world = ends.names.engine.world
    findings = (
        *said,
        *_proofs(proved.proofs),
        *_unmatched(contract, world),
        *_unknown(edges),
        *_contradicted(edges, proved),
        *_crossing(edges, ends.placed),
        *_requests(contract),
        *_unheard(edges),
        *_fronted(edges, world),
        *_expired(contract, today),
        *_unowned(contract),
        *_blank(contract, blanks),
        *_review(contract, today),
        *_labels(contract, world),
        *_unplaced(contract, ends.placed, world),
        *_components(contract, components, ends.names.engine),
    )
    return Check(contract, proved.proofs, edges, ends.placed, blanks, findings, today)


def blank(entry: Dependency, ends: Ends) -> tuple[str, ...]:
    """Return which of the ten primitives of an access path a dependency does not answer.

    What is protected may be said of the workload that is called instead.
    """
    found = [name for name in PRIMITIVES if getattr(entry, name) is None]
    if "asset" in found:
        try:
            called = ends.of(entry.destination)
        except QuestionError:
            called = ()
        places = (ends.placed.places.get(e.workload.id) for e in called if isinstance(e, PodsEnd))
        if any(place is not None and place.asset for place in places):
            found.remove("asset")
    return (*found, *(() if entry.ports else ("protocol", "port")))


def _finding(
    code: str,
    severity: Severity,
    span: Span | None,
    message: str,
    effect: str,
    help_: str | None = None,
    source: str = SOURCE,
) -> Diagnostic:
    advice = printable(help_) if help_ else None
    return Diagnostic(code, severity, printable(message), span, None, effect, advice, source)


def _proofs(proofs: Sequence[Proof]) -> Iterator[Diagnostic]:
    for proof in proofs:
        name, span = proof.guardrail.name, proof.guardrail.span
        error = Severity.ERROR
        if proof.status is Status.BROKEN:
            yield _finding(
                BROKEN,
                error,
                span,
                f"the guardrail {name!r} is broken: {flow(proof)} is permitted",
                proof.guardrail.reason or "what must never be permitted is",
                proof.breaches[0].mend,
                _GUARDRAILS,
            )
        elif proof.status is Status.UNDETERMINED:
            reason = proof.message or f"{flow(proof)} may be permitted"
            yield _finding(
                UNPROVED,
                error,
                span,
                f"the guardrail {name!r} is not proved: {reason}",
                "nobody can promise that it holds",
                proof.help or "settle what the answer stands on; `cloison why` names it",
                _GUARDRAILS,
            )
        elif proof.status is Status.UNASKED:
            message = f"the guardrail {name!r} cannot be asked: {proof.message}"
            effect = "nobody knows whether it holds"
            yield _finding(UNASKED, error, span, message, effect, proof.help, _GUARDRAILS)


def _unmatched(contract: Contract, world: World) -> Iterator[Diagnostic]:
    for each in idle(contract, world):
        yield _finding(
            UNMATCHED,
            Severity.INFO,
            each.span,
            f"the guardrail {each.guardrail.name!r} names what is not there: {each.message}",
            "there it is proved of pods that may come, and of none that exist",
            each.help,
            _GUARDRAILS,
        )


def flow(proof: Proof) -> str:
    """Return the first flow of a proof, as a phrase."""
    breach = proof.breaches[0]
    asks = f" with {breach.request}" if breach.request is not None else ""
    given = f", given {breach.given}" if breach.given else ""
    return f"{breach.source.text} -> {breach.destination.text} on {breach.traffic}{asks}{given}"


def _unknown(edges: Edges) -> Iterator[Diagnostic]:
    for unmet in edges.unmet:
        message = f"the dependency {unmet.entry.name!r} means nothing here: {unmet.message}"
        effect = "it is no intended edge of this cluster"
        yield _finding(UNKNOWN_END, Severity.ERROR, unmet.entry.span, message, effect, unmet.help)


def _contradicted(edges: Edges, proved: Proved) -> Iterator[Diagnostic]:
    """Yield what the contract means and forbids at once."""
    sets = proved.sets
    if sets is None:
        return
    seen: set[tuple[str, str]] = set()
    for edge in edges.edges:
        groups = _groups(sets, edge)
        for name, boxes in proved.forbidden.items():
            if groups is None or (edge.entry.name, name) in seen:
                continue
            sources, destinations = groups
            for box in boxes:
                here, there = box.sources & sources, box.destinations & destinations
                if here and there and _named(sets, edge, there) & box.traffic:
                    seen.add((edge.entry.name, name))
                    message = f"the dependency {edge.entry.name!r} is what {name!r} forbids"
                    yield _finding(
                        CONTRADICTED,
                        Severity.ERROR,
                        edge.entry.span,
                        message,
                        "the contract cannot be kept: either of the two is wrong",
                        "take it out of the guardrail with `except`, or drop the dependency",
                    )
                    break


def _groups(sets: Sets, edge: Intended) -> tuple[Group, Group] | None:
    try:
        found = [
            sets.group((written,)) if isinstance(end, AnyEnd) else sets.end(end)
            for end, written in (
                (edge.source, edge.entry.source),
                (edge.destination, edge.entry.destination),
            )
        ]
    except QuestionError:
        return None
    return found[0], found[1]


def _named(sets: Sets, edge: Intended, there: Group) -> TrafficSet:
    """Return the traffic of an edge: a port by name is looked up on who is called."""
    found = edge.traffic.traffic
    for index in there.pods if edge.traffic.name is not None else ():
        for port in sets.engine.table.endpoints[index].ports:
            if (port.name, port.protocol) == (edge.traffic.name, edge.traffic.protocol):
                found |= TrafficSet.ports(port.protocol, *port.span)
    return found


def _crossing(edges: Edges, placed: Placed) -> Iterator[Diagnostic]:
    seen: set[tuple[str, str, str]] = set()
    for each in crossings(edges, placed):
        entry = each.edge.entry
        key = (entry.name, each.source, each.destination)
        if key not in seen:
            seen.add(key)
            yield _finding(
                CROSSING,
                Severity.ERROR,
                entry.span,
                f"the dependency {entry.name!r} {each.message}",
                "it crosses a border that the contract keeps closed",
                each.help,
            )


def _requests(contract: Contract) -> Iterator[Diagnostic]:
    """Yield ports at which a dependency asks for requests that nobody reads there."""
    for entry in contract.dependencies:
        for port in entry.ports if entry.http is not None else ():
            if port.protocol != "TCP":
                yield _finding(
                    NO_REQUESTS,
                    Severity.ERROR,
                    port.span or entry.span,
                    f"the dependency {entry.name!r} is about requests of HTTP over {port.text}",
                    "policies read requests over TCP only, and let everything through there",
                    f"say TCP ports, and write a dependency without `http` for {port.text}",
                )


def _unheard(edges: Edges) -> Iterator[Diagnostic]:
    for each in unheard(edges.edges):
        message = f"the dependency {each.entry.name!r}: {each.message}"
        yield _finding(UNHEARD, Severity.INFO, each.entry.span, message, EFFECT, each.help)


def _fronted(edges: Edges, world: World) -> Iterator[Diagnostic]:
    for each in fronted(edges.edges, world):
        message = f"the dependency {each.entry.name!r}: {each.message}"
        yield _finding(FRONTED, Severity.WARNING, each.entry.span, message, NOT_THERE, each.help)


def _expired(contract: Contract, today: date) -> Iterator[Diagnostic]:
    for entry in contract.dependencies:
        if entry.expired(today):
            yield _finding(
                EXPIRED,
                Severity.ERROR,
                entry.span,
                f"the dependency {entry.name!r} expired on {entry.expires}",
                "nobody owns the reason for it any more",
                "have its owner renew it, or remove it with the policy that allows it",
            )


def _unowned(contract: Contract) -> Iterator[Diagnostic]:
    for entry in contract.dependencies:
        lacking = [n for n in ("owner", "reason") if getattr(entry, n) is None]
        if lacking:
            yield _finding(
                UNOWNED,
                Severity.WARNING,
                entry.span,
                f"the dependency {entry.name!r} has no {' and no '.join(lacking)}",
                "nobody can say whether it is still needed",
                f"write {' and '.join(lacking)}",
            )
    for external in contract.externals:
        if external.owner is None:
            yield _finding(
                UNOWNED,
                Severity.WARNING,
                external.span,
                f"the external {external.name!r} has no owner",
                "nobody can say whether it is still needed",
                "write owner, here or for the whole contract",
            )


def _blank(contract: Contract, blanks: Mapping[str, tuple[str, ...]]) -> Iterator[Diagnostic]:
    for entry in contract.dependencies:
        if entry.name in blanks:
            names = blanks[entry.name]
            yield _finding(
                BLANK,
                Severity.INFO,
                entry.span,
                f"the dependency {entry.name!r} does not say: {', '.join(names)}",
                "an access path is described by ten things, and that many are left open",
                "answer them here, or for all under `defaults`",
            )


def _review(contract: Contract, today: date) -> Iterator[Diagnostic]:
    for external in contract.externals:
        if external.review is not None and external.review < today:
            yield _finding(
                REVIEW_DUE,
                Severity.WARNING,
                external.span,
                f"the external {external.name!r} was to be reviewed by {external.review}",
                "what lies outside changes without anybody here knowing",
                "look at it again, and write the next day",
            )


def _labels(contract: Contract, world: World) -> Iterator[Diagnostic]:
    """Yield namespaces with labels that they should not have; of those that were read."""
    for rule in contract.namespace_labels:
        owner = f"; {rule.owner} answers for it" if rule.owner else ""
        may = f"; {' and '.join(rule.changed_by)} may change it" if rule.changed_by else ""
        for name, namespace in world.namespaces.items():
            if namespace.span is None or name in rule.exempt:
                continue
            value = namespace.labels.get(rule.key)
            if value is None:
                if rule.required:
                    yield _finding(
                        LABEL_MISSING,
                        Severity.ERROR,
                        namespace.span,
                        f"the namespace {name!r} has no label {rule.key!r}",
                        "policies that select by it do not see this namespace",
                        f"set it{_one_of(rule.values)}{owner}{may}",
                    )
            elif rule.values and value not in rule.values:
                yield _finding(
                    LABEL_WRONG,
                    Severity.ERROR,
                    namespace.span,
                    f"the namespace {name!r} is labelled {rule.key}={value}",
                    "policies that select by it see this namespace as something else",
                    f"set it{_one_of(rule.values)}{owner}{may}",
                )


def _one_of(values: Sequence[str]) -> str:
    return f" to {' or '.join(values)}" if values else ""


def _unplaced(contract: Contract, placed: Placed, world: World) -> Iterator[Diagnostic]:
    for entry in placed.idle:
        yield _finding(
            IDLE,
            Severity.WARNING,
            entry.span,
            f"no workload here is meant by {entry.match}",
            "the entry says something of nobody",
            "correct its `match`, or remove it",
        )
    if not contract.zones:
        return
    for name, place in placed.places.items():
        if place.zone is None:
            yield _finding(
                UNZONED,
                Severity.WARNING,
                world.workloads[name].span,
                f"the workload {name} is in no zone",
                "what it calls and who calls it crosses no border, so none is checked",
                f"add it under `workloads`: {{match: {{namespace: {name.namespace}, "
                f"name: {name.name}}}, zone: ...}}",
            )


def _components(
    contract: Contract, components: Sequence[Found], engine: Engine
) -> Iterator[Diagnostic]:
    every = known()
    names = {each.id for each in every} | {str(each.role) for each in every}
    here = {each.component.id for each in components} | {
        str(each.component.role) for each in components
    }
    here |= _NO_PODS
    service = front(engine.world)
    if control_plane(engine.world) or (service is not None and members(engine, service).ends):
        here.add(Role.API_SERVER)
    for entry in contract.platform:
        if entry.id not in names:
            yield _finding(
                UNKNOWN_COMPONENT,
                Severity.ERROR,
                entry.span,
                f"no component of a platform is known as {entry.id!r}",
                "nothing is allowed for it, and nothing checked",
                nearest(entry.id, names, f"known are {few(str(e.role) for e in every)}"),
            )
        elif entry.id not in here:
            yield _finding(
                ABSENT_COMPONENT,
                Severity.WARNING,
                entry.span,
                f"the component {entry.id!r} is not in the input",
                "nobody can say which pods it is",
                "read what installs it as well, or place it in the settings file",
            )
