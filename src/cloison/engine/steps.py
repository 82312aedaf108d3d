"""What happens to traffic on its way through the layers, step by step."""

from dataclasses import dataclass
from enum import StrEnum

from cloison.algebra import TrafficSet
from cloison.ir.policy import Action, Rule
from cloison.ir.ruleset import BoundRule


class Cause(StrEnum):
    """Why something happens to traffic."""

    BUILTIN = "builtin"
    """A rule of the enforcer's own, before every tier; in a tier, what it does to traffic that
    a Service leads back."""
    OPAQUE = "opaque"
    """A policy that nobody understood governs this end, and may do anything."""
    ENTRY = "entry"
    """It comes to a tier, which may have nothing to say."""
    RULE = "rule"
    END = "end"
    """The end of a tier whose policies isolate."""
    DEFAULT = "default"
    """No tier decided."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to some traffic.

    Args:
        cause: Why.
        layer: The layer it happens in, by its place.
        tier: The tier it happens in; None before and after all of them.
        traffic: What it happens to.
        action: What happens; None on entry, and where anything may.
        rule: The rule, if one does it.
        builtin: The built-in rule, if one does it before every tier.
        sure: Whether the cause certainly holds. Where it does not, evaluation goes on besides.
    """

    cause: Cause
    layer: int
    tier: str | None
    traffic: TrafficSet
    action: Action | None
    rule: BoundRule | None = None
    builtin: Rule | None = None
    sure: bool = True
