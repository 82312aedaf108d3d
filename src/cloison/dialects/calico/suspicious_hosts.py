"""Doubts about host endpoints and the policies that reach them."""

from collections.abc import Iterator, Sequence

from cloison.base import Diagnostic
from cloison.dialects.calico import model
from cloison.dialects.calico.selection import selection
from cloison.dialects.reading.say import suspect

_HOSTS = "Calico documentation, Host endpoints; projectcalico/calico felix/rules/endpoints.go"


def hosts(
    objects: Sequence[model.CalicoObject], policies: Sequence[model.Policy]
) -> Iterator[Diagnostic]:
    """Yield doubts about hosts."""
    found = sorted(
        (each for each in objects if isinstance(each, model.HostEndpoint)), key=lambda h: h.name
    )
    wide = [
        (policy, selection(policy))
        for policy in policies
        if isinstance(policy, model.GlobalNetworkPolicy)
    ]
    for host in found:
        selecting = [policy for policy, chosen in wide if chosen.matches(host.labels)]
        if not selecting and not host.profiles:
            yield suspect(
                "CAL220",
                host,
                host.span,
                f"no policy selects host endpoint `{host.name}`, and it has no profile",
                effect=f"all traffic of node {host.node} itself is denied, but for the failsafe "
                "ports",
                help_="add a GlobalNetworkPolicy for it first, or the profile "
                "`projectcalico-default-allow`",
                source=_HOSTS,
            )
    for policy, chosen in wide:
        hit = [host for host in found if chosen.matches(host.labels)]
        everywhere = [host for host in hit if host.interface_name == "*"]
        if policy.do_not_track and everywhere:
            yield _untracked(policy, everywhere)
        early = policy.pre_dnat or policy.do_not_track
        if early and not hit:
            word = "preDNAT" if policy.pre_dnat else "doNotTrack"
            yield suspect(
                "CAL221",
                policy,
                policy.span,
                f"a `{word}` policy is about host endpoints, and it selects none",
                effect="it does nothing; pods are never asked before the packet is routed",
                help_="add the host endpoint, or remove the flag",
                source="projectcalico/calico felix/calc/event_sequencer.go",
            )
        elif hit and _unscoped(policy) and not policy.apply_on_forward:
            yield suspect(
                "CAL222",
                policy,
                policy.selector.span if policy.selector else policy.span,
                f"the policy selects everything, hosts too: {hit[0].name}"
                + (f" and {len(hit) - 1} more" if len(hit) > 1 else ""),
                effect="what it does not allow is denied to those nodes themselves, but for the "
                "failsafe ports",
                help_="add `namespaceSelector: all()` to mean pods only",
                source=_HOSTS,
            )


def _untracked(policy: model.Policy, found: Sequence[model.HostEndpoint]) -> Diagnostic:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return suspect(
        "CAL223",
        policy,
        policy.selector.span if policy.selector else policy.span,
        f"a `doNotTrack` policy selects a host endpoint that is every interface: {found[0].name}"
        + more,
        effect="it does nothing there: such a host endpoint has no policies without tracking",
        help_="name the interface in a host endpoint of its own, or remove `doNotTrack`",
        source=_HOSTS,
    )


def _unscoped(policy: model.Policy) -> bool:
    """Return whether a policy of the cluster selects by nothing at all."""
    if policy.namespace_selector or policy.service_account_selector:
        return False
    return policy.selector is None or policy.selector.text.strip(" \t") in ("", "all()")
