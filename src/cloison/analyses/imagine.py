"""Pods that do not exist yet: every kind of pod that policies could tell apart.

`any:` asks about pods that exist and pods that somebody may create. For the second half a
pod is imagined for each combination of the labels that matter, in each namespace that
matters and in a new one, and the same engine judges them all. Where rules go by the names of
ports, a pod is also imagined that declares them: on any number, since nobody can say which.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, product

from cloison.algebra import PORT_PROTOCOLS, LabelSelector, Operator, Requirement
from cloison.analyses.ends import AnyEnd
from cloison.base import Span
from cloison.engine import Engine
from cloison.ir.peers import PodsMatch, plain_matches
from cloison.ir.policy import Action, Direction, Policy
from cloison.resources.objects import (
    ACCOUNT_NAME_LABEL,
    NAMESPACE_NAME_LABEL,
    ContainerPort,
    Labels,
    Namespace,
    PodShape,
    ServiceAccount,
)
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World

MOST = 4096
"""Imagined pods at most; beyond that an answer without an exception is undetermined."""

MOST_OF_BOTH = 512
"""The same where both ends ask for any pod: every pair of them is looked at."""

_NAMES = 4
"""Names of ports of which every combination is tried."""
_WAYS = {Action.ALLOW: 1, Action.DENY: -1}
_PORTS = "policies let some pass and stop others by the names of more than four ports"
_KINDS = "policies tell too many labels apart to try every kind of pod"
_TEXTS = "policies look for texts in labels or names, of which not every one can be tried"
_LAST_PORT = 65535
_NODES = 16
"""Nodes to imagine pods on, where policies tell nodes apart, beside those they name."""
_LOOKS = 4
"""Texts to look for in one value, before not every combination is tried."""
_OTHER = "some-other-value"
_NEW = "(a new namespace)"
_NOWHERE = Span("", 0, 0)


def imagine(
    engine: Engine, ends: Sequence[AnyEnd], told: Iterable[PodsMatch] = ()
) -> tuple[Engine, str | None]:
    """Return an engine over a world with imagined pods added.

    Args:
        engine: The engine of the world as it is.
        ends: The ends that ask for any pod.
        told: What pods are told apart by besides policies.

    Returns:
        The engine, and why not every kind of pod could be imagined; None where every one was.
    """
    wanted = {end.namespace for end in ends}
    names: set[str | None] = {None, *engine.world.namespaces} if None in wanted else wanted
    vocabulary = _Vocabulary.of(engine, told)
    namespaces = dict(engine.world.namespaces)
    workloads = dict(engine.world.workloads)
    accounts = dict(engine.world.accounts)
    left = MOST if len(ends) == 1 else MOST_OF_BOTH
    lacking = [vocabulary.lacking] if vocabulary.lacking else []
    for home in _homes(engine.world, names, vocabulary):
        namespaces.setdefault(home.name, home)
        here = vocabulary.at(home)
        kinds = list(islice(_kinds(engine.world, home.name, here), left + 1))
        if not here.combined:
            lacking.append(_PORTS)
        if len(kinds) > left:
            lacking.append(_KINDS)
        for kind in kinds[:left]:
            workload = _pod(home.name, kind)
            workloads[workload.id] = workload
            if kind.account is not None:
                accounts[home.name, kind.account.name] = kind.account
        left -= min(left, len(kinds))
    # Imagined pods come last, so that every endpoint keeps its number.
    world = replace(
        engine.world,
        namespaces=dict(sorted(namespaces.items())),
        workloads=workloads,
        accounts=accounts,
    )
    engine = Engine(world, engine.policies, engine.profile, engine.networks)
    return engine, next(iter(lacking), None)


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """What policies tell pods apart by.

    Args:
        pods: Values of the labels of pods that any policy can tell apart; None is absence.
        accounts: The same of their service accounts.
        namespaces: The same of their namespaces.
        names: What is asked of the names of namespaces.
        named: Namespaces that are named.
        nodes: Nodes that pods are told apart by; None alone where they are not.
        ports: Names of ports that they may declare together.
        lacking: Why more can be told apart than this; None where nothing more can be.
        matches: What asks all that.
        calling: Which pods' names of ports are asked for.
        combined: Whether these are all sets of names that matter.
    """

    pods: dict[str, list[str | None]]
    accounts: dict[str, list[str | None]]
    namespaces: dict[str, list[str | None]]
    names: tuple[Requirement, ...]
    named: frozenset[str]
    nodes: tuple[str | None, ...]
    ports: tuple[tuple[str, ...], ...]
    lacking: str | None
    matches: tuple[PodsMatch, ...]
    calling: tuple["_Calling", ...] = ()
    combined: bool = True

    def at(self, home: Namespace) -> "_Vocabulary":
        """Return what pods of one namespace are told apart by: what asks of others says nothing."""
        here = [m for m in self.matches if _about(m, home)]
        pods, _ = _values(m.pods for m in here)
        accounts, _ = _values(m.accounts for m in here)
        ports, combined = _combined([c for c in self.calling if c.about(home)])
        return replace(self, pods=pods, accounts=accounts, ports=ports, combined=combined)

    @classmethod
    def of(cls, engine: Engine, told: Iterable[PodsMatch]) -> "_Vocabulary":
        matches = [*_matches(engine.ordered), *told]
        pods, whole_pods = _values(m.pods for m in matches)
        accounts, whole_accounts = _values(m.accounts for m in matches)
        spaces, whole_spaces = _values(m.namespaces for m in matches if m.namespace is None)
        selectors = (m.namespaces for m in matches if m.namespace is None)
        names = {r for s in selectors for r in s.requirements if r.key == NAMESPACE_NAME_LABEL}
        named = {m.namespace for m in matches if m.namespace is not None}
        named |= {value for r in names for value in r.values}
        # Whatever a name may hold, new namespaces are imagined under one name only.
        looked_into = any(r.operator.textual for r in names)
        # One account has one set of labels: those of a name that is free cannot all be tried.
        both = ACCOUNT_NAME_LABEL in accounts and len(accounts) > 1
        whole = whole_pods and whole_accounts and whole_spaces
        return cls(
            pods,
            accounts,
            spaces,
            tuple(sorted(names)),
            frozenset(named),
            _nodes(engine.world, matches),
            ((),),
            None if whole and not (both or looked_into) else _TEXTS,
            tuple(matches),
            tuple(_called(engine.ordered)),
        )


@dataclass(frozen=True, slots=True)
class _Calling:
    """Names of ports in a rule.

    Args:
        names: The names.
        way: What the rule does the more of them a pod declares: lets more pass (1), or less (-1);
            0 where that hangs on the rules after it.
        matches: Whose ports they are; None for everybody's.
    """

    names: frozenset[str]
    way: int
    matches: tuple[PodsMatch, ...] | None

    def about(self, home: Namespace) -> bool:
        """Return whether pods of a namespace may be meant."""
        return self.matches is None or any(_about(m, home) for m in self.matches)


def _called(policies: Iterable[Policy]) -> Iterator[_Calling]:
    """Yield the names of ports that rules go by."""
    for policy in policies:
        for rule in policy.rules:
            # Names are the destination's: who is protected, or any whom a rule may mean.
            into = rule.direction is Direction.INGRESS
            matches = tuple(policy.subjects) if into else None
            way = _WAYS.get(rule.action, 0)
            for named, does in ((rule.traffic.named, way), (rule.traffic.excepted, -way)):
                if named:
                    yield _Calling(frozenset(each.name for each in named), does, matches)


def _combined(calling: Sequence[_Calling]) -> tuple[tuple[tuple[str, ...], ...], bool]:
    """Return the names of ports that pods may declare together, and whether these are all.

    By a name that only opens, a pod passes most that declares it, and least that does not; by one
    that only closes it is the other way round. The rest are tried in every combination.
    """
    ways: dict[str, set[int]] = {}
    for each in calling:
        for name in each.names:
            ways.setdefault(name, set()).add(each.way)
    opening = {name for name, does in ways.items() if does == {1}}
    closing = {name for name, does in ways.items() if does == {-1}}
    if len(ways) <= _NAMES and len(opening) < len(ways):
        opening, closing = set(), set()  # few enough to leave nothing to reason about
    rest = sorted(ways.keys() - opening - closing)
    whole = len(rest) <= _NAMES
    tried: Iterable[tuple[str, ...]] = ((), *((name,) for name in rest), tuple(rest))
    if whole:
        every = product((False, True), repeat=len(rest))
        tried = [tuple(n for n, has in zip(rest, some, strict=True) if has) for some in every]
    sets = (tuple(sorted({*some, *more})) for some in tried for more in (closing, opening))
    return tuple(dict.fromkeys(sets)), whole


def _about(match: PodsMatch, home: Namespace) -> bool:
    """Return whether a match may mean pods of a namespace."""
    if match.namespace is not None:
        return match.namespace == home.name
    return match.namespaces.matches(home.labels)


def _nodes(world: World, matches: Iterable[PodsMatch]) -> tuple[str | None, ...]:
    named = [m.nodes for m in matches if m.nodes is not None]
    if not named:
        return (None,)
    some = islice(sorted(world.nodes), _NODES)
    return (*sorted({*some, *(name for names in named for name in names)}), "(another node)")


def _matches(policies: Iterable[Policy]) -> Iterator[PodsMatch]:
    for policy in policies:
        yield from policy.subjects
        for rule in policy.rules:
            for match in (*(peer.match for peer in rule.peers), *(rule.subjects or ())):
                yield from (m for m in plain_matches(match) if isinstance(m, PodsMatch))


def _values(selectors: Iterable[LabelSelector]) -> tuple[dict[str, list[str | None]], bool]:
    """Return for each key the values that any selector can tell apart; None is its absence.

    The second is whether these are all: of several texts that a value may hold, they may not be.
    """
    found: dict[str, set[str]] = {}
    looks: dict[str, set[tuple[Operator, str]]] = {}
    for selector in selectors:
        for requirement in selector.requirements:
            values = found.setdefault(requirement.key, set())
            if requirement.operator in (Operator.IN, Operator.NOT_IN):
                values.update(requirement.values)
            elif requirement.operator.textual:
                look = _positive(requirement)
                looks.setdefault(requirement.key, set()).add((look.operator, look.values[0]))
    for key, texts in looks.items():
        found[key].update(_holding(sorted(texts)))
    complete = all(len(texts) == 1 for texts in looks.values())
    return {
        key: [None, *sorted(values), _other(text for _, text in looks.get(key, ()))]
        for key, values in sorted(found.items())
    }, complete


def _other(texts: Iterable[str]) -> str:
    """Return a value that holds none of some texts; an empty one is in every value."""
    unwanted = [text for text in texts if text]
    tried = chain([_OTHER], map(chr, range(ord("\N{GREEK SMALL LETTER ALPHA}"), 1 << 16)))
    return next((v for v in tried if not any(text in v for text in unwanted)), _OTHER)


def _positive(requirement: Requirement) -> Requirement:
    """Return what a requirement, or its opposite, looks for."""
    if not requirement.matches({}):
        return requirement
    return replace(requirement, operator=requirement.operator.opposite)


def _holding(texts: Sequence[tuple[Operator, str]]) -> Iterator[str]:
    """Iterate over values that hold some of a few texts, where they are looked for."""
    for chosen in product((False, True), repeat=min(len(texts), _LOOKS)):
        some = [each for each, taken in zip(texts, chosen, strict=False) if taken]
        start = max((t for o, t in some if o is Operator.STARTS_WITH), key=len, default="")
        end = max((t for o, t in some if o is Operator.ENDS_WITH), key=len, default="")
        inside = [t for o, t in some if o is Operator.CONTAINS]
        if some:
            yield "~".join([start, *inside, _OTHER, end])


def _assignments(keys: Mapping[str, list[str | None]]) -> Iterator[dict[str, str]]:
    for values in product(*keys.values()):
        yield {k: v for k, v in zip(keys, values, strict=True) if v is not None}


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of pod that policies could tell apart.

    Args:
        labels: Its labels.
        service_account: The name of its service account.
        node: The node it runs on, where that matters.
        account: Its service account, where that is imagined too.
        ports: Names of ports that it declares, on any number.
    """

    labels: Labels
    service_account: str = "default"
    node: str | None = None
    account: ServiceAccount | None = None
    ports: tuple[str, ...] = ()


def _kinds(world: World, namespace: str, vocabulary: _Vocabulary) -> Iterator[_Kind]:
    accounts = list(islice(_accounts(world, namespace, vocabulary.accounts), MOST))
    for labels in _assignments(vocabulary.pods):
        for name, account in accounts:
            for node in vocabulary.nodes:
                for ports in vocabulary.ports:
                    yield _Kind(labels, name, node, account, ports)


def _accounts(
    world: World, namespace: str, keys: Mapping[str, list[str | None]]
) -> Iterator[tuple[str, ServiceAccount | None]]:
    """Iterate over the accounts of a namespace, and those that somebody could create in it."""
    if not keys:
        yield "default", None
        return
    taken = [name for space, name in world.accounts if space == namespace]
    for name in sorted(taken):
        yield name, None
    others = {key: values for key, values in keys.items() if key != ACCOUNT_NAME_LABEL}
    for labels in _assignments(others):
        said = _listed(labels)
        name = f"(an account labelled {said})" if said else "(an account without such labels)"
        yield name, ServiceAccount(namespace, name, labels, _NOWHERE)
    for free in keys.get(ACCOUNT_NAME_LABEL, ()):
        if free is not None and free not in taken:
            yield free, None


def _homes(world: World, names: set[str | None], vocabulary: _Vocabulary) -> Iterator[Namespace]:
    """Yield namespaces to imagine pods in; those that policies cannot tell apart only once."""
    keys = vocabulary.namespaces
    # Accounts differ between namespaces that are alike otherwise.
    apart = {space for space, _ in world.accounts} if vocabulary.accounts else set()
    seen = set()
    for name in sorted(n for n in names if n is not None):
        home = world.namespaces.get(name)
        if home is None:
            yield from _new(keys, name)
            continue
        kind = (
            name if name in vocabulary.named or name in apart else "",
            tuple(home.labels.get(k) for k in keys if k != NAMESPACE_NAME_LABEL),
            tuple(r.matches(home.labels) for r in vocabulary.names),
        )
        if kind not in seen:
            seen.add(kind)
            yield home
    if None in names:
        yield from _new(keys, None)


def _new(keys: Mapping[str, list[str | None]], name: str | None) -> Iterator[Namespace]:
    """Yield namespaces that do not exist, with every combination of labels that matters."""
    others = {k: v for k, v in keys.items() if k != NAMESPACE_NAME_LABEL}
    for labels in islice(_assignments(others), MOST):
        said = _listed(labels)
        title = name or (f"{_NEW[:-1]} labelled {said})" if said else _NEW)
        yield Namespace(title, {**labels, NAMESPACE_NAME_LABEL: title})
        if name is not None:
            return


def _pod(namespace: str, kind: _Kind) -> Workload:
    said = [f"labelled {_listed(kind.labels)}"] if kind.labels else ["without such labels"]
    if kind.account is not None or kind.service_account != "default":
        said.append(f"with account {kind.service_account}")
    if kind.node is not None:
        said.append(f"on node {kind.node}")
    if kind.ports:
        said.append(f"declaring the port {' and '.join(kind.ports)}")
    workload = WorkloadId(namespace, f"(any pod {', '.join(said)})", "Pod")
    ports = tuple(
        ContainerPort(1, protocol, name, last=_LAST_PORT)
        for name in kind.ports
        for protocol in PORT_PROTOCOLS
    )
    shape = PodShape(kind.labels, ports=ports, service_account=kind.service_account, node=kind.node)
    return Workload(workload, (PodEndpoint(workload, None, shape, _NOWHERE),))


def _listed(labels: Labels) -> str:
    return ", ".join(f"{k}={v}" for k, v in labels.items())
