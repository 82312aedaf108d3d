"""D-NOSELECT: a policy that misses, by a letter, those whom another one shuts off."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Finding, Mode
from cloison.analyses.doctor.judged import closed, opened, outside, tried
from cloison.analyses.doctor.lookalike import lives, pods_like, there
from cloison.analyses.doctor.served import peers_of
from cloison.analyses.ends import AddressEnd, End
from cloison.analyses.explain import merge_caveats
from cloison.analyses.question import Traffic
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.peers import BlockMatch, PodsMatch
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.resources.world import Workload

_SOURCE = "kubernetes/website services-networking/network-policies.md"
_TRIED = 12
"""Peers of a rule that are asked about."""


def missed(
    clinic: Clinic, policy: Policy, match: PodsMatch, inside: list[Workload]
) -> Iterator[Finding]:
    """Yield a finding where what a policy of nobody would allow is denied to whom it looks like.

    Args:
        clinic: Who judges.
        policy: The policy.
        match: Whom it selects.
        inside: Workloads of the namespaces it is for.
    """
    meant = _subjects_meant(match, inside)
    cut = _cut_off(clinic, policy, meant) if meant is not None else ()
    if meant is not None and cut:
        yield _mistaken(clinic, policy, meant, cut)


def _subjects_meant(match: PodsMatch, inside: list[Workload]) -> PodsMatch | None:
    """Return a selector of pods that are there, where one that matches nobody looks like it."""
    for workload in inside:
        for pod in workload.endpoints:
            found = None if pod.shape.host_network else pods_like(match.pods, pod.labels)
            if found is not None:
                return replace(match, pods=found)
    return None


def _cut_off(clinic: Clinic, policy: Policy, meant: PodsMatch) -> tuple[Explanation, ...]:
    """Return what is denied now, and would pass if a policy were about whom it looks like."""
    engine = clinic.engine.with_policy(replace(policy, subjects=(meant,)))
    subjects = [w.id for w in clinic.everyone() if _is_meant(clinic, meant, w)]
    found: list[Explanation] = []
    for rule in policy.rules:
        asked = rule.traffic.must
        if rule.action is not Action.ALLOW or not asked:
            continue
        traffic = Traffic(str(asked), asked)
        for name in subjects:
            if not clinic.isolated(name, rule.direction):
                continue
            own = clinic.pods(name)
            for peer in _ends(clinic, rule):
                inward = rule.direction is Direction.INGRESS
                source: End = peer if inward else own
                to: End = own if inward else peer
                now = tried(clinic, source, to, traffic)
                if (
                    now is not None
                    and closed(now)
                    and opened(tried(clinic, source, to, traffic, engine))
                ):
                    found.append(now)
    return tuple(found)


def _is_meant(clinic: Clinic, meant: PodsMatch, workload: Workload) -> bool:
    return lives(clinic, meant, workload) and any(
        meant.pods.matches(pod.labels) and not pod.shape.host_network for pod in workload.endpoints
    )


def _ends(clinic: Clinic, rule: Rule) -> Iterator[End]:
    """Yield whom a rule is for, as ends of questions."""
    for peer in rule.peers:
        if isinstance(peer.match, BlockMatch):
            yield AddressEnd(peer.match.cidr, peer.match.addresses)
    for name in peers_of(clinic.engine, rule.peers)[:_TRIED]:
        yield clinic.pods(name)
    if not rule.peers:
        every = ("0.0.0.0/0", "::/0")
        yield outside("any address outside", every)


def _mistaken(
    clinic: Clinic, policy: Policy, meant: PodsMatch, cut: tuple[Explanation, ...]
) -> Finding:
    """Return the finding for a policy that misses those whom something else shuts off."""
    first = next(w for w in clinic.everyone() if _is_meant(clinic, meant, w))
    pairs = few(
        dict.fromkeys(
            f"{asked.source.text} to {asked.destination.text} on {asked.traffic.text}"
            for asked in (answer.question for answer in cut)
        )
    )
    return Finding(
        code="SEL001",
        check="D-NOSELECT",
        severity=Severity.ERROR,
        message=f"{policy.id} selects no pod: none has {policy.subjects[0].pods}, and {first.id} "
        f"has {meant.pods}",
        effect=f"what it allows is denied: {pairs}",
        help=f"select {meant.pods}, which looks meant",
        mode=Mode.DEPENDENCY,
        workload=first.id,
        object=f"{policy.id.kind} {policy.id}",
        span=policy.subject_span or policy.span,
        evidence=(there(clinic, meant, first), *isolating(cut)),
        mend=clinic.change(replace(policy, subjects=(meant,))),
        caveats=merge_caveats(answer.caveats for answer in cut),
        source=_SOURCE,
    )
