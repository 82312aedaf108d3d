"""Drafts of public applications beside what their sources say they call.

The graphs are those of `ground-truth/` in the data beside the checkout, which names where each edge
was read. Ports are those of pods; a graph that names a Service's port is translated.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloison import load
from cloison.analyses.doctor.served import target_of
from cloison.analyses.draft.model import Draft, Drafted
from cloison.app import Settings
from cloison.app.draft import draft
from cloison.app.session import Session
from cloison.platform.customs import plain
from cloison.resources.world import WorkloadId

Call = tuple[str, str, str, int]
"""Who calls, who is called, protocol and port of the pods; versions of one name together."""

PUBLISHED: Final = {"online-boutique": "16/16", "sock-shop": "3/15", "bookinfo": "2/6"}
"""What is published of static synthesis from manifests alone: np-guard/cluster-topology-analyzer.

For bank-of-anthos: all 12, with 3 that are none.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """An application, and what is read of it.

    Args:
        app: Its name.
        policies: Whether its published policies are read as well.
        sources: What is read.
    """

    app: str
    policies: bool
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How well a draft does.

    Args:
        truth: Calls that there are.
        drafted: Calls that are drafted.
    """

    truth: frozenset[Call]
    drafted: frozenset[Call]

    @property
    def right(self) -> int:
        """How many calls are both."""
        return len(self.truth & self.drafted)

    @property
    def recall(self) -> float:
        """The share of what there is that is drafted."""
        return self.right / len(self.truth)

    @property
    def precision(self) -> float:
        """The share of what is drafted that there is; 1 where nothing is."""
        return self.right / len(self.drafted) if self.drafted else 1.0

    def __str__(self) -> str:
        """Render recall and precision as fractions."""
        return f"{self.right}/{len(self.truth)}, {self.right} of {len(self.drafted)} right"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case.

    Args:
        case: The case.
        counting: What counts at once.
        confirmed: The same with every suggestion.
    """

    case: Case
    counting: Score
    confirmed: Score


def cases(data: Path) -> Iterator[Case]:
    """Yield the cases whose applications are there.

    Args:
        data: The folder with `apps` and `flows`.
    """
    for app in ("online-boutique", "sock-shop", "bookinfo", "bank-of-anthos"):
        home = data / "apps" / app
        manifests = home / "manifests" if (home / "manifests").is_dir() else home
        if manifests.is_dir():
            yield Case(app, policies=False, sources=(str(manifests),))
            if (home / "policies").is_dir():
                both = (str(manifests), str(home / "policies"))
                yield Case(app, policies=True, sources=both)


def scored(data: Path, case: Case) -> Result:
    """Return how well the draft of a case does."""
    session = load(*case.sources, settings=Settings().but(runtime=True))
    truth = frozenset(_truth(session, data / "flows" / "ground-truth" / f"{case.app}.jsonl"))
    found: Draft = draft(session)
    return Result(
        case,
        Score(truth, frozenset(_calls(found.accepted))),
        Score(truth, frozenset(_calls(found.dependencies))),
    )


def _truth(session: Session, file: Path) -> Iterator[Call]:
    for line in file.read_text("utf-8").splitlines():
        said = json.loads(line)
        port = int(said["port"])
        if said["port_kind"] == "service":
            port = _on_pods(session, said["dst"], port)
        yield said["src"], said["dst"], said["protocol"], port


def _on_pods(session: Session, name: str, port: int) -> int:
    """Return the port of pods that a Service's port leads to."""
    for (_, own), service in session.world.services.items():
        for each in service.ports if own == name else ():
            for workload in session.world.workloads.values():
                pod = workload.endpoints[0]
                if each.port == port and (service.selector or {}).items() <= pod.labels.items():
                    return target_of(pod, each) or port
    return port


def _calls(drafted: Iterable[Drafted]) -> Iterator[Call]:
    for each in drafted:
        source, destination = each.source, each.destination
        if isinstance(source, WorkloadId) and isinstance(destination, WorkloadId):
            for port in each.entry.ports:
                if port.first is not None:
                    yield plain(source.name), plain(destination.name), port.protocol, port.first


def rows(data: Path) -> Iterator[tuple[str, ...]]:
    """Yield the table: its headings, then a row for each case."""
    yield "application", "read", "counts at once", "with suggestions", "published, manifests alone"
    for case in cases(data):
        found = scored(data, case)
        read = "manifests and policies" if case.policies else "manifests"
        published = "" if case.policies else PUBLISHED.get(case.app, "12/12, 12 of 15 right")
        yield case.app, read, str(found.counting), str(found.confirmed), published
