"""What becomes of recorded connections under a candidate: who calls, and how often it counts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cloison
from cloison.analyses.connectivity import EndRef
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import Became, Seen, SeenEnd
from cloison.analyses.shadow.model import Fate, Shadow, Weight
from cloison.analyses.shadow.tables import sums
from cloison.app.shadow import Recorded, Wanted, shadowed

WORLD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example.org/web
          ports: [{containerPort: 8080}]
          livenessProbe: {httpGet: {port: 8080, path: /healthz}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: example.org/api}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: coredns, image: registry.k8s.io/coredns/coredns}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
"""
CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
OUT = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 203.0.113.0/28}}]}]
"""
WEB, API = (SeenEnd("pod", "shop", name, "Deployment", pod=f"{name}-1") for name in ("web", "api"))
DNS = SeenEnd("pod", "kube-system", "coredns", "Deployment")
NODE = SeenEnd("host", ip="192.0.2.1")


def outside(ip: str, name: str | None = None) -> SeenEnd:
    return SeenEnd("world", ip=ip, name=name)


def seen(
    source: SeenEnd,
    destination: SeenEnd,
    port: int,
    count: int = 1,
    became: Became = "allowed",
    **more: Any,
) -> Seen:
    given = {"protocol": "TCP", "adapters": ("hubble",), "course": Course((5,), (count,)), **more}
    times = (5 * HOUR, 5 * HOUR + 1)
    protocol = given.pop("protocol")
    return Seen(source, destination, protocol, port, became, count, *times, **given)


def cast(candidate: str, *some: Seen, today: str = "", **said: Any) -> Shadow:
    """Return what a candidate would have done in a small shop."""
    before = cloison.load_texts({"world.yaml": WORLD, "today.yaml": today}, runtime=True, **said)
    texts = {"world.yaml": WORLD, "today.yaml": today, "candidate.yaml": candidate}
    after = cloison.load_texts(texts, runtime=True, **said)
    return shadowed(before, after, Recorded(some, Watch({"hubble": (5, 6)})))


def fates(found: Shadow) -> dict[str, int]:
    """Return how many connections there are of each fate that there are any of."""
    return {str(fate): found.connections(fate) for fate in Fate if found.of(fate)}


def test_a_connection_counts_once_whoever_told_of_it() -> None:
    told = seen(WEB, API, 8080, 5)
    again = replace(told, count=4, course=Course((5,), (4,)), adapters=("conntrack",))
    unsaid = replace(told, became="unknown", adapters=("vpc",))
    found = cast(CLOSED, told, again, unsaid)
    assert fates(found) == {"denied": 5}
    assert found.of(Fate.DENIED)[0].link.adapters == ("conntrack", "hubble")
    # Whoever tells of more than others, of some without saying what became of them, is heard.
    more = replace(unsaid, count=9, course=Course((5,), (9,)))
    assert fates(cast(CLOSED, told, more)) == {"denied": 5, "unclear": 9}


def test_probes_come_from_the_own_node_and_other_calls_of_nodes_may_not() -> None:
    found = cast(CLOSED, seen(NODE, WEB, 8080, 3), seen(NODE, WEB, 9090, 2))
    assert fates(found) == {"undetermined": 2, "passing": 3}
    (open_,) = found.of(Fate.UNDETERMINED)
    assert open_.key.port == 9090
    assert open_.weight is Weight.PLATFORM


def test_what_breaks_everything_comes_first() -> None:
    found = cast(
        CLOSED,
        seen(WEB, API, 8080, 900),
        seen(WEB, API, 9090, 1),
        seen(WEB, DNS, 53, 1, protocol="UDP"),
        seen(API, DNS, 53, 2, protocol="UDP"),
        seen(outside("198.51.100.1"), WEB, 8080, 40),
        seen(outside("198.51.100.2"), WEB, 8080, 50),
        seen(API, outside("203.0.113.1"), 443, 1000),
    )
    told = [(f.weight, f.connections, len(f.edges)) for f in found.findings]
    assert told == [
        (Weight.DNS, 3, 2),
        (Weight.GATEWAY, 90, 2),
        (Weight.CALL, 1000, 1),
        (Weight.CALL, 901, 2),
    ]
    assert found.findings[0].sources == {"shop/api": 2, "shop/web": 1}
    assert found.seen == 1994
    # One rule for the namespace, and both sides of a call.
    (mend,) = found.findings[0].mends or ()
    assert mend.text == "create NetworkPolicy shop/allow-dns"
    assert [str(side.direction) for side in found.findings[3].edges[0].sides] == [
        "egress",
        "ingress",
    ]
    by = sums(found.of(Fate.DENIED), "namespace")
    assert [(each.name, each.connections) for each in by] == [
        ("shop to outside", 1000),
        ("shop to shop", 901),
        ("outside to shop", 90),
        ("shop to kube-system", 3),
    ]


def test_outside_each_address_that_was_seen_is_asked_about() -> None:
    inside, beyond = outside("203.0.113.1", "pay.example"), outside("203.0.113.99", "pay.example")
    found = cast(OUT, seen(WEB, inside, 443, 3), seen(WEB, beyond, 443, 4))
    assert fates(found) == {"denied": 4, "passing": 3}
    assert found.of(Fate.DENIED)[0].addresses == ("203.0.113.99",)


def test_a_name_that_a_rule_allows_passes_at_the_address_that_was_seen() -> None:
    rule = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
    - toEndpoints:
        - matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}
      toPorts:
        - ports: [{port: "53", protocol: UDP}]
          rules: {dns: [{matchPattern: "*"}]}
    - toFQDNs: [{matchName: pay.example}]
      toPorts: [{ports: [{port: "443", protocol: TCP}]}]
"""
    pay, other = outside("203.0.113.1", "pay.example"), outside("203.0.113.2", "log.example")
    found = cast(rule, seen(WEB, pay, 443, 3), seen(WEB, other, 443, 4), profile="cilium@1.19")
    assert fates(found) == {"denied": 4, "passing": 3}


def test_a_service_that_nobody_resolved_is_followed_to_its_pods() -> None:
    found = cast(CLOSED, seen(WEB, outside("10.96.0.7"), 80, 2))
    assert fates(found) == {"denied": 2}
    (edge,) = found.of(Fate.DENIED)
    assert {str(side.direction) for side in edge.sides} >= {"egress"}


def test_what_hangs_on_requests_is_not_known_unless_nothing_changes() -> None:
    rule = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: asks, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: web}}]
      toPorts:
        - ports: [{port: "8080", protocol: TCP}]
          rules: {http: [{method: GET}]}
"""
    call = seen(WEB, API, 8080, 2)
    found = cast(rule, call, profile="cilium@1.19")
    assert fates(found) == {"undetermined": 2}
    assert found.of(Fate.UNDETERMINED)[0].requests
    assert found.found("undetermined")
    same = cast("", call, today=rule, profile="cilium@1.19")
    assert fates(same) == {"as-today": 2}
    assert not any(same.found(kind) for kind in ("denied", "undetermined", "opens"))


def test_a_side_of_which_nobody_can_say_is_not_what_is_missing() -> None:
    asks = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: asks, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: web}}]
      toPorts:
        - ports: [{port: "8080", protocol: TCP}]
          rules: {http: [{method: GET}]}
"""
    out = CLOSED.replace("[Ingress, Egress]", "[Egress]")
    found = cast(out, seen(WEB, API, 8080, 2), today=asks, profile="cilium@1.19")
    (edge,) = found.of(Fate.DENIED)
    assert [str(side.direction) for side in edge.sides] == ["egress"]


def test_denied_ones_are_opened_or_still_denied() -> None:
    tried = seen(WEB, API, 8080, 3, "denied")
    assert fates(cast(CLOSED, tried, today=CLOSED.replace("closed", "old"))) == {"still-denied": 3}
    assert fates(cast("", tried)) == {"opened": 3}


def test_what_policies_of_today_deny_as_well_is_said_and_comes_later() -> None:
    found = cast(
        CLOSED.replace("closed", "more"),
        seen(WEB, API, 8080, 9),
        today=CLOSED.replace("[Ingress, Egress]", "[Ingress]"),
    )
    (finding,) = found.findings
    assert finding.today
    assert not cast(CLOSED, seen(WEB, API, 8080, 9)).findings[0].today


def test_strangers_are_counted_and_in_no_other_count() -> None:
    stranger = SeenEnd("pod", "shop", "gone", "Deployment")
    found = cast(CLOSED, seen(stranger, API, 8080, 6), seen(WEB, API, 8080, 1, initiator="unknown"))
    assert (found.stray, found.seen, found.edges) == (7, 0, ())


def test_changes_and_what_is_left_say_whether_they_were_used() -> None:
    found = cast(CLOSED, seen(WEB, API, 8080, 7))
    lost = {
        (str(each.line.sources[0]), str(each.line.destinations[0])): each.lost
        for each in found.changes
        if len(each.line.sources) == len(each.line.destinations) == 1
    }
    assert max(each.lost for each in found.changes) == 7
    assert sum(bool(each.lost) for each in found.changes) == 1, lost
    open_ = cast("", seen(WEB, API, 8080, 7))
    assert open_.excess
    assert not any(
        str(each.line.passage.allowed) == "TCP/8080" and str(each.line.sources[0]) == "shop/web"
        for each in open_.excess
    )


def test_only_edges_of_a_namespace_are_told() -> None:
    before = cloison.load_texts({"world.yaml": WORLD}, runtime=True)
    after = cloison.load_texts({"world.yaml": WORLD, "closed.yaml": CLOSED}, runtime=True)
    some = (seen(WEB, API, 8080), seen(DNS, outside("192.0.2.53"), 53, protocol="UDP"))
    recorded = Recorded(some, Watch({"hubble": (5,)}))
    found = shadowed(before, after, recorded, Wanted(namespace="kube-system"))
    assert [edge.link.names[0] for edge in found.edges] == ["kube-system/coredns"]


def test_a_resolver_that_many_callers_lack_admits_everybody() -> None:
    apps = [f"app{number}" for number in range(9)]
    more = "".join("---\n" + WORLD.partition("---")[0].replace("web", name) for name in apps)
    shut = CLOSED.replace("namespace: shop", "namespace: kube-system").replace(", Egress", "")
    callers = [SeenEnd("pod", "shop", name, "Deployment") for name in apps]
    found = cast(shut, *(seen(each, DNS, 53, protocol="UDP") for each in callers), today=more)
    (finding,) = found.findings
    assert {str(side.direction) for side in finding.sides} == {"ingress"}
    (mend,) = finding.mends or ()
    assert mend.text == "add an ingress rule to NetworkPolicy kube-system/closed"
    assert "namespaceSelector: {}" in mend.manifest


def test_an_end_called_by_name_and_by_address_counts_once() -> None:
    named = seen(WEB, outside("203.0.113.99", "pay.example"), 443, 5)
    bare = seen(WEB, outside("203.0.113.99"), 443, 4, adapters=("conntrack",))
    found = cast(CLOSED, named, bare)
    assert fates(found) == {"denied": 5}
    assert [str(edge.key) for edge in found.edges] == ["shop/web to dns:pay.example on 443/TCP"]
    # Who tells of more is heard; other callers, ports and addresses are other connections.
    more = replace(bare, count=9, course=Course((5,), (9,)))
    assert fates(cast(CLOSED, named, more)) == {"denied": 9}
    others = (
        replace(bare, source=API),
        replace(bare, port=80),
        seen(WEB, outside("203.0.113.7"), 443),
    )
    assert fates(cast(CLOSED, named, *others)) == {"denied": 5 + 4 + 4 + 1}


def test_an_address_of_several_names_counts_once_where_names_tell_all_of_it() -> None:
    pay, log = (seen(WEB, outside("203.0.113.99", n), 443, 3) for n in ("a.example", "b.example"))
    bare = seen(WEB, outside("203.0.113.99"), 443, 6, adapters=("conntrack",))
    assert fates(cast(CLOSED, pay, log, bare)) == {"denied": 6}
    # What one source tells by name and by address are different connections.
    own = replace(bare, adapters=("hubble",))
    assert fates(cast(CLOSED, pay, log, own)) == {"denied": 12}
    more = replace(bare, count=7, course=Course((5,), (7,)))
    assert fates(cast(CLOSED, pay, log, more)) == {"denied": 13}
    denied = replace(bare, became="denied")
    assert fates(cast(CLOSED, pay, log, denied)) == {"denied": 6, "still-denied": 6}


def ingress(name: str, *rules: str) -> str:
    """Return a policy that lets in who is said, `FROM PORT`, and nobody else."""
    lines = [
        f"    - from: [{{podSelector: {{matchLabels: {{app: {who}}}}}}}]\n"
        f"      ports: [{{port: {port}}}]"
        for who, port in (rule.split() for rule in rules)
    ]
    return "\n".join(
        (
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy",
            f"metadata: {{name: {name}, namespace: shop}}",
            f"spec:\n  podSelector: {{matchLabels: {{app: {name}}}}}\n  policyTypes: [Ingress]",
            *(["  ingress:", *lines] if lines else []),
            "",
        )
    )


def test_a_whole_set_of_policies_is_worked_out_as_by_hand() -> None:
    before = cloison.load_texts(
        {"world": WORLD, "old": ingress("api", "web 8080") + ingress("web")}, runtime=True
    )
    # web now gets 9090 of api in place of 8080, and everybody gets everything of web.
    after = cloison.load_texts({"world": WORLD, "new": ingress("api", "web 9090")}, runtime=True)
    some = (
        seen(WEB, API, 8080, 7),
        seen(WEB, API, 8080, 2, "denied"),
        seen(API, WEB, 80, 3, "denied"),
        seen(API, WEB, 81, 4, "audited"),
        seen(WEB, DNS, 53, 5, protocol="UDP"),
    )
    found = shadowed(before, after, Recorded(some, Watch({"hubble": (5,)})), Wanted(whole=True))
    assert fates(found) == {"denied": 7, "opened": 3, "still-denied": 2, "passing": 9}
    moved = {
        (inside(each.line.sources), inside(each.line.destinations), word, str(traffic), number)
        for each in found.changes
        for word, traffic, number in (
            ("opens", each.line.shift.gained, each.gained),
            ("closes", each.line.shift.lost, each.lost),
        )
        if traffic
    }
    assert moved == {
        ("shop/web", "shop/api", "closes", "TCP/8080", 7),
        ("shop/web", "shop/api", "opens", "TCP/9090", 0),
        ("kube-system/coredns, shop/api", "shop/web", "opens", "any", 3),
        ("shop/web", "shop/web", "opens", "any", 0),
        ("", "shop/web", "opens", "any", 0),
    }
    left = {
        (inside([source]), inside([destination]), str(each.line.passage.allowed))
        for each in found.excess
        for source in each.line.sources
        for destination in each.line.destinations
    }
    assert {each for each in left if "shop/web" in each and all(each)} == {
        ("shop/web", "shop/api", "TCP/9090"),
        ("shop/api", "shop/web", "TCP/1-79,82-65535, UDP, SCTP"),
        ("kube-system/coredns", "shop/web", "any TCP, UDP or SCTP"),
        ("shop/web", "kube-system/coredns", "TCP, UDP/1-52,54-65535, SCTP"),
    }


def inside(ends: Sequence[EndRef]) -> str:
    """Return those of some ends that are workloads."""
    return ", ".join(str(each) for each in ends if each.kind == "workload")
