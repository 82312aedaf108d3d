"""What is known of a network plugin or agent that enforces policies, or does not."""

from dataclasses import dataclass

from cloison.ir.fidelity import Caveat
from cloison.platform.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Enforcer:
    """A network plugin or agent that the input gives away.

    Args:
        id: Its name here: `calico`, `aws-vpc-cni`, `flannel`.
        title: Its name for people.
        profile: The profile it is judged by; None where there is none, so that it takes the
            generic one.
        enforces: Whether it enforces NetworkPolicy as it is installed; None where that is not
            known.
        evidence: What gives it away.
        why: Why it does, or does not, or may.
        version: Its version as the image's tag says it.
        assumed: Whether no object of it is there: a platform brings it.
        caveats: What answers carry because of it.
        source: What says so.
    """

    id: str
    title: str
    profile: str | None
    enforces: bool | None
    evidence: tuple[Evidence, ...]
    why: str
    version: str | None = None
    assumed: bool = False
    caveats: tuple[Caveat, ...] = ()
    source: str = ""
