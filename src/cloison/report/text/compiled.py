"""`contract compile` for people: how much was written, for the platform too, and what could not."""

from collections.abc import Iterator

from cloison.analyses.contract.compile.model import ReadBack, Result, State
from cloison.base.words import few
from cloison.report.about import About, Judged, Look
from cloison.report.text.closing import closing
from cloison.report.text.judged import findings, tally
from cloison.report.text.layout import count, table, wrapped


def lines(result: Judged[Result], about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of what came of a contract."""
    found = result.answer
    yield from wrapped(summary(found), look, "", "  ")
    added = found.compiled.added
    if added:
        yield ""
        yield "added for the platform:"
        rows = [
            (each.role, _whom(each.source, each.workloads), "->", each.destination, ports)
            for each in added
            for ports in (", ".join(each.ports) or "the ports of their probes",)
        ]
        yield from (f"  {line}" for line in table(rows))
    if found.read_back is not None:
        yield ""
        yield from wrapped(f"read back: {proof(found.read_back)}", look, "", "  ")
    yield ""
    yield from findings(result, look)
    yield tally(result)
    yield from closing(about, look)


def proof(found: ReadBack) -> str:
    """Return what policies do that were read back, in a sentence without its end."""
    through = f"{found.through} of {count(found.asked, 'dependency')} let through as written"
    through += f" (not for certain: {few(found.unsure)})" if found.unsure else ""
    if not found.asked:
        through = "no dependency is asked for"
    among = f"between {count(found.workloads, 'workload')}"
    more = f"nothing else {among}"
    if found.more:
        more = f"{count(found.more, 'pair')} {among} open beyond that"
    if not found.complete:
        more += ", as far as they were compared"
    held = f", {found.holding} of {count(found.guardrails, 'guardrail')} held"
    return f"{through}, {more}{held if found.guardrails else ''}"


def _whom(source: str, workloads: int) -> str:
    return count(workloads, "workload") if source == "workloads" else source


def summary(found: Result) -> str:
    """Return how much was written, in a sentence without its end."""
    name = f"contract {' and '.join(found.names)}" if found.names else "the contract"
    files = count(len(found.files), "file")
    policies = f"{found.policies} {'policy' if found.policies == 1 else 'policies'}"
    spaces = count(len(found.compiled.namespaces), "namespace")
    said = f"{name} as {found.target}: {files}, {policies} in {spaces}"
    if found.directory is None:
        return said
    states = [each.state for each in found.files]
    parts = [f"{states.count(s)} {s}" for s in State if s in states]
    left = f", {len(found.left)} left over" if found.left else ""
    return f"{said}, in {found.directory} ({', '.join(parts)}{left})"
