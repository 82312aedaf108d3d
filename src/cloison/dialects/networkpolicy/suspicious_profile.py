"""Suspicions about who enforces: parts of a policy that this CNI does not do, or does otherwise."""

from collections.abc import Callable, Iterator, Sequence

from cloison.base import Diagnostic, Severity
from cloison.dialects.networkpolicy.case import Case
from cloison.dialects.networkpolicy.known import Known
from cloison.dialects.networkpolicy.model import NetworkPolicyPort
from cloison.dialects.reading.say import suspect
from cloison.ir.peers import AnyMatch, PeerMatch, PodsMatch
from cloison.ir.policy import Direction, Rule
from cloison.ir.profile import NamedPorts, Profile

ANY_CNI = "generic"
"""The profile that stands for no product: nothing that depends on one is held against it."""


def unsupported(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """Say what the CNI of the profile does not support, once per policy and feature."""
    profile = known.around.profile
    if not profile.enforces:
        if cases:
            yield _nothing_enforced(cases, profile)
        return
    for case in cases:
        yield from _end_port(case, profile)
        yield from _sctp(case, profile)
        yield from _named_port(case, profile, known)


def _nothing_enforced(cases: Sequence[Case], profile: Profile) -> Diagnostic:
    first = min(cases, key=lambda c: (c.policy.span is not None, c.policy.span))
    count = "the 1 policy" if len(cases) == 1 else f"the {len(cases)} policies"
    return Diagnostic(
        "NPS018",
        Severity.ERROR,
        f"no policy here is enforced: {profile.title} enforces no NetworkPolicy",
        first.policy.span,
        None,
        f"everything is allowed, whatever {count} of the input say",
        "install a policy engine, or name with --cni the one that is there",
        profile.source,
    )


def _end_port(case: Case, profile: Profile) -> Iterator[Diagnostic]:
    if profile.end_port:
        return
    for rule, entry in _first(case, lambda p: p.end_port is not None and p.end_port != p.port):
        yield suspect(
            "NPS019",
            case.policy,
            entry.span or rule.span,
            f"{profile.title} does not support `endPort`, used in {rule.label}",
            effect=f"only port {entry.port} is opened",
            help_="list the ports one by one",
            source=profile.source,
        )


def _sctp(case: Case, profile: Profile) -> Iterator[Diagnostic]:
    if profile.sctp or (profile.sctp is None and profile.name == ANY_CNI):
        return
    known = profile.sctp is False
    for rule, entry in _first(case, lambda p: p.protocol == "SCTP"):
        yield suspect(
            "NPS020",
            case.policy,
            entry.span or rule.span,
            f"{profile.title} does not support SCTP, used in {rule.label}"
            if known
            else f"whether {profile.title} supports SCTP, used in {rule.label}, "
            "depends on the installation",
            effect="what this entry does is up to the CNI",
            help_="use TCP or UDP" if known else "make sure that SCTP is enabled there",
            source=profile.source,
            severity=Severity.WARNING if known else Severity.INFO,
        )


def _named_port(case: Case, profile: Profile, known: Known) -> Iterator[Diagnostic]:
    if profile.named_ports is NamedPorts.PER_POD:
        return
    whole = profile.named_ports is NamedPorts.WHOLE_PROTOCOL
    for rule, entry in _first(case, lambda p: isinstance(p.port, str)):
        protocol = entry.protocol or "TCP"
        differ = len(_numbers(case, rule, str(entry.port), protocol, known)) > 1
        yield suspect(
            "NPS021",
            case.policy,
            entry.span or rule.span,
            f"{profile.title} does not resolve the named port `{entry.port}` of {rule.label} "
            + ("to a number" if whole else "for each pod by itself"),
            effect=f"every {protocol} port is opened, not only this one"
            if whole
            else "where pods give the name different numbers, every one of those is opened "
            "on all of them",
            help_="write the port's number",
            source=profile.source,
            severity=Severity.WARNING if whole or differ else Severity.INFO,
        )


def _numbers(case: Case, rule: Rule, name: str, protocol: str, known: Known) -> set[int]:
    """Return the numbers that the pods whose port it is give a name."""
    matches: list[PeerMatch] = [peer.match for peer in rule.peers]
    if rule.direction is Direction.INGRESS:
        matches = [*case.meaning.subjects]
    pods: set[int] = set()
    for match in matches:
        if isinstance(match, AnyMatch):
            pods.update(range(len(known.pods)))
        elif isinstance(match, PodsMatch):
            pods.update(known.select(match))
    return {
        port.number
        for i in pods
        for port in known.pods[i].ports
        if (port.name, port.protocol) == (name, protocol)
    }


def _first(
    case: Case, asked: Callable[[NetworkPolicyPort], bool]
) -> Iterator[tuple[Rule, NetworkPolicyPort]]:
    """Return the first entry in force that is asked for, if there is one."""
    for rule, written in case.rules():
        for entry in written.ports or ():
            if asked(entry):
                yield rule, entry
                return
