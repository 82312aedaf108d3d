"""Parts of Cilium's rules, as written."""

from dataclasses import dataclass, field

from cloison.base import Span


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label.

    Args:
        source: `k8s`, `reserved`, `any` for a key without one, or whatever stands before the
            colon.
        key: The key without its source.
        operator: `In`, `NotIn`, `Exists` or `DoesNotExist`; a pair of `matchLabels` is an `In`
            of one value.
        values: Of `In` and `NotIn`.
        pair: Whether it is a pair of `matchLabels`: one about the namespace of the subject gives
            way to the policy's own, where an expression stays.
        span: Where it is written.
    """

    source: str
    key: str
    operator: str
    values: tuple[str, ...] = ()
    pair: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that must all hold; none of them is everybody in scope.

    Args:
        requirements: In the order of the text, `matchLabels` before `matchExpressions`.
        span: Where it starts.
    """

    requirements: tuple[Requirement, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CidrRule:
    """A block of `fromCIDRSet`, with one of `cidr`, `group` and `groups`.

    Args:
        cidr: The block as written.
        group: `cidrGroupRef`.
        groups: `cidrGroupSelector`, on labels of groups.
        holes: `except`, as written; part of this block only.
        span: Where it starts.
    """

    cidr: str | None = None
    group: str | None = None
    groups: Selector | None = None
    holes: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """An element of `toServices`.

    Args:
        name: `k8sService.serviceName`; None where a selector says.
        selector: `k8sServiceSelector.selector`, on labels of Services.
        namespace: Where it is looked for; None is every namespace.
        span: Where it starts.
    """

    name: str | None = None
    selector: Selector | None = None
    namespace: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Fqdn:
    """A name, or a pattern of names; one of both.

    Args:
        name: `matchName`, as written.
        pattern: `matchPattern`, as written.
        span: Where it starts.
    """

    name: str | None = None
    pattern: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Port:
    """A port of `toPorts`.

    Args:
        port: A number or a name, as written; `0` is every port, and so is empty where the
            protocol has none.
        protocol: In capitals; `ANY` where none is written.
        end: `endPort`; None when not written.
        span: Where it starts.
    """

    port: str
    protocol: str = "ANY"
    end: int | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """A header that a request must have.

    Args:
        name: As written.
        value: What it must be; None when not written.
        secret: The Secret that holds the value, `namespace/name`; None when not written.
        mismatch: `LOG`, `ADD`, `DELETE` or `REPLACE`, which let pass what does not match; None
            for none of them.
        span: Where it starts.
    """

    name: str
    value: str | None = None
    secret: str | None = None
    mismatch: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HttpRule:
    """What a request must be; what is not written asks nothing. Patterns are as written.

    Args:
        path: Pattern of the whole path, with its query.
        method: Pattern of the whole method.
        host: Pattern of the whole authority.
        headers: `Name: value`, as written.
        header_matches: `headerMatches`.
        span: Where it starts.
    """

    path: str | None = None
    method: str | None = None
    host: str | None = None
    headers: tuple[str, ...] = ()
    header_matches: tuple[HeaderMatch, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class L7Rules:
    """`rules` of a port rule; a list that is empty asks nothing, like one that is not written.

    Args:
        http: HTTP requests, any of these.
        dns: Names that may be looked up, any of these.
        kafka: How many rules about Kafka there are, which nobody models.
        proto: `l7proto`, a parser that nobody models.
        other: How many rules of that parser there are.
        span: Where it starts.
    """

    http: tuple[HttpRule, ...] | None = None
    dns: tuple[Fqdn, ...] | None = None
    kafka: int | None = None
    proto: str | None = None
    other: int | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PortRule:
    """An element of `toPorts`.

    Args:
        ports: Any of these; None when not written, which is not every port.
        rules: What must hold besides; None when not written.
        server_names: `serverNames`, names that TLS may be opened with; None when not written.
        terminates: Whether `terminatingTLS` is written.
        originates: Whether `originatingTLS` is written.
        listener: Name of the listener that traffic goes to; None when not written.
        span: Where it starts.
    """

    ports: tuple[Port, ...] | None = None
    rules: L7Rules | None = None
    server_names: tuple[str, ...] | None = None
    terminates: bool = False
    originates: bool = False
    listener: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Icmp:
    """A type of ICMP message.

    Args:
        type: Its number.
        family: 4 or 6.
        span: Where it is written.
    """

    type: int
    family: int = 4
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Element:
    """One rule of one direction, to let pass or to deny. What lists are called is said for both.

    Args:
        endpoints: `fromEndpoints`, `toEndpoints`; as written, nothing injected.
        cidrs: `fromCIDR`, `toCIDR`, as written.
        cidr_sets: `fromCIDRSet`, `toCIDRSet`.
        entities: `fromEntities`, `toEntities`, as written.
        nodes: `fromNodes`, `toNodes`.
        groups: How many `fromGroups`, `toGroups` there are: only a cloud knows who they are.
        requires: How many `fromRequires`, `toRequires` there are, which only 1.18 knows.
        services: `toServices`.
        fqdns: `toFQDNs`.
        ports: `toPorts`.
        icmps: `icmps`, all fields of all elements; None also for a list that is empty.
        authentication: `authentication.mode`.
        index: 1-based place in its list.
        span: Where it starts.
    """

    endpoints: tuple[Selector, ...] | None = None
    cidrs: tuple[str, ...] | None = None
    cidr_sets: tuple[CidrRule, ...] | None = None
    entities: tuple[str, ...] | None = None
    nodes: tuple[Selector, ...] | None = None
    groups: int | None = None
    requires: int | None = None
    services: tuple[ServiceRef, ...] | None = None
    fqdns: tuple[Fqdn, ...] | None = None
    ports: tuple[PortRule, ...] | None = None
    icmps: tuple[Icmp, ...] | None = None
    authentication: str | None = None
    index: int = 1
    span: Span | None = field(default=None, compare=False)
