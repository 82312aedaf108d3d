"""An engine and the one that knows its names, side by side."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloison.ir.names import NamePattern

if TYPE_CHECKING:
    from cloison.engine.engine import Engine


@dataclass(slots=True)
class Naming:
    """What is known of names, shared by an engine and the one that has units of them.

    Args:
        plain: The engine without.
        named: The one with them.
        asked: Names that somebody asked about.
    """

    plain: "Engine"
    named: "Engine | None" = None
    asked: tuple[NamePattern, ...] = ()
