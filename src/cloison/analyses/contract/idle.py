"""Ends of guardrails that nobody is at today: meant for what may come, or mistyped."""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.analyses.contract.ends import labelled
from cloison.base import Span
from cloison.base.words import few
from cloison.intent import Contract, ContractEnd, EndForm, Guardrail
from cloison.intent.faults import nearest
from cloison.intent.read import ends_of
from cloison.resources.world import World


@dataclass(frozen=True, slots=True)
class Idle:
    """An end of a guardrail that nobody is at.

    Args:
        guardrail: The guardrail.
        span: Where the end is written.
        message: Who it means, and why nobody is there.
        help: What to do.
    """

    guardrail: Guardrail
    span: Span | None
    message: str
    help: str


def idle(contract: Contract, world: World) -> Iterator[Idle]:
    """Yield the ends of guardrails that nothing in the input matches.

    Such a guardrail is proved of pods that may come; where its end is mistyped, it guards nothing
    that anybody meant.

    Args:
        contract: The contract.
        world: What there is today.
    """
    for guardrail in contract.guardrails:
        for end in dict.fromkeys(ends_of(guardrail)):
            said = _nobody(end, world)
            if said is not None:
                message, help_ = said
                yield Idle(guardrail, end.span or guardrail.span, message, help_)


def _nobody(end: ContractEnd, world: World) -> tuple[str, str] | None:
    """Return why nobody is at an end and what to do; None where somebody is."""
    space = end.rest if end.form is EndForm.ANY else end.pods.namespace if end.pods else None
    if space and space not in world.namespaces:
        known = sorted(world.namespaces)
        hint = nearest(space, known, f"known are {few(known)}" if known else "none is known")
        return f"no namespace here is called {space!r}", hint
    every = (pod for workload in world.workloads.values() for pod in workload.endpoints)
    if end.form is EndForm.ANY and space:
        found = any(pod.namespace == space for pod in every)
        return None if found else (f"no pod is in {space} today", _COMING)
    if end.pods is not None:
        pods = end.pods
        found = any(labelled(world, pods, pod) for pod in every)
        return None if found else (f"nothing matches {pods} today", _COMING)
    return None


_COMING = "correct it, or leave it where it is about pods that may come"
