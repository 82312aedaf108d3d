"""`effective --policy` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.describe import PolicyDescription, RuleWords
from cloison.ir.policy import Direction
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.effective import EntrySaid, Whom, entry, means, position


class Limit(parts.Base, frozen=True):
    """Something a policy does not do."""

    topic: str
    text: str


class RuleSaid(parts.Base, frozen=True):
    """One rule in words; an inert one matches nobody here."""

    direction: Direction
    rule: int
    text: str
    inert: bool
    entries: list[EntrySaid]
    file: str | None
    line: int | None
    column: int | None


class PolicyDocument(parts.Envelope, frozen=True):
    """One policy in words: whom it selects, what it isolates and admits, what it does not do.

    `place` says when it is asked, where policies are asked in turn.
    """

    policy: parts.PolicyRef
    file: str | None
    line: int | None
    column: int | None
    text: str
    subject: Whom
    isolates: list[str]
    place: list[str]
    rules: list[RuleSaid]
    limits: list[Limit]
    caveats: list[parts.CaveatSaid]
    findings: list[parts.Finding]


DOCUMENT = PolicyDocument


def document(result: PolicyDescription, about: About) -> PolicyDocument:
    """Return a policy in words as published."""
    file, line, column = position(result.span)
    return PolicyDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        policy=parts.policy_ref(result.policy),
        file=file,
        line=line,
        column=column,
        text=result.selects,
        subject=means(result.subject),
        isolates=list(result.isolates),
        place=list(result.place),
        rules=[_rule(r) for r in result.rules],
        limits=[Limit(topic=li.topic, text=li.text) for li in result.limits],
        caveats=parts.caveats(result.caveats),
        findings=[parts.finding(d) for d in result.findings],
    )


def _rule(known: RuleWords) -> RuleSaid:
    file, line, column = position(known.span)
    return RuleSaid(
        direction=known.direction,
        rule=known.index,
        text=known.text,
        inert=known.inert,
        entries=[entry(e) for e in known.entries],
        file=file,
        line=line,
        column=column,
    )


HEADER = ("policy", "direction", "rule", "action", "peer", "means", "traffic", "place", "remark")


def rows(result: PolicyDescription) -> Iterator[Sequence[object]]:
    """Iterate over the rules, a row for each peer."""
    for rule in result.rules:
        for each in rule.entries:
            span = each.sources[0].span if each.sources else rule.span
            yield (
                str(result.policy),
                str(rule.direction),
                rule.index,
                str(each.action),
                each.peer,
                each.resolved.text,
                each.traffic,
                span.place if span else "",
                each.remark or "",
            )
