"""How rules of one endpoint come together: tables that Cilium's unit tests and pages have.

Source: cilium/cilium pkg/policy/distillery_test.go (Test_MergeRules,
TestEgressPortRangePrecedence), Documentation/security/policy/deny.rst, at v1.19.4.
"""

from typing import Any

import pytest
import yaml

from cloison.app import Session, load_texts
from tests.conformance.published.examples import PROFILE

PORT = {"ports": [{"port": "80", "protocol": "TCP"}]}
ONLY_ROOT = {**PORT, "rules": {"http": [{"method": "GET", "path": "/"}]}}
FRIEND = {"fromEndpoints": [{"matchLabels": {"app": "friend"}}]}
PARTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ingress", FRIEND),
    ("ingress", {"toPorts": [PORT]}),
    ("ingress", {**FRIEND, "toPorts": [PORT]}),
    ("ingress", {"toPorts": [ONLY_ROOT]}),
    ("ingress", {**FRIEND, "toPorts": [ONLY_ROOT]}),
    ("ingressDeny", {**FRIEND, "toPorts": [PORT]}),
    ("ingressDeny", {"toPorts": [PORT]}),
    ("ingressDeny", FRIEND),
)
"""Rules of the table: a peer, a port, both, either with requests; then the same as denials."""
(A_PEER, A_PORT, BOTH, ROOT, ROOT_OF_PEER, NO_PAIR, NO_PORT, NO_PEER) = range(8)


def _pod(name: str, address: int, **labels: str) -> dict[str, Any]:
    ip = f"10.0.{address // 250}.{address % 250 + 1}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "example/main:1"}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    }


def _policy(name: str, **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "default"}
    selected = {"endpointSelector": {"matchLabels": {"of": name}}}
    api = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy"}
    return {**api, "metadata": meta, "spec": {**selected, **spec}}


def _subjects(specs: dict[str, dict[str, Any]]) -> Session:
    """Return a session with a pod for each policy, which is about that pod alone."""
    pods = [_pod(name, i, of=name) for i, name in enumerate(specs)]
    ends = [_pod("friend", 1200, app="friend"), _pod("other", 1201, app="other")]
    policies = [_policy(name, **spec) for name, spec in specs.items()]
    text = yaml.safe_dump_all([*pods, *ends, *policies])
    return load_texts({"all.yaml": text}, profile=PROFILE)


def _verdict(asked: Session, src: str, dst: str, http: str | None = None) -> str:
    said = {"http": http} if http else {}
    return str(asked.why(f"default/{src}", f"default/{dst}", **said).verdict)


ALLOWS, DENIALS_FROM = 5, 5
"""How many of the rules allow, and where those begin that deny."""
CHOSEN = (0, 0b00001, 0b01000, 0b11111)
"""Sets of allowing rules that are tried with every set of denials."""
COMBINATIONS = sorted(
    {*range(1 << ALLOWS), *(a | d << DENIALS_FROM for a in CHOSEN for d in range(1 << 3))}
)


@pytest.mark.parametrize("number", COMBINATIONS)
def test_combinations_of_rules(number: int) -> None:
    """A denial wins; what allows without asking for a request frees one that asks."""
    has = {place for place in range(len(PARTS)) if number >> place & 1}
    lists: dict[str, list[dict[str, Any]]] = {"ingress": [{}]}
    for place in has:
        name, rule = PARTS[place]
        lists.setdefault(name, []).append(rule)
    asked = _subjects({"subject": lists})
    expected = {
        "friend": _at_port(
            denied=bool(has & {NO_PAIR, NO_PORT, NO_PEER}),
            free=bool(has & {A_PEER, A_PORT, BOTH}),
            asks=bool(has & {ROOT, ROOT_OF_PEER}),
        ),
        "other": _at_port(denied=NO_PORT in has, free=A_PORT in has, asks=ROOT in has),
    }
    requests = ("GET /", "POST /", None)
    for src, wanted in expected.items():
        assert tuple(_verdict(asked, src, "subject:80", each) for each in requests) == wanted
    opened = A_PEER in has and NO_PEER not in has
    assert _verdict(asked, "friend", "subject:81") == ("allowed" if opened else "denied")
    assert _verdict(asked, "other", "subject:81") == "denied"


def _at_port(*, denied: bool, free: bool, asks: bool) -> tuple[str, str, str]:
    """Return the verdicts for the request asked for, for another, and for none said."""
    if denied or not (free or asks):
        return ("denied", "denied", "denied")
    return ("allowed",) * 3 if free else ("allowed", "denied", "mixed")


RANGES: tuple[tuple[str, list[tuple[int, int, bool]], list[tuple[int, int]]], ...] = (
    ("a denied range around an allowed port", [(80, 80, True), (1, 1024, False)], []),
    (
        "a denied port in an allowed range",
        [(80, 80, False), (1, 1024, True)],
        [(1, 79), (81, 1024)],
    ),
    ("every port denied", [(0, 0, False), (1, 1024, True)], []),
    ("every port allowed but for a range", [(0, 0, True), (1, 1024, False)], [(1025, 65535)]),
    (
        "two allowed ranges that share a port, and a denied one across",
        [(80, 90, True), (85, 95, False), (90, 100, True)],
        [(80, 84), (96, 100)],
    ),
)
"""Ranges of TCP ports with whether they are allowed, and the ports that then are open."""


@pytest.mark.parametrize(("name", "rules", "opened"), RANGES)
def test_ranges_of_ports(
    name: str, rules: list[tuple[int, int, bool]], opened: list[tuple[int, int]]
) -> None:
    lists: dict[str, list[dict[str, Any]]] = {}
    for first, last, allows in rules:
        ports = {"port": str(first), "protocol": "TCP"} | ({"endPort": last} if last else {})
        rule = {"toEndpoints": [{}], "toPorts": [{"ports": [ports]}]}
        lists.setdefault("egress" if allows else "egressDeny", []).append(rule)
    asked = _subjects({"subject": lists})
    edges = {1, 65535, *(each + step for rule in rules for each in rule[:2] for step in (-1, 0, 1))}
    for port in sorted(edges & set(range(1, 65536))):
        wanted = any(low <= port <= high for low, high in opened)
        said = _verdict(asked, "subject", f"other:{port}")
        assert said == ("allowed" if wanted else "denied"), (name, port)


DENIALS: tuple[tuple[list[Any], list[Any], str], ...] = (
    ([ONLY_ROOT, PORT, 81], [], "allowed allowed allowed"),
    ([ONLY_ROOT, PORT, 81], [PORT], "allowed denied allowed"),
    ([ONLY_ROOT, PORT, 81], [FRIEND], "denied denied denied"),
    ([ONLY_ROOT, PORT, 81], [PORT, FRIEND], "denied denied denied"),
    ([], [PORT], "denied denied denied"),
)
"""What the page says of a server's port 81, its port 80 and a ping, by allows and denials."""


@pytest.mark.parametrize(("allows", "denies", "expected"), DENIALS)
def test_the_table_of_the_page_about_denials(
    allows: list[Any], denies: list[Any], expected: str
) -> None:
    opened = [
        {"toPorts": [{"ports": [{"port": str(each), "protocol": "TCP"}]}]}
        if isinstance(each, int)
        else {"toPorts": [each]}
        for each in allows
    ]
    lists = {
        "ingress": [*opened, FRIEND] if allows else [],
        "ingressDeny": [
            each if "fromEndpoints" in each else {"toPorts": [each]} for each in denies
        ],
    }
    asked = _subjects({"server": {key: each for key, each in lists.items() if each}})
    said = [_verdict(asked, "friend", f"server:{port}") for port in ("81", "80", "icmp")]
    assert said == expected.split()
