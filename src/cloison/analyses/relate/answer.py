"""What `relate` answers with: whether a relation holds, and what shows it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from cloison.algebra import AddressSet, TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.explain import Decider
from cloison.base import Span
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Direction, PolicyId

if TYPE_CHECKING:
    from cloison.algebra import RequestSet


class Relation(StrEnum):
    """A relation over all flows of a world, between two sets of policies or about one."""

    EQUIVALENT = "equivalent"
    """Both permit the same flows."""
    CONTAINED = "contained"
    """What the first permits, the second permits."""
    PERMITS = "permits"
    """What rules of the first name, the second permits."""
    FORBIDS = "forbids"
    """Of what rules of the first name, the second permits nothing."""
    INTERFERES = "interferes"
    """Rules of the first name a flow that none of the second names."""
    REDUNDANT = "redundant"
    """Some policy or rule could go and nothing that is permitted would change."""
    EMPTY = "empty"
    """Some policy selects nothing, or some rule names no flow."""
    DISJOINT = "disjoint"
    """No two policies select a common workload."""
    ALL_CAPTURED = "all-captured"
    """Every workload is selected by some policy."""

    @property
    def of_two(self) -> bool:
        """Whether it is a relation of two sets of policies."""
        return self not in _OF_ONE


_OF_ONE = (Relation.REDUNDANT, Relation.EMPTY, Relation.DISJOINT, Relation.ALL_CAPTURED)


@dataclass(frozen=True, slots=True)
class Told:
    """What one set of policies makes of a flow.

    Args:
        verdict: On all of the traffic.
        named: Whether a rule that allows names it; None where nobody asked.
        decided_by: What decided, leaving the source and entering the destination.
    """

    verdict: Verdict
    named: bool | None
    decided_by: tuple[Decider, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Traffic between two ends that shows whether a relation holds.

    Args:
        src: Who connects.
        dst: Who listens.
        traffic: All traffic between the two that shows it, with the same requests.
        first: What the first set of policies makes of it.
        second: And the second.
        if_src: Where the source's address must lie, where nobody knows it and it counts.
        if_dst: And the destination's.
        requests: The requests on the traffic that show it; None for all.
    """

    src: EndRef
    dst: EndRef
    traffic: TrafficSet
    first: Told
    second: Told
    if_src: AddressSet | None = None
    if_dst: AddressSet | None = None
    requests: "RequestSet | None" = None

    @property
    def said(self) -> str:
        """What shows it, in words: `TCP/80 when GET /v1/.*`."""
        asks = "" if self.requests is None else f" when {self.requests}"
        return f"{self.traffic}{asks}"


@dataclass(frozen=True, slots=True)
class Part:
    """A policy, or one of its rules.

    Args:
        policy: The policy.
        direction: Of the rule; None where the policy as a whole is meant.
        rule: The rule, counted from 1 in its direction.
        span: Where it is written.
        sure: Whether what is said of it is certain.
    """

    policy: PolicyId
    direction: Direction | None = None
    rule: int | None = None
    span: Span | None = None
    sure: bool = True

    @property
    def text(self) -> str:
        """Name it as every answer does: `web/portal`, `web/portal ingress rule 1`."""
        if self.rule is None:
            return str(self.policy)
        return f"{self.policy} {self.direction} rule {self.rule}"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two policies that select a common workload.

    Args:
        first: The one.
        second: The other.
        workload: A workload that both select.
        sure: Whether both certainly select it.
    """

    first: Part
    second: Part
    workload: EndRef
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Uncaptured:
    """A workload that no policy selects.

    Args:
        workload: The workload.
        host_network: It is on its node's network, where no selector sees it.
        partly: Some of its pods are selected.
        span: Where it is written.
        sure: Whether certainly no policy selects it.
    """

    workload: EndRef
    host_network: bool = False
    partly: bool = False
    span: Span | None = None
    sure: bool = True


Found: TypeAlias = Part | Overlap | Uncaptured
"""What a relation about one set of policies comes upon."""


@dataclass(frozen=True, slots=True)
class Related:
    """The answer to `relate`.

    Args:
        relation: What was asked.
        holds: Whether it holds; None where nobody can say.
        flow: For a relation of two: traffic that shows why it does not hold (or, for
            `interferes`, why it does); with `holds` None, traffic that it depends on.
        found: For a relation about one: everything that was come upon, sorted.
        more: How much of that there is besides.
        reason: Why nobody can say.
        differing: Objects of the world that the two sources describe differently, sorted.
        caveats: What the answer stands on, sorted.
    """

    relation: Relation
    holds: bool | None
    flow: Flow | None = None
    found: tuple[Found, ...] = ()
    more: int = 0
    reason: str | None = None
    differing: tuple[str, ...] = ()
    caveats: tuple[Caveat, ...] = ()
