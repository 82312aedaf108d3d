"""`cni`: who enforces policies, and what somebody who relies on them must know."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloison.algebra import L4, TrafficSet
from cloison.base import Diagnostic, Severity, Span
from cloison.base.words import few, listed
from cloison.ir.peers import BlockMatch, NamesMatch, plain_matches
from cloison.ir.policy import Policy
from cloison.ir.profile import Profile
from cloison.platform.enforcers import Enforcer
from cloison.platform.evidence import Evidence
from cloison.platform.together import Together
from cloison.platform.traits import TITLES, Stands, Topic, Trait
from cloison.resources.world import World


class State(StrEnum):
    """How certain it is that policies are enforced."""

    ENFORCED = "enforced"
    """An agent that enforces is installed."""
    ASSUMED = "assumed"
    """Something speaks for an enforcer, and no agent of it was read."""
    UNCLEAR = "unclear"
    """What is installed may enforce or not, or several do."""
    NONE = "none"
    """What is installed enforces nothing."""
    UNSEEN = "unseen"
    """Nothing speaks for any enforcer."""


NOBODY = "CNI001"
"""Code of the finding that nobody enforces."""

LOUD = (State.NONE, State.UNSEEN)
"""States in which nothing enforces, as far as anybody can see."""


@dataclass(frozen=True, slots=True)
class Written:
    """A policy object.

    Args:
        group: Its API group; empty for the kinds of Kubernetes itself.
        kind: Its kind.
        name: `namespace/name`, or a bare name.
        span: Where it stands.
        reads: Whether the enforcer reads such policies; None where nobody knows.
    """

    group: str
    kind: str
    name: str
    span: Span | None
    reads: bool | None


@dataclass(frozen=True, slots=True)
class KindOf:
    """The policies of one kind.

    Args:
        kind: The kind.
        group: Its API group; empty for the kinds of Kubernetes itself.
        enforced: Whether they are enforced; None where nobody knows.
        objects: The policies, sorted by name.
    """

    kind: str
    group: str
    enforced: bool | None
    objects: tuple[Written, ...]

    @property
    def named(self) -> str:
        """The kind, with its group where others are called so, too."""
        return f"{self.kind}.{self.group}" if self.group and "." in self.group else self.kind


@dataclass(frozen=True, slots=True)
class Fact:
    """What the enforcer does, and what of the input it is about.

    Args:
        trait: What it does.
        touches: Objects of the input that it matters to, the first few.
        number: How many there are.
        of: What they are: `policy`, `workload`, `Service`.
    """

    trait: Trait
    touches: tuple[Evidence, ...] = ()
    number: int = 0
    of: str = ""


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The answer to `cni`.

    Args:
        state: How certain it is that policies are enforced.
        installed: Network plugins and agents that the input gives away.
        together: How they stand to each other.
        kinds: Policies of the input, by kind.
        facts: What the enforcer does, by topic; empty where there is none.
        findings: What somebody must do something about, the worst first.
        grounds: What the profile was chosen from, besides what is installed.
    """

    state: State
    installed: tuple[Enforcer, ...]
    together: tuple[Together, ...]
    kinds: tuple[KindOf, ...]
    facts: tuple[Fact, ...]
    findings: tuple[Diagnostic, ...]
    grounds: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answer is made of.

    Args:
        world: What the cluster holds.
        policies: Policies as compiled.
        written: Policy objects as written.
        profile: Who is taken to enforce.
        chosen: How that was chosen.
        said: Whether the caller chose it.
        guessed: Whether nothing did.
        installed: Network plugins and agents that the input gives away.
        together: How they stand to each other.
        traits: What the enforcer does.
        grounds: What the profile was chosen from, besides what is installed.
    """

    world: World
    policies: Sequence[Policy]
    written: Sequence[Written]
    profile: Profile
    chosen: str
    said: bool
    guessed: bool
    installed: tuple[Enforcer, ...]
    together: tuple[Together, ...]
    traits: tuple[Trait, ...]
    grounds: tuple[Evidence, ...] = ()


def enforcement(asked: Asked) -> Enforcement:
    """Return who enforces policies here, and what to know of it."""
    state = _state(asked)
    kinds = tuple(_kinds(asked, state))
    touched = _touched(asked) if state not in LOUD else {}
    facts = tuple(
        Fact(trait, *touched.get(trait.topic, ((), 0, "")))
        for trait in (asked.traits if state not in LOUD else ())
    )
    found = (*_whether(asked, state), *_of_kinds(asked, kinds, state), *_bad(facts))
    order = sorted(found, key=lambda d: (-d.severity.rank, d.code, d.message))
    return Enforcement(
        state, asked.installed, asked.together, kinds, facts, tuple(order), asked.grounds
    )


def _state(asked: Asked) -> State:
    running = [one for one in asked.installed if one.enforces and not one.assumed]
    off = any(t.topic is Topic.EGRESS and t.stands is Stands.BAD for t in asked.traits)
    if not asked.profile.enforces or off:
        return State.NONE
    if len(running) > 1 and not asked.said:
        return State.UNCLEAR
    if running:
        return State.ENFORCED
    if asked.said:
        return State.ASSUMED
    if asked.installed and all(one.enforces is False for one in asked.installed):
        return State.NONE
    if any(one.enforces is None for one in asked.installed):
        return State.UNCLEAR
    return State.UNSEEN if asked.guessed and not asked.installed else State.ASSUMED


def _kinds(asked: Asked, state: State) -> Iterator[KindOf]:
    groups: dict[tuple[str, str], list[Written]] = defaultdict(list)
    for each in asked.written:
        groups[each.group, each.kind].append(each)
    for (group, kind), held in sorted(groups.items()):
        enforced = False if state in LOUD else held[0].reads
        objects = sorted(held, key=lambda w: (w.name, w.span or _NOWHERE))
        yield KindOf(kind, group, enforced, tuple(objects))


_NOWHERE = Span("", 0, 0)
_PREREQUISITES = "kubernetes.io concept page Network Policies, prerequisites"


def _whether(asked: Asked, state: State) -> Iterator[Diagnostic]:
    """Yield what is to be said of whether anybody enforces."""
    number = len(asked.written)
    effect = "1 policy does nothing" if number == 1 else f"{number} policies do nothing"
    policies = effect if number else "there are no policies either"
    if state in LOUD:
        yield _nobody(asked, state, policies, number)
    elif state is State.ASSUMED:
        yield Diagnostic(
            "CNI002",
            Severity.WARNING,
            f"no agent that enforces was read: {asked.profile.title} is taken to, {asked.chosen}",
            effect="if it is not installed, or switched off, no policy is enforced",
            help="read the DaemonSets too: kubectl get -o yaml -A daemonsets,nodes",
            source=_PREREQUISITES,
        )
    for one in asked.installed if state is State.UNCLEAR else ():
        if one.enforces is None:
            yield Diagnostic(
                "CNI003",
                Severity.WARNING,
                f"whether {one.title} enforces is not known: {one.why}",
                one.evidence[0].span if one.evidence else None,
                one.evidence[0].shown if one.evidence else None,
                "if it does not, no policy is enforced",
                "try one denied path on the cluster, or say who enforces with --cni",
                one.source or None,
            )
    for each in asked.together:
        if each.contested:
            span = next((e.span for e in each.evidence if e.span is not None), None)
            yield Diagnostic(
                "CNI004",
                Severity.WARNING,
                each.text,
                span,
                effect="answers are those of the generic profile unless --cni says whose to take",
                help="let one of them enforce",
            )
    yield from _otherwise(asked)


def _nobody(asked: Asked, state: State, policies: str, number: int) -> Diagnostic:
    first = next((one.evidence[0] for one in asked.installed if one.evidence), None)
    if state is State.UNSEEN:
        message = f"no enforcing CNI found: nothing that was read enforces; {policies}"
        help_ = (
            "if the cluster has one, read its DaemonSet (kubectl get -o yaml -A daemonsets,nodes) "
            "or name it with --cni"
        )
    else:
        off = [t.text for t in asked.traits if t.topic is Topic.EGRESS and t.stands is Stands.BAD]
        why = [
            one.why if one.why.startswith(one.title) else f"{one.title}: {one.why}"
            for one in asked.installed
            if one.enforces is False
        ]
        said = "; ".join(why or off or [f"{asked.profile.title}, {asked.chosen}"]).rstrip(".")
        message = f"no enforcing CNI: {said}; {policies}"
        help_ = "install an agent that enforces, or switch it on, before relying on any policy"
    effect = "every pod reaches every other one, and everything outside"
    return Diagnostic(
        NOBODY,
        Severity.ERROR,
        message,
        first.span if first else None,
        first.shown if first else None,
        effect if number else f"{effect}; a policy that is written here will change nothing",
        help_,
        _PREREQUISITES,
    )


def _otherwise(asked: Asked) -> Iterator[Diagnostic]:
    """Yield that somebody else is installed than the caller says."""
    running = [one for one in asked.installed if one.enforces and not one.assumed]
    product = asked.profile.name.partition("@")[0]
    others = [one for one in running if (one.profile or one.id).partition("@")[0] != product]
    if asked.said and others and len(others) == len(running):
        one = others[0]
        yield Diagnostic(
            "CNI008",
            Severity.WARNING,
            f"{asked.profile.title} is taken to enforce ({asked.chosen}), and {one.title} is "
            "what is installed",
            one.evidence[0].span if one.evidence else None,
            one.evidence[0].shown if one.evidence else None,
            "every answer is that of another enforcer",
            "leave --cni out, or say --cni auto",
        )


def _of_kinds(asked: Asked, kinds: Iterable[KindOf], state: State) -> Iterator[Diagnostic]:
    """Yield the kinds of policy that are not enforced, or not for certain."""
    for each in kinds if state not in LOUD else ():
        if each.enforced:
            continue
        names = few([o.name for o in each.objects], 5)
        number = len(each.objects)
        spans = sorted(o.span for o in each.objects if o.span is not None)
        they = "it does" if number == 1 else "they do"
        never = each.enforced is False
        yield Diagnostic(
            "CNI005" if never else "CNI006",
            Severity.ERROR if never else Severity.WARNING,
            f"{asked.profile.title} does not enforce {each.named}: {names}"
            if never
            else f"whether {each.named} is enforced here is not known: {names}",
            spans[0] if spans else None,
            f"{each.kind} {each.objects[0].name}",
            f"{they} nothing here" if never else f"if it is not, {they} nothing",
            "say the same in a kind that is enforced (cloison convert), or take it out"
            if never
            else "say who enforces with --cni",
            asked.profile.source if never else None,
        )


def _bad(facts: Iterable[Fact]) -> Iterator[Diagnostic]:
    """Yield what passes though policies say it is closed, where the input has what it is about."""
    for fact in facts:
        trait = fact.trait
        if trait.stands is not Stands.BAD or (trait.topic in _ABOUT and not fact.number):
            continue
        where = fact.touches[0] if fact.touches else trait.seen
        yield Diagnostic(
            "CNI007",
            Severity.WARNING,
            f"policies do not hold for this: {TITLES[trait.topic]} ({trait.says})",
            where.span if where else None,
            where.shown if where else None,
            trait.text,
            "do not rely on policies alone here",
            trait.source,
        )


_MOST = 5
_ABOUT = frozenset(
    (
        Topic.BLOCKS,
        Topic.END_PORT,
        Topic.HOST_PODS,
        Topic.NAMED_PORTS,
        Topic.NAMES,
        Topic.NODE_PORTS,
        Topic.REQUESTS,
        Topic.SCTP,
    )
)
"""Topics that only matter where the input has what they are about."""

_SCTP = TrafficSet.protocol("SCTP")
_Touched = tuple[tuple[Evidence, ...], int, str]


def _touched(asked: Asked) -> Mapping[Topic, _Touched]:
    """Return what of the input each topic is about."""
    found: dict[Topic, dict[str, Span | None]] = defaultdict(dict)
    for policy in asked.policies:
        for topic, span in _speaks(policy):
            found[topic].setdefault(policy.id.said, span or policy.span)
    out = {topic: _some(topic, held, "policy") for topic, held in found.items()}
    hosts = {
        str(name): workload.span
        for name, workload in asked.world.workloads.items()
        if any(endpoint.shape.host_network for endpoint in workload.endpoints[:1])
    }
    if hosts:
        out[Topic.HOST_PODS] = _some(Topic.HOST_PODS, hosts, "workload")
    services = {
        f"{space}/{name}": service.span
        for (space, name), service in asked.world.services.items()
        if service.type in ("NodePort", "LoadBalancer")
        and service.external_traffic_policy == "Cluster"
    }
    if services:
        out[Topic.NODE_PORTS] = _some(Topic.NODE_PORTS, services, "Service")
    return out


def _speaks(policy: Policy) -> Iterator[tuple[Topic, Span | None]]:
    """Yield the topics that a policy makes use of, with the first place where it does."""
    for rule in policy.rules:
        traffic = rule.traffic.must
        if rule.traffic.named:
            yield Topic.NAMED_PORTS, rule.span
        if traffic & _SCTP and not traffic >= L4:
            yield Topic.SCTP, rule.span
        if rule.request is not None:
            yield Topic.REQUESTS, rule.span
        entries = () if traffic >= L4 else traffic.entries()
        if any(e.low is not None and e.low != e.high and e.protocol != "ICMP" for e in entries):
            yield Topic.END_PORT, rule.span
        for peer in rule.peers:
            for match in plain_matches(peer.match):
                if isinstance(match, BlockMatch):
                    yield Topic.BLOCKS, peer.span
                elif isinstance(match, NamesMatch):
                    yield Topic.NAMES, peer.span


def _some(topic: Topic, held: Mapping[str, Span | None], of: str) -> _Touched:
    shown = tuple(Evidence(topic, name, span) for name, span in sorted(held.items())[:_MOST])
    return shown, len(held), of


def summary(found: Enforcement, profile: Profile) -> str:
    """Return who enforces, in a sentence without its end."""
    running = [one for one in found.installed if one.enforces and not one.assumed]
    if found.state is State.ENFORCED:
        names = [f"{one.title} {one.version}" if one.version else one.title for one in running]
        verb = "enforces" if len(names) == 1 else "enforce"
        return f"{listed(names)} {verb} policies here"
    if found.state is State.ASSUMED:
        return f"{profile.title} is taken to enforce policies; no agent of it was read"
    if found.state is State.UNCLEAR:
        return "who enforces policies here is not clear"
    return next(d.message for d in found.findings if d.code == NOBODY)
