"""Objects that lead or start traffic, and cannot be read."""

from collections.abc import Iterator
from typing import Final

from cloison.base import Diagnostic
from cloison.platform import calls, certificates, endpoints, monitors, rbac, webhooks
from cloison.platform.routes import (
    envoygateway,
    gateway,
    grants,
    ingress,
    leaving,
    openshift,
)
from cloison.platform.routes.planes import SHAPES as PLANES
from cloison.resources.declared import Declared, body
from cloison.resources.world import World

_SHAPES: Final = (
    calls.SHAPES,
    certificates.SHAPES,
    endpoints.SHAPES,
    envoygateway.SHAPES,
    gateway.SHAPES,
    grants.SHAPES,
    ingress.SHAPES,
    leaving.SHAPES,
    monitors.SHAPES,
    openshift.SHAPES,
    rbac.SHAPES,
    webhooks.SHAPES,
    PLANES,
)
"""How those who read objects as they are written do it."""


def unread(world: World) -> Iterator[tuple[Declared, Diagnostic]]:
    """Yield the objects that cannot be read, each with the first thing that keeps it from that.

    Args:
        world: What the cluster holds.
    """
    for shapes in _SHAPES:
        for kind, shape in shapes.items():
            for item in world.declared.get(kind, ()):
                yield from ((item, odd) for odd in body(item, shape)[1])
