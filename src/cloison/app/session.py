"""A session: one snapshot, every question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cloison.analyses.ask import Explanation, Question, ask, verdict_only
from cloison.analyses.connectivity import Map, MapOptions
from cloison.analyses.describe import PolicyDescription, describe, find_policy
from cloison.analyses.effective import Effective, effective
from cloison.analyses.ends import Names
from cloison.analyses.matrix import Matrix
from cloison.analyses.question import State, parse_traffic, split_port
from cloison.analyses.survey import survey
from cloison.analyses.testfile import MINIMAL, is_tests, read_tests
from cloison.app.mends import Origin, written
from cloison.app.settings import Settings
from cloison.base import Diagnostic, QuestionError, Severity, sort_diagnostics
from cloison.dialects import Dialect, Surroundings
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import PolicyId, PolicySet
from cloison.ir.profile import Profile
from cloison.probe import run
from cloison.resources.documents import Document
from cloison.resources.world import World
from cloison.sources import read


@dataclass(frozen=True)
class Session:
    """What was read, bound and ready to be asked.

    Args:
        world: The inventory.
        policies: Declared policies.
        profile: Who enforces.
        settings: What the caller said.
        read_diagnostics: What reading brought to light, sorted.
        objects: Policy objects in their dialects' own words, by dialect name.
        origins: What each policy was compiled from, by its name in the IR.
        own: Documents of Cloison's own kinds found in the source.
        broken: Number of errors that kept a document from being read at all.
    """

    world: World
    policies: PolicySet
    profile: Profile
    settings: Settings
    read_diagnostics: tuple[Diagnostic, ...] = ()
    objects: Mapping[str, tuple[Dialect[Any], tuple[Any, ...]]] | None = None
    origins: Mapping[PolicyId, Origin] = field(default_factory=dict)
    own: tuple[Document, ...] = ()
    broken: int = 0

    @cached_property
    def engine(self) -> Engine:
        """Policies bound to the world."""
        return Engine(self.world, self.policies, self.profile, self.settings.networks())

    @cached_property
    def names(self) -> Names:
        """Finds ends by name."""
        return Names(self.engine)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What reading brought to light: errors first by place."""
        return self.read_diagnostics

    @cached_property
    def suspicions(self) -> tuple[Diagnostic, ...]:
        """What is accepted but probably not meant."""
        said = self.settings.networks()
        around = Surroundings(self.world, self.profile, said.pods, said.nodes, said.services)
        found = [
            d
            for dialect, objects in (self.objects or {}).values()
            for d in dialect.suspicious(objects, around)
        ]
        return sort_diagnostics(found)

    def question(
        self,
        source: str,
        destination: str,
        *,
        port: int | str | None = None,
        protocol: str | None = None,
        state: str = "new",
        family: int | None = None,
        namespace: str | None = None,
    ) -> Question:
        """Read a question.

        Args:
            source: Who connects, as the page on naming ends says.
            destination: Who listens; may carry the port (`web/api:8080`).
            port: The port apart from the destination, number or name.
            protocol: TCP when nothing is said.
            state: `new`, `reply` or `established`.
            family: 4 or 6 to ask about one address family only.
            namespace: Where bare names are looked up.

        Raises:
            QuestionError: a name, port or protocol is not one.
        """
        names = Names(self.engine, namespace) if namespace else self.names
        if port is None:
            destination, carried = split_port(destination)
            traffic = parse_traffic(carried, protocol)
        else:
            traffic = parse_traffic(str(port), protocol)
        ends = names.end(source), names.end(destination)
        return Question(*ends, traffic, State(state), family)

    def why(self, source: str, destination: str, **said: Any) -> Explanation:
        """Answer whether `source` may reach `destination`, and why.

        Takes what `question` takes.

        Raises:
            QuestionError: a name, port or protocol is not one.
        """
        answer = ask(self.engine, self.question(source, destination, **said))
        return replace(answer, mend=written(self.engine, answer, self.origins))

    def map(self, options: MapOptions | None = None) -> Map:
        """Return everything permitted between workloads and with the outside.

        Args:
            options: What part of it; everything when not given.

        Raises:
            QuestionError: a filter names nothing.
        """
        chosen = options or MapOptions()
        names = Names(self.engine, chosen.namespace) if chosen.namespace else self.names
        return survey(self.engine, chosen, names)

    def verdict(
        self,
        source: str,
        destination: str,
        protocol: str | None = None,
        port: int | str | None = None,
        family: int | None = None,
    ) -> Verdict:
        """Answer as `why` does, without the reasons."""
        question = self.question(source, destination, port=port, protocol=protocol, family=family)
        return verdict_only(self.engine, question)

    def effective(self, name: str, namespace: str | None = None) -> Effective:
        """Answer what governs a workload or pod, whichever policy says it.

        Args:
            name: A workload or pod, as questions name it.
            namespace: Where a bare name is looked up.

        Raises:
            QuestionError: there is no such workload or pod.
        """
        names = Names(self.engine, namespace) if namespace else self.names
        return effective(self.engine, names.end(name))

    def describe_policy(self, name: str, namespace: str | None = None) -> PolicyDescription:
        """Say in words what one policy does, and what it does not.

        Args:
            name: `namespace/name`, or a bare name.
            namespace: Where a bare name is looked up; everywhere when not given.

        Raises:
            UnknownEndpointError: there is no such policy.
            QuestionError: several policies have that name.
        """
        policy = find_policy(self.engine, name, namespace)
        own = f"{policy.id.kind} {policy.id}"
        said = {*self.diagnostics, *self.suspicions}
        return describe(self.engine, policy, sort_diagnostics(d for d in said if d.object == own))

    def verify(self, tests: Sequence[str] = (), on: str = "simulate") -> Matrix:
        """Answer every row of the connectivity tests.

        Args:
            tests: Files of tests, or `-`; by default the tests found in the source.
            on: Who answers: `simulate`, the engine.

        Raises:
            SourceError: a file of tests cannot be read.
            QuestionError: there are no tests, or nobody called `on`.
        """
        if on != "simulate":
            msg = f"nobody called {on!r} can answer tests"
            raise QuestionError(msg, "say simulate")
        items: list[object] = []
        for name in tests:
            found_here = list(read([name], anything=True))
            if not any(map(_is_test_input, found_here)):
                raise _no_tests(f"in {name}")
            items += found_here
        items = items or list(self.own)
        documents = [d for d in items if isinstance(d, Document) and (tests or is_tests(d))]
        said = [d for d in items if isinstance(d, Diagnostic)]
        found = read_tests(documents)
        if not documents and not said:
            raise _no_tests("in the source")
        diagnostics = sort_diagnostics([*said, *found.diagnostics])
        return run(self.engine, found.rows, names=self.names, diagnostics=diagnostics)


def _is_test_input(item: object) -> bool:
    """Return whether something read out of a file of tests is a test, or a fault to report."""
    if isinstance(item, Diagnostic):
        return item.severity is Severity.ERROR
    return isinstance(item, Document)


def _no_tests(where: str) -> QuestionError:
    msg = f"there are no connectivity tests {where}"
    return QuestionError(msg, f"write some, or name a file of them; the least is:\n{MINIMAL}")
