"""`doctor` for people: what is wrong, what it does, what mends it."""

from collections.abc import Iterator

from cloison.analyses.doctor.finding import Finding
from cloison.base import Severity
from cloison.report.about import About, Examination, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, count, listed, wrapped

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_MENDS = 8
"""Changes of one finding that are shown: more are for programs to apply."""
_NOUNS = (
    (Severity.ERROR, "error"),
    (Severity.WARNING, "warning"),
    (Severity.INFO, "note"),
)


def lines(result: Examination, about: About, look: Look) -> Iterator[str]:
    """Iterate over the findings, the worst first, and a sum at the end."""
    for each in result.findings:
        yield from _finding(each, look)
        yield ""
    if result.show_suppressed:
        for accepted in result.suppressed:
            until = f" (until {accepted.expires})" if accepted.expires else ""
            yield from wrapped(accepted.diagnostic.message, look, "suppressed: ")
            yield from wrapped(f"{accepted.reason}{until}", look, "  because: ")
            yield ""
    yield summary(result)
    yield from closing(about, look)


def summary(result: Examination) -> str:
    """Return how much was found by how many checks."""
    counted = [each.severity for each in result.findings]
    said = [count(counted.count(s), noun) for s, noun in _NOUNS if s in counted]
    quiet = "" if result.show_suppressed else "; --show-suppressed lists them"
    accepted = f"; {len(result.suppressed)} suppressed{quiet}" if result.suppressed else ""
    nothing = "no workload was read, so there is nothing to examine"
    found = ", ".join(said) or (nothing if result.empty else "nothing is wrong")
    return f"{found}: {count(len(result.checks), 'check')} made{accepted}"


def _finding(each: Finding, look: Look) -> Iterator[str]:
    mode = f" {each.mode}" if each.mode else ""
    head = look.paint(f"{each.severity}[{each.code}{mode}]", "bold", _STYLE[each.severity])
    yield from wrapped(each.message, look, f"{head}: ", "  ")
    if each.span is not None:
        about = f"  {each.object}" if each.object else ""
        yield f"  {look.paint('-->', 'cyan')} {each.span}{about}"
    for proof in each.evidence:
        yield from wrapped(f"{proof.text}{at(proof.span)}", look, "  seen:   ")
    yield from wrapped(each.effect, look, "  effect: ")
    yield from wrapped(each.help, look, "  help:   ")
    for caveat in each.caveats:
        yield from wrapped(caveat.text, look, f"  caveat {caveat.id}: ", "    ")
    for mend in each.mend[:_MENDS]:
        place = f"  {mend.file}:{mend.line}" if mend.file and mend.line else ""
        yield from wrapped(f"{mend.text}{place}", look, "  mend:   ")
        for line in (mend.lines or mend.manifest).rstrip("\n").splitlines():
            yield f"    {line}" if line else ""
        if mend.also:
            yield from wrapped(listed(mend.also), look, "  this also opens: ", "    ")
    if len(each.mend) > _MENDS:
        more = f"and {len(each.mend) - _MENDS} more: -o json has them all"
        yield from wrapped(more, look, "  mend:   ")
