"""Scripts of packet filters, loaded by a real kernel in a namespace of their own.

Packets go from address to address within that one namespace. Whoever has an address of a pod is
a pod to the filter, whoever has the node's is the node.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import msgspec

from cloison.dialects.nftables import loading
from cloison.probe.lab.start import command, surroundings
from tests.support.cli import ROOT
from tests.support.machine import need_lab


@dataclass(frozen=True)
class Packet:
    """A packet.

    Args:
        source: The address it comes from.
        target: The address it goes to.
        protocol: By name, or number.
        port: Its destination port, or type of ICMP.
        sport: Its source port, or code of ICMP.
    """

    source: str
    target: str
    protocol: str = "UDP"
    port: int = 80
    sport: int = 0


@dataclass(frozen=True)
class Seen:
    """What became of a packet.

    Args:
        arrived: Whether it came through.
        counters: Names of the counters that it moved; `untracked` is one where nobody tracks it.
    """

    arrived: bool
    counters: frozenset[str]


@dataclass(frozen=True)
class Trial:
    """What a kernel made of a script.

    Args:
        listed: What it holds, as `nft` lists it.
        seen: What became of each packet.
    """

    listed: str
    seen: tuple[Seen, ...]


def tried(trials: Sequence[tuple[str, Sequence[Packet]]]) -> list[Trial]:
    """Load scripts one after the other, and send packets through each.

    Every packet is the first of its connection.

    Raises:
        AssertionError: One does not load.
    """
    addresses = {a for _, packets in trials for p in packets for a in (p.source, p.target)}
    request = {
        "addresses": sorted(addresses),
        "trials": [
            {
                "load": _in_order(script),
                "packets": [asdict(packet) for packet in packets],
            }
            for script, packets in trials
        ],
    }
    said = in_private(sys.executable, "-m", "tests.support.filterbench", text=json.dumps(request))
    return msgspec.json.decode(said, type=list[Trial])


def _in_order(script: str) -> list[str]:
    found = loading(script, "")
    return [*found.before, found.last]


def in_private(*words: str, text: str = "") -> str:
    """Run a program in namespaces of its own, and return what it prints.

    Raises:
        AssertionError: It fails.
    """
    need_lab()
    done = subprocess.run(
        [*command(), *words],
        input=text,
        cwd=ROOT,
        env=surroundings(),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
