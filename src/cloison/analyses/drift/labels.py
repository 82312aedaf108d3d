"""D6: labels of namespaces that changed or are new, where that changes who may talk to whom.

What counts is the set of what is permitted, not the label: one that no selector uses, or whose
change alters nothing, is nobody's concern.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from cloison.algebra import LabelSelector
from cloison.analyses.diff import Kind, change
from cloison.analyses.drift.labelsteps import kept, selecting
from cloison.analyses.drift.model import Change, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.scene import Scene
from cloison.base import Severity, Span
from cloison.base.words import few, plural
from cloison.engine import Engine
from cloison.intent import LabelRule
from cloison.ir.peers import PodsMatch, plain_matches
from cloison.ir.policy import Policy
from cloison.resources.objects import NAMESPACE_NAME_LABEL
from cloison.resources.world import WorkloadId

_SHOWN: Final = 5


def labels(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each label of a namespace that changed, and changed what is permitted."""
    before = _before(scene)
    if before is None:
        scene.skip(Code.LABELS, "nobody says which labels namespaces had before", 1, "run")
        return
    whole = scene.before is not None or scene.memory.every_label
    used = keys_used(scene.engine.policies.policies)
    if scene.before is not None:
        used |= keys_used(scene.before.engine.policies.policies)
    for name, home in sorted(scene.engine.world.namespaces.items()):
        if name not in before:
            for key in sorted(used & home.labels.keys() - {NAMESPACE_NAME_LABEL}):
                yield from _changed(scene, name, key, None, home.labels[key], fresh=True)
            continue
        for key in sorted(used):
            was, now = before[name].get(key), home.labels.get(key)
            if was is None and not whole:
                # What was not remembered may have been there all the same.
                scene.skip(Code.LABELS, "the last run did not remember it", 1, "label")
            elif was != now and key != NAMESPACE_NAME_LABEL:
                yield from _changed(scene, name, key, was, now)


def keys_used(policies: Iterable[Policy]) -> set[str]:
    """Return the labels of namespaces that any selector asks for."""
    found: set[str] = set()
    for policy in policies:
        matches = [*policy.subjects]
        for rule in policy.rules:
            for peer in rule.peers:
                matches += [m for m in plain_matches(peer.match) if isinstance(m, PodsMatch)]
        for match in matches:
            found.update(_keys(match.namespaces))
    return found


def _keys(selector: LabelSelector) -> Iterable[str]:
    return selector.keys


def _before(scene: Scene) -> Mapping[str, Mapping[str, str]] | None:
    """Return the labels of namespaces as they were, as far as they matter."""
    if scene.before is not None:
        return {n: each.labels for n, each in scene.before.engine.world.namespaces.items()}
    return scene.memory.labels if scene.memory.ran else None


def _changed(
    scene: Scene, name: str, key: str, was: str | None, now: str | None, *, fresh: bool = False
) -> Iterator[Sign]:
    """Yield a sign for a label of a namespace, where it makes a difference.

    Args:
        scene: The cluster.
        name: The namespace.
        key: The label.
        was: What it was; None for none.
        now: What it is.
        fresh: Whether the namespace itself is new.
    """
    opened, closed, whom = _moved(scene, name, key, was)
    rule = None
    if scene.contract is not None:
        rule = next((r for r in scene.contract.namespace_labels if r.key == key), None)
    by = _by(scene, name, key, now)
    against = _against(rule, name, now, by)
    if not opened and not closed and not against:
        return
    # A new namespace with a label that the contract knows is as somebody planned it.
    known = fresh and rule is not None
    told = f"had {key}={was}" if was is not None else f"had no label {key}"
    told = "was not there before" if fresh else told
    become = f"{key}={now}" if now is not None else f"no label {key}"
    evidence = [Evidence(f"namespace {name} {told} and has {become}", _span(scene, name))]
    evidence += [Evidence(each) for each in against]
    if opened:
        evidence.append(Evidence(f"it opens {few(opened, _SHOWN)}"))
    if closed:
        evidence.append(Evidence(f"it closes {few(closed, _SHOWN)}"))
    if by is not None:
        evidence.append(Evidence(_who(by)))
    effect = " and ".join(
        part
        for part in (
            f"opens {plural(len(opened), 'edge')}" if opened else "",
            f"closes {plural(len(closed), 'edge')}" if closed else "",
        )
        if part
    )
    yield Sign(
        key=Key(Code.LABELS, name, key, "", now or ""),
        severity=Severity.WARNING if not against and (known or not opened) else Severity.ERROR,
        message=f"namespace {name} has {become} now, and {told}"
        + (f": that {effect}" if effect else f": {against[0]}"),
        help="take the label off, if nobody meant it; else keep it, and accept it here"
        if fresh
        else "put the label back, or change the policies that select by it",
        workloads=whom,
        evidence=tuple(evidence),
        namespaces=(name,),
        atom=selecting(scene, name, key, was, (*opened, *closed)),
        place=_span(scene, name),
        allow=kept(rule, name, key, now, by),
        remove=Step(
            f"kubectl label namespace {name} {key}={was} --overwrite"
            if was is not None
            else f"kubectl label namespace {name} {key}-"
        ),
    )


def _span(scene: Scene, name: str) -> Span | None:
    return scene.engine.world.namespaces[name].span


def _moved(
    scene: Scene, name: str, key: str, was: str | None
) -> tuple[list[str], list[str], tuple[WorkloadId, ...]]:
    """Return what one label's change opens and closes, all else being as it is now."""
    engine = scene.engine
    world = engine.world
    if not any(each.namespace == name for each in world.workloads):
        return [], [], ()
    home = world.namespaces[name]
    held = {k: v for k, v in home.labels.items() if k != key}
    if was is not None:
        held[key] = was
    homes = {**world.namespaces, name: replace(home, labels=held)}
    old = Engine(
        replace(world, namespaces=dict(sorted(homes.items()))),
        engine.policies,
        engine.profile,
        engine.networks,
    )
    opened: list[str] = []
    closed: list[str] = []
    whom: dict[WorkloadId, None] = {}
    by_name = {(w.namespace, w.name): w for w in world.workloads if w.namespace == name}
    for each in change(old, engine, None):
        text = f"{each.src} -> {each.dst}"
        (closed if each.shift.kind is Kind.CLOSED else opened).append(text)
        for end in (each.src, each.dst):
            known = by_name.get((end.namespace or "", end.name or ""))
            if known is not None:
                whom[known] = None
    return opened, closed, tuple(sorted(whom))


def _by(scene: Scene, name: str, key: str, now: str | None) -> Change | None:
    """Return the last change of a namespace that left it with a label, as an audit log tells it."""
    found = None
    for each in scene.changes:
        if each.kind != "namespaces" or each.name != name or each.labels is None:
            continue
        has = dict(label.partition("=")[::2] for label in each.labels)
        if has.get(key) == now and (found is None or not _has(found, key, now)):
            found = each
        elif has.get(key) != now:
            found = None
    return found


def _has(change_: Change, key: str, now: str | None) -> bool:
    held = dict(label.partition("=")[::2] for label in change_.labels or ())
    return held.get(key) == now


def _who(by: Change) -> str:
    return f"{by.user or 'somebody'} did it: {by.text}"


def _against(rule: LabelRule | None, name: str, now: str | None, by: Change | None) -> list[str]:
    """Return what the contract has against a label."""
    if rule is None:
        return []
    found = []
    if now is not None and rule.values and now not in rule.values:
        found.append(f"the contract knows no {rule.key}={now}")
    if now is None and rule.required and name not in rule.exempt:
        found.append(f"the contract requires {rule.key} of every namespace")
    if by is not None and by.user and rule.changed_by and by.user not in rule.changed_by:
        found.append(f"the contract lets {few(rule.changed_by)} change it, and not {by.user}")
    return found
