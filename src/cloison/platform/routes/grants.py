"""Which references from one namespace into another are permitted.

Source: kubernetes-sigs/gateway-api apis/v1/referencegrant_types.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cloison.platform.routes.wire import GrantSpecW, GrantW
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import World

_KEY: Final = ("gateway.networking.k8s.io", "ReferenceGrant")
SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {_KEY: GrantW}
"""How objects are read here."""


@dataclass(frozen=True, slots=True)
class Grants:
    """All grants, by the namespace they are in: that of what is referred to."""

    held: tuple[tuple[str, GrantSpecW], ...]

    @classmethod
    def of(cls, world: World) -> "Grants":
        """Return the grants of a world, as far as they can be read."""
        found = []
        for item in world.declared.get(_KEY, ()):
            read, _ = body(item, GrantW)
            if read is not None and read.spec is not None:
                found.append((item.namespace, read.spec))
        return cls(tuple(found))

    def permit(self, item: Declared, namespace: str, group: str, kind: str, name: str) -> bool:
        """Return whether an object may refer to one of a namespace.

        Args:
            item: What refers.
            namespace: Where the other one is.
            group: Its API group.
            kind: Its kind.
            name: Its name.
        """
        if namespace == item.namespace:
            return True
        return any(
            any(
                (each.group or "", each.kind, each.namespace)
                == (item.group, item.kind, item.namespace)
                for each in spec.from_ or ()
                if each is not None
            )
            and any(
                (each.group or "", each.kind) == (group, kind) and each.name in (None, "", name)
                for each in spec.to or ()
                if each is not None
            )
            for home, spec in self.held
            if home == namespace
        )
