"""D11: exceptions whose last day has passed: in the contract, in policies, in baselines."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.scene import Scene
from cloison.base import Severity
from cloison.ir.policy import Policy

EXPIRES: Final = "expires"
"""The annotation of policies with their last day."""


def expired(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each exception that counts no more, and is still there."""
    for entry in scene.contract.dependencies if scene.contract is not None else ():
        if entry.expired(scene.today):
            owner = f", which {entry.owner} answers for" if entry.owner else ""
            yield Sign(
                key=Key(Code.EXPIRED, f"dependency:{entry.name}"),
                severity=Severity.WARNING,
                message=f"dependency {entry.name} expired on {entry.expires}{owner}",
                help="say a later day if it is still needed, or remove it and what permits it",
                evidence=(Evidence(str(entry), entry.span),),
                atom=Atom(f"dependency {entry.name}", entry.span),
                allow=Step("say a later day under `expires`"),
                remove=Step(f"remove dependency {entry.name}, and the rules that permit it"),
            )
    for policy in scene.engine.policies.policies:
        day = last_day(scene, policy)
        if day is None and policy.stated and scene.annotation(policy, EXPIRES) is not None:
            scene.skip(Code.EXPIRED, f"its annotation {EXPIRES} is no day", 1, "policy")
        if day is not None and day < scene.today:
            yield Sign(
                key=Key(Code.EXPIRED, f"{policy.id.kind}/{policy.id}"),
                severity=Severity.WARNING,
                message=f"{policy.id.said} expired on {day}, and is still there",
                help="say a later day if it is still needed, or remove it",
                evidence=(
                    Evidence(f"annotation {scene.prefix}/{EXPIRES} says {day}", policy.span),
                ),
                atom=Atom(policy.id.said, policy.span),
                namespaces=(policy.id.namespace,) if policy.id.namespace else (),
                allow=Step(f"say a later day in its annotation {scene.prefix}/{EXPIRES}"),
                remove=Step(f"remove {policy.id.said}"),
            )


def last_day(scene: Scene, policy: Policy) -> date | None:
    """Return a policy's last day; None where it says none, or nothing that is a day."""
    said = scene.annotation(policy, EXPIRES) if policy.stated else None
    if said is None:
        return None
    try:
        return date.fromisoformat(said.strip())
    except ValueError:
        return None
