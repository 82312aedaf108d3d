"""What `filtering` runs in a namespace of its own: a child that starts fast, and so knows little.

It reads from standard input what to load and to send, and prints what became of that, as JSON.
"""

import json
import socket
import struct
import subprocess
import sys
from typing import Any

WATCH = """
table inet watch {
	counter untracked { }
	chain last {
		type filter hook input priority 1000; policy accept;
		ct state untracked counter name untracked
	}
}
"""
"""Counts what nobody tracks."""
PROTOCOLS = {"ICMP": 1, "TCP": 6, "UDP": 17, "ICMPV6": 58, "SCTP": 132}
# Whatever comes after the ports is nothing to a filter, as long as it begins something.
_REST = {
    PROTOCOLS["TCP"]: struct.pack("!IIHHHH", 0, 0, 0x5002, 8192, 0, 0),
    PROTOCOLS["UDP"]: struct.pack("!HH", 8, 0),
    PROTOCOLS["SCTP"]: struct.pack("!IIBBHIIHHI", 0, 0, 1, 0, 20, 1, 8192, 1, 1, 1),
}
"""A first packet, but for its ports; nobody looks at checksums within one namespace."""


def _main() -> None:
    request = json.load(sys.stdin)
    commands = ["link set lo up"]
    commands += [
        f"address add {each} dev lo {'nodad' if ':' in each else ''}"
        for each in request["addresses"]
    ]
    _run("ip", "-batch", "-", text="\n".join(commands))
    json.dump([_trial(each) for each in request["trials"]], sys.stdout)


def _trial(trial: dict[str, Any]) -> dict[str, Any]:
    _run("nft", "flush", "ruleset")
    for script in trial["load"]:
        _run("nft", "-f", "-", text=script)
    listed = _run("nft", "list", "ruleset")
    _run("nft", "-f", "-", text=WATCH)
    seen = [_send(**each) for each in trial["packets"]]
    return {"listed": listed, "seen": seen}


def _send(source: str, target: str, protocol: str, port: int, sport: int) -> dict[str, Any]:
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    number = PROTOCOLS.get(protocol) or int(protocol)
    if number in (PROTOCOLS["ICMP"], PROTOCOLS["ICMPV6"]):
        data = struct.pack("!BBHHH", port, sport, 0, 1, 1)
    else:
        data = struct.pack("!HH", sport or 40000, port) + _REST.get(number, bytes(8))
    with (
        socket.socket(family, socket.SOCK_RAW, number) as sender,
        socket.socket(family, socket.SOCK_RAW, number) as receiver,
    ):
        receiver.bind((target, 0))
        receiver.setblocking(False)
        sender.bind((source, 0))
        try:
            sender.sendto(data, (target, 0))
            arrived = bool(receiver.recv(1000))
        except (BlockingIOError, PermissionError):
            # Within one namespace a packet is there at once, or never.
            arrived = False
    listed = json.loads(_run("nft", "-j", "reset", "counters"))["nftables"]
    counters = [each["counter"] for each in listed if "counter" in each]
    return {"arrived": arrived, "counters": [c["name"] for c in counters if c["packets"]]}


def _run(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    _main()
