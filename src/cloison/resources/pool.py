"""One copy of each repeated value, so that a hundred thousand pods stay small."""

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from cloison.base import Sharing
from cloison.resources.names import (
    PROTOCOLS,
    NameRule,
    is_label_key,
    is_label_value,
    is_name,
    is_port,
    is_port_name,
)
from cloison.resources.objects import (
    ContainerKind,
    ContainerPort,
    Labels,
    OwnerReference,
    PodShape,
)
from cloison.resources.runtime import Runtime
from cloison.resources.wire import LabelText

T = TypeVar("T", bound=Hashable)
V = TypeVar("V")


class Pool:
    """Values seen so far while reading one set of sources.

    Equal label maps come back as the same object, and so do ports, shapes and owners.
    A pool only ever grows; it is dropped with the load it served.
    """

    __slots__ = (
        "_label_keys",
        "_labels",
        "_mappings",
        "_namespaces",
        "_once",
        "_owners",
        "_port",
        "_shapes",
        "_texts",
        "share",
    )

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._namespaces: dict[str, str | None] = {}
        self._label_keys: dict[str, bool] = {}
        self.share = Sharing()
        """Keeps one of every equal value, for values that need nothing more."""
        self._mappings: dict[tuple[tuple[str, str], ...], Labels] = {}
        self._labels: dict[tuple[tuple[str, str | None], ...], Labels | None] = {}
        self._port: dict[
            tuple[int, str | None, str | None, ContainerKind], ContainerPort | None
        ] = {}
        self._once: dict[Hashable, object] = {}
        self._owners: dict[tuple[str, str, str], OwnerReference] = {}
        self._shapes: dict[tuple[object, ...], PodShape] = {}

    def once(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return what was made for a key, made by the first who asks for it.

        Args:
            key: It says all that what is made depends on, and who made it.
            make: Makes it.
        """
        try:
            found = self._once[key]
        except KeyError:
            found = self._once.setdefault(key, make())
        return cast("V", found)  # the key says who made it, and so of what type it is

    def text(self, text: str) -> str:
        """Return the first text equal to this one."""
        return self._texts.setdefault(text, text)

    def namespace(self, name: str) -> str | None:
        """Return the first namespace of a name, or None when the server would refuse the name."""
        try:
            return self._namespaces[name]
        except KeyError:
            known = self.text(name) if is_name(name, NameRule.LABEL) else None
            return self._namespaces.setdefault(name, known)

    def is_label_key(self, key: str) -> bool:
        """Return whether a text is a label's key, which many objects have."""
        known = self._label_keys.get(key)
        if known is None:
            known = self._label_keys[key] = is_label_key(key)
        return known

    def labels(self, wire: LabelText | None) -> Labels | None:
        """Return labels in canonical order, or None when the server would refuse them."""
        if wire and None in wire.values():
            wire = {key: value or "" for key, value in wire.items()}
        items = tuple(sorted(wire.items())) if wire else ()
        try:
            return self._labels[items]
        except KeyError:
            pass
        labels: Labels | None = None
        if all(self.is_label_key(key) and is_label_value(value or "") for key, value in items):
            labels = self._mappings.get(items)  # type: ignore[arg-type]  # no value is None
            if labels is None:
                labels = {self.text(key): self.text(value or "") for key, value in items}
        self._labels[items] = labels
        return labels

    def mapping(self, written: Labels) -> Labels:
        """Return the first mapping equal to this one, keys in the same order.

        Labels that this pool made count too; nothing is checked here.
        """
        items = tuple(written.items())
        labels = self._labels.get(items)
        return self._mappings.setdefault(items, written) if labels is None else labels

    def port(
        self, number: int, protocol: str | None, name: str | None, kind: ContainerKind
    ) -> ContainerPort | None:
        """Return the one port with these parts, or None when the server would refuse it."""
        key = (number, protocol, name, kind)
        try:
            return self._port[key]
        except KeyError:
            pass
        port: ContainerPort | None = None
        said = protocol or "TCP"
        if is_port(number) and said in PROTOCOLS and (not name or is_port_name(name)):
            port = ContainerPort(number, self.text(said), self.text(name) if name else None, kind)
        self._port[key] = port
        return port

    def owner(self, api_version: str, kind: str, name: str) -> OwnerReference:
        """Return the one reference to this owner."""
        key = (api_version, kind, name)
        owner = self._owners.get(key)
        if owner is None:
            text = self.text
            owner = OwnerReference(text(api_version), text(kind), text(name))
            self._owners[key] = owner
        return owner

    def shape(
        self,
        labels: Labels,
        ports: tuple[ContainerPort, ...],
        service_account: str,
        node: str | None,
        *,
        host_network: bool,
        host_ports: tuple[tuple[str, int], ...] = (),
        runtime: Runtime | None = None,
    ) -> PodShape:
        """Return the one shape with these parts.

        `labels`, `ports` and `runtime` come from this pool.
        """
        # Compared by identity: equal ones of this pool are one object, kept alive here.
        key = (id(labels), ports, host_network, service_account, node, host_ports, id(runtime))
        shape = self._shapes.get(key)
        if shape is None:
            text = self.text
            shape = PodShape(
                labels,
                ports,
                host_network,
                text(service_account),
                None if node is None else text(node),
                host_ports,
                runtime,
            )
            self._shapes[key] = shape
        return shape
