"""What there is to say about a lab that runs."""

from dataclasses import dataclass

from cloison.probe.lab.client import Lab
from cloison.probe.lab.plan import Plan
from cloison.probe.lab.state import DEFAULT_NAME


@dataclass(frozen=True, slots=True)
class Proxied:
    """Pods of a node whose requests its proxy reads.

    Args:
        node: The node.
        direction: `egress` from them, `ingress` to them.
        pods: Their names.
    """

    node: str
    direction: str
    pods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A lab that runs.

    Args:
        name: Its name.
        pid: The process that holds it.
        plan: What it was built by.
        listening: How many ports are listened on.
        seconds: How long building took.
        answering: Whether a DNS server runs.
        left_out: How many pods are like one that was built, where that is known.
        whole: Whether all of it is to be shown.
    """

    name: str
    pid: int
    plan: Plan
    listening: int
    seconds: float
    answering: bool
    left_out: int = 0
    whole: bool = True

    @property
    def default(self) -> bool:
        """Whether commands mean this lab when no name is said."""
        return self.name == DEFAULT_NAME

    @property
    def proxied(self) -> tuple[Proxied, ...]:
        """Whose requests are read by proxies, by node, leaving before entering."""
        pods = {address: pod.name for pod in self.plan.pods for address in pod.addresses}
        found: dict[tuple[str, str], dict[str, None]] = {}
        for node, told in sorted(self.plan.proxies.items()):
            for each in sorted(told.judgements, key=lambda j: (j.direction, j.subjects)):
                held = found.setdefault((node, each.direction), {})
                held.update((pods[a], None) for a in each.subjects if a in pods)
        return tuple(Proxied(*key, tuple(sorted(held))) for key, held in found.items())


def seen(lab: Lab, *, left_out: int = 0, whole: bool = True) -> Seen:
    """Look at a lab.

    Args:
        lab: The lab.
        left_out: How many pods are like one that was built.
        whole: Whether all of it is to be shown.

    Raises:
        SourceError: It has ended.
    """
    found = lab.status()
    plan = found.plan or Plan((), ())
    shown = (found.listening, found.seconds, found.answering, left_out, whole)
    return Seen(lab.name, lab.pid, plan, *shown)
