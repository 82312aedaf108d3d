"""A draft as a file: what counts, and below it what somebody has to confirm."""

import re
from collections.abc import Iterator

from cloison.analyses.draft.model import Draft
from cloison.base.words import few
from cloison.intent import Contract
from cloison.intent.write import write
from cloison.resources.names import printable

_AFTER = re.compile(r"^  (?:guardrails|externals|namespaceLabels|platform):$")
_MOST = 200
"""Questions that are written below a draft."""
_SECTION = "  dependencies:"


def page(draft: Draft, sources: str = "") -> str:
    """Return a draft as YAML, with its evidence as comments.

    Args:
        draft: The draft.
        sources: What it was made of, for people.
    """
    remarks = {**draft.remarks, ("", ""): tuple(_head(draft, sources))}
    if draft.unclassified:
        names = few((str(each) for each in draft.unclassified), len(draft.unclassified))
        remarks["workloads", ""] = (printable(f"Unclassified, without a zone: {names}"),)
    if draft.crossings:
        said = ", ".join(f"{source} to {other}" for source, other in draft.crossings)
        remarks["zones", ""] = (f"What is to be confirmed would also need: {said}",)
    lines = write(draft.contract, remarks).splitlines()
    more = list(_below(draft))
    if more:
        at = _place(lines)
        if _SECTION not in lines:
            more.insert(0, "  # dependencies:")
        lines[at:at] = more
    return "\n".join((*lines, *_doubts(draft))) + "\n"


def _head(draft: Draft, sources: str) -> Iterator[str]:
    yield "Drafted by `cloison contract init`" + (f" from {sources}" if sources else "")
    yield "Above each entry stands what speaks for it, and how sure that is. Give each an owner"
    yield "and a reason: `cloison contract check` lists what is missing."
    if draft.suggested:
        yield "Entries under `to confirm` count once the signs before them are taken away."


def _place(lines: list[str]) -> int:
    """Return where suggestions go: at the end of the dependencies, above the next section."""
    start = lines.index(_SECTION) if _SECTION in lines else 0
    for at in range(start, len(lines)):
        if _AFTER.match(lines[at]):
            above = at
            while above and lines[above - 1].startswith("  # "):
                above -= 1
            return above
    return len(lines)


def _below(draft: Draft) -> Iterator[str]:
    """Yield suggestions as lines of comments, ready to be uncommented."""
    if not draft.suggested:
        return
    yield "  # To confirm: nothing below counts before somebody says so."
    for each in draft.suggested:
        for hint in each.hints:
            yield printable(f"  # {hint.sure}: {hint.said}")
        if not each.entry.ports:
            yield "  # its port is not known: write it before this counts"
        entry = write(Contract((), dependencies=(each.entry,))).splitlines()
        for line in entry[entry.index(_SECTION) + 1 :]:
            yield f"  # {line[2:]}"


def _doubts(draft: Draft) -> Iterator[str]:
    if draft.doubts:
        yield "# Questions:"
        for each in draft.doubts[:_MOST]:
            yield printable(f"# - {each.said}")
        if len(draft.doubts) > _MOST:
            yield f"# - and {len(draft.doubts) - _MOST} more: -o json has all"
