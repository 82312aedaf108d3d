"""`egress`: where workloads may go outside the cluster, as what, and past whom."""

from collections.abc import Mapping
from typing import Any

import pytest

from cloison.analyses.egress import Egress, Leaver, Reach
from cloison.base import QuestionError, Severity
from tests.support.platforms import Manifest, container, node, read, workload

AWS = node(provider="aws:///eu-west-1a/i-1")


def app(name: str, namespace: str = "shop", **more: Any) -> Manifest:
    env = more.pop("env", {})
    main = container("main", "main:1", env=[{"name": k, "value": v} for k, v in env.items()])
    labels = {"app": name}
    return workload(name, main, kind="Deployment", namespace=namespace, labels=labels, **more)


def policy(name: str, egress: Any, annotations: Mapping[str, str] | None = None) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop", "annotations": dict(annotations or {})},
        "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Egress"],
            "egress": egress,
        },
    }


def to(cidr: str, *but: str, port: int | None = None) -> Manifest:
    rule: Manifest = {"to": [{"ipBlock": {"cidr": cidr, "except": list(but)}}]}
    return {**rule, "ports": [{"port": port}]} if port else rule


def asked(*objects: Manifest, **said: Any) -> Egress:
    return read(*objects, **said).egress()


def one(found: Egress, name: str = "shop/web") -> Leaver:
    return next(each for each in found.workloads if str(each.id) == name)


def codes(found: Egress) -> dict[str, Severity]:
    return {each.code: each.severity for each in found.findings}


SPECIAL = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")


@pytest.mark.parametrize(
    ("egress", "reach"),
    [
        ([], Reach.NONE),
        ([{}], Reach.EVERYTHING),
        ([to("0.0.0.0/0")], Reach.EVERYTHING),
        ([to("0.0.0.0/0", *SPECIAL)], Reach.EVERYTHING),
        ([to("0.0.0.0/0", "198.51.100.0/24")], Reach.INTERNET),
        ([to("0.0.0.0/0", *SPECIAL, port=443)], Reach.INTERNET),
        ([to("::/0", port=443)], Reach.INTERNET),
        ([to("0.0.0.0/1", port=443), to("128.0.0.0/1", port=443)], Reach.INTERNET),
        ([to("198.51.0.0/16")], Reach.SOME),
        ([{"to": [{"podSelector": {}}]}], Reach.NONE),
    ],
)
def test_how_much_is_open(egress: Any, reach: Reach) -> None:
    found = asked(app("web"), policy("p", egress))
    assert one(found).reach is reach
    assert found.counts == {reach: 1}


def test_destinations_name_who_opens_them() -> None:
    found = asked(
        app("web"),
        policy("db", [to("192.0.2.0/28", port=5432)], {"policy.cloison.dev/owner": "team-db"}),
        policy("all", [to("192.0.2.0/24", port=443)]),
    )
    (outward,) = one(found).outward
    told = [
        (str(d.addresses), str(d.traffic), [(o.text, o.owner) for o in d.openers])
        for d in outward.destinations
    ]
    assert told == [
        (
            "192.0.2.0/28",
            "TCP/443,5432",
            [("shop/all egress rule 1", None), ("shop/db egress rule 1", "team-db")],
        ),
        ("192.0.2.16-192.0.2.255", "TCP/443", [("shop/all egress rule 1", None)]),
    ]
    assert all(o.span is not None for d in outward.destinations for o in d.openers)


def test_the_prefix_of_annotations_is_a_setting() -> None:
    objects = [
        app("web"),
        policy("p", [to("192.0.2.0/28")], {"corp.example/owner": "team-x"}),
    ]
    (outward,) = one(asked(*objects, annotation_prefix="corp.example")).outward
    assert [o.owner for d in outward.destinations for o in d.openers] == ["team-x"]


def test_workloads_that_the_same_governs_share_their_answer() -> None:
    found = asked(app("one"), app("two"), app("web"), policy("p", [to("192.0.2.0/24")]))
    assert one(found, "shop/one").outward[0] is one(found, "shop/two").outward[0]
    assert one(found).outward[0] is not one(found, "shop/one").outward[0]


NAMES: Manifest = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumNetworkPolicy",
    "metadata": {"name": "names", "namespace": "shop"},
    "spec": {
        "endpointSelector": {"matchLabels": {"app": "web"}},
        "egress": [
            {
                "toEndpoints": [{}],
                "toPorts": [
                    {
                        "ports": [{"port": "53", "protocol": "ANY"}],
                        "rules": {"dns": [{"matchPattern": "*"}]},
                    }
                ],
            },
            {
                "toFQDNs": [{"matchName": "api.example.com"}],
                "toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}]}],
            },
        ],
    },
}


def test_names_are_destinations() -> None:
    (outward,) = one(asked(app("web"), NAMES, profile="cilium")).outward
    (place,) = [d for d in outward.destinations if d.name]
    assert (place.name, str(place.traffic)) == ("api.example.com", "TCP/443")
    assert [o.text for o in place.openers] == ["CiliumNetworkPolicy shop/names egress rule 2"]
    assert outward.names == ("api.example.com",)


def test_a_name_that_somebody_resolved_is_an_address() -> None:
    names = {"api.example.com": ("203.0.113.10",)}
    (outward,) = one(asked(app("web"), NAMES, profile="cilium", names=names)).outward
    assert [str(d.addresses) for d in outward.destinations] == ["203.0.113.10"]


# ------------------------------------------------------------------ findings


def test_metadata_is_an_error_in_its_cloud() -> None:
    objects = (app("web"), policy("p", [to("169.254.0.0/16")]))
    assert codes(asked(AWS, *objects))["EGR002"] is Severity.ERROR
    assert codes(asked(*objects))["EGR002"] is Severity.WARNING


def test_metadata_on_other_ports_is_none() -> None:
    found = asked(AWS, app("web"), policy("p", [to("169.254.0.0/16", port=53)]))
    assert "EGR002" not in codes(found)


def test_an_exception_of_one_policy_does_not_bind_another() -> None:
    found = asked(
        AWS,
        app("web"),
        policy("careful", [to("0.0.0.0/0", "169.254.0.0/16", "10.0.0.0/8")]),
        policy("careless", [to("169.254.169.254/32")]),
    )
    (finding,) = [d for d in found.findings if d.code == "EGR002"]
    assert finding.object == "NetworkPolicy shop/careless"
    assert "EGR002" not in codes(asked(AWS, app("web"), policy("c", [to("0.0.0.0/0", *SPECIAL)])))


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("0.0.0.0/0", "EGR001"),
        ("::/0", "EGR001"),
        ("10.0.0.0/8", "EGR004"),
        ("11.0.0.0/8", "EGR004"),
        ("104.16.0.0/13", "EGR005"),
        ("10.9.0.0/16", "EGR003"),
        ("10.96.0.0/16", "EGR003"),
        ("10.8.0.0/24", "EGR003"),
    ],
)
def test_blocks_that_cover_more_than_they_should(cidr: str, code: str) -> None:
    said = {"pod_cidrs": ("10.9.0.0/16",), "service_cidrs": ("10.96.0.0/12",)}
    found = asked(app("web"), policy("p", [to(cidr)]), node_cidrs=("10.8.0.0/24",), **said)
    assert code in codes(found)
    assert {d.span for d in found.findings if d.code == code} != {None}


def test_a_block_of_a_service_is_silent() -> None:
    said = {"pod_cidrs": ("10.9.0.0/16",), "service_cidrs": ("10.96.0.0/12",)}
    found = asked(app("web"), policy("p", [to("198.51.100.0/24", port=443)]), **said)
    assert found.findings == ()


def test_what_nothing_restricts_is_told_once() -> None:
    found = asked(app("one"), app("two"), app("host", hostNetwork=True))
    assert [(d.code, d.severity.value, d.message) for d in found.findings] == [
        ("EGR008", "warning", "no policy restricts the egress of shop/one, shop/two"),
        ("EGR009", "info", "on their node's network, where nothing restricts them: shop/host"),
    ]


def test_rules_that_open_everything_are_told_once() -> None:
    found = asked(AWS, app("web"), policy("p", [{}]), policy("q", [{}]))
    assert [(d.code, d.message) for d in found.findings] == [
        ("EGR010", "shop/p egress rule 1, shop/q egress rule 1 open everything outside to shop/web")
    ]


# ------------------------------------------------------------------ proxies and gateways


PROXY = app("proxy", "out")
SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "proxy", "namespace": "out"},
    "spec": {"selector": {"app": "proxy"}, "ports": [{"port": 3128}]},
}
TOLD = {"HTTPS_PROXY": "http://proxy.out.svc.cluster.local:3128"}


def _past(found: Egress) -> list[str]:
    return [d.message for d in found.findings if d.code == "EGR006"]


def test_who_is_told_to_use_a_proxy_and_need_not() -> None:
    objects = (PROXY, SERVICE, app("web", env=TOLD))
    found = asked(*objects, policy("p", [to("0.0.0.0/0", *SPECIAL, port=443)]))
    (said,) = _past(found)
    assert said.startswith("past the proxy: shop/web may reach the internet directly, while")
    assert said.endswith("their environment names a proxy")
    assert one(found).proxies == ("HTTPS_PROXY=proxy.out.svc.cluster.local:3128",)
    assert [str(each) for each in found.proxies] == ["out/proxy"]
    assert one(found, "out/proxy").is_proxy
    assert not _past(asked(*objects, policy("p", [to("10.1.2.0/24", port=5432)])))


def test_others_pass_a_proxy_that_is_there() -> None:
    objects = (PROXY, SERVICE, app("user", env=TOLD), app("web"))
    closed = {**policy("u", []), "spec": {"podSelector": {}, "policyTypes": ["Egress"]}}
    found = asked(*objects, closed, policy("p", [to("198.51.100.0/24")]))
    (said,) = _past(found)
    assert said.startswith("past the proxy: shop/web may reach the internet directly, while")
    assert said.endswith("out/proxy is the way out here")


def gateway(**spec: Any) -> Manifest:
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumEgressGatewayPolicy",
        "metadata": {"name": "crm"},
        "spec": {
            "selectors": [{"podSelector": {"matchLabels": {"app": "web"}}}],
            "egressGateway": {"nodeSelector": {}, "egressIP": "203.0.113.77"},
            **spec,
        },
    }


def test_an_egress_gateway_gives_its_address() -> None:
    objects = (app("web"), policy("p", [to("198.51.100.0/24")]))
    whole = asked(*objects, gateway(destinationCIDRs=["0.0.0.0/0"]), profile="cilium")
    assert [s.text for s in one(whole).seen] == [
        "CiliumEgressGatewayPolicy crm: seen outside as 203.0.113.77"
    ]
    assert "EGR007" not in codes(whole)
    half = asked(*objects, gateway(destinationCIDRs=["198.51.100.0/25"]), profile="cilium")
    assert [s.towards for s in one(half).seen] == ["198.51.100.0/25", "everything else"]
    assert codes(half)["EGR007"] is Severity.WARNING


def test_the_source_is_not_known_where_nothing_says() -> None:
    objects = (app("web"), policy("p", [to("198.51.100.0/24")]))
    (seen,) = one(asked(*objects)).seen
    assert not seen.known
    assert seen.text.startswith("not known")
    pool = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "IPPool",
        "metadata": {"name": "default"},
        "spec": {"cidr": "10.9.0.0/16", "natOutgoing": True},
    }
    (seen,) = one(asked(*objects, pool, profile="calico")).seen
    assert (seen.text, seen.known) == ("its node's, outside every pool (natOutgoing)", True)
    other = {"apiVersion": "k8s.ovn.org/v1", "kind": "EgressIP", "metadata": {"name": "a"}}
    unread = asked(*objects, other, profile="ovn-kubernetes")
    assert [s.text for s in one(unread).seen] == ["not known: EgressIP objects are not read"]
    assert "EgressIP objects are not read: they may give another source address" in unread.lacking
    (seen,) = one(asked(app("web", hostNetwork=True))).seen
    assert seen.text == "its node's address, being on its network"


# ------------------------------------------------------------------ which workloads


def test_only_what_is_asked_for() -> None:
    session = read(app("web"), app("other"), app("away", "far"))
    assert [str(w.id) for w in session.egress(["shop/web"]).workloads] == ["shop/web"]
    assert [str(w.id) for w in session.egress(["web"], "shop").workloads] == ["shop/web"]
    assert [str(w.id) for w in session.egress((), "far").workloads] == ["far/away"]
    assert len(session.egress().workloads) == 3


def test_what_is_not_there_is_refused() -> None:
    session = read(app("web"))
    for names, namespace in ((["shop/nobody"], None), ((), "nowhere"), (["192.0.2.1"], None)):
        with pytest.raises(QuestionError):
            session.egress(names, namespace)
