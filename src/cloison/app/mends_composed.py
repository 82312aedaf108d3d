"""Changes of several findings to the same policies: the later ones contain the earlier ones.

Whoever applies manifests replaces objects as a whole. Each manifest is therefore the policy with
everything that findings before it, in the order in which they are shown, change in it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cloison.analyses.ask import Mend
from cloison.analyses.doctor.finding import Finding
from cloison.analyses.edit import Edit, all_done
from cloison.app.mends import Origins, whole
from cloison.ir.policy import Policy, PolicyId


def composed(
    findings: Sequence[Finding], policies: Mapping[PolicyId, Policy], origins: Origins
) -> tuple[Finding, ...]:
    """Return findings whose manifests can be applied one after the other.

    Args:
        findings: The findings, in the order in which they are shown.
        policies: Policies as they are written.
        origins: What they were compiled from.
    """
    before: dict[PolicyId, list[Edit]] = defaultdict(list)
    return tuple(
        replace(each, mend=tuple(_after(mend, before, policies, origins) for mend in each.mend))
        for each in findings
    )


def _after(
    mend: Mend,
    before: Mapping[PolicyId, list[Edit]],
    policies: Mapping[PolicyId, Policy],
    origins: Origins,
) -> Mend:
    """Return a change with what is changed in the same policy before; that is noted, too."""
    edit = mend.edit
    if edit is None:
        return mend
    known = before[edit.id]
    first, there = not known, all_done(policies.get(edit.id), known)
    known.append(edit)
    if first:
        return mend
    try:
        manifest = whole(known, policies, origins)
    except ValueError:
        manifest = None
    if manifest is None:
        return mend
    name = f"{edit.id.kind} {edit.id}"
    text, lines = mend.text, mend.lines
    if all_done(policies.get(edit.id), known) == there:
        text, lines = f"{name}, as it is proposed above, does this, too", ""
    elif edit.new:
        text = f"let {name}, which is proposed above, be this"
    elif edit.meant is not None:
        text = f"change {name}, with what is proposed above, to this"
    return replace(mend, text=text, lines=lines, manifest=manifest)
