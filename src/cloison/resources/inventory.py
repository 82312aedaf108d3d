"""Put resources together to a World, in whatever order they come."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from msgspec.structs import replace as with_changes

from cloison.base import Diagnostic, Severity, Span, sort_diagnostics
from cloison.resources import faults
from cloison.resources.declared import Declared, GroupKind
from cloison.resources.decode import Decoded
from cloison.resources.names import shown
from cloison.resources.objects import (
    NAMESPACE_NAME_LABEL,
    Controller,
    EndpointSlice,
    Namespace,
    Node,
    Pod,
    Service,
    ServiceAccount,
)
from cloison.resources.resource import Resource
from cloison.resources.workloads import shared_addresses, workloads
from cloison.resources.world import World

_Key: TypeAlias = tuple[str, str, str]
"""Kind of a controller or of what is kept as written, namespace, name."""

T = TypeVar("T", Namespace, Pod, Controller, Node, Service, EndpointSlice, ServiceAccount, Declared)


@dataclass(frozen=True, slots=True)
class Built:
    """A World, and what putting it together brought to light."""

    world: World
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a kind was met.

    Args:
        api_version: Its API version.
        kind: The kind.
        count: Number of objects.
        first: The position that sorts first.
        understood: Whether the kind means something to us.
    """

    api_version: str
    kind: str
    count: int
    first: Span | None
    understood: bool


class Inventory:
    """Collects resources; `build` gives the World they add up to.

    The order in which resources are added never shows in the World.
    """

    __slots__ = ("_counts", "_firsts", "_found", "_mentioned", "_more", "_understood")

    def __init__(self) -> None:
        self._found: dict[type, dict[_Key, Resource]] = {
            kind: {}
            for kind in (
                Namespace,
                Pod,
                Controller,
                Node,
                Service,
                EndpointSlice,
                ServiceAccount,
                Declared,
            )
        }
        # Objects after the first of their name: rare, so that each object costs no list.
        self._more: dict[tuple[type, _Key], list[Resource]] = {}
        self._counts: dict[tuple[str, str], int] = defaultdict(int)
        self._firsts: dict[tuple[str, str], Span] = {}
        self._understood: set[tuple[str, str]] = set()
        self._mentioned: set[str] = set()

    def take(self, decoded: Decoded) -> None:
        """Count a decoded object and add its resource, if it came to one."""
        self.count(decoded.api_version, decoded.kind, decoded.span, understood=decoded.understood)
        if decoded.resource is not None:
            self.add(decoded.resource)

    def add(self, resource: Resource) -> None:
        """Add a resource. It is not counted: `take` and `count` do that."""
        kind = type(resource)
        of = ""
        if isinstance(resource, Controller):
            of = resource.kind
        elif isinstance(resource, Declared):
            of = f"{resource.group}/{resource.kind}"
        home = "" if isinstance(resource, Namespace | Node) else resource.namespace
        key = (of, home, resource.name)
        first = self._found[kind].setdefault(key, resource)
        if first is not resource:
            self._more.setdefault((kind, key), []).append(resource)

    def count(
        self,
        api_version: str,
        kind: str,
        span: Span | None = None,
        *,
        understood: bool = False,
    ) -> None:
        """Count an object, of whatever kind."""
        key = (api_version, kind)
        self._counts[key] += 1
        if understood:
            self._understood.add(key)
        elif span is not None and (key not in self._firsts or span < self._firsts[key]):
            self._firsts[key] = span

    def controller(self, kind: str, namespace: str, name: str) -> Controller | None:
        """Return a controller that was added, the first of its name."""
        found = self._found[Controller].get((kind, namespace, name))
        return found if isinstance(found, Controller) else None

    def mention(self, namespace: str) -> None:
        """Note that something else, a policy, lives in a namespace."""
        self._mentioned.add(namespace)

    def tallies(self) -> tuple[Tally, ...]:
        """Return how often each kind was met, sorted by kind."""
        return tuple(
            Tally(*key, self._counts[key], self._firsts.get(key), key in self._understood)
            for key in sorted(self._counts, key=lambda key: (key[1], key[0]))
        )

    def build(self) -> Built:
        """Return the World, with diagnostics about objects that contradict each other."""
        said: list[Diagnostic] = []
        namespaces = self._single(Namespace, said)
        nodes = self._single(Node, said)
        services = self._single(Service, said)
        slices = self._single(EndpointSlice, said)
        accounts = self._single(ServiceAccount, said)
        controllers = self._several(Controller, said)
        pods = self._several(Pod, said)
        declared = self._several(Declared, said)
        all_nodes = _nodes(nodes, pods, controllers)
        pods = [_on_node(pod, all_nodes) for pod in pods]
        said += shared_addresses(pods)
        homes = {
            item.namespace
            for group in (pods, controllers, services, slices, accounts, declared)
            for item in group
            if item.namespace
        }
        world = World(
            namespaces=_namespaces(namespaces, homes | self._mentioned),
            workloads=workloads(controllers, pods),
            nodes=all_nodes,
            services={(s.namespace, s.name): s for s in services},
            slices=tuple(slices),
            accounts={(a.namespace, a.name): a for a in accounts},
            kinds={
                f"{api_version}/{kind}": self._counts[api_version, kind]
                for api_version, kind in sorted(self._counts)
            },
            declared=_by_kind(declared),
        )
        return Built(world, sort_diagnostics(said))

    def _single(self, kind: type[T], said: list[Diagnostic]) -> list[T]:
        """Return the objects of a type, sorted, one of each name."""
        return [self._kept(kind, key, said) for key in sorted(self._found[kind])]

    def _several(self, kind: type[T], said: list[Diagnostic]) -> list[T]:
        """Like `_single`, but objects that only share a `generateName` are all kept."""
        out: list[T] = []
        for key in sorted(self._found[kind]):
            if key[2].endswith("-"):
                out.extend(sorted(self._same(kind, key), key=_order))
            else:
                out.append(self._kept(kind, key, said))
        return out

    def _same(self, kind: type[T], key: _Key) -> list[T]:
        """Return every object of one name."""
        return [self._found[kind][key], *self._more.get((kind, key), ())]

    def _kept(self, kind: type[T], key: _Key, said: list[Diagnostic]) -> T:
        """Return the object to keep of those that share a name; report those that differ."""
        if not self._more or (kind, key) not in self._more:
            (kept,) = self._same(kind, key)
            return kept
        *others, kept = sorted(self._same(kind, key), key=_order)
        said.extend(_duplicate(other, kept) for other in others if not _equal(other, kept))
        return kept


def _by_kind(items: Iterable[Declared]) -> dict[GroupKind, tuple[Declared, ...]]:
    found: dict[GroupKind, list[Declared]] = defaultdict(list)
    for item in items:
        found[item.group, item.kind].append(item)
    return {key: tuple(same) for key, same in sorted(found.items())}


_RESTRICTIVE = ("Policy", "Policies", "Authorization", "Permission", "Permissions", "Intentions")
"""How kinds are called that decide what may pass, or who may do something."""
_NO_TRAFFIC_GROUPS = frozenset(
    {
        "admissionregistration.k8s.io",
        "audit.k8s.io",
        "image.toolkit.fluxcd.io",
        "kyverno.io",
        "policies.kubewarden.io",
        "policies.kyverno.io",
        "policy.cert-manager.io",
        "policy.karmada.io",
        "policy.sigstore.dev",
    }
)
"""Groups whose policies are about objects, images or certificates, never about traffic."""
_NO_TRAFFIC_KINDS = frozenset(
    {
        ("extensions", "PodSecurityPolicy"),
        ("gateway.envoyproxy.io", "BackendTrafficPolicy"),
        ("gateway.envoyproxy.io", "ClientTrafficPolicy"),
        ("gateway.networking.k8s.io", "BackendTLSPolicy"),
        ("policy", "PodSecurityPolicy"),
    }
)


def unused_kinds(tallies: Iterable[Tally]) -> tuple[Diagnostic, ...]:
    """Return one note for each kind that nobody understood: nothing is dropped in silence.

    It is a warning where the kind, by its name, may well restrict traffic.
    """
    return tuple(_unused(tally) for tally in tallies if not tally.understood and tally.kind)


def _unused(tally: Tally) -> Diagnostic:
    single = tally.count == 1
    serious = _may_restrict(tally)
    return Diagnostic(
        faults.KIND_UNUSED,
        Severity.WARNING if serious else Severity.INFO,
        f"{tally.count} {'object' if single else 'objects'} of kind "
        f"{shown(tally.kind)} ({shown(tally.api_version)}) {'is' if single else 'are'} not used",
        tally.first,
        None,
        f"if {'it restricts' if single else 'they restrict'} traffic, answers do not know it"
        if serious
        else "nothing in the answers depends on them, as far as we know",
    )


def _may_restrict(tally: Tally) -> bool:
    group = tally.api_version.rpartition("/")[0]
    return (
        tally.kind.endswith(_RESTRICTIVE)
        and group not in _NO_TRAFFIC_GROUPS
        and not group.startswith("iam.")
        and (group, tally.kind) not in _NO_TRAFFIC_KINDS
    )


def _place(resource: Resource) -> Span:
    return resource.span or Span("", 0, 0)


def _order(resource: Resource) -> tuple[Span, str]:
    """Sort objects of one name by place; by content where even the place is the same."""
    return _place(resource), repr(resource)


def _equal(one: Resource, other: Resource) -> bool:
    """Return whether two objects say the same, wherever they stand."""
    if isinstance(one, Pod) and isinstance(other, Pod):
        return with_changes(one, span=other.span) == other
    if isinstance(one, Declared) and isinstance(other, Declared):
        return one.document.root.plain() == other.document.root.plain()
    return replace(one, span=other.span) == other  # type: ignore[arg-type]  # both are of one kind


def _duplicate(other: Resource, kept: Resource) -> Diagnostic:
    """Say that an object is not the only one of its name."""
    kind = kept.kind if isinstance(kept, Controller | Declared) else type(kept).__name__
    name = shown(kept.name)
    if not isinstance(kept, Namespace | Node) and kept.namespace:
        name = f"{shown(kept.namespace)}/{name}"
    place = _place(kept).place
    return Diagnostic(
        faults.DUPLICATE,
        Severity.ERROR,
        f"{kind} {name} is also defined at {place}, differently",
        other.span,
        f"{kind} {name}",
        f"the definition at {place} is used, as when a sorted directory is applied in order; "
        "this one is ignored",
        "keep one of the two",
    )


def _namespaces(declared: list[Namespace], homes: Iterable[str]) -> dict[str, Namespace]:
    """Return the namespaces by name, those that are only lived in with their name label."""
    known = {
        ns.name: ns
        if ns.labels.get(NAMESPACE_NAME_LABEL) == ns.name
        else replace(ns, labels={**ns.labels, NAMESPACE_NAME_LABEL: ns.name})
        for ns in declared
    }
    for name in homes:
        if name not in known:
            known[name] = Namespace(name, {NAMESPACE_NAME_LABEL: name})
    return dict(sorted(known.items()))


def _nodes(declared: list[Node], pods: list[Pod], controllers: list[Controller]) -> dict[str, Node]:
    """Return the nodes by name; what pods say fills the gaps."""
    known = {node.name: node for node in declared}
    seen: dict[str, set[int]] = {}
    for pod in pods:
        if pod.shape.node is not None:
            seen.setdefault(pod.shape.node, set()).update(pod.host_addresses)
    for controller in controllers:
        if controller.shape.node is not None:
            seen.setdefault(controller.shape.node, set())
    for name, points in seen.items():
        node = known.get(name, Node(name))
        if not node.addresses and points:
            node = replace(node, addresses=tuple(sorted(points)))
        known[name] = node
    return dict(sorted(known.items()))


def _on_node(pod: Pod, nodes: dict[str, Node]) -> Pod:
    """Give a host-network pod without addresses those of its node."""
    shape = pod.shape
    if pod.addresses or not shape.host_network or shape.node is None:
        return pod
    return with_changes(pod, addresses=nodes[shape.node].addresses)
