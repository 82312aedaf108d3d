"""What a lab is made of, tried with packets: routes, Services, names, nodes, the outside."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cloison.base import QuestionError, SourceError
from cloison.probe.lab.client import Lab
from cloison.probe.lab.plan import Listen, Plan, Probe, ServicePlan, ServicePort, Station

A4, A6, B4, B6, C4 = "10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2", "10.0.0.3"
N1, N2, OUTSIDE = "192.168.0.1", "192.168.0.2", "203.0.113.1"
WEB = (Listen("TCP", 8080, "http"), Listen("UDP", 8081))
PLAN = Plan(
    nodes=(
        Station("node:n1", "n1", (N1, "fd01::1"), (Listen("TCP", 10250),)),
        Station("node:n2", "n2", (N2, "fd01::2")),
    ),
    pods=(
        Station("web/a", "n1", (A4, A6), WEB, "web/a"),
        Station("web/b-0", "n2", (B4, B6), WEB, "web/b"),
        Station("db/c", "n1", (C4,), (), "db/c"),
    ),
    outside=(OUTSIDE, "2001:db8::1"),
    services=(
        ServicePlan(
            "web/both",
            ("10.96.0.1", "fd02::1"),
            (
                ServicePort("TCP", 80, ((A4, 8080), (A6, 8080)), 30080),
                ServicePort("UDP", 81, ((A4, 8081),)),
                ServicePort("TCP", 82, ()),
            ),
        ),
        ServicePlan("web/far", ("10.96.0.2",), (ServicePort("TCP", 80, ((B4, 8080),), 30081),)),
        ServicePlan("web/two", ("10.96.0.3",), (ServicePort("TCP", 80, ((A4, 8080), (B4, 8080))),)),
    ),
    names={"both.web.svc.cluster.local": ("10.96.0.1", "fd02::1")},
    dns=("10.96.0.53",),
    answering=(("db/c", 5353),),
)
DNS = ServicePlan(
    "kube-system/kube-dns",
    ("10.96.0.53",),
    (ServicePort("UDP", 53, ((C4, 5353),)), ServicePort("TCP", 53, ((C4, 5353),))),
)
DROP = """
table inet test {
  counter dropped { }
  chain out { type filter hook forward priority 0; ip daddr 10.0.0.2 counter name dropped drop; }
}
"""


@pytest.fixture(scope="module")
def lab(machine: None) -> Iterator[Lab]:
    plan = msgspec.structs.replace(PLAN, services=(*PLAN.services, DNS))
    with Lab.up(plan) as running:
        yield running


def outcomes(lab: Lab, *probes: Probe) -> list[str]:
    return [each.outcome for each in lab.probe(probes)]


def peer(lab: Lab, probe: Probe) -> tuple[str, str]:
    """Return who answers, and which address they see."""
    (found,) = lab.probe([probe])
    assert found.outcome == "open", found
    station, address, _ = found.detail.split()
    return station, address


def tcp(source: str, address: str, target: str, port: int) -> Probe:
    return Probe(source, address, target, "TCP", port)


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (tcp("web/a", A4, B4, 8080), ("web/b-0", A4)),
        (tcp("web/a", A6, B6, 8080), ("web/b-0", A6)),
        (tcp("web/a", A4, A4, 8080), ("web/a", A4)),
        (Probe("db/c", C4, A4, "UDP", 8081), ("web/a", C4)),
        (tcp("web/b-0", B4, N1, 10250), ("node:n1", B4)),
        (tcp("web/a", A6, "fd01::1", 10250), ("node:n1", A6)),
        (tcp("node:n2", N2, A4, 8080), ("web/a", N2)),
        (tcp("outside", OUTSIDE, A4, 8080), ("web/a", OUTSIDE)),
        (tcp("outside", "198.51.100.77", A4, 8080), ("web/a", "198.51.100.77")),
    ],
)
def test_who_is_reached_and_as_whom(lab: Lab, probe: Probe, expected: tuple[str, str]) -> None:
    assert peer(lab, probe) == expected


def test_nothing_is_lost_between_anybody(lab: Lab) -> None:
    ends = [
        ("web/a", A4),
        ("web/b-0", B4),
        ("db/c", C4),
        ("node:n1", N1),
        ("node:n2", N2),
        ("outside", OUTSIDE),
    ]
    pairs = [tcp(name, own, there, 9) for name, own in ends for _, there in ends]
    assert outcomes(lab, *pairs) == ["refused"] * len(pairs)


def test_there_is_no_way_into_a_family_that_one_has_no_address_of(lab: Lab) -> None:
    assert outcomes(lab, Probe("db/c", "", A6, "TCP", 8080)) in (["no-route"], ["failed"])


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (tcp("web/b-0", B4, "10.96.0.1", 80), ("web/a", B4)),
        (tcp("web/b-0", B6, "fd02::1", 80), ("web/a", B6)),
        (Probe("web/b-0", B4, "10.96.0.1", "UDP", 81), ("web/a", B4)),
        (tcp("node:n2", N2, "10.96.0.1", 80), ("web/a", N2)),
        (tcp("outside", OUTSIDE, "10.96.0.1", 80), ("web/a", OUTSIDE)),
        # Led back to itself it sees its node, or the answer would never come back.
        (tcp("web/a", A4, "10.96.0.1", 80), ("web/a", N1)),
        (tcp("web/a", A6, "fd02::1", 80), ("web/a", "fd01::1")),
        # By a node's port: from here, from there, and through a node that has no backend.
        (tcp("web/b-0", B4, N2, 30081), ("web/b-0", N2)),
        # Of who dials another node's port the address is replaced, as kube-proxy does.
        (tcp("web/b-0", B4, N1, 30080), ("web/a", N1)),
        (tcp("outside", OUTSIDE, N1, 30081), ("web/b-0", N1)),
    ],
)
def test_services(lab: Lab, probe: Probe, expected: tuple[str, str]) -> None:
    assert peer(lab, probe) == expected


def test_backends_take_turns(lab: Lab) -> None:
    reached = [peer(lab, tcp("db/c", C4, "10.96.0.3", 80))[0] for _ in range(4)]
    assert sorted(reached) == ["web/a", "web/a", "web/b-0", "web/b-0"]


def test_a_service_without_backends_or_port_is_no_way_rather_than_refused(lab: Lab) -> None:
    missing = [tcp("web/b-0", B4, "10.96.0.1", port) for port in (82, 83)]
    assert outcomes(lab, *missing) == ["no-route", "no-route"]
    assert outcomes(lab, tcp("node:n2", N2, "10.96.0.1", 82)) == ["no-route"]


def test_one_more_listener(lab: Lab) -> None:
    assert outcomes(lab, tcp("web/a", A4, C4, 7777)) == ["refused"]
    lab.listen("db/c", "TCP", 7777)
    assert outcomes(lab, tcp("web/a", A4, C4, 7777)) == ["open"]
    with pytest.raises(SourceError, match="there is no such station"):
        lab.listen("db/nobody", "TCP", 1)


# ------------------------------------------------------------------ packet filters


def test_a_filter_is_loaded_and_its_counters_are_read(lab: Lab) -> None:
    probe = tcp("web/a", A4, B4, 8080)
    try:
        lab.apply({"n2": DROP})
        assert [m.outcome for m in lab.probe([probe], 0.05)] == ["dropped"]
        assert lab.counters(["n2"])["n2"]["dropped"] > 0
        assert lab.counters() == {"node:n1": {}, "node:n2": lab.counters(["n2"])["n2"]}
    finally:
        lab.apply({"n2": "delete table inet test"})
    assert outcomes(lab, probe) == ["open"]


def test_where_one_script_is_wrong_none_is_loaded(lab: Lab) -> None:
    with pytest.raises(SourceError, match="packet filter of node:n1"):
        lab.apply({"n2": DROP, "n1": "table inet x { nonsense }"})
    assert lab.counters() == {"node:n1": {}, "node:n2": {}}
    with pytest.raises(SourceError, match="no node 'n3'"):
        lab.apply({"n3": DROP})


# ------------------------------------------------------------------ programs inside


def said(lab: Lab, station: str, *words: str) -> tuple[int, str]:
    done = subprocess.run(lab.inside(station, words), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_program_is_where_the_pod_is(lab: Lab) -> None:
    code, text = said(lab, "web/a", "ip", "-brief", "address", "show", "eth0")
    assert code == 0
    assert A4 in text
    assert A6 in text


def test_its_exit_code_and_directory_are_the_program_s(lab: Lab) -> None:
    assert said(lab, "web/b", "sh", "-c", "pwd; exit 7") == (7, f"{Path.cwd()}\n")


def test_it_finds_names(lab: Lab) -> None:
    _, text = said(lab, "web/a", "cat", "/etc/resolv.conf")
    assert "nameserver 10.96.0.53" in text
    assert "search web.svc.cluster.local" in text
    code, text = said(lab, "web/a", "getent", "ahostsv4", "both")
    assert (code, text.split()[0]) == (0, "10.96.0.1")
    assert said(lab, "web/a", "getent", "ahosts", "nobody")[0] != 0


def test_names_are_answered_by_tcp_too(lab: Lab) -> None:
    script = (
        "import dns.message, dns.query\n"
        "q = dns.message.make_query('both.web.svc.cluster.local', 'AAAA')\n"
        "print(dns.query.tcp(q, '10.96.0.53', 5).answer[0][0])"
    )
    assert said(lab, "web/a", sys.executable, "-c", script) == (0, "fd02::1\n")


def test_somebody_answers_who_asks_no_question(lab: Lab) -> None:
    assert outcomes(lab, Probe("web/a", A4, C4, "UDP", 5353)) == ["open"]


def test_what_it_starts_ends_with_the_lab_and_what_it_sees_is_the_lab_s(lab: Lab) -> None:
    code, text = said(lab, "outside", "ps", "-e", "-o", "args=")
    assert code == 0
    assert text.splitlines()[0].endswith("cloison.probe.lab.host")
    names = said(lab, "outside", "ls", str(lab.place.namespaces))[1].split()
    assert sorted(names) == ["db.c", "node.n1", "node.n2", "outside", "web.a", "web.b-0"]


def test_who_is_not_there(lab: Lab) -> None:
    with pytest.raises(QuestionError, match="the lab has no 'web/nobody'"):
        lab.inside("web/nobody", ["true"])
