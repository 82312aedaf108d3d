"""A session: one snapshot, every question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cloison.app.origins import Origin
from cloison.app.settings import Settings
from cloison.base import Diagnostic, Severity, sort_diagnostics
from cloison.dialects import Dialect, Surroundings, told
from cloison.ir.policy import PolicyId, PolicySet
from cloison.ir.profile import Profile
from cloison.resources.documents import Document
from cloison.resources.world import World

if TYPE_CHECKING:
    from typing import Unpack

    from cloison.analyses.application import Said
    from cloison.analyses.ask import Explanation, Question
    from cloison.analyses.connectivity import Map, MapOptions
    from cloison.analyses.describe import PolicyDescription
    from cloison.analyses.diff import Diff
    from cloison.analyses.doctor.finding import Finding
    from cloison.analyses.effective import Effective
    from cloison.analyses.egress import Egress
    from cloison.analyses.ends import Names
    from cloison.analyses.enforcement import Enforcement
    from cloison.analyses.exposure import Exposure
    from cloison.analyses.matrix import Matrix
    from cloison.analyses.measured import MeasuredMatrix
    from cloison.analyses.paths.site import Site
    from cloison.analyses.relate import Related
    from cloison.analyses.tiers import Tiers
    from cloison.app.proposed import Proposed
    from cloison.app.suppress import Sorted
    from cloison.engine import Engine
    from cloison.ir.fidelity import Verdict
    from cloison.platform.cluster import Platform
    from cloison.platform.component import Found
    from cloison.platform.enforcers import Enforcer


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
        broken: Number of errors that kept a document or object from being read.
        proposed: What the change holds that led here, if one did.
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
    proposed: "Proposed | None" = None

    @cached_property
    def seen(self) -> World:
        """The inventory as the enforcer sees it, by what its objects say."""
        return told((self.objects or {}).values(), self.profile, self.world)

    @cached_property
    def platform(self) -> "Platform":
        """What the cluster is: what the settings say, else what the input gives away."""
        from cloison.platform.cluster import platform_of

        return platform_of(self.world, self.settings.platform)

    @cached_property
    def components(self) -> "tuple[Found, ...]":
        """Known components of the platform that the input holds, or the settings place."""
        from cloison.platform.components import found

        return found(self.world, self.platform, self.settings.components)

    @cached_property
    def enforcers(self) -> "tuple[Enforcer, ...]":
        """Network plugins and agents that the input gives away, whether they enforce or not."""
        from cloison.platform.enforcers import enforcers

        return enforcers(self.world, self.platform)

    @cached_property
    def site(self) -> "Site":
        """What leads traffic in the cluster: its platform, components, gateways and routes."""
        from cloison.app.site import site

        return site(self)

    @cached_property
    def engine(self) -> "Engine":
        """Policies bound to the world."""
        from cloison.app import answers

        return answers.bind(self)

    @cached_property
    def names(self) -> "Names":
        """Finds ends by name."""
        from cloison.app import answers

        return answers.find_names(self)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What reading brought to light: errors first by place."""
        return self.read_diagnostics

    @cached_property
    def suspicions(self) -> tuple[Diagnostic, ...]:
        """What is accepted but probably not meant."""
        return self._suspicions(notes=True)

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Those of the suspicions that are more than notes; quicker to find than all."""
        found = self._suspicions(notes=False)
        return tuple(each for each in found if each.severity is not Severity.INFO)

    def _suspicions(self, *, notes: bool) -> tuple[Diagnostic, ...]:
        said = self.settings.networks()
        around = Surroundings(
            self.world,
            self.profile,
            said.pods,
            said.nodes,
            said.services,
            self.policies.groups,
            notes,
        )
        found = [
            d
            for dialect, objects in (self.objects or {}).values()
            for d in dialect.suspicious(objects, around)
        ]
        return sort_diagnostics(found)

    def accepted(self, found: Iterable[Diagnostic], today: date) -> "Sorted":
        """Tell findings that the settings file accepts from those that count.

        Args:
            found: Findings: of `diagnostics`, of `suspicions` or both.
            today: The day it is, for suppressions that expire.
        """
        from cloison.app import suppress

        return suppress.sort(found, self.settings.file, today)

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
        **application: "Unpack[Said]",
    ) -> "Question":
        """Read a question.

        Args:
            source: Who connects, as the page on naming ends says.
            destination: Who listens; may carry the port (`web/api:8080`).
            port: The port apart from the destination, number or name.
            protocol: TCP when nothing is said.
            state: `new`, `reply` or `established`.
            family: 4 or 6 to ask about one address family only.
            namespace: Where bare names are looked up.
            application: What is known of the application: `http`, the request that is made
                (`GET /pub/x`, or a mapping with `method`, `path`, `host` and `headers` as JSON);
                `grpc`, the method that is called (`shop.v1.Cart/Add`); `sni`, the name that TLS
                is opened with; `dns`, the name that is looked up. The rest may be anything.

        Raises:
            QuestionError: a name, port, protocol or request is not one.
        """
        from cloison.app import answers

        found = answers.question(
            self,
            source,
            destination,
            port=port,
            protocol=protocol,
            state=state,
            family=family,
            namespace=namespace,
        )
        return answers.with_request(found, application)

    def why(self, source: str, destination: str, **said: Any) -> "Explanation":
        """Answer whether `source` may reach `destination`, and why.

        Takes what `question` takes.

        Raises:
            QuestionError: a name, port or protocol is not one.
        """
        from cloison.app import answers

        here = answers.with_ends(self, source, destination)
        return answers.why(here, here.question(source, destination, **said))

    def map(self, options: "MapOptions | None" = None) -> "Map":
        """Return everything permitted between workloads and with the outside.

        Args:
            options: What part of it; everything when not given.

        Raises:
            QuestionError: a filter names nothing.
        """
        from cloison.app import answers

        return answers.map_(self, options)

    def exposure(self, options: "MapOptions | None" = None) -> "Exposure":
        """Return what workloads are open to, and may reach, beyond the pods of the input.

        Args:
            options: What part of it: `focus`, `namespace`, `port` and `pods` as for a map;
                `destinations` asks only what those are open to, `sources` only what those may
                reach. Everything when not given.

        Raises:
            QuestionError: a filter names nothing, or no workload.
        """
        from cloison.app import answers

        return answers.exposure(self, options)

    def tiers(self, options: "MapOptions | None" = None) -> "Tiers":
        """Return which tier decides about how many pairs, and what it leaves to the next.

        Args:
            options: What part of it, as of a map, without nodes; everything when not given.

        Raises:
            QuestionError: a filter names nothing.
        """
        from cloison.app import answers

        return answers.tiers_(self, options)

    def diff(self, after: "Session", options: "MapOptions | None" = None) -> "Diff":
        """Return connectivity opened, closed and changed from here to another snapshot.

        Args:
            after: The other snapshot.
            options: What part of it, as of a map; everything when not given.

        Raises:
            QuestionError: a filter names nothing on either side.
        """
        from cloison.app import answers

        return answers.diff(self, after, options)

    def staged(self) -> "Session":
        """Return the snapshot as it would be if its staged policies were enforced.

        Each takes the place of the enforced policy of its name, or takes that away. What was
        done with each is among the `diagnostics` of what is returned. Where nothing is staged,
        that is this session.
        """
        from cloison.app import answers

        return answers.staged(self)

    def relate(self, relation: str, other: "Session | None" = None) -> "Related":
        """Answer whether a relation holds over all flows, of this snapshot or between two.

        Args:
            relation: Of two: `equivalent`, `contained`, `permits`, `forbids`, `interferes`; about
                one: `redundant`, `empty`, `disjoint`, `all-captured`.
            other: The second snapshot. Both sets of policies are applied to everything that
                either describes, and what both describe is taken as the second does.

        Raises:
            QuestionError: There is no such relation, or it is about another number of
                snapshots, or the two are judged under different profiles.
        """
        from cloison.app import relations

        return relations.relate(self, relation, other)

    def verdict(
        self,
        source: str,
        destination: str,
        protocol: str | None = None,
        port: int | str | None = None,
        family: int | None = None,
    ) -> "Verdict":
        """Answer as `why` does, without the reasons."""
        from cloison.app import answers

        here = answers.with_ends(self, source, destination)
        question = here.question(source, destination, port=port, protocol=protocol, family=family)
        return answers.verdict(here, question)

    def doctor(
        self, namespaces: Iterable[str] = (), checks: Iterable[str] = ()
    ) -> "tuple[Finding, ...]":
        """Return what is broken or about to break, the worst first.

        Args:
            namespaces: Only workloads of these; of all when none is given.
            checks: Only these checks; all when none is given.

        Raises:
            QuestionError: there is no such namespace or check.
        """
        from cloison.app.doctor import doctor

        return doctor(self, namespaces, checks)

    def cni(self) -> "Enforcement":
        """Return who enforces policies here, and what to know before relying on them."""
        from cloison.app import cni

        return cni.cni(self)

    def egress(self, workloads: Iterable[str] = (), namespace: str | None = None) -> "Egress":
        """Return where workloads may go outside the cluster, as what, and past whom.

        Args:
            workloads: Names of workloads or pods; all when none is given.
            namespace: Only workloads of this namespace; bare names are looked up in it.

        Raises:
            QuestionError: There is no such namespace, workload or pod.
        """
        from cloison.app import egress

        return egress.egress(self, workloads, namespace)

    def effective(self, name: str, namespace: str | None = None) -> "Effective":
        """Answer what governs a workload or pod, whichever policy says it.

        Args:
            name: A workload or pod, as questions name it.
            namespace: Where a bare name is looked up.

        Raises:
            QuestionError: there is no such workload or pod.
        """
        from cloison.app import answers

        return answers.governs(self, name, namespace)

    def describe_policy(self, name: str, namespace: str | None = None) -> "PolicyDescription":
        """Say in words what one policy does, and what it does not.

        Args:
            name: `namespace/name`, or a bare name.
            namespace: Where a bare name is looked up; everywhere when not given.

        Raises:
            UnknownEndpointError: there is no such policy.
            QuestionError: several policies have that name.
        """
        from cloison.app import answers

        return answers.describe_policy(self, name, namespace)

    def verify(self, tests: Sequence[str] = (), on: str = "simulate") -> "Matrix":
        """Answer every row of the connectivity tests.

        Args:
            tests: Files of tests, or `-`; by default the tests found in the source.
            on: Who answers: `simulate`, the engine.

        Raises:
            SourceError: a file of tests cannot be read.
            QuestionError: there are no tests, or nobody called `on`.
        """
        from cloison.app import answers

        return answers.verify(self, tests, on)

    def measure(
        self,
        tests: Sequence[str] = (),
        *,
        matrix: bool = False,
        staged: bool = False,
        sendable: bool = False,
    ) -> "MeasuredMatrix":
        """Measure every row of the connectivity tests in a lab, and compare with what is predicted.

        Without tests, and with `matrix`, all pairs of workloads are measured on the ports they
        declare, and nothing is expected of them but what is predicted.

        Args:
            tests: Files of tests, or `-`; by default the tests found in the source.
            matrix: Whether to measure all pairs besides.
            staged: Whether staged policies are taken to be enforced.
            sendable: Whether rows are left out that no lab can send.

        Raises:
            SourceError: a file of tests cannot be read, or this machine cannot hold labs.
            QuestionError: there are no tests in a file.
        """
        from cloison.app import measure

        return measure.measure(self, tests, matrix=matrix, staged=staged, sendable=sendable)
