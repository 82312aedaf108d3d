"""The answer to `egress`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from cloison.algebra import NO_ADDRESSES, AddressSet, TrafficSet
from cloison.base import Diagnostic, Span
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import PolicyId
from cloison.platform.ranges import NamedRange
from cloison.resources.world import WorkloadId


class Reach(StrEnum):
    """How much of the outside is open, the most first."""

    EVERYTHING = "everything"
    """Every port of every address of the internet, of one family at least."""
    INTERNET = "internet"
    """Some ports of most of the internet, or more."""
    SOME = "some"
    UNDETERMINED = "undetermined"
    """Nothing for certain, and something perhaps."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Opener:
    """Who opens a destination.

    Args:
        text: `egress-system/egress-proxy egress rule 1`; in words where no rule does.
        policy: The policy.
        rule: 1-based egress rule of it.
        span: Where the rule is written.
        owner: Whose policy it is, as its annotation says.
    """

    text: str
    policy: PolicyId | None = None
    rule: int | None = None
    span: Span | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Something outside that is open.

    Args:
        addresses: Its addresses; none where only its name is known.
        name: The DNS name, as rules write it.
        traffic: What passes.
        verdict: `allowed` or `undetermined`.
        openers: Who opens it.
        requests: With which requests, in words; None for all.
        caveats: What it stands on, sorted.
    """

    addresses: AddressSet
    name: str | None
    traffic: TrafficSet
    verdict: Verdict
    openers: tuple[Opener, ...]
    requests: str | None = None
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True)
class Outward:
    """What pods that the same policies govern may reach outside.

    Args:
        destinations: Names first, then addresses ascending.
        reach: How much that is.
        isolated: Whether any policy restricts their egress.
        hosted: Whether they are on the network of their node, where no policy is asked.
    """

    destinations: tuple[Destination, ...]
    reach: Reach
    isolated: bool
    hosted: bool = False

    @cached_property
    def allowed(self) -> AddressSet:
        """Every address to which anything passes for certain."""
        found = NO_ADDRESSES
        for each in self.destinations:
            if each.verdict is Verdict.ALLOWED:
                found |= each.addresses
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """DNS names to which anything passes for certain."""
        held = (d.name for d in self.destinations if d.verdict is Verdict.ALLOWED and d.name)
        return tuple(dict.fromkeys(held))


@dataclass(frozen=True, slots=True)
class Seen:
    """The source address that the outside sees.

    Args:
        text: Which, in words.
        known: Whether that is known.
        towards: For which destinations, in words; all the others where it is empty.
        span: Where that is written.
        source: Who says so.
        detail: More of it, in sentences.
    """

    text: str
    known: bool
    towards: str = ""
    span: Span | None = None
    source: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Leaver:
    """A workload.

    Args:
        id: It.
        outward: What its pods may reach; more than one where they are governed differently.
        seen: The source addresses that the outside sees.
        owner: Whose it is, as its pods' annotation says.
        span: Where it stands.
        proxies: Proxies that its environment names: `HTTPS_PROXY=proxy:3128`.
        is_proxy: Whether it is a way out itself: a proxy that others name.
    """

    id: WorkloadId
    outward: tuple[Outward, ...]
    seen: tuple[Seen, ...]
    owner: str | None = None
    span: Span | None = None
    proxies: tuple[str, ...] = ()
    is_proxy: bool = False

    @property
    def reach(self) -> Reach:
        """How much is open to any of its pods."""
        order = list(Reach)
        return min((o.reach for o in self.outward), key=order.index, default=Reach.NONE)


@dataclass(frozen=True)
class Egress:
    """The answer to `egress`.

    Args:
        workloads: Those that were asked about, sorted.
        findings: What is wider than it should be, the worst first.
        ranges: Address ranges with names.
        proxies: Workloads that others name as their proxy, or that are egress gateways.
        gateways: Rules by which traffic leaves through chosen nodes.
        lacking: What would tell more, were it said.
        caveats: What all of it stands on.
    """

    workloads: tuple[Leaver, ...]
    findings: tuple[Diagnostic, ...]
    ranges: tuple[NamedRange, ...]
    proxies: tuple[WorkloadId, ...]
    gateways: tuple[str, ...]
    lacking: tuple[str, ...] = ()
    caveats: tuple[Caveat, ...] = ()

    @cached_property
    def counts(self) -> Mapping[Reach, int]:
        """How many workloads reach how much."""
        return Counter(each.reach for each in self.workloads)
