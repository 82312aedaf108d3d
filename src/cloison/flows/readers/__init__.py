"""Every source that can be read: a row and a file of its own each."""

from importlib import import_module
from typing import Final

from cloison.flows.reader import Head, Reader

READERS: Final = (
    "antrea",
    "audit",
    "aws-agent",
    "aws-vpc",
    "calico-enterprise",
    "calico-whisker",
    "csv",
    "envoy",
    "gke",
    "hubble",
    "json",
    "kubescape",
    "netobserv",
    "otterize",
    "ovn-acl",
    "parquet",
    "tsv",
)
"""Modules of this package, each with a `READER`."""


def reader(name: str) -> Reader:
    """Return the reader of a name, which must be one of `READERS`."""
    found: Reader = import_module(f"cloison.flows.readers.{name.replace('-', '_')}").READER
    return found


def detect(head: Head) -> tuple[tuple[float, Reader], ...]:
    """Return the readers a file may be for, the surest first, with how sure each is."""
    rated = [(found.suits(head), found) for found in map(reader, READERS)]
    return tuple(
        sorted((row for row in rated if row[0] > 0), key=lambda row: (-row[0], row[1].name))
    )
