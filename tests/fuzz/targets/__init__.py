"""The table of targets: every reader of something that others wrote.

A new reader is a row here. Modules are imported when asked for, because code is measured only
if it is imported under the fuzzer's eyes.
"""

from importlib import import_module

from tests.fuzz.target import Target

TABLE = {
    "yaml": "sources",
    "json": "sources",
    "bulk": "sources",
    "read": "sources",
    "scalars": "sources",
    "objects": "resources",
    "networkpolicy": "dialects",
    "adminpolicy": "dialects",
    "unmodelled": "dialects",
    "calico": "calico",
    "calico-selectors": "calico",
    "cilium": "cilium",
    "cilium-values": "cilium",
    "selectors": "dialects",
    "cidr": "dialects",
    "patterns": "patterns",
    "tests": "questions",
    "questions": "questions",
    "session": "session",
    "settings": "surroundings",
    "names": "surroundings",
    "projects": "surroundings",
    "what-if": "surroundings",
    "flows": "flows",
}
"""Module below this package, by name of the target."""


def target(name: str) -> Target:
    """Return a target; its module has it under its name in capitals."""
    found = getattr(import_module(f"{__name__}.{TABLE[name]}"), name.upper().replace("-", "_"))
    assert isinstance(found, Target)
    assert found.name == name
    return found
