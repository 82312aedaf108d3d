"""Other analyzers, where somebody has installed them: none comes with Cloison.

Each is given the same directory, and asked for everything that may talk to everything. What
`netpol-analyzer` says is held against the engine; what NCA prints is joined to rules of its own
making, and only its time is taken.
"""

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import Ran, run

Connections = Mapping[tuple[str, str], str]
"""What may pass between two workloads, `namespace/name` each, in the words of who says it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that lists connectivity.

    Args:
        name: What it is called.
        programs: What it is called on PATH.
        arguments: What it is given, `{folder}` standing for the directory.
        answers: Whether we can read what it prints.
    """

    name: str
    programs: tuple[str, ...]
    arguments: tuple[str, ...]
    answers: bool = False

    def found(self) -> str | None:
        """Return where it is, if it is installed."""
        # What is installed beside the Python that runs this counts too.
        places = (None, str(Path(sys.executable).parent))
        paths = (shutil.which(one, path=place) for one in self.programs for place in places)
        return next((path for path in paths if path), None)

    def run(self, program: str, folder: Path, output: Path) -> Ran:
        """Run it on a directory, its output going to a file."""
        filled = [each.format(folder=folder) for each in self.arguments]
        return run([program, *filled], output)


PEERS = (
    Peer("cloison", ("cloison",), ("map", "-f", "{folder}", "-o", "jsonl")),
    Peer(
        "netpol-analyzer",
        ("netpolicy", "k8snetpolicy", "netpol-analyzer"),
        ("list", "--dirpath", "{folder}"),
        answers=True,
    ),
    Peer("nca", ("nca",), ("--connectivity", "{folder}", "--base_dir", "{folder}")),
)
"""Cloison's own command, to be compared with, and the others."""

_LINE = re.compile(r"^(\S+)\[\w+\] => (\S+)\[\w+\] : (.+)$")


def listed(output: Path) -> Connections:
    """Read the lines of netpol-analyzer: `web/a[Deployment] => web/b[Deployment] : TCP 80`."""
    found = (_LINE.match(line) for line in output.read_text(encoding="utf-8").splitlines())
    return {(line[1], line[2]): line[3] for line in found if line}


def allows(connections: str, protocol: str, port: int) -> bool:
    """Return whether connections in netpol-analyzer's words hold a port.

    >>> allows("SCTP 1-65535,TCP 80,443,8000-8100", "TCP", 8080)
    True
    >>> allows("All Connections", "UDP", 53)
    True
    >>> allows("UDP 53", "TCP", 53)
    False
    """
    if connections == "All Connections":
        return True
    current = ""
    for part in connections.split(","):
        *said, ports = part.strip().split(" ")
        current = said[0] if said else current
        low, _, high = ports.partition("-")
        if current == protocol and int(low) <= port <= int(high or low):
            return True
    return False
