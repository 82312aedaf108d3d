"""How far an answer can be trusted: verdicts, caveats, and what a field's value is to us."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What evaluation concludes. `MIXED` only for questions about more than one flow."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDETERMINED = "undetermined"
    MIXED = "mixed"


class Fidelity(StrEnum):
    """What Cloison makes of a field."""

    MODELLED = "modelled"
    """Exactly; a conformance case names it."""
    HARMLESS = "harmless"
    """Read and ignored: it cannot change who may talk to whom."""
    WIDER = "wider"
    """We may allow more than the cluster does."""
    NARROWER = "narrower"
    """We may allow less than the cluster does."""
    REFUSED = "refused"
    """The object is not used."""


@dataclass(frozen=True, slots=True)
class FieldFact:
    """What a dialect makes of a field.

    Args:
        fidelity: In one word.
        note: What a reader of the dialect's page should know about it.
    """

    fidelity: Fidelity
    note: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Caveat:
    """A reason to read an answer with care.

    Args:
        id: Stable id (`CNI_IPBLOCK_POD`).
        text: What it means, in a sentence.
        source: Who says so.
    """

    id: str
    text: str
    source: str = ""
