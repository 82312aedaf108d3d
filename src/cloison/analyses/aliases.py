"""What an ExternalName Service stands for: it is an alias, and only resolvers know of it.

Source: kubernetes/website content/en/docs/concepts/services-networking/service.md.
"""

from collections.abc import Sequence
from dataclasses import replace

from cloison.algebra import parse_address
from cloison.analyses.ends import AddressEnd, NameEnd, Names, ServiceEnd
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.platform.routes.model import Stop

_ALIASES = 8
"""Aliases of aliases that are followed."""


def alias(engine: Engine, end: ServiceEnd) -> ServiceEnd | NameEnd | AddressEnd | Stop:
    """Return what an ExternalName Service stands for: another Service, or a name outside.

    Args:
        engine: Whose world.
        end: The Service.
    """
    seen: list[str] = []
    while end.service.type == "ExternalName":
        name = (end.service.external_name or "").rstrip(".").lower()
        if end.text in seen or len(seen) > _ALIASES:
            return _no_end(end, seen)
        if not name:
            return _no_alias(end, f"{end.text} is an alias for nothing that has an address")
        seen.append(end.text)
        if _is_address(name):
            said = f"{end.text} is an alias for {name}, and no resolver takes that for an address"
            return _no_alias(end, said)
        try:
            found = Names(engine).end(f"dns:{name}")
        except QuestionError as error:
            return _no_alias(end, f"{end.text} is an alias for {name}: {error.message}")
        if isinstance(found, NameEnd | AddressEnd):
            return found
        if not isinstance(found, ServiceEnd):
            return _no_alias(end, f"{end.text} is an alias for {name}, which is no name")
        end = ServiceEnd(f"svc:{found.service.namespace}/{found.service.name}", found.service)
    return end


def _no_end(end: ServiceEnd, seen: Sequence[str]) -> Stop:
    """Return what keeps a call off whose name is an alias of aliases without an end."""
    chain = " -> ".join((*seen, end.text))
    first = seen[0]
    if end.text == first:
        said = f"{first} is an alias that leads back to itself: {chain}"
    elif end.text in seen:
        said = f"{first} is an alias into a loop: {chain}"
    else:
        said = f"{first} is an alias of more than {_ALIASES} aliases, and is followed no further: "
        said += chain
    stop = _no_alias(end, said)
    return replace(stop, reason="AliasLoop", help="let one of them name what has an address")


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except ValueError:
        return False
    return True


def _no_alias(end: ServiceEnd, said: str) -> Stop:
    return Stop(
        "NoSuchName",
        said,
        "write a DNS name, or a Service without a selector and an EndpointSlice for addresses",
        end.service.span,
        "kubernetes/website concepts/services-networking/service.md, ExternalName",
    )
