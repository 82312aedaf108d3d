"""Binds policies to a world and answers who may talk to whom. Knows no vendor, does no I/O."""

from cloison.engine.engine import Engine
from cloison.engine.point import Point
from cloison.engine.reach import Rectangle
from cloison.engine.units import Networks, Unit, UnitKind, UnitTable

__all__ = ["Engine", "Networks", "Point", "Rectangle", "Unit", "UnitKind", "UnitTable"]
