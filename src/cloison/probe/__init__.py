"""What runs a matrix of connectivity tests: the engine; later a kernel and a live cluster."""

from cloison.probe.simulate import run

__all__ = ["run"]
