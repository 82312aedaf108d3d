"""Contracts in the text of a test."""

import json
from typing import Any

from cloison.base import Diagnostic
from cloison.intent.read import Reading, read_contract
from tests.support.documents import documents

HEAD = "apiVersion: cloison.dev/v1alpha1\nkind: Contract\nmetadata: {name: test}\n"


def reading(text: str, file: str = "contract.yaml") -> Reading:
    """Return what a text holds."""
    return read_contract(documents(text, file))


def of_spec(spec: object) -> Reading:
    """Return what a contract with this spec comes to."""
    return reading(HEAD + f"spec: {json.dumps(spec)}")


def entry(section: str, said: object) -> Reading:
    """Return what a contract of one entry comes to, with zones and externals to lean on."""
    zones = [{"name": "app"}, {"name": "data"}]
    spec: dict[str, Any] = {"zones": zones, "externals": [{"name": "mail", "names": ["a.b"]}]}
    return of_spec(spec | {section: [*spec.get(section, []), said]})


def faults(found: Reading) -> list[tuple[str, int, int]]:
    """Return the codes and places of what is wrong."""
    return [(d.code, *_place(d)) for d in found.diagnostics]


def _place(diagnostic: Diagnostic) -> tuple[int, int]:
    assert diagnostic.span is not None
    return diagnostic.span.line, diagnostic.span.column
