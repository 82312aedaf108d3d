"""What a contract says, in its own words: nothing in here is looked up in a cluster.

Spans take no part in equality, so that a contract built by hand equals the same one read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cloison.algebra import LabelSelector
from cloison.base import Span

API_VERSION = "cloison.dev/v1alpha1"
KIND = "Contract"

WORLD = "world"
"""The zone of everything outside the cluster; a contract need not declare it."""


class EndForm(StrEnum):
    """How an end is written."""

    NAME = "name"
    """`NS/NAME` or `NS/KIND/NAME`."""
    ADDRESS = "address"
    """An address or block."""
    NODE = "node"
    SERVICE = "svc"
    GATEWAY = "gw"
    HOST = "dns"
    """A DNS name outside."""
    ANY = "any"
    """Every pod, of one namespace or of all, existing or not."""
    ZONE = "zone"
    """Every workload of a zone; `zone:world` is every address outside the cluster."""
    EXTERNAL = "external"
    """One of the contract's externals."""
    PODS = "pods"
    """Pods by labels, existing or not."""


@dataclass(frozen=True, slots=True)
class PodSet:
    """Pods by their namespace and labels.

    Args:
        namespace: Their namespace; None where `namespaces` says which.
        namespaces: Labels of their namespaces; the empty selector means every one.
        pods: Their own labels; the empty selector means every pod.
    """

    namespace: str | None = None
    namespaces: LabelSelector = field(default_factory=LabelSelector)
    pods: LabelSelector = field(default_factory=LabelSelector)

    def __str__(self) -> str:
        """Render as a phrase."""
        said = f"labelled {self.pods} " if self.pods else ""
        if self.namespace is not None:
            return f"pods {said}in {self.namespace}"
        return f"pods {said}in namespaces labelled {self.namespaces}"


@dataclass(frozen=True, slots=True)
class ContractEnd:
    """One end of a dependency or guardrail.

    Args:
        form: How it is written.
        text: As written, as questions name ends; of pods by labels, a phrase.
        rest: The text without its prefix.
        pods: Of `PODS`, which.
        span: Where it is written.
    """

    form: EndForm
    text: str
    rest: str
    pods: PodSet | None = None
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Render as written."""
        return self.text


@dataclass(frozen=True, slots=True)
class Port:
    """Traffic of one protocol.

    Args:
        protocol: `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPv6` or a number as text.
        first: First port, or the type of ICMP; None for all of the protocol, or with a name.
        last: Last port, or the code of ICMP; `first` again for one port.
        name: The port's name, looked up on each destination.
        span: Where it is written.
    """

    protocol: str = "TCP"
    first: int | None = None
    last: int | None = None
    name: str | None = None
    span: Span | None = field(default=None, compare=False)

    @property
    def icmp(self) -> bool:
        """Whether it has types instead of ports."""
        return self.protocol.startswith("ICMP")

    @property
    def text(self) -> str:
        """As files write it: `8080`, `53/UDP`, `http`, `9000-9100`, `icmp/8/0`, `SCTP`."""
        if self.icmp:
            values = (n for n in (self.first, self.last) if n is not None)
            return "/".join((self.protocol.lower(), *map(str, values)))
        if self.name is None and self.first is None:
            return self.protocol
        said = "" if self.protocol == "TCP" else f"/{self.protocol}"
        if self.name is not None:
            return self.name + said
        many = self.last not in (None, self.first)
        return f"{self.first}-{self.last}{said}" if many else f"{self.first}{said}"

    def __str__(self) -> str:
        """Render as files write it."""
        return self.text


@dataclass(frozen=True, slots=True)
class HttpPart:
    """The part of HTTP that a dependency is about; what is None may be anything."""

    method: str | None = None
    path: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone, and in which directions calls may cross its border.

    Args:
        name: Its name.
        to: Zones that it may call; its own name for calls within it.
        from_: Zones that may call it, which those may say as well.
        span: Where it is written.
        places: Where each name of another zone is written.
    """

    name: str
    to: tuple[str, ...] = ()
    from_: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    places: Mapping[str, Span] = field(default_factory=dict, compare=False)


class WorkloadClass(StrEnum):
    """What a workload is, which says what to expect of it."""

    SERVICE = "service"
    JOB = "job"
    STATEFUL = "stateful"
    GATEWAY = "gateway"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class WorkloadMatch:
    """Whom an entry about workloads means.

    Args:
        namespace: Their namespace.
        name: The workload's name; None for several.
        kind: Its kind as questions write it (`deploy`); None for any.
        selector: Labels of their pods; None where none are asked for.
    """

    namespace: str
    name: str | None = None
    kind: str | None = None
    selector: LabelSelector | None = None

    @property
    def rank(self) -> int:
        """How closely it looks: a kind and a name, a name, labels, a namespace."""
        if self.name is not None:
            return 3 if self.kind is not None else 2
        return 1 if self.selector is not None else 0

    def __str__(self) -> str:
        """Render as questions name it, or as a phrase."""
        if self.name is not None:
            kind = f"{self.kind}/" if self.kind else ""
            return f"{self.namespace}/{kind}{self.name}"
        if self.selector is not None:
            return f"{self.namespace}, pods labelled {self.selector}"
        return f"{self.namespace}, every workload"


@dataclass(frozen=True, slots=True)
class Placement:
    """What is said of some workloads. Of two entries the closer match counts, field by field.

    Args:
        match: Which workloads.
        zone: Their zone.
        workload_class: What they are.
        owner: Who answers for them.
        asset: What is protected there.
        span: Where it is written.
        zone_span: Where its zone is written.
    """

    match: WorkloadMatch
    zone: str | None = None
    workload_class: WorkloadClass | None = None
    owner: str | None = None
    asset: str | None = None
    span: Span | None = field(default=None, compare=False)
    zone_span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Dependency:
    """One call that somebody owns the reason for.

    Args:
        name: Its name, unique in the contract.
        source: Who calls.
        destination: Who is called.
        ports: With what; everything where none is said.
        http: The part of HTTP that is meant.
        owner: Who answers for it.
        reason: What it is for.
        ticket: Where it was approved.
        expires: The last day on which it counts.
        asset: What is protected.
        identity: By what the caller is known: labels, an account, a SPIFFE id, an address.
        bootstrap: What must work first, or keep working, for it.
        observability: How its being allowed and denied is proved.
        rollout: How it is switched on without an outage.
        direction: Where it is enforced: `egress`, `ingress` or `both`.
        span: Where it is written.
    """

    name: str
    source: ContractEnd
    destination: ContractEnd
    ports: tuple[Port, ...] = ()
    http: HttpPart | None = None
    owner: str | None = None
    reason: str | None = None
    ticket: str | None = None
    expires: date | None = None
    asset: str | None = None
    identity: str | None = None
    bootstrap: str | None = None
    observability: str | None = None
    rollout: str | None = None
    direction: str | None = None
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Render as an arrow."""
        ports = f" on {', '.join(p.text for p in self.ports)}" if self.ports else ""
        return f"{self.source} -> {self.destination}{ports}"

    def expired(self, today: date) -> bool:
        """Return whether it counts no more on a day."""
        return self.expires is not None and self.expires < today


@dataclass(frozen=True, slots=True)
class Exemption:
    """What a guardrail does not forbid; what is empty may be anything.

    Args:
        sources: Who may.
        destinations: Where to.
        ports: With what.
        span: Where it is written.
    """

    sources: tuple[ContractEnd, ...] = ()
    destinations: tuple[ContractEnd, ...] = ()
    ports: tuple[Port, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What must never be permitted, whatever any policy says.

    Args:
        name: Its name, unique in the contract.
        only: Whether `sources` are the only ones who may; otherwise they are those who may not.
        sources: Who; empty means everybody (never so with `only`).
        destinations: Whom; empty means everybody.
        ports: With what; empty means everything.
        exempt: What it does not forbid.
        reason: What it is for.
        owner: Who answers for it.
        span: Where it is written.
    """

    name: str
    only: bool = False
    sources: tuple[ContractEnd, ...] = ()
    destinations: tuple[ContractEnd, ...] = ()
    ports: tuple[Port, ...] = ()
    exempt: tuple[Exemption, ...] = ()
    reason: str | None = None
    owner: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Ranges:
    """A provider's published list of addresses.

    Args:
        file: Path of the JSON file, relative to the contract's.
        keep: What an item of it must say to count, such as `service: S3`; empty keeps all.
    """

    file: str
    keep: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class External:
    """A service outside the cluster.

    Args:
        name: Its name, unique in the contract.
        cidrs: Its blocks of addresses.
        hosts: Its DNS names.
        ranges: The list its provider publishes.
        owner: Who answers for it.
        reason: What it is for.
        review: The day by which somebody has to look at it again.
        zone: Its zone; None for `world`.
        span: Where it is written.
        zone_span: Where its zone is written.
        ranges_span: Where its ranges are written.
    """

    name: str
    cidrs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    ranges: Ranges | None = None
    owner: str | None = None
    reason: str | None = None
    review: date | None = None
    zone: str | None = None
    span: Span | None = field(default=None, compare=False)
    zone_span: Span | None = field(default=None, compare=False)
    ranges_span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What a label of namespaces may be.

    Args:
        key: The label's key.
        values: What it may be; empty means anything.
        owner: Who answers for it.
        changed_by: Who may change it.
        required: Whether every namespace must have it.
        exempt: Namespaces that need not have it.
        span: Where it is written.
    """

    key: str
    values: tuple[str, ...] = ()
    owner: str | None = None
    changed_by: tuple[str, ...] = ()
    required: bool = False
    exempt: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Platform:
    """A component of the platform that workloads depend on.

    Args:
        id: A known component (`dns-coredns-kubeadm`), or what one does (`dns`, `metrics`).
        owner: Who answers for it.
        reason: What it is for.
        span: Where it is written.
    """

    id: str
    owner: str | None = None
    reason: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything that contract documents say together.

    Args:
        names: Names of the documents, sorted.
        zones: Zones.
        workloads: What is said of workloads.
        dependencies: Dependencies.
        guardrails: Guardrails.
        externals: Services outside.
        namespace_labels: What labels of namespaces may be.
        platform: Components of the platform that everybody depends on.
    """

    names: tuple[str, ...] = ()
    zones: tuple[Zone, ...] = ()
    workloads: tuple[Placement, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    externals: tuple[External, ...] = ()
    namespace_labels: tuple[LabelRule, ...] = ()
    platform: tuple[Platform, ...] = ()

    def zone(self, name: str) -> Zone | None:
        """Return the zone of a name."""
        return next((each for each in self.zones if each.name == name), None)

    def external(self, name: str) -> External | None:
        """Return the external of a name."""
        return next((each for each in self.externals if each.name == name), None)

    def may_cross(self, source: str, destination: str) -> bool:
        """Return whether a zone may call another, by what either of them says."""
        out, into = self.zone(source), self.zone(destination)
        return (out is not None and destination in out.to) or (
            into is not None and source in into.from_
        )
