"""What published documents are made of: endpoints, traffic, places, caveats."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from cloison.algebra import AddressSet, Operator, TrafficEntry, TrafficSet
from cloison.base import Diagnostic, Severity, Span
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import PolicyId
from cloison.ir.when import When as Conditional
from cloison.report.about import About

SCHEMA_VERSION = "1"


class Base(Struct, frozen=True, rename="camel"):
    """Keys are in camelCase."""


class Role(Base, frozen=True, omit_defaults=True):
    """What an end is for others: `gateway`, `resolver` or `load-balancer`.

    `of` has the entries or Services, as questions name them. `seen` is whose address the pods
    behind a load balancer see: `client` or `node`. `assumed` is what stands in for something that
    the input does not hold.
    """

    role: str
    of: list[str] = []
    seen: str | None = None
    assumed: str | None = None


class WorkloadEndpoint(Base, frozen=True, tag_field="kind", tag="workload", omit_defaults=True):
    """A workload: the controller that owns like pods, or a pod without one.

    `roles`, of the ends of a map, are there where it has any.
    """

    namespace: str
    name: str
    type: str
    roles: list[Role] = []


class PodEndpoint(Base, frozen=True, tag_field="kind", tag="pod", omit_defaults=True):
    """One pod."""

    namespace: str
    name: str
    roles: list[Role] = []


class NodeEndpoint(Base, frozen=True, tag_field="kind", tag="node"):
    """A node of the cluster."""

    name: str


class NameEndpoint(Base, frozen=True, tag_field="kind", tag="external-name"):
    """A DNS name outside the cluster; of an edge, as rules write it."""

    name: str


class AddressEndpoint(Base, frozen=True, tag_field="kind", tag="ip"):
    """Addresses, as ranges `first-last`."""

    ranges: list[str]


class ServiceEndpoint(Base, frozen=True, tag_field="kind", tag="service", omit_defaults=True):
    """A Service, in a question or an edge of calls; it leads to the pods behind it."""

    namespace: str
    name: str
    roles: list[Role] = []


class GatewayEndpoint(Base, frozen=True, tag_field="kind", tag="gateway", omit_defaults=True):
    """A Gateway, Ingress or route: whoever serves it, or all that is behind it."""

    namespace: str
    name: str
    type: str
    roles: list[Role] = []


class SelectorRequirement(Base, frozen=True, omit_defaults=True):
    """One condition on a label key; `values` are those of `In` and `NotIn`."""

    key: str
    operator: Operator
    values: list[str] = []


class Selector(Base, frozen=True, omit_defaults=True):
    """A label selector as manifests write it; an empty one matches everything."""

    match_labels: dict[str, str] = {}
    match_expressions: list[SelectorRequirement] = []


class AnyPodEndpoint(Base, frozen=True, tag_field="kind", tag="any-pod", omit_defaults=True):
    """Every pod that the label selectors match; an empty selector matches all.

    Pods that a selector in `except` matches are not meant.
    """

    namespace_selector: Selector
    pod_selector: Selector
    except_: list[Selector] = msgspec.field(default_factory=list, name="except")


Endpoint: TypeAlias = (
    WorkloadEndpoint
    | PodEndpoint
    | NodeEndpoint
    | AddressEndpoint
    | NameEndpoint
    | ServiceEndpoint
    | GatewayEndpoint
    | AnyPodEndpoint
)


class Traffic(Base, frozen=True, omit_defaults=True):
    """A protocol with a range of ports, or with an ICMP type and code; without them all of it.

    `ANY` is every protocol. Other protocols without a name are their number.
    """

    protocol: str
    from_: int | UnsetType = msgspec.field(default=UNSET, name="from")
    to: int | UnsetType = UNSET
    type: int | UnsetType = UNSET
    code: int | UnsetType = UNSET


class When(Base, frozen=True, omit_defaults=True):
    """Traffic that passes with some requests and not with others.

    Sets of requests are in words of which each part is a regular expression, `none` where there
    are none. With requests that are in neither set the traffic is stopped. Where `given` stands,
    those that are undetermined pass when it holds, and are stopped when it does not.
    """

    traffic: list[Traffic]
    allowed: str
    undetermined: str
    given: str = ""


class CaveatSaid(Base, frozen=True):
    """A reason to read an answer with care."""

    id: str
    text: str
    source: str


class PolicyRef(Base, frozen=True):
    """A policy object; `namespace` is null for one that has none."""

    kind: str
    namespace: str | None
    name: str


class Place(Base, frozen=True):
    """A position in a file, counted from 1."""

    file: str
    line: int
    column: int


class Finding(Base, frozen=True):
    """One statement about the input: what, where, what it does to the answer, what to do."""

    code: str
    severity: Severity
    message: str
    effect: str | None = None
    help: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    object: str | None = None
    source: str | None = None


class Tool(Base, frozen=True):
    """What wrote the document."""

    name: str
    version: str


class ProfileSaid(Base, frozen=True):
    """Who enforces, how that was chosen, and what holds of every answer because of it."""

    name: str
    title: str
    chosen: str
    caveats: list[CaveatSaid]


class Envelope(Base, frozen=True):
    """What every document begins with."""

    schema_version: str
    tool: Tool
    profile: ProfileSaid
    diagnostics: list[Finding]


def finding(diagnostic: Diagnostic) -> Finding:
    """Return a diagnostic as published."""
    span = diagnostic.span
    return Finding(
        code=diagnostic.code,
        severity=diagnostic.severity,
        message=diagnostic.message,
        effect=diagnostic.effect,
        help=diagnostic.help,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
        object=diagnostic.object,
        source=diagnostic.source,
    )


def tool(about: About) -> Tool:
    """Return what wrote the document."""
    return Tool(name="cloison", version=about.version)


def profile(about: About) -> ProfileSaid:
    """Return the profile as published."""
    return ProfileSaid(
        name=about.profile.name,
        title=about.profile.title,
        chosen=about.chosen,
        caveats=caveats(about.profile.known),
    )


def findings(about: About) -> list[Finding]:
    """Return the diagnostics as published."""
    return [finding(d) for d in about.diagnostics]


def caveats(known: Iterable[Caveat]) -> list[CaveatSaid]:
    """Return caveats as published, sorted by id."""
    return [CaveatSaid(id=c.id, text=c.text, source=c.source) for c in sorted(known)]


def caveat_ids(known: Iterable[Caveat]) -> list[str]:
    """Return the ids of caveats, sorted."""
    return sorted({c.id for c in known})


def policy_ref(policy: PolicyId) -> PolicyRef:
    """Return the name of a policy as published."""
    return PolicyRef(kind=policy.kind, namespace=policy.namespace, name=policy.name)


def place(span: Span | None) -> Place | None:
    """Return a position as published."""
    return Place(file=span.file, line=span.line, column=span.column) if span else None


def addresses(known: AddressSet) -> AddressEndpoint:
    """Return an address set as an endpoint."""
    return AddressEndpoint(ranges=list(known.ranges()))


def when(known: Iterable[Conditional]) -> list[When]:
    """Return traffic that passes with some requests only, as published."""
    return [
        When(
            traffic=traffic(each.traffic),
            allowed=str(each.allowed),
            undetermined=str(each.undetermined),
            given=each.given,
        )
        for each in known
    ]


def traffic(known: TrafficSet) -> list[Traffic]:
    """Return a traffic set as published.

    >>> [msgspec.to_builtins(t) for t in traffic(TrafficSet.icmp(8))]
    [{'protocol': 'ICMP', 'type': 8}]
    """
    return [piece for entry in known.entries() for piece in _pieces(entry)]


_CODES = 256
"""Codes that a type of ICMP may have."""


def _pieces(entry: TrafficEntry) -> Iterator[Traffic]:
    if entry.low is None or entry.high is None:
        yield Traffic(protocol=entry.protocol)
        return
    if not entry.protocol.startswith("ICMP"):
        yield Traffic(protocol=entry.protocol, from_=entry.low, to=entry.high)
        return
    for kind in range(entry.low // _CODES, entry.high // _CODES + 1):
        low, high = max(entry.low, kind * _CODES), min(entry.high, kind * _CODES + _CODES - 1)
        if high - low == _CODES - 1:
            yield Traffic(protocol=entry.protocol, type=kind)
            continue
        for point in range(low, high + 1):
            yield Traffic(protocol=entry.protocol, type=kind, code=point % _CODES)
