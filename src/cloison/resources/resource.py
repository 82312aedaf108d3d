"""Everything that reading one object may come to."""

from typing import TypeAlias

from cloison.resources.declared import Declared
from cloison.resources.objects import (
    Controller,
    EndpointSlice,
    Namespace,
    Node,
    Pod,
    Service,
    ServiceAccount,
)

Resource: TypeAlias = (
    Namespace | Pod | Controller | Node | Service | EndpointSlice | ServiceAccount | Declared
)
