"""Contracts compiled to policies: what they come to when these take the place of all others."""

from datetime import date
from functools import cache
from ipaddress import ip_network
from typing import Any

import pytest
import yaml

import cloison
from cloison.algebra import LabelSelector
from cloison.analyses.contract.compile.choose import choose
from cloison.analyses.contract.prove import Status
from cloison.analyses.matrix import Status as Row
from cloison.app import Session
from cloison.app.compile import TARGETS, Compilation, compile_contract
from cloison.app.contract import check
from cloison.platform.stamped import owned
from cloison.resources.world import PodEndpoint
from tests.support.cli import ROOT
from tests.support.contracted import app, policy, session
from tests.support.platforms import container, coredns, kubelet, node_local, service, workload

DAY = date(2026, 11, 1)
EXAMPLE = ROOT / "examples" / "case-management"
UNSAID = {"case-api-to-payments-reading", "case-api-to-payments-other"}
OPEN = {"internet-to-portal"}
BROKEN = {
    "evidence-only-through-cases",
    "one-public-door",
    "store-has-one-client",
    "trail-has-three-writers",
}
"""Guardrails about who calls from outside the cluster, whom one language cannot keep out."""
_PROBER = "case-management/path-prober"
SITE = {
    "networkpolicy": UNSAID,
    "calico": UNSAID,
    "cilium": set[str](),
    "clusternetworkpolicy": UNSAID | OPEN,
}
"""Rows of the example's tests that a language has no words for."""


@cache
def example() -> Session:
    """The bundled example."""
    return cloison.load(EXAMPLE, runtime=True)


@cache
def compiled(to: str) -> Compilation:
    """The contract of the example in a language."""
    return compile_contract(example(), to, today=DAY)


@pytest.mark.parametrize("to", TARGETS)
def test_the_example_holds_under_its_own_contract(to: str) -> None:
    after = compiled(to).read_back()
    assert not after.read_diagnostics
    failed = {r.row.name for r in after.verify().results if r.status is not Row.PASSED}
    assert failed == SITE[to]
    codes = {each.code for each in compiled(to).result.findings}
    outside = SITE[to] >= OPEN
    open_ = {"CON211", "CON214"} if outside else set()
    assert codes == ({"CON205"} if SITE[to] else set()) | open_
    # The contract does not mean the prober to send anything, though its settings tell it to.
    assert {(f.code, str(f.workload)) for f in after.doctor()} <= {("TEL001", _PROBER)}
    proofs = {each.guardrail.name: each.status for each in check(after, (), DAY)[0].proofs}
    broken = {name for name, status in proofs.items() if status is not Status.HOLDS}
    assert broken == (BROKEN if outside else set())


@pytest.mark.parametrize("to", TARGETS)
def test_the_same_contract_gives_the_same_bytes(to: str) -> None:
    again = compile_contract(cloison.load(EXAMPLE, runtime=True), to, today=DAY)
    assert [(f.path, f.text) for f in again.files] == [(f.path, f.text) for f in compiled(to).files]
    names = [
        (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"])
        for each in again.files
        for o in _objects(each.objects)
    ]
    assert len(names) == len(set(names))


def _objects(found: tuple[object, ...]) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)]


def _codes(done: Compilation) -> list[str]:
    return [each.code for each in done.result.findings]


# ------------------------------------------------------------------ selectors


def _pods(*labels: dict[str, str]) -> tuple[PodEndpoint, ...]:
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{i}", "namespace": "shop", "labels": each},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
        for i, each in enumerate(labels)
    ]
    held = cloison.load_texts({"pods.yaml": yaml.safe_dump_all(objects)}).world.workloads.values()
    return tuple(each.endpoints[0] for each in held)


@pytest.mark.parametrize(
    ("mine", "others", "chosen"),
    [
        ([{"app": "a", "tier": "t"}], [{"app": "b"}], {"app": "a"}),
        ([{"app": "a", "app.kubernetes.io/name": "b"}], [], {"app.kubernetes.io/name": "b"}),
        ([{"app": "a", "component": "c"}], [{"app": "a"}], {"component": "c"}),
        (
            [{"app": "a", "team": "t"}],
            [{"app": "a", "team": "u"}, {"app": "b", "team": "t"}],
            {"app": "a", "team": "t"},
        ),
        ([{"app": "a", "team": "t"}, {"app": "a", "team": "u"}], [{"team": "t"}], {"app": "a"}),
        ([{"app": "a"}], [{"app": "ab"}], {"app": "a"}),
        ([{"app": "a"}], [{"app": "a"}], None),
        ([{"app": "a", "version": "v2"}], [{"app": "a", "version": "v1"}], None),
        ([{"pod-template-hash": "x"}], [], None),
        ([{}], [], None),
    ],
)
def test_the_fewest_labels_that_no_other_pod_has(
    mine: list[dict[str, str]], others: list[dict[str, str]], chosen: dict[str, str] | None
) -> None:
    assert choose(_pods(*mine), others) == chosen


@pytest.mark.parametrize(
    "key",
    [
        "pod-template-hash",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-name",
        "topology.kubernetes.io/zone",
        "app.kubernetes.io/version",
        "app.kubernetes.io/managed-by",
        "helm.sh/chart",
        "argocd.argoproj.io/instance",
        "version",
        "git-commit",
        "track",
    ],
)
def test_labels_that_change_by_themselves_are_not_taken(key: str) -> None:
    assert not owned(key)


def test_workloads_that_labels_do_not_tell_apart_share_what_both_may() -> None:
    apps = (app("one", app="same"), app("two", app="same"), app("db"))
    both = {"namespace": "shop", "selector": {"app": "same"}}
    call = {"name": "d", "from": both, "to": "shop/db", "ports": [5432]}
    done = compile_contract(session(call, objects=apps), "networkpolicy", today=DAY)
    assert [each.path for each in done.files] == [
        "shop/_default-deny.yaml",
        "shop/db.yaml",
        "shop/one.yaml",
    ]
    assert [str(each) for each in done.files[2].sheet.workloads] == ["shop/one", "shop/two"]
    alone = {**call, "from": "shop/one"}
    split = compile_contract(session(alone, objects=apps), "networkpolicy", today=DAY)
    errors = [d for d in split.result.findings if d.code == "CON202"]
    assert [each.object for each in errors] == ["Deployment shop/one"]
    assert "shop/two" in errors[0].message
    assert split.compiled.refused == {"d"}


def test_no_selector_is_ever_empty() -> None:
    bare = app("bare")
    bare["spec"]["template"]["metadata"]["labels"] = {"pod-template-hash": "x"}
    call = {"name": "d", "from": "shop/bare", "to": "203.0.113.0/24", "ports": [443]}
    done = compile_contract(session(call, objects=(bare,)), "networkpolicy", today=DAY)
    assert "CON202" in _codes(done)
    assert [each.path for each in done.files] == ["shop/_default-deny.yaml"]
    assert all(one.pods == LabelSelector() for f in done.files for one in f.sheet.lists)


# ------------------------------------------------------------------ names


def _egress(done: Compilation) -> list[Any]:
    found: list[Any] = policy(done, "shop/web.yaml")["spec"]["egress"]
    return found


def test_a_resolver_is_asked_where_its_pods_listen() -> None:
    labels = {"dns.operator.openshift.io/daemonset-dns": "default"}
    ports = [
        {"name": "dns", "containerPort": 5353, "protocol": "UDP"},
        {"name": "dns-tcp", "containerPort": 5353, "protocol": "TCP"},
    ]
    pods = container("dns", "coredns:1", ports=ports)
    resolver = workload("dns-default", pods, namespace="openshift-dns", labels=labels)
    front = service("dns-default", "openshift-dns", "172.30.0.10", labels, "dns")
    place: dict[str, Any] = {"workloads": [{"match": {"namespace": "shop"}}]}
    world = session(objects=(app("web"), resolver, front), **place)
    (rule,) = _egress(compile_contract(world, "networkpolicy", today=DAY))
    assert [(p["protocol"], p["port"]) for p in rule["ports"]] == [("TCP", 5353), ("UDP", 5353)]
    assert rule["to"][0]["podSelector"]["matchLabels"] == labels


@pytest.mark.parametrize(
    ("to", "key", "peer"),
    [
        ("networkpolicy", "to", [{"ipBlock": {"cidr": "169.254.20.10/32"}}]),
        ("cilium", "toEntities", ["host"]),
    ],
)
def test_a_cache_on_the_node_is_no_pod(to: str, key: str, peer: list[Any]) -> None:
    cache_ = node_local("-localip", "169.254.20.10")
    objects = (app("web"), coredns(), service(), cache_, kubelet("169.254.20.10"))
    place: dict[str, Any] = {"workloads": [{"match": {"namespace": "shop"}}]}
    done = compile_contract(session(objects=objects, **place), to, today=DAY)
    assert peer in [rule.get(key) for rule in _egress(done)]


def test_names_can_be_let_through_only_where_lookups_are_seen() -> None:
    call = {"name": "d", "from": "shop/web", "to": "dns:api.example.com", "ports": [443]}
    world = session(call, objects=(app("web"), app("other"), coredns(), service()))
    done = compile_contract(world, "cilium", today=DAY)
    named, looked = _egress(done)
    assert named["toFQDNs"] == [{"matchName": "api.example.com"}]
    assert looked["toPorts"][0]["rules"] == {"dns": [{"matchPattern": "*"}]}
    after = done.read_back()
    assert str(after.verdict("shop/web", "dns:api.example.com", port=443)) == "allowed"
    assert str(after.verdict("shop/web", "dns:other.example.com", port=443)) == "denied"
    plain = compile_contract(world, "networkpolicy", today=DAY)
    assert plain.compiled.refused == {"d"}
    assert "CON201" in _codes(plain)


def test_an_external_with_blocks_is_reached_by_them() -> None:
    call = {"name": "d", "from": "shop/web", "to": "external:api", "ports": [443]}
    api = {"name": "api", "names": ["api.example.com"], "cidrs": ["203.0.113.0/24"]}
    world = session(call, objects=(app("web"), coredns(), service()), externals=[api])
    done = compile_contract(world, "networkpolicy", today=DAY)
    assert not done.compiled.refused
    assert _egress(done)[0]["to"] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]


def test_scattered_addresses_are_never_everything_with_holes() -> None:
    call = {"name": "d", "from": "shop/web", "to": "external:api", "ports": [443]}
    texts = [f"203.0.113.{number}" for number in range(256) if number % 7]
    api = {"name": "api", "cidrs": [f"{each}/32" for each in texts]}
    world = session(call, objects=(app("web"), coredns(), service()), externals=[api])
    (rule, *_) = _egress(compile_contract(world, "networkpolicy", today=DAY))
    blocks = [each["ipBlock"] for each in rule["to"]]
    assert not any("except" in each for each in blocks)
    held = {str(a) for each in blocks for a in ip_network(each["cidr"])}
    assert held == set(texts)


# ------------------------------------------------------------------ ports and requests


def test_a_service_port_stands_beside_the_port_of_the_pods() -> None:
    store = workload(
        "db", container("db", ports=[{"name": "pg", "containerPort": 5432}]), namespace="shop"
    )
    front = service("db", "shop", "10.96.0.77", {"k8s-app": "db"})
    front["spec"]["ports"] = [{"port": 80, "targetPort": "pg"}]
    call = {"name": "d", "from": "shop/web", "to": "svc:shop/db", "ports": [80]}
    done = compile_contract(session(call, objects=(app("web"), store, front)), "calico", today=DAY)
    (text,) = (each.text for each in done.files if each.path == "shop/web.yaml")
    assert "      # Service shop/db port 80\n      - 5432\n" in text


def test_a_part_of_http_is_all_that_passes() -> None:
    call = {
        "name": "d",
        "from": "shop/web",
        "to": "shop/db",
        "ports": [80, "53/UDP"],
        "http": {"method": "GET", "path": "/a.b"},
    }
    done = compile_contract(session(call, objects=(app("web"), app("db"))), "cilium", today=DAY)
    after = done.read_back()
    asked = {
        "GET /a.b": "allowed",
        "GET /axb": "denied",
        "POST /a.b": "denied",
    }
    said = {text: str(after.why("shop/web", "shop/db:80", http=text).verdict) for text in asked}
    assert said == asked
    assert str(after.verdict("shop/web", "shop/db", "UDP", 53)) == "allowed"
    (wide,) = (each for each in done.result.findings if each.code == "CON205")
    assert wide.effect == "every request is let through instead: shop/web to shop/db on 53/UDP"


def test_pods_on_the_network_of_their_nodes_are_told() -> None:
    agent = workload("agent", namespace="shop", hostNetwork=True)
    call = {"name": "d", "from": "shop/web", "to": "shop/agent", "ports": [9100]}
    done = compile_contract(session(call, objects=(app("web"), agent)), "networkpolicy", today=DAY)
    assert {"CON201", "CON211"} <= set(_codes(done))
    assert done.compiled.refused == {"d"}


def test_what_has_expired_is_not_written() -> None:
    call = {"name": "d", "from": "shop/web", "to": "shop/db", "ports": [80]}
    old = {**call, "expires": "2026-10-31"}
    last = {**call, "expires": "2026-11-01"}
    apps = (app("web"), app("db"))
    gone = compile_contract(session(old, objects=apps), "networkpolicy", today=DAY)
    assert "CON203" in _codes(gone)
    assert all("80" not in each.text for each in gone.files)
    there = compile_contract(session(last, objects=apps), "networkpolicy", today=DAY)
    notes = policy(there, "shop/db.yaml")["metadata"]["annotations"]
    assert notes["policy.cloison.dev/expires"] == "2026-11-01"


def test_namespaces_are_told_by_a_label_only_where_the_contract_governs_it() -> None:
    spaces = tuple(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": {"zone": "a"}}}
        for n in ("front", "side")
    )
    call = {
        "name": "d",
        "from": {"namespaceSelector": {"matchLabels": {"zone": "a"}}},
        "to": "shop/db",
        "ports": [80],
    }
    callers = (workload(n, kind="Deployment", namespace=n) for n in ("front", "side"))
    objects = (*spaces, *callers, app("db"))
    free = compile_contract(session(call, objects=objects), "networkpolicy", today=DAY)
    assert "CON209" in _codes(free)
    assert "zone" not in "".join(each.text for each in free.files)
    governed = session(call, objects=objects, namespaceLabels=[{"key": "zone"}])
    done = compile_contract(governed, "networkpolicy", today=DAY)
    (rule,) = policy(done, "shop/db.yaml")["spec"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"zone": "a"}}}]


def test_nothing_that_somebody_wrote_becomes_a_rule() -> None:
    call = {
        "name": "d",
        "from": "shop/web",
        "to": "shop/db",
        "ports": [80],
        "owner": "a\nb: c",
        "reason": "x\n  - from: []\n---\n'\"#: {}",
        "ticket": "# \u2028y",
    }
    world = session(call, objects=(app("web"), app("db")))
    for to in TARGETS:
        done = compile_contract(world, to, today=DAY)
        for each in done.files:
            read = list(yaml.safe_load_all(each.text))
            assert read == list(each.objects)
        after = done.read_back()
        assert str(after.verdict("shop/db", "shop/web", "TCP", 80)) == "denied"


# ------------------------------------------------------------------ pods in blocks


def _stray(address: str | None) -> dict[str, Any]:
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stray", "namespace": "wild", "labels": {"app": "stray"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
        **({"status": status} if address else {}),
    }


CORP = {"name": "d", "from": "external:corp", "to": "shop/db", "ports": [5432]}
EXTERNALS = [{"name": "corp", "cidrs": ["10.0.0.0/8"]}]


@pytest.mark.parametrize("to", ["networkpolicy", "calico"])
def test_pods_that_lie_in_a_block_are_left_out(to: str) -> None:
    found = session(CORP, objects=(app("db"), _stray("10.2.3.4")), externals=EXTERNALS)
    done = compile_contract(found, to, today=DAY)
    assert "10.2.3.4/32" in done.files[1].text
    why = done.read_back().why("wild/stray", "shop/db", port=5432)
    assert str(why.verdict) == "denied"
    assert "CON209" in _codes(done)


def test_pods_whose_addresses_nobody_knows_are_told() -> None:
    found = session(CORP, objects=(app("db"), _stray(None)), externals=EXTERNALS)
    done = compile_contract(found, "networkpolicy", today=DAY)
    (told,) = (d for d in done.result.findings if d.code == "CON205")
    assert "wild/stray" in told.message
    assert "--pod-cidr" in (told.help or "")


# ------------------------------------------------------------------ stable and canary


def _tracked(name: str, track: str) -> dict[str, Any]:
    one = app(name, app="api", track=track)
    one["spec"]["selector"] = {"matchLabels": {"app": "api", "track": track}}
    return one


def test_what_a_workload_finds_its_pods_by_tells_it_from_others() -> None:
    apps = (_tracked("api", "stable"), _tracked("api-canary", "canary"), app("db"))
    call = {"name": "d", "from": "shop/api", "to": "shop/db", "ports": [5432]}
    done = compile_contract(session(call, objects=apps), "networkpolicy", today=DAY)
    assert "CON202" not in _codes(done)
    labels = policy(done, "shop/api.yaml")["spec"]["podSelector"]["matchLabels"]
    assert labels == {"app": "api", "track": "stable"}


def test_a_hash_tells_nobody_apart_and_what_is_lost_is_named() -> None:
    apps = [_tracked("one", "x"), _tracked("two", "y"), app("db")]
    for number, each in enumerate(apps[:2]):
        labels = {"app": "twin", "pod-template-hash": f"h{number}"}
        each["spec"]["selector"] = {"matchLabels": labels}
        each["spec"]["template"]["metadata"]["labels"] = labels
    call = {"name": "lost-one", "from": "shop/one", "to": "shop/db", "ports": [5432]}
    done = compile_contract(session(call, objects=tuple(apps)), "networkpolicy", today=DAY)
    (error,) = (d for d in done.result.findings if d.code == "CON202")
    assert "lost-one" in (error.effect or "")
    assert "that of shop/two selects its pods too" in (error.effect or "")


def test_whose_file_selects_a_twin_too_is_told() -> None:
    apps = [app("one", app="twin"), app("two", app="twin"), app("db")]
    calls = [
        {"name": "mine", "from": "shop/one", "to": "shop/db", "ports": [5432]},
        {"name": "both", "from": ["shop/one", "shop/two"], "to": "shop/db", "ports": [5433]},
    ]
    done = compile_contract(session(*calls, objects=tuple(apps)), "networkpolicy", today=DAY)
    (error,) = (d for d in done.result.findings if d.code == "CON202")
    said = "no policy is its own: that of shop/two selects its pods too and isolates them"
    assert said in (error.effect or "")
    two = policy(done, "shop/one.yaml")["spec"]  # the policy of both has the first one's name
    assert two["podSelector"]["matchLabels"] == {"app": "twin"}
    assert "Egress" in two["policyTypes"]
