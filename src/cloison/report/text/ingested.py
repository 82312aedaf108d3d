"""What was read into a store of flows, for people."""

from collections.abc import Iterator

from cloison.flows.answers import Ingested, Run, Shared
from cloison.report.about import About, Look
from cloison.report.text.layout import count, table


def lines(result: Run, _about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines."""
    read = [each for each in result.files if each.reader is not None]
    if read:
        head = ("FILE", "READ AS", "LINES", "FLOWS", "OTHER", "SKIPPED", "BAD", "BEFORE")
        yield from table([head, *(_row(each) for each in read)])
    for each in result.files:
        if each.problem:
            yield look.paint(f"{each.path} {each.problem}", "yellow")
        if each.shared:
            yield look.paint(_shared(each.path, each.shared), "yellow")
        if each.new.skipped and each.new.skipped == each.new.lines and not each.before.flows:
            yield look.paint(f"{each.path} holds no flows", "yellow")
        for name, sure in each.others:
            if sure >= _CLOSE * each.sure:
                said = (
                    f"{each.path} might be {name} as well ({sure:.0%}); --reader says which it is"
                )
                yield look.paint(said, "yellow")
    if result.identities:
        yield f"{count(result.identities, 'address')} of objects"
    yield _sum(result)


_CLOSE = 0.8
"""How much less sure another reader may be, and still be named."""


def _shared(path: str, shared: Shared) -> str:
    said = (
        f"{path}: {count(shared.lines, 'line')} at its beginning had been read in {shared.path}, "
        "and counted there"
    )
    if shared.unsure:
        said += f"; up to {count(shared.unsure, 'line')} after that may be counted twice"
    return said


def _row(known: Ingested) -> tuple[str, ...]:
    new = known.new
    sure = f"{known.reader} ({known.sure:.0%})"
    numbers = (new.lines, new.flows, new.others, new.skipped, new.bad, known.before.lines)
    return (known.path, sure, *(f"{number:,}" for number in numbers))


def _sum(result: Run) -> str:
    flows = sum(each.new.flows for each in result.files)
    bad = sum(each.new.bad for each in result.files)
    said = f"{flows:,} new {'flow' if flows == 1 else 'flows'} in {result.store}"
    if bad:
        said += f"; {bad:,} bad {'line' if bad == 1 else 'lines'}: cloison flows status --bad"
    return said
