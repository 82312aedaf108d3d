"""D6: which rule a label of a namespace matters to, and what keeps the label as it is now."""

import json
from collections.abc import Iterable, Iterator

from cloison.analyses.drift.model import Atom, Change, Step
from cloison.analyses.drift.scene import Scene
from cloison.base import Span
from cloison.intent import LabelRule
from cloison.ir.peers import PodsMatch, plain_matches
from cloison.ir.policy import Policy


def selecting(
    scene: Scene, name: str, key: str, was: str | None, edges: Iterable[str]
) -> Atom | None:
    """Return the part of a policy that reads a namespace otherwise than it did.

    One of those whose edges came or went, where there is one.

    Args:
        scene: The cluster.
        name: The namespace.
        key: The label that changed.
        was: What it was; None for none.
        edges: The edges that came or went by it, as `NAMESPACE/NAME -> NAMESPACE/NAME`.
    """
    homes = {end.partition("/")[0] for text in edges for end in text.split(" -> ")} - {name}
    found: Atom | None = None
    now = scene.engine.world.namespaces[name].labels
    before = {k: v for k, v in now.items() if k != key} | ({} if was is None else {key: was})
    for policy in scene.engine.policies.policies:
        for text, span, match in _matches(policy):
            if key in match.namespaces.keys and (
                match.namespaces.matches(now) != match.namespaces.matches(before)
            ):
                if policy.id.namespace in homes:
                    return Atom(text, span)
                found = found or Atom(text, span)
    return found


def _matches(policy: Policy) -> Iterator[tuple[str, Span | None, PodsMatch]]:
    """Yield the selectors of a policy: what they are, where they are written, and themselves."""
    for match in policy.subjects:
        yield f"{policy.id.said} selects by it", policy.subject_span or policy.span, match
    for rule in policy.rules:
        for peer in rule.peers:
            for each in plain_matches(peer.match):
                if isinstance(each, PodsMatch):
                    span = peer.span or rule.span or policy.span
                    yield f"{policy.id.said} {rule.label} selects by it", span, each


def kept(rule: LabelRule | None, name: str, key: str, now: str | None, by: Change | None) -> Step:
    """Return the smallest change of the contract by which a label may be as it is.

    Args:
        rule: What the contract says of the label; None where it says nothing.
        name: The namespace.
        key: The label.
        now: What it is; None for none.
        by: The change that made it so, where an audit log tells it.
    """
    values = rule.values if rule is not None else ()
    if now is not None and now not in values and (values or rule is None):
        values = (*values, now)
    entry = {"key": key, "values": values}
    if rule is not None:
        users = rule.changed_by
        if by is not None and by.user and users and by.user not in users:
            users = (*users, by.user)
        exempt = rule.exempt
        if now is None and rule.required and name not in exempt:
            exempt = (*exempt, name)
        entry |= {"changedBy": users, "except": exempt}
    lines = [f"  {field}: {_written(value)}" for field, value in entry.items() if value]
    lines[0] = f"- {lines[0].strip()}"
    where = "" if rule is None or rule.span is None else f" ({rule.span.place})"
    text = f"keep it, and let the contract say so under namespaceLabels{where}"
    return Step(text, "\n".join(lines) + "\n")


def _written(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else _list(value)


def _list(value: object) -> str:
    some = value if isinstance(value, tuple) else ()
    return f"[{', '.join(json.dumps(each) for each in some)}]"
