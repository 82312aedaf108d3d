"""Proposals of the analyses written out in the dialect they belong to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from cloison.analyses.advice import Advice
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.edit import Edit, all_done
from cloison.analyses.mend import Proposal, proposals
from cloison.app.origins import Origin
from cloison.dialects import TABLE, Dialect, always_asked
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Policy, PolicyId, Rule
from cloison.ir.profile import Profile

Origins = Mapping[PolicyId, Origin]


def written(engine: Engine, answer: Explanation, origins: Origins) -> tuple[Mend, ...]:
    """Return the change that flips a denial, as manifests; empty when policy cannot do it."""
    if answer.verdict not in (Verdict.DENIED, Verdict.MIXED):
        return ()
    changes = proposals(engine, answer, lambda policy: writable(policy, origins))
    return write(changes, origins, engine.profile)


def write(
    changes: Iterable[Proposal | Advice], origins: Origins, profile: Profile
) -> tuple[Mend, ...]:
    """Return proposals as manifests, those for one policy in one; empty where one cannot be said.

    Args:
        changes: The proposals, and advice where nothing can be written.
        origins: What policies were compiled from.
        profile: Who enforces: what one language cannot say, another one of its may.
    """
    groups: dict[PolicyId, list[Proposal]] = {}
    advised: list[Mend] = []
    for change in changes:
        if isinstance(change, Advice):
            span = change.span
            place = (span.file, span.line) if span else (None, None)
            advised.append(Mend(change.text, "", "", *place))
        else:
            groups.setdefault(change.policy.id, []).append(change)
    found = [_mend(each, origins) or _elsewhere(each, profile, origins) for each in groups.values()]
    return (*advised, *(m for m in found if m is not None)) if all(found) else ()


def rewritten(
    before: Policy, meant: Policy, policies: Mapping[PolicyId, Policy], origins: Origins
) -> tuple[Mend, ...]:
    """Return a policy written anew, in place of the one of its name; empty where nobody can.

    Args:
        before: The policy as it is, perhaps with what else is proposed for it.
        meant: The policy as it should be.
        policies: Policies as they are written.
        origins: What they were compiled from.
    """
    edit = Edit(before, meant=meant)
    origin = origins.get(edit.id)
    try:
        manifest = whole((edit,), policies, origins)
    except ValueError:
        return ()  # the dialect's proposals have no words for all of it
    if origin is None or manifest is None:
        return ()
    span = meant.span
    text = f"change {edit.id.kind} {edit.id} to this, its labels and annotations kept"
    file, line = (span.file, span.line) if span else (None, None)
    return (Mend(text, manifest, "", file, line, edit=edit),)


def whole(
    edits: Sequence[Edit], policies: Mapping[PolicyId, Policy], origins: Origins
) -> str | None:
    """Return the manifest of a policy with some changes done; None where nobody writes it.

    Args:
        edits: Changes to one policy.
        policies: Policies as they are written.
        origins: What they were compiled from.

    Raises:
        ValueError: Its dialect cannot say it.
    """
    name = edits[0].id
    if any(each.new for each in edits):
        made = all_done(None, edits)
        dialect = _maker(name)
        create = dialect.create if dialect is not None else None
        return create(made) if create is not None and made is not None else None
    origin, was = origins.get(name), policies.get(name)
    meant = all_done(was, edits)
    if origin is None or was is None or meant is None:
        return None
    dialect = origin.dialect
    if dialect.amend is not None and all(each.meant is None for each in edits):
        return dialect.amend(origin.object, meant.rules[len(was.rules) :])
    return dialect.rewrite(origin.object, was, meant) if dialect.rewrite is not None else None


def writable(policy: PolicyId, origins: Origins) -> bool:
    """Return whether rules can be added to a policy: in it, or in another one beside it."""
    origin = origins.get(policy)
    return origin is not None and origin.dialect.create is not None


@cache
def _maker_of(kind: str) -> Dialect[Any] | None:
    loaded = (row.load() for row in TABLE if any(name == kind for _, name in row.kinds))
    return next((each for each in loaded if each.create is not None and kind in each.makes), None)


def _maker(name: PolicyId) -> Dialect[Any] | None:
    """Return who writes new policies of a kind; None where nobody does."""
    return _maker_of(name.kind)


def _beside(name: PolicyId, origins: Origins) -> PolicyId:
    """Return a name that no policy has, for one that adds to another."""
    found = name
    while found in origins:
        found = replace(found, name=f"{found.name}-more")
    return found


def _mend(group: list[Proposal], origins: Origins) -> Mend | None:
    """Return the change for proposals about one policy; None where its language cannot say it."""
    first = group[0]
    name, namespace = first.policy.id, first.policy.id.namespace or ""
    origin = origins.get(name)
    if first.new or (origin is not None and origin.dialect.amend is None):
        # Objects that are not written anew: what is added goes into one beside them.
        maker = _maker(name) if origin is None else origin.dialect
        return _created(group, name, maker, origins)
    if origin is None or origin.dialect.amend is None or origin.dialect.fragment is None:
        return None
    rules, also = _rules(group)
    span = first.policy.span
    directions = " and ".join(sorted({str(r.direction) for r in rules}))
    try:
        manifest = origin.dialect.amend(origin.object, rules)
        lines = origin.dialect.fragment(rules, namespace)
    except ValueError:
        return None  # it has no words for this traffic, or for these peers
    return Mend(
        f"add {'an' if len(rules) == 1 else len(rules)} {directions} rule"
        f"{'' if len(rules) == 1 else 's'} to {name.kind} {name}",
        manifest,
        lines,
        span.file if span else None,
        span.line if span else None,
        also,
        Edit(first.policy, rules),
    )


def _elsewhere(group: list[Proposal], profile: Profile, origins: Origins) -> Mend | None:
    """Return the change in another language whose policies count beside those of the first."""
    name = group[0].policy.id
    beside = name if group[0].new else replace(name, name=f"{name.name}-more")
    others = (d for d in always_asked(profile.name) if name.kind not in d.makes)
    made = (_created(group, beside, each, origins) for each in others)
    return next((each for each in made if each is not None), None)


def _created(
    group: list[Proposal], name: PolicyId, maker: Dialect[Any] | None, origins: Origins
) -> Mend | None:
    """Return the change that is a new policy; None where its language cannot say it."""
    if maker is None or maker.create is None:
        return None
    rules, also = _rules(group)
    kind = maker.makes[name.namespace is None]
    if kind is None:
        return None
    name = _beside(replace(name, kind=kind), origins)
    edit = Edit(replace(group[0].policy, id=name), rules, new=True)
    try:
        manifest = whole((edit,), {}, origins)
    except ValueError:
        return None
    if manifest is None:
        return None
    return Mend(f"create {kind} {name}", manifest, "", also=also, edit=edit)


def _rules(group: Sequence[Proposal]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Return the rules of some proposals, and whom they open the traffic to besides."""
    also = tuple(sorted({name for p in group for name in p.also}))
    return tuple(dict.fromkeys(p.rule for p in group)), also
