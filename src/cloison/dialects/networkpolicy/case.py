"""A policy beside its meaning, and the words suspicions use for its parts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from cloison.algebra import AddressSet, LabelSelector, Operator
from cloison.base import Span
from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.cidr import parse_cidr
from cloison.dialects.networkpolicy.compile import DIRECTIONS, compile_policy
from cloison.ir.peers import PeerMatch
from cloison.ir.policy import Policy, Rule
from cloison.ir.profile import Profile
from cloison.resources.objects import Labels

_AS_WRITTEN = Profile(
    "as-written", "the specification alone", (), "kubernetes/api networking/v1/types.go"
)
_SIMILAR = 0.75
"""How alike two values must be for one to be a slip of the other: case-mgmt, case-management."""
_TYPES = {direction: type_ for type_, direction in DIRECTIONS.items()}


@dataclass(frozen=True, slots=True)
class Item:
    """One peer of a rule in force: as written, and whom it matches."""

    case: "Case"
    rule: Rule
    peer: model.NetworkPolicyPeer
    match: PeerMatch

    @property
    def place(self) -> str:
        """The rule it belongs to, for people."""
        return self.rule.label

    @property
    def pods_span(self) -> Span | None:
        """Where its `podSelector` stands, or else the peer."""
        selector = self.peer.pod_selector
        return (selector.span if selector else None) or self.peer.span

    @property
    def namespaces_span(self) -> Span | None:
        """Where its `namespaceSelector` stands, or else the peer."""
        selector = self.peer.namespace_selector
        return (selector.span if selector else None) or self.peer.span

    @property
    def block_span(self) -> Span | None:
        """Where its `ipBlock` stands, or else the peer."""
        block = self.peer.ip_block
        return (block.span if block else None) or self.peer.span


@dataclass(frozen=True, slots=True)
class Case:
    """A policy and what it means by the specification alone."""

    policy: model.NetworkPolicy
    meaning: Policy

    @classmethod
    def of(cls, policy: model.NetworkPolicy) -> "Case":
        """Compile a policy that passed `validate`."""
        return cls(policy, compile_policy(policy, _AS_WRITTEN))

    def rules(self) -> Iterator[tuple[Rule, model.NetworkPolicyRule]]:
        """Iterate over the rules in force, as meant and as written."""
        for rule in self.meaning.rules:
            yield rule, self.policy.rules(_TYPES[rule.direction])[rule.index - 1]

    def items(self) -> Iterator[Item]:
        """Iterate over the written peers of the rules in force."""
        for rule, written in self.rules():
            if written.peers:
                for peer, meant in zip(written.peers, rule.peers, strict=True):
                    yield Item(self, rule, peer, meant.match)


def closest(selector: LabelSelector, candidates: Iterable[Labels]) -> str | None:
    """Return the correction of a selector that some labels suggest, if there is a likely one."""
    everyone = list(candidates)
    for requirement in selector.requirements:
        if requirement.operator is not Operator.IN or len(requirement.values) != 1:
            continue
        value = requirement.values[0]
        values = {labels[requirement.key] for labels in everyone if requirement.key in labels}
        if value in values:
            continue
        # `web` and `web-admin` are relatives, not spellings of one another.
        rivals = [
            v
            for v in sorted(values)
            if not (f"{v}-".startswith(f"{value}-") or f"{value}-".startswith(f"{v}-"))
        ]
        likely = get_close_matches(value, rivals, n=1, cutoff=_SIMILAR)
        if likely:
            return f"did you mean `{requirement.key}={likely[0]}`?"
        owners = sorted({k for labels in everyone for k, v in labels.items() if v == value})
        if owners:
            return f"did you mean `{owners[0]}={value}`?"
    return None


def holes(block: model.IPBlock) -> Iterator[tuple[str, AddressSet]]:
    """Iterate over what `except` cuts out, as written and as addresses."""
    for text in block.except_:
        cidr = parse_cidr(text)
        if cidr is not None:
            yield text, cidr.addresses
