"""What is known before anything is recommended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from cloison.analyses.contract.compile.model import Compiled
from cloison.analyses.contract.ends import Ends
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.past.link import Link
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.pairs import Unplaced
from cloison.engine import Engine
from cloison.intent import Contract


@dataclass(frozen=True)
class Known:
    """What is known before anything is recommended.

    Args:
        contract: What is meant; empty where nobody wrote a contract.
        ends: Finds the ends that it names.
        clinic: The cluster.
        links: What was seen, by edge.
        strangers: What was seen and has no place in the input.
        watch: When anybody watched.
        build: What a contract comes to as policies.
        today: The day it is.
        names: Whether the language has DNS names.
        icmp: Whether it has words for ICMP.
        only: The namespaces that policies are written for.
        part: Whether there are others of which nothing is asked.
        flows_only: Whether what only manifests say is left out.
    """

    contract: Contract
    ends: Ends
    clinic: Clinic
    links: tuple[Link, ...]
    strangers: tuple[Unplaced, ...]
    watch: Watch
    build: Callable[[Contract], Compiled]
    today: date
    names: bool = False
    icmp: bool = True
    only: frozenset[str] = frozenset()
    part: bool = False
    flows_only: bool = False

    @property
    def engine(self) -> Engine:
        """Who decides today."""
        return self.clinic.engine
