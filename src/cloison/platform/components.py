"""Known components of a platform, and those of them that the input holds.

Data as the products ship it (`known/*.toml`), each with its source. All of it is defaults: charts
can be set otherwise, so what the input holds always counts for more.
"""

import tomllib
from difflib import get_close_matches
from functools import cache
from pkgutil import get_data
from typing import Final

import msgspec

from cloison.base import QuestionError
from cloison.platform.cluster import UNKNOWN, Platform
from cloison.platform.component import (
    ANY_VALUE,
    Component,
    ComponentPort,
    Found,
    Placed,
    PortUse,
    Role,
    Said,
)
from cloison.platform.finding import find
from cloison.resources.world import World

__all__ = [
    "ANY_VALUE",
    "Component",
    "ComponentPort",
    "Found",
    "Placed",
    "PortUse",
    "Role",
    "Said",
    "component",
    "found",
    "known",
]

_FILES: Final = (
    "dns",
    "gateways",
    "meshes",
    "observability",
    "controllers",
    "control-plane",
    "providers",
    "stateful",
    "stores",
)


@cache
def known() -> tuple[Component, ...]:
    """Return every component that is known, in the order of the data."""
    return tuple(each for name in _FILES for each in _read(name))


def _read(name: str) -> list[Component]:
    text = get_data(__name__, f"known/{name}.toml") or b""
    return msgspec.convert(tomllib.loads(text.decode())["component"], list[Component])


def component(name: str) -> Component:
    """Return the component with the id `name`.

    Raises:
        QuestionError: there is none; the help names those that are near.
    """
    for each in known():
        if each.id == name:
            return each
    ids = [each.id for each in known()]
    near = get_close_matches(name, ids, 3, 0.5)
    message = f"no component is called {name!r}"
    raise QuestionError(message, help=f"did you mean {' or '.join(near)}?" if near else _roles())


def _roles() -> str:
    return "they are called by what they do: dns-..., gw-..., metrics-..., st-..."


def found(
    world: World, platform: Platform | None = None, said: Said | None = None
) -> tuple[Found, ...]:
    """Return the components that the input holds, in the order of the data.

    A workload is one component: the one whose labels say most of it, then the one whose
    namespace it is in, then the one that its platform ships.

    Args:
        world: What the cluster holds.
        platform: What it is, where that tells like components apart.
        said: What the caller says of components; a component that is nowhere leaves its pods to
            those like it.
    """
    return find(known(), world, platform or UNKNOWN, said or {})
