"""D-WEBHOOK: whoever the API server calls for its decisions lets it in."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet, address_text
from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.admitting import addresses_let_in
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.control import Control, calling
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import closed_to_others, denied, shut_everywhere, tried
from cloison.analyses.doctor.served import Serving, enforced, on_ports, subjects_of, target_of
from cloison.analyses.ends import AddressEnd, End, NodeEnd, PodsEnd, ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.mend import Proposal
from cloison.analyses.services import lead
from cloison.base import Severity
from cloison.base.words import few, listed
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Direction, Policy, PolicyId
from cloison.platform.routes.model import Stop
from cloison.platform.webhooks import Called, Hook, hooks

_SOURCE = (
    "kubernetes/website concepts/architecture/control-plane-node-communication.md; "
    "kubernetes/api admissionregistration/v1/types.go"
)

_NO_PORT = frozenset(("NoSuchPort", "NoSuchTargetPort"))
"""Why nothing arrives where a Service, or its pods, lack the port."""


def webhook(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each Service that the API server calls and does not reach."""
    found: dict[tuple[str, str, int], list[Hook]] = defaultdict(list)
    for hook in hooks(clinic.engine.world):
        if clinic.examines(hook.namespace):
            found[hook.namespace, hook.service, hook.port].append(hook)
    callers = calling(clinic) if found else ()
    for (namespace, name, port), group in found.items():
        end = clinic.service(namespace, name)
        if end is not None:
            yield from _asked(clinic, end, port, group, callers)


def _asked(
    clinic: Clinic, end: ServiceEnd, port: int, group: list[Hook], callers: tuple[Control, ...]
) -> Iterator[Finding]:
    answers = [
        (each, tried(clinic, each.end, _inner(end), on("TCP", port), each.engine))
        for each in callers
    ]
    told = [(each, answer) for each, answer in answers if answer is not None]
    if not told:
        stop = _stop(clinic, end, port, callers)
        if stop is not None:
            yield _no_way(end, port, group, stop)
        return
    shut = [(each, answer) for each, answer in told if _shut(each, answer)]
    sure = len(shut) == len(told) or not all(each.vague for each, _ in told)
    if shut and sure:
        yield _finding(clinic, end, port, group, told, shut)


def _shut(caller: Control, answer: Explanation) -> bool:
    """Return whether a caller does not get in; of one who may be anywhere, wherever that is."""
    return shut_everywhere(answer) if caller.vague else closed_to_others(answer)


def _inner(end: ServiceEnd) -> ServiceEnd:
    """Return a Service as the API server dials it: a pod of it, or its address within."""
    # Whoever calls from outside by the address within is not led through a load balancer.
    return replace(end, service=replace(end.service, type="ClusterIP", external_ips=()))


def _stop(clinic: Clinic, end: ServiceEnd, port: int, callers: tuple[Control, ...]) -> Stop | None:
    for each in callers:
        for part in lead(clinic.engine, each.end, _inner(end), on("TCP", port)):
            if part.stop is not None:
                return part.stop
    return None


def _finding(
    clinic: Clinic,
    end: ServiceEnd,
    port: int,
    group: list[Hook],
    told: list[tuple[Control, Explanation]],
    shut: list[tuple[Control, Explanation]],
) -> Finding:
    needed = any(each.needed for each in group)
    every = len(shut) == len(told) and all(each.vague or denied(answer) for each, answer in shut)
    who = listed([each.end.text for each, _ in shut])
    some = "" if every or len(shut) == len(told) else "; it may call from elsewhere, too"
    if any(answer.verdict is Verdict.UNDETERMINED for _, answer in shut):
        some = " unless the pod runs there" + some
    pods = next((a for _, a in shut if a.verdict is Verdict.DENIED), shut[0][1])
    engine = next((each.engine for each, _ in shut if each.engine is not None), None)
    known = [(each, answer) for each, answer in shut if not each.vague]
    plain = [answer for each, answer in known if each.engine is None]
    near = [
        change
        for each, answer in known
        for change in addresses_let_in(clinic.engine, [answer], _of_nodes(each.end))
        if each.engine is None and answer.verdict is Verdict.UNDETERMINED
    ]
    made = [answer for each, answer in known if each.engine is not None]
    meant = _meant(clinic, end, port, shut)
    if meant:
        mend = clinic.add(meant)
        help_ = f"write {_numbers(meant)}: policies are judged at the pod, after the Service"
    else:
        mend = clinic.mend(plain, more=near) + (clinic.mend(made, engine) if made else ())
        help_ = f"let in {_addresses(shut)} on the pods' own port"
    return Finding(
        code="WHK001",
        check="D-WEBHOOK",
        severity=Severity.ERROR if every and needed else Severity.WARNING,
        message=f"the API server cannot call {end.text}:{port} ({_what(group)}): "
        f"{who} {'is' if len(shut) == 1 else 'are'} not let in{some}",
        effect=_effect(group),
        help=help_,
        mode=Mode.MESH,
        object=group[0].item.shown,
        span=group[0].span,
        evidence=(
            *(Evidence(_said(each), each.span) for each in group),
            *(
                Evidence(
                    f"{each.rule.label} of {each.policy.id} opens TCP/{port}, the port of the "
                    "Service",
                    each.rule.span or each.policy.span,
                )
                for each in meant
            ),
            *dict.fromkeys(Evidence(each.why, each.span) for each, _ in shut),
            *(Evidence(note) for note in pods.notes[:1]),
        ),
        mend=mend,
        caveats=merge_caveats(answer.caveats for _, answer in shut),
        source=_SOURCE,
    )


def _meant(
    clinic: Clinic, end: ServiceEnd, port: int, shut: list[tuple[Control, Explanation]]
) -> tuple[Proposal, ...]:
    """Return rules for the pods' own port where some are for that of their Service.

    Nothing where the API server would not be let in by them.
    """
    changes = tuple(_for_service(clinic, end, port))
    for each, _ in shut if changes else ():
        engine = each.engine or clinic.engine
        policies: dict[PolicyId, Policy] = {}
        for change in changes:
            policy = policies.get(change.policy.id, change.policy)
            rule = replace(change.rule, index=len(policy.rules) + 1)
            policies[policy.id] = replace(policy, rules=(*policy.rules, rule))
        for policy in policies.values():
            engine = engine.with_policy(policy)
        answer = tried(clinic, each.end, _inner(end), on("TCP", port), engine)
        if answer is None or _shut(each, answer):
            return ()
    return changes


def _for_service(clinic: Clinic, end: ServiceEnd, port: int) -> Iterator[Proposal]:
    """Yield the rules that open the port of a Service to its pods, each with the pods' own."""
    engine, wanted = clinic.engine, TrafficSet.ports("TCP", port)
    behind = {each.id: each for each in Serving(engine).behind(end.service)}
    doors = [each for each in end.service.ports if (each.protocol, each.port) == ("TCP", port)]
    for policy in enforced(engine):
        pods = [
            pod
            for name in subjects_of(engine, policy)
            if name in behind
            for pod in behind[name].endpoints
        ]
        targets = {n for pod in pods for each in doors if (n := target_of(pod, each)) is not None}
        for rule in policy.rules_for(Direction.INGRESS) if targets - {port} else ():
            if rule.action is Action.ALLOW and wanted <= rule.traffic.must:
                yield Proposal(policy, on_ports(rule, "TCP", sorted(targets)), new=False)


def _numbers(changes: tuple[Proposal, ...]) -> str:
    """Return the ports that changes open, for people."""
    found = NO_TRAFFIC
    for each in changes:
        found |= each.rule.traffic.must
    return str(found)


def _of_nodes(end: End) -> AddressSet:
    """Return the addresses of nodes that call; none where somebody else does."""
    if isinstance(end, NodeEnd):
        return AddressSet.points(end.node.addresses)
    return end.addresses if isinstance(end, AddressEnd) else NO_ADDRESSES


def _addresses(shut: list[tuple[Control, Explanation]]) -> str:
    """Return what to let in, for people."""
    points = [
        p for each, _ in shut if isinstance(each.end, NodeEnd) for p in each.end.node.addresses
    ]
    known = [each.end.text for each, _ in shut if isinstance(each.end, AddressEnd | PodsEnd)]
    vague = any(each.vague for each, _ in shut)
    found = few([*map(address_text, points), *known])
    return found if found and not vague else "the addresses that the API server calls from"


def _no_way(end: ServiceEnd, port: int, group: list[Hook], stop: Stop) -> Finding:
    # Pods may come from elsewhere; a port that they or the Service lack does not.
    sure = stop.reason in _NO_PORT and any(each.needed for each in group)
    return Finding(
        code="WHK002",
        check="D-WEBHOOK",
        severity=Severity.ERROR if sure else Severity.WARNING,
        message=f"the API server calls {end.text}:{port} ({_what(group)}), and nothing is there: "
        f"{stop.text}",
        effect=_effect(group),
        help=stop.help or "correct the Service's name or port, or its selector",
        mode=Mode.MESH,
        object=group[0].item.shown,
        span=group[0].span,
        evidence=tuple(Evidence(_said(each), each.span) for each in group),
        source=_SOURCE,
    )


def _what(group: list[Hook]) -> str:
    return few(f"{each.called} {each.name}" for each in group)


def _said(hook: Hook) -> str:
    if hook.called in (Called.VALIDATING, Called.MUTATING):
        policy = "Fail" if hook.needed else "Ignore"
        return f"{hook.item.shown} calls it, with failurePolicy {policy}"
    return f"{hook.item.shown} is served there"


def _effect(group: list[Hook]) -> str:
    called = {each.called for each in group if each.needed}
    if called & {Called.VALIDATING, Called.MUTATING}:
        return (
            "failurePolicy is Fail, so the API server refuses every request that it is asked "
            "about: nothing of the kind can be created or changed"
        )
    if Called.API in called:
        return "that API is not available, and namespaces cannot be deleted while it is not"
    if Called.CONVERSION in called:
        return "objects of that kind cannot be read or written in its other versions"
    return "requests pass without it, as failurePolicy Ignore says"
