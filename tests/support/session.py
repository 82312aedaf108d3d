"""The one place where tests meet the application's and the engine's interface."""

from typing import TYPE_CHECKING

from cloison.algebra import parse_address
from cloison.app import load_objects
from cloison.resources.objects import Node
from cloison.resources.world import PodEndpoint, World
from tests.oracle.raw import End, Manifest
from tests.support.worlds import Flow

if TYPE_CHECKING:
    from cloison.app import Session


def load(objects: list[Manifest]) -> "Session":
    """Load plain manifests under the `generic` profile."""
    return load_objects(objects, profile="generic")


def ask(session: "Session", flow: Flow) -> str:
    """Return the engine's verdict."""
    src, dst, protocol, port, family = flow.question()
    return str(session.verdict(src, dst, protocol, port, family))


def endpoint(world: World, end: End) -> PodEndpoint | Node | int:
    """Return what the world holds under an end's name."""
    match end:
        case ("node", name):
            return world.nodes[name]
        case ("ip", text):
            return parse_address(text)
        case ("pod", namespace, name):
            return next(
                e
                for w in world.workloads.values()
                for e in w.endpoints
                if (e.namespace, e.pod) == (namespace, name)
            )
        case ("workload", namespace, kind, name):
            return next(
                w.endpoints[0]
                for i, w in world.workloads.items()
                if (i.namespace, i.kind, i.name) == (namespace, kind, name)
            )
    raise KeyError(end)
