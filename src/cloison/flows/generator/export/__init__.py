"""Made-up traffic as each source would have written it: the same fields, the same blind spots."""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Final

from cloison.flows.generator.model import Connection, Plan

EXPORTERS: Final = (
    "antrea",
    "aws-agent",
    "aws-vpc",
    "calico-enterprise",
    "csv",
    "envoy",
    "gke",
    "hubble",
    "netobserv",
    "ovn-acl",
)
"""Modules of this package, by the name of the reader that reads what they write."""

Export = Callable[[Plan, Iterable[Connection]], Iterator[str]]
"""Writes what happened as lines."""


def exporter(name: str) -> Export:
    """Return what writes a source's records; the name must be one of `EXPORTERS`."""
    module = import_module(f"cloison.flows.generator.export.{name.replace('-', '_')}")
    found: Export = module.lines
    return found
