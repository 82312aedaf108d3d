"""Edges that names suggest. They never count before somebody confirms them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloison.analyses.draft.model import Edge, Hint, Party, Sure, callers
from cloison.analyses.draft.needed import stores
from cloison.analyses.draft.sight import Sight
from cloison.platform.component import Component, PortUse, Role
from cloison.platform.customs import (
    is_broker,
    named_driver,
    named_front,
    named_store,
    named_worker,
    owner_of_store,
    plain,
    stem,
    store_words,
)
from cloison.resources.runtime import VariableSource
from cloison.resources.world import APART, Workload, WorkloadId

_SYSTEM = ("kube-system", "kube-public", "kube-node-lease")


@dataclass(frozen=True, slots=True)
class _Home:
    """The workloads of a namespace, and what is known of them.

    Args:
        all: They.
        called: Those that somebody is known to call.
        calling: Those that are known to call somebody.
        public: Those that are led to from outside.
        stores: Those that are known stores, and what each is.
    """

    all: tuple[Workload, ...]
    called: frozenset[Party]
    calling: frozenset[Party]
    public: frozenset[Party]
    stores: Mapping[WorkloadId, Component]

    def is_store(self, name: WorkloadId) -> bool:
        """Return whether something is a store, by its image or its name."""
        return name in self.stores or named_store(name.name)


def guessed(sight: Sight, hints: tuple[Hint, ...]) -> Iterator[Hint]:
    """Yield edges that names suggest.

    Args:
        sight: What to look at.
        hints: Evidence for edges: what is known needs no guess.
    """
    sure = tuple(each for each in hints if not each.ask)
    inside = tuple(each for each in sure if isinstance(each.edge.source, WorkloadId))
    known = stores(sight)
    doors = _doors(sight)
    public = frozenset(
        each.edge.destination for each in sure if each.door or each.edge.source in doors
    )
    platform = {
        name
        for found in sight.clinic.site.components
        if found.component.role is not Role.STATEFUL
        for name in found.workloads
    }
    homes: dict[str, list[Workload]] = defaultdict(list)
    for workload in sight.clinic.everyone():
        if workload.id.namespace not in (APART, *_SYSTEM) and workload.id not in platform:
            homes[workload.id.namespace].append(workload)
    calling = frozenset(each.edge.source for each in sure)
    for found in homes.values():
        home = _Home(tuple(found), callers(inside), calling, public, known)
        first = (*_stores(sight, home), *_variables(sight, home), *_brokers(sight, home))
        yield from first
        taken = {each.edge.destination for each in first}
        yield from _fronted(sight, home, taken)


def _doors(sight: Sight) -> frozenset[WorkloadId]:
    """Return who serves entries: what they lead to is a front."""
    return frozenset(
        name
        for entry in sight.clinic.site.entries
        for plane in entry.planes
        for name in plane.workloads
    )


def _guess(sight: Sight, home: _Home, source: Workload, destination: Workload, text: str) -> Hint:
    port = sight.only_port(destination) or _client_port(sight, home, destination)
    edge = Edge(source.id, destination.id, "TCP", port)
    return Hint(edge, text, destination.span, Sure.LOW, ask=True)


def _client_port(sight: Sight, home: _Home, store: Workload) -> int | None:
    """Return the port of a known store that clients call: the first of its own that it serves."""
    served = sight.serving.numbers(store.id)
    component = home.stores.get(store.id)
    for each in component.ports if component is not None else ():
        own = each.peer is None and each.direction is PortUse.INGRESS
        if own and isinstance(each.port, int) and (each.protocol, each.port) in served:
            return each.port
    return None


def _stores(sight: Sight, home: _Home) -> Iterator[Hint]:
    """Yield the calls of workloads to stores that are named after them."""
    for store in home.all:
        owner = owner_of_store(store.id.name)
        if owner is None or store.id in home.called or not _listens(sight, store):
            continue
        for each in home.all:
            if stem(each.id.name) == stem(owner) and not home.is_store(each.id):
                text = f"{store.id.name} is named after {plain(each.id.name)}, nobody else calls it"
                yield _guess(sight, home, each, store, text)


def _variables(sight: Sight, home: _Home) -> Iterator[Hint]:
    """Yield calls to stores that a variable names in its own name: `SESSION_REDIS`."""
    for store in home.all:
        words = store_words(store.id.name)
        if words is None or store.id in home.called or not _listens(sight, store):
            continue
        owner, what = words
        component = home.stores.get(store.id)
        products = {what, component.id.rpartition("-")[2] if component is not None else what}
        for each in home.all:
            run = each.endpoints[0].shape.runtime
            for container in run.containers if run is not None and each != store else ():
                for variable in container.variables:
                    secret = variable.refers or ""
                    if variable.source is VariableSource.HIDDEN and _about(secret, store.id.name):
                        text = f"variable {variable.name} is from Secret {secret}"
                        yield _guess(sight, home, each, store, f"{text}, named after the store")
                        continue
                    said = set(variable.name.lower().replace("-", "_").split("_"))
                    if owner in said and said & products:
                        text = f"variable {variable.name} is about {owner} and what it is kept in"
                        yield _guess(sight, home, each, store, text)


def _about(secret: str, name: str) -> bool:
    """Return whether a Secret is named after something: `orders-db-credentials`.

    >>> _about("orders-db-credentials", "orders-db"), _about("orders-dbx", "orders-db")
    (True, False)
    """
    return secret == name or (secret.startswith(name) and secret[len(name)] in "-.")


def _brokers(sight: Sight, home: _Home) -> Iterator[Hint]:
    """Yield calls of workers to the only broker of their namespace."""
    brokers = [each for each in home.all if (c := home.stores.get(each.id)) and is_broker(c.id)]
    if len(brokers) != 1 or brokers[0].id in home.called:
        return
    for each in home.all:
        if each is brokers[0] or home.is_store(each.id) or each.id in home.calling:
            continue
        named = named_worker(each.id.name)
        silent = not sight.serving.services.get(each.id) and not each.endpoints[0].ports
        if named or silent:
            why = "is named like a worker" if named else "serves nothing"
            text = f"{each.id.name} {why}, and {brokers[0].id.name} is the only broker here"
            yield _guess(sight, home, each, brokers[0], text)


def _fronted(sight: Sight, home: _Home, taken: set[Party]) -> Iterator[Hint]:
    """Yield calls of the one front of a namespace to what nobody is known to call."""
    named = [each for each in home.all if each.id in home.public]
    how = "alone is reached from outside"
    if not named:
        named = [each for each in home.all if named_front(each.id.name)]
        how = "alone is named like what users see"
    fronts = {plain(each.id.name) for each in named}
    if len(fronts) != 1:
        return
    for each in home.all:
        alone = each.id not in home.called and each.id not in taken
        own = plain(each.id.name) in fronts or each.id in home.public
        other = home.is_store(each.id) or named_worker(each.id.name) or named_driver(each.id.name)
        if alone and not own and not other and _listens(sight, each):
            for front in named:
                text = f"nobody is known to call {each.id.name}; {front.id.name} {how}"
                yield _guess(sight, home, front, each, text)


def _listens(sight: Sight, workload: Workload) -> bool:
    return bool(sight.serving.numbers(workload.id))
