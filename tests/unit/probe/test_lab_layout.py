"""What a plan comes to, before anything is done: lines for `ip`, scripts for `nft`, file names."""

from cloison.probe.lab.layout import layout
from cloison.probe.lab.plan import Plan, ServicePlan, ServicePort, Station
from cloison.probe.lab.services import service_script

NODES = (
    Station("node:n1", "n1", ("192.168.0.1", "fd01::1")),
    Station("node:n2", "n2", ("192.168.0.2",)),
)
PODS = (
    Station("web/a", "n1", ("10.0.0.1", "fd00::1")),
    Station("web/b", "n2", ("10.0.0.2",)),
)
SERVICE = ServicePlan(
    "web/s",
    ("10.96.0.1", "fd02::1", "203.0.113.80"),
    (
        ServicePort("TCP", 80, (("10.0.0.2", 8080), ("fd00::1", 8080)), 30080),
        ServicePort("UDP", 81, ()),
    ),
)
PLAN = Plan(NODES, PODS, ("203.0.113.1",), (SERVICE,))


def test_links_and_routes_of_a_pod() -> None:
    found = layout(PLAN, "/x")
    above = found.nodes["node:n1"].splitlines()
    assert any("link add p0" in each and each.endswith("netns /x/web.a") for each in above)
    assert "route add 10.0.0.1/32 via inet6 fe80::2 dev p0 onlink".replace("/32", "") in above
    assert "route add fd00::1 via fe80::2 dev p0 onlink" in above
    inside = found.pods["web/a"].splitlines()
    assert "address add 10.0.0.1 dev eth0" in inside
    assert "address add fd00::1 dev eth0 nodad" in inside, "it can be used at once"
    assert "route add 0.0.0.0/0 via inet6 fe80::1 dev eth0 onlink" in inside
    assert "route add 10.0.0.1 via inet6 fe80::2 dev n0 onlink" in found.wire.splitlines()


def test_a_pod_of_one_family_has_no_way_into_the_other() -> None:
    assert "::/0" not in layout(PLAN, "/x").pods["web/b"]


def test_both_ends_of_a_link_know_each_other() -> None:
    found = layout(PLAN, "/x")
    made = next(each for each in found.nodes["node:n1"].splitlines() if "link add p0" in each)
    words = made.split()
    upper, lower = (words[n + 1] for n, word in enumerate(words) if word == "address")
    assert f"neigh add fe80::2 lladdr {lower} dev p0 nud permanent" in found.nodes["node:n1"]
    assert f"neigh add fe80::1 lladdr {upper} dev eth0 nud permanent" in found.pods["web/a"]


def test_the_outside_is_everywhere_but_inside() -> None:
    lines = layout(PLAN, "/x").pods["outside"].splitlines()
    assert "route add local 0.0.0.0/0 dev lo table main" in lines
    for inside in ("10.0.0.1", "192.168.0.2", "10.96.0.1"):
        assert f"route add {inside} via inet6 fe80::1 dev wire onlink" in lines


def test_who_comes_from_outside_finds_a_service_where_a_backend_is() -> None:
    wire = layout(PLAN, "/x").wire.splitlines()
    assert "route add 203.0.113.80 via inet6 fe80::2 dev n1 onlink" in wire


def test_file_names_are_safe_and_unique() -> None:
    names = ("web/a", "web.a", "WEB/a", "../../etc", "x/" + "y" * 300, "//")
    pods = tuple(Station(name, "n1", ()) for name in names)
    files = layout(Plan(NODES, pods), "/x").files
    assert len(set(files.values())) == len(files)
    for name in files.values():
        assert "/" not in name
        assert not name.startswith(".")
        assert len(name) < 100


def test_a_service_s_script() -> None:
    script = service_script(PLAN, NODES[0])
    assert "10.96.0.1 . tcp . 80 : goto service-0" in script
    assert "fd02::1 . tcp . 80 : goto service-0" in script
    assert "tcp . 30080 : goto service-0" in script
    assert "dnat ip to numgen inc mod 1 map { 0 : 10.0.0.2 . 8080 }" in script
    assert "dnat ip6 to numgen inc mod 1 map { 0 : fd00::1 . 8080 }" in script
    assert "udp . 81" not in script, "nothing is behind it, so it leads nowhere"
    assert "10.0.0.1 . 10.0.0.1" in script, "its own pods may be led back to themselves"
    assert "10.0.0.2 . 10.0.0.2" not in script, "other nodes see to theirs"


def test_an_address_that_is_somebody_s_own_is_never_refused_as_a_service_s() -> None:
    service = ServicePlan("web/s", ("192.168.0.1",), (ServicePort("TCP", 80, ()),))
    script = service_script(Plan(NODES, PODS, (), (service,)), NODES[0])
    served = script.partition("set served4 {")[2].partition("}")[0]
    assert "192.168.0.1" not in served
