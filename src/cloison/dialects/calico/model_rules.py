"""What Calico's rules are made of, in the API's own words; `model` holds the objects.

Source: projectcalico/calico api/pkg/apis/projectcalico/v3, Rule and EntityRule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from cloison.algebra.expressions import Expression
from cloison.base import Span
from cloison.dialects.calico.selector import SelectorError, parse


class Action(StrEnum):
    """What a rule that matches does."""

    ALLOW = "Allow"
    DENY = "Deny"
    LOG = "Log"
    PASS = "Pass"  # noqa: S105 - the API's word


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector as typed.

    Args:
        text: As typed; never empty, perhaps blank.
        expression: What it says, in the keys it is written with; None for text that is no
            selector, which only a stored top-level `namespaceSelector` or
            `serviceAccountSelector` may be: Felix ignores those. Any other that does not parse
            makes its policy absent.
        span: Where it is written.
    """

    text: str
    expression: Expression | None
    span: Span | None = field(default=None, compare=False)

    @classmethod
    def of(cls, text: str, span: Span | None = None) -> "Selector":
        """Return the selector that `text` spells, understood or not."""
        try:
            return cls(text, parse(text), span)
        except SelectorError:
            return cls(text, None, span)

    def __str__(self) -> str:
        """Render as typed."""
        return self.text


Port: TypeAlias = int | tuple[int, int] | str
"""A port, a range with both ends in it, or a port's name."""

Protocol: TypeAlias = int | str
"""A protocol's number, or its name as the API spells it: `TCP`, `ICMPv6`, `UDPLite`."""


@dataclass(frozen=True, slots=True)
class ServiceMatch:
    """`services`: the endpoints of a Service. The namespace is None where it was left out."""

    name: str
    namespace: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceAccountMatch:
    """`serviceAccounts`: both conditions must hold; empty demands nothing."""

    names: tuple[str, ...] = ()
    selector: Selector | None = None
    span: Span | None = field(default=None, compare=False)

    @property
    def empty(self) -> bool:
        """Whether it demands nothing."""
        return not self.names and self.selector is None


@dataclass(frozen=True, slots=True)
class EntityRule:
    """The `source` or `destination` of a rule; everything given must hold.

    Args:
        nets: Blocks of addresses, any of them.
        not_nets: Blocks the address must not be in.
        selector: Endpoints and network sets by label.
        not_selector: Those that must not match.
        namespace_selector: Namespaces they are in; `global()` for those in none.
        ports: Ports, any of them.
        not_ports: Ports it must not be.
        services: Endpoints of a Service.
        service_accounts: Service accounts of the endpoints.
        span: Where it is written; None where it is not.
    """

    nets: tuple[str, ...] = ()
    not_nets: tuple[str, ...] = ()
    selector: Selector | None = None
    not_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ports: tuple[Port, ...] = ()
    not_ports: tuple[Port, ...] = ()
    services: ServiceMatch | None = None
    service_accounts: ServiceAccountMatch | None = None
    span: Span | None = field(default=None, compare=False)

    @property
    def empty(self) -> bool:
        """Whether it demands nothing, so that every packet matches."""
        return self == EMPTY_ENTITY

    @property
    def selects(self) -> bool:
        """Whether it looks for endpoints by label, so that the scope of namespaces applies."""
        accounts = self.service_accounts
        return any((self.selector, self.not_selector, self.namespace_selector)) or (
            accounts is not None and not accounts.empty
        )


EMPTY_ENTITY = EntityRule()


@dataclass(frozen=True, slots=True)
class Icmp:
    """`icmp` and `notICMP`. A code goes with a type; without a type every message is meant."""

    type: int | None = None
    code: int | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HttpPath:
    """One path: exactly one of the two."""

    exact: str | None = None
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """`http`: methods and paths, each list any of, empty demands nothing."""

    methods: tuple[str, ...] = ()
    paths: tuple[HttpPath, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy or a profile.

    Args:
        action: What a packet meets that the rule matches.
        protocol: The protocol it must have.
        not_protocol: The protocol it must not have.
        ip_version: 4 or 6; None for both.
        icmp: ICMP messages.
        not_icmp: ICMP messages it must not be.
        source: Where it comes from.
        destination: Where it goes, after Services were resolved.
        http: The application's part, for those who look so far.
        annotations: `metadata.annotations` of the rule; no effect.
        span: Where it starts.
    """

    action: Action
    protocol: Protocol | None = None
    not_protocol: Protocol | None = None
    ip_version: int | None = None
    icmp: Icmp | None = None
    not_icmp: Icmp | None = None
    source: EntityRule = EMPTY_ENTITY
    destination: EntityRule = EMPTY_ENTITY
    http: HttpMatch | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)
