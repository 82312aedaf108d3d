"""What the reader must be told to judge an object as the API server would."""

from dataclasses import dataclass
from enum import StrEnum


class FieldValidation(StrEnum):
    """What the server is asked to do with unknown fields; `kubectl --validate`'s own words."""

    STRICT = "strict"
    """Refuse the object."""
    WARN = "warn"
    """Drop the field and say so."""


class Channel(StrEnum):
    """Which set of CRDs of the Network Policy API a cluster has installed."""

    STANDARD = "standard"
    EXPERIMENTAL = "experimental"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read objects.

    Args:
        kubernetes: Target version as (major, minor); some values are refused only by newer ones.
        field_validation: What unknown fields do to their object.
        namespace: Where objects live that name no namespace.
        policy_channel: Which CRDs of the Network Policy API are installed; None when nobody
            says, and what either of them accepts is accepted.
        runtime: Whether to keep how pods are run, which no policy sees: probes, environment, DNS
            policy. It takes a third of the time that pods take to read. Those of DaemonSets are
            kept in any case: they tell who enforces policies.
    """

    kubernetes: tuple[int, int] = (1, 35)
    field_validation: FieldValidation = FieldValidation.WARN
    namespace: str = "default"
    policy_channel: Channel | None = None
    runtime: bool = True
