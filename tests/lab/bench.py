"""Two hosts and a router between them, in namespaces of a child process that takes them along.

`unshare ... python -m tests.lab.bench` measures what `test_prober` asserts, and prints it as JSON.
"""

import asyncio
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cloison.probe.lab.enter import entered, prepare
from cloison.probe.lab.listeners import Listeners
from cloison.probe.lab.plan import Measured, Probe
from cloison.probe.lab.prober import Prober

NAMES = ("router", "here", "there")
SOURCES = {4: "10.1.0.2", 6: "fd01::2"}
TARGETS = {4: "10.2.0.2", 6: "fd02::2"}
ROUTERS = {4: "10.1.0.1", 6: "fd01::1"}
SERVICES = {4: "10.96.0.1", 6: "fd96::1"}
LISTENING = ("TCP", "UDP", "SCTP")
PORTS = (80, 81, 82, 83, 84, 85)

# Two ends that have the same number come up late: the kernel takes the pair for no pair.
LINKS = """
link add index 2 name wire netns here type veth peer index 11 name here netns router
link add index 2 name wire netns there type veth peer index 12 name there netns router
"""
HOST = """
link set lo up
address add 10.{n}.0.2/24 dev wire
address add fd0{n}::2/64 dev wire nodad
link set wire up
"""
SCRIPTS = {
    "router": """
link set lo up
address add 10.1.0.1/24 dev here
address add fd01::1/64 dev here nodad
address add 10.2.0.1/24 dev there
address add fd02::1/64 dev there nodad
link set here up
link set there up
route add blackhole 10.9.1.0/24
route add unreachable 10.9.2.0/24
route add prohibit 10.9.3.0/24
route add blackhole fd09:1::/64
route add unreachable fd09:2::/64
route add prohibit fd09:3::/64
""",
    "here": HOST.format(n=1)
    + """
route add default via 10.1.0.1
route add default via fd01::1
route add blackhole 10.8.1.0/24
route add unreachable 10.8.2.0/24
route add prohibit 10.8.3.0/24
""",
    "there": HOST.format(n=2)
    + """
route add 10.1.0.0/16 via 10.2.0.1
route add fd01::/32 via fd02::1
""",
}
# What happens to a port is the same for every protocol that can have it happen.
RULES = {
    "router": """
table inet bench {
  counter silent { }
  chain aiming {
    type nat hook prerouting priority -100
    ip daddr 10.96.0.1 meta l4proto { tcp, udp, sctp } dnat ip to 10.2.0.2
    ip6 daddr fd96::1 meta l4proto { tcp, udp, sctp } dnat ip6 to fd02::2
  }
  chain passing {
    type filter hook forward priority 0; policy accept
    ct state established accept
    th dport 81 counter name silent drop
    th dport 82 reject with icmpx admin-prohibited
    tcp dport 83 reject with tcp reset
    th dport 84 reject with icmpx port-unreachable
  }
}
""",
    "here": """
table inet bench {
  chain leaving {
    type filter hook output priority 0; policy accept
    th dport 85 drop
  }
}
""",
}
NOW_NOTHING = "insert rule inet bench passing drop"
AGAIN = "flush chain inet bench passing"


class Found(msgspec.Struct, frozen=True):
    """What came of everything that was tried.

    Args:
        single: A probe of each kind.
        closed: Datagrams to ports at which nothing listens, more than a host usually answers.
        many: Thousands at once, of which every third is dropped.
        alike: The same probe from the same port, all at once.
        once: One attempt at what is dropped.
        packets: How many packets of that were counted.
        fetched: What a client of HTTP got: status and body.
        held: What was held: a stream, datagrams, and a stream that never came about.
        still: Whether it worked at first, behind a filter that drops everything, without that
            filter, and after it was let go.
    """

    single: list[tuple[Probe, Measured]]
    closed: list[Measured]
    many: list[tuple[Probe, Measured]]
    alike: list[Measured]
    once: Measured
    packets: int
    fetched: tuple[int, str]
    held: list[int]
    still: list[list[bool]]


def run(*command: str, script: str = "") -> str:
    done = subprocess.run(command, input=script, text=True, check=True, stdout=subprocess.PIPE)
    return done.stdout


def nft(spaces: dict[str, int], name: str, script: str) -> None:
    with entered(spaces[name]):
        run("nft", "-f", "-", script=script)


def silenced(spaces: dict[str, int]) -> int:
    with entered(spaces["router"]):
        told = json.loads(run("nft", "-j", "list", "counter", "inet", "bench", "silent"))
    return int(told["nftables"][-1]["counter"]["packets"])


def build() -> dict[str, int]:
    run("mount", "-t", "tmpfs", "bench", "/run")
    Path("/run/netns").mkdir()
    run("ip", "-batch", "-", script="".join(f"netns add {name}\n" for name in NAMES))
    spaces = {name: os.open(f"/run/netns/{name}", os.O_RDONLY) for name in NAMES}
    for space in spaces.values():
        prepare(space)
    run("ip", "-batch", "-", script=LINKS)
    for name in NAMES:
        run("ip", "-n", name, "-batch", "-", script=SCRIPTS[name])
    with entered(spaces["router"]):
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            Path("/proc/sys/net", switch).write_text("1", encoding="ascii")
    for name, rules in RULES.items():
        nft(spaces, name, rules)
    return spaces


def fetch(space: int) -> tuple[int, str]:
    with entered(space):
        client = http.client.HTTPConnection(TARGETS[4], 80)
        client.request("GET", "/")
        answer = client.getresponse()
        body = answer.read().decode()
        client.close()
    return answer.status, body


def to(target: str, protocol: str = "TCP", port: int = 80, source_port: int = 0) -> Probe:
    source = SOURCES[6 if ":" in target else 4]
    return Probe("here", source, target, protocol, port, source_port)


def singles() -> list[Probe]:
    ways = [
        to(target, protocol, port)
        for version in (4, 6)
        for target in (TARGETS[version], SERVICES[version])
        for protocol in LISTENING
        for port in (*PORTS, 90)
    ]
    ways += [to(TARGETS[version], "ICMP", 0) for version in (4, 6)]
    ways += [to(target, "SCTP") for target in ROUTERS.values()]
    # Few of those that the router's routes refuse: the kernel rations such answers.
    ways += [to(f"10.9.{n}.1") for n in (1, 2, 3)] + [to(f"fd09:{n}::1") for n in (1, 2, 3)]
    ways += [to(f"10.8.{n}.1", protocol) for n in (1, 2, 3) for protocol in (*LISTENING, "ICMP")]
    # `there` has no default route, and is its own neighbour.
    ways += [
        Probe("there", TARGETS[4], target, protocol, 80)
        for target in ("10.200.0.1", TARGETS[4])
        for protocol in (*LISTENING, "ICMP")
    ]
    ways += [to(TARGETS[4], protocol, 80, 4444) for protocol in LISTENING]
    for protocol in LISTENING:
        ways += [
            Probe("here", "10.7.7.7", TARGETS[4], protocol, 80),
            Probe("here", "localhost", TARGETS[4], protocol, 80),
            Probe("here", SOURCES[4], "localhost", protocol, 80),
            Probe("here", SOURCES[4], TARGETS[6], protocol, 80),
            Probe("here", SOURCES[4], TARGETS[4], protocol, 70000),
            Probe("nowhere", SOURCES[4], TARGETS[4], protocol, 80),
        ]
    return [*ways, to(TARGETS[4], "DCCP")]


async def measure(spaces: dict[str, int]) -> Found:
    loop = asyncio.get_running_loop()
    listeners = Listeners(spaces, loop)
    prober = Prober(spaces, loop, listeners.sctp)
    for protocol in LISTENING:
        for port in PORTS:
            listeners.listen("there", protocol, port)
            listeners.listen("there", protocol, port)

    async def both(probes: Sequence[Probe]) -> list[tuple[Probe, Measured]]:
        return list(zip(probes, await prober.probe(probes), strict=True))

    single = await both(singles())
    closed = await prober.probe([to(TARGETS[n % 2 * 2 + 4], "UDP", 2000 + n) for n in range(300)])
    many = await both(
        [
            to(TARGETS[n % 2 * 2 + 4], protocol, 80 + (n % 3 == 0))
            for n in range(500)
            for protocol in (*LISTENING, "UDP")
        ]
    )
    alike = await prober.probe([to(TARGETS[4], "UDP", 80, 5555)] * 8)
    before = silenced(spaces)
    (once,) = await prober.probe([to(TARGETS[4], "TCP", 81)], attempts=1)
    packets = silenced(spaces) - before
    fetched = await asyncio.to_thread(fetch, spaces["here"])
    held = await prober.hold([to(TARGETS[4]), to(TARGETS[6], "UDP"), to(TARGETS[4], "TCP", 81)])
    still = [await prober.still(held)]
    for script in (NOW_NOTHING, AGAIN):
        nft(spaces, "router", script)
        still.append(await prober.still(held))
    prober.release(held)
    still.append(await prober.still(held))
    prober.close()
    listeners.close()
    return Found(single, closed, many, alike, once, packets, fetched, held, still)


def main() -> None:
    found = asyncio.run(measure(build()))
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
