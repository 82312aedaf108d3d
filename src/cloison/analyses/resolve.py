"""Whom a selector means in one world: pods counted, workloads named, near misses shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from cloison.algebra import FAMILY, AddressSet, LabelSelector, Operator
from cloison.engine import Engine, UnitKind
from cloison.engine.bind import Binder
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PodsMatch,
    Relative,
    RelativeMatch,
    UnknownMatch,
)
from cloison.ir.policy import Mode, Peer, Policy
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Labels
from cloison.resources.world import PodEndpoint, WorkloadId, World

_NAMED = 4
"""Workloads named one by one; of more, a few stand for all."""
_CLOSE = 0.6


@dataclass(frozen=True, slots=True, order=True)
class MatchedWorkload:
    """A workload of which some pods are matched.

    Args:
        workload: Which.
        pods: How many of its pods are matched.
        of: How many it has; a template counts as one.
    """

    workload: WorkloadId
    pods: int
    of: int

    def __str__(self) -> str:
        """Render as `web/portal`, with the pods where there are several."""
        if self.pods < self.of:
            return f"{self.workload} ({self.pods} of {self.of} pods)"
        return f"{self.workload} ({self.pods} pods)" if self.pods > 1 else str(self.workload)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whom a peer or subject means here and now.

    Args:
        kind: `pods`, `block`, `groups`, `names`, `nodes`, `any`, `self`, `own-node`,
            `other-node`, `own-pod`, `several` (of these, combined) or `unknown`.
        workloads: Workloads with matched pods, sorted; for a block or groups those whose
            addresses lie in it.
        nodes: Nodes that are matched.
        outside: Addresses outside the cluster that are matched; None when none are asked for.
        hint: For what matches nothing: what comes nearest.
        unsure: Whether a pod of unknown address may be matched besides.
        groups: Address groups that are meant, by name, sorted.
    """

    kind: str
    workloads: tuple[MatchedWorkload, ...] = ()
    nodes: tuple[str, ...] = ()
    outside: AddressSet | None = None
    hint: str | None = None
    unsure: bool = False
    groups: tuple[str, ...] = ()

    @property
    def pods(self) -> int:
        """Number of pods matched; a workload of which no pod was read counts as one."""
        return sum(w.pods for w in self.workloads)

    @property
    def nothing(self) -> bool:
        """Whether nobody at all is matched."""
        if self.kind in ("groups", "several"):
            return not (self.workloads or self.nodes or self.outside or self.unsure)
        return self.kind in ("pods", "nodes") and not self.workloads and not self.nodes

    @property
    def text(self) -> str:
        """Whom it means, in words."""
        if self.kind == "any":
            return "everybody, inside the cluster and outside"
        if self.kind == "block":
            return self._block_text()
        if self.nothing:
            return f"matches nothing here: {self.hint}" if self.hint else "matches nothing here"
        if self.kind in ("groups", "several"):
            return self._mixed_text()
        if self.kind == "names":
            return self._names_text()
        if self.nodes:
            return ", ".join(self.nodes)
        return workloads_text(self.workloads)

    def _block_text(self) -> str:
        for family, every in FAMILY.items():
            if self.outside == every:
                more = ", those of pods too" if self.workloads else ""
                return f"every IPv{family} address{more}"
        inside = self._inside()
        return f"holds {', '.join(inside)}" if inside else "holds no pod or node of known address"

    def _inside(self) -> list[str]:
        inside = [workloads_text(self.workloads)] if self.workloads else []
        return [*inside, *(f"node {name}" for name in self.nodes)]

    def _names_text(self) -> str:
        known = _ranges(self.outside) if self.outside else ""
        if not known:
            return "which addresses that is, is not known here"
        return f"{known}, as far as is known" if self.unsure else known

    def _mixed_text(self) -> str:
        said = [f"{_few(self.groups)}: {_ranges(self.outside)}"] if self.groups else []
        if not self.groups and self.outside:
            said = [f"outside the cluster {_ranges(self.outside)}"]
        inside = self._inside()
        if self.groups:
            return "".join(said) + (f"; holds {', '.join(inside)}" if inside else "")
        return "; and ".join([*([", ".join(inside)] if inside else []), *said])


def _ranges(addresses: AddressSet | None) -> str:
    if not addresses:
        return "no address"
    if all(every <= addresses for every in FAMILY.values()):
        return "every address"
    return _few(tuple(addresses.blocks()))


def _few(parts: Sequence[str]) -> str:
    if len(parts) <= _NAMED:
        return ", ".join(parts)
    return f"{', '.join(parts[: _NAMED - 1])} and {len(parts) - _NAMED + 1} more"


def workloads_text(found: Sequence[MatchedWorkload]) -> str:
    """Return workloads as a list a person can read.

    >>> one = MatchedWorkload(WorkloadId("web", "portal", "Deployment"), 2, 2)
    >>> workloads_text([one])
    'web/portal (2 pods)'
    """
    if len(found) <= _NAMED:
        return ", ".join(str(w) for w in found)
    shown = ", ".join(str(w.workload) for w in found[: _NAMED - 1])
    pods = sum(w.pods for w in found)
    count = f"{len(found)} workloads" + (f" ({pods} pods)" if pods != len(found) else "")
    return f"{count}: {shown}, ..."


def binder_for(engine: Engine, policy: Policy | None = None) -> Binder:
    """Return a binder that can tell apart what `policy` tells apart.

    The engine's own knows only the policies that take part; one that is staged, or any
    under an enforcer that does none, is bound as if it took part.
    """
    if engine.profile.enforces and (policy is None or policy.mode is Mode.ENFORCED):
        return engine.binder
    policies = tuple(replace(p, mode=Mode.ENFORCED) for p in engine.policies.policies)
    supposed = Engine(
        engine.world,
        replace(engine.policies, policies=policies),
        replace(engine.profile, enforces=True),
        engine.networks,
    )
    return supposed.binder


def selects(engine: Engine, policy: Policy, endpoint: PodEndpoint) -> bool:
    """Return whether a policy's subject selector applies to a pod.

    Pods on their node's network never are.
    """
    if endpoint.shape.host_network:
        return False
    return covers(engine, policy, endpoint)


def covers(engine: Engine, policy: Policy, endpoint: PodEndpoint) -> bool:
    """Return whether a pod's namespace and labels meet a policy's subject selector."""
    return any(meets(engine.world, subject, endpoint) for subject in policy.subjects)


def meets(world: World, match: PodsMatch, endpoint: PodEndpoint) -> bool:
    """Return whether a pod's namespace, account, node and labels meet a match."""
    if match.nodes is not None and endpoint.shape.node not in match.nodes:
        return False
    if match.accounts and not match.accounts.matches(
        world.account_labels(endpoint.namespace, endpoint.shape.service_account)
    ):
        return False
    if match.namespace is not None:
        if match.namespace != endpoint.namespace:
            return False
    elif not match.namespaces.matches(world.namespaces[endpoint.namespace].labels):
        return False
    return match.pods.matches(endpoint.labels)


def subjects(engine: Engine, policy: Policy) -> tuple[int, ...]:
    """Return the indices of the endpoints a policy selects."""
    endpoints = engine.table.endpoints
    return tuple(i for i, e in enumerate(endpoints) if selects(engine, policy, e))


def resolve_subject(engine: Engine, policy: Policy) -> Resolved:
    """Return the workloads a policy selects."""
    found = _workloads(engine, subjects(engine, policy))
    hint = None if found or not policy.subjects else _hint(engine, policy.subjects[0])
    return Resolved("pods", found, hint=hint)


def resolve_peer(engine: Engine, binder: Binder, peer: Peer) -> Resolved:
    """Return whom a peer matches.

    Args:
        engine: Whose world.
        binder: Resolves selectors, as `binder_for` gives it.
        peer: The peer.
    """
    match = peer.match
    if isinstance(match, AnyMatch):
        return Resolved("any")
    if isinstance(match, RelativeMatch):
        return Resolved(match.relation.value)
    if isinstance(match, UnknownMatch):
        return Resolved("unknown", hint=match.reason)
    table = binder.table
    units = binder.peer(peer).must
    pods = {e for u in units & table.kinds[UnitKind.POD] for e in table.units[u].endpoints}
    hosts = units & (table.kinds[UnitKind.NODE] | table.kinds[UnitKind.HOST])
    pods |= {e for u in hosts for e in table.units[u].endpoints}
    nodes = tuple(sorted({n for u in hosts if (n := table.units[u].node) is not None}))
    found = _workloads(engine, pods)
    if isinstance(match, BlockMatch):
        places = (table.units[u] for u in table.kinds[UnitKind.POD])
        unsure = not match.whole and any(
            not u.exact and not (u.addresses and u.addresses.isdisjoint(match.addresses))
            for u in places
        )
        return Resolved("block", found, nodes, match.addresses, None, unsure)
    if isinstance(match, GroupsMatch | NamesMatch | AnyOf | AllOf | NoneOf):
        return _other(engine, binder, peer, found, nodes)
    kind = "nodes" if isinstance(match, NodesMatch) else "pods"
    empty = isinstance(match, PodsMatch) and not found
    hint = _hint(engine, match) if empty and isinstance(match, PodsMatch) else None
    return Resolved(kind, found, nodes, hint=hint)


def _other(
    engine: Engine,
    binder: Binder,
    peer: Peer,
    found: tuple[MatchedWorkload, ...],
    nodes: tuple[str, ...],
) -> Resolved:
    """Return whom a peer matches that goes by groups, names or several things at once."""
    match, table = peer.match, binder.table
    matched = binder.peer(peer)
    atoms = (table.units[u].addresses for u in matched.must & table.kinds[UnitKind.EXTERNAL])
    outside = AddressSet(span for atom in atoms if atom for span in atom.spans)
    unsure = bool(matched.may)
    if isinstance(match, GroupsMatch):
        held = [g for g in engine.policies.groups if match.labels.matches(g.labels)]
        hint = None if held else f"no address group is labelled {match.labels}"
        groups = tuple(sorted(str(g.id) for g in held))
        addresses = binder.matcher.book.group(match.labels)
        return Resolved("groups", found, nodes, addresses, hint, unsure, groups)
    kind = "names" if isinstance(match, NamesMatch) else "several"
    return Resolved(kind, found, nodes, outside, None, unsure)


def relation_text(relation: Relative) -> str:
    """Return a related peer, in words."""
    return {
        Relative.SELF: "itself",
        Relative.OWN_NODE: "its own node (kubelet, health probes)",
        Relative.OTHER_NODE: "other nodes",
        Relative.OWN_POD: "pods that run on it",
        Relative.LOOPBACK: "itself and what shares its network",
        Relative.RETURNED: "itself through a Service",
    }[relation]


def _workloads(engine: Engine, endpoints: Iterable[int]) -> tuple[MatchedWorkload, ...]:
    counts: dict[WorkloadId, int] = {}
    for index in endpoints:
        workload = engine.table.endpoints[index].workload
        counts[workload] = counts.get(workload, 0) + 1
    by = engine.table.by_workload
    return tuple(sorted(MatchedWorkload(w, n, len(by[w])) for w, n in counts.items()))


def _hint(engine: Engine, match: PodsMatch) -> str:
    """Return what comes nearest to a selector that no pod meets."""
    world = engine.world
    if match.namespace is None:
        homes = [n for n, ns in world.namespaces.items() if match.namespaces.matches(ns.labels)]
        if not homes:
            spaces = ((f"namespace {n}", ns.labels) for n, ns in world.namespaces.items())
            missing = f"no namespace is labelled {match.namespaces}"
            only = match.namespaces.requirements
            if len(only) == 1 and only[0].key == NAMESPACE_NAME_LABEL and len(only[0].values) == 1:
                missing = f"no namespace is called {only[0].values[0]}"
            return missing + _nearest(match.namespaces, spaces)
        where = f"in namespace {homes[0]}" if len(homes) == 1 else "in those namespaces"
    else:
        homes = [match.namespace]
        where = f"in namespace {match.namespace}"
    known = set(homes)
    pods = [e for e in engine.table.endpoints if e.namespace in known]
    if not pods:
        return f"there is no pod {where}"
    hosts = [e for e in pods if e.shape.host_network and match.pods.matches(e.labels)]
    if hosts:
        return f"{hosts[0].name} has the labels, but is on its node's network"
    if not match.pods:
        what = "runs as such a service account" if match.accounts else "runs on such a node"
        return f"no pod {where} {what}"
    return f"no pod {where} is labelled {match.pods}" + _nearest(
        match.pods, ((e.name, e.labels) for e in pods if not e.shape.host_network)
    )


def _nearest(selector: LabelSelector, candidates: Iterable[tuple[str, Labels]]) -> str:
    """Return the candidate whose labels look like what is asked for, as an afterthought."""
    best: tuple[float, str, str] | None = None
    for name, labels in candidates:
        unmet = selector.unmet(labels)
        if len(unmet) != 1 or unmet[0].operator is not Operator.IN:
            continue
        key, values = unmet[0].key, unmet[0].values
        held = labels.get(key)
        said = f"; {name} is labelled {key}={held}" if held is not None else f"; {name} lacks {key}"
        texts = [held or "", name.split(" ")[-1].split("/")[-1]]
        score = max(SequenceMatcher(None, t, v).ratio() for t in texts for v in values)
        if score >= _CLOSE and (best is None or (-score, name) < (-best[0], best[1])):
            best = (score, name, said)
    return best[2] if best else ""
