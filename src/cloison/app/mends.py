"""Proposals of the analyses written out in the dialect they belong to."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cloison.analyses.advice import Advice
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.mend import Proposal, proposals
from cloison.app.origins import Origin
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Policy, PolicyId


def written(
    engine: Engine, answer: Explanation, origins: Mapping[PolicyId, Origin]
) -> tuple[Mend, ...]:
    """Return the change that flips a denial, as manifests; empty when policy cannot do it."""
    if answer.verdict not in (Verdict.DENIED, Verdict.MIXED):
        return ()
    changes = proposals(engine, answer, lambda policy: writable(policy, origins))
    return write(changes, origins)


def write(
    changes: Iterable[Proposal | Advice], origins: Mapping[PolicyId, Origin]
) -> tuple[Mend, ...]:
    """Return proposals as manifests, those for one policy in one; empty where one cannot be said.

    Args:
        changes: The proposals, and advice where nothing can be written.
        origins: What policies were compiled from.
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
    try:
        found = [_mend(group, origins) for group in groups.values()]
    except ValueError:
        return ()  # the dialect has no words for this traffic
    return (*advised, *(m for m in found if m is not None)) if all(found) else ()


def rewritten(policy: Policy, origins: Mapping[PolicyId, Origin]) -> tuple[Mend, ...]:
    """Return a policy written anew, in place of the one of its name; empty where nobody can.

    Args:
        policy: The policy as it should be.
        origins: What policies were compiled from.
    """
    origin = origins.get(policy.id)
    if origin is None or origin.dialect.rewrite is None:
        return ()
    try:
        manifest = origin.dialect.rewrite(origin.object, policy)
    except ValueError:
        return ()  # the dialect's proposals have no words for all of it
    span = policy.span
    place = (span.file, span.line) if span else (None, None)
    text = f"change {policy.id.kind} {policy.id} to this, its labels and annotations kept"
    return (Mend(text, manifest, "", *place),)


def writable(policy: PolicyId, origins: Mapping[PolicyId, Origin]) -> bool:
    """Return whether rules can be added to a policy: in it, or in another one beside it."""
    origin = origins.get(policy)
    return origin is not None and origin.dialect.create is not None


def _beside(name: PolicyId, origins: Mapping[PolicyId, Origin]) -> PolicyId:
    """Return a name that no policy has, for one that adds to another."""
    found = name
    while found in origins:
        found = replace(found, name=f"{found.name}-more")
    return found


def _mend(group: list[Proposal], origins: Mapping[PolicyId, Origin]) -> Mend | None:
    first = group[0]
    also = tuple(sorted({name for p in group for name in p.also}))
    rules = tuple(dict.fromkeys(p.rule for p in group))
    name, namespace = first.policy.id, first.policy.id.namespace or ""
    origin = origins.get(name)
    if not first.new and origin is not None and origin.dialect.amend is None:
        # Its objects are not written anew: what is added goes into one of its own.
        name = _beside(name, origins)
        first = replace(first, policy=replace(first.policy, id=name), new=True)
    if first.new:
        numbered = tuple(replace(r, index=i) for i, r in enumerate(rules, 1))
        whole = replace(
            first.policy, rules=numbered, isolates=frozenset(r.direction for r in rules)
        )
        dialect = next((o.dialect for i, o in origins.items() if i.kind == name.kind), None)
        if dialect is None or dialect.create is None:
            return None
        return Mend(f"create {name.kind} {name}", dialect.create(whole), also=also)
    if origin is None or origin.dialect.amend is None or origin.dialect.fragment is None:
        return None
    span = first.policy.span
    directions = " and ".join(sorted({str(r.direction) for r in rules}))
    return Mend(
        f"add {'an' if len(rules) == 1 else len(rules)} {directions} rule"
        f"{'' if len(rules) == 1 else 's'} to {name.kind} {name}",
        origin.dialect.amend(origin.object, rules),
        origin.dialect.fragment(rules, namespace),
        span.file if span else None,
        span.line if span else None,
        also,
    )
