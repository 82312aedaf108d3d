"""HTTP requests that a proxy on the node reads: what it lets through, and what it refuses."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cloison.analyses.application import Application
from cloison.analyses.matrix import Row
from cloison.analyses.measured import Agreement, Arrival
from cloison.app import Session, load_texts
from cloison.app.lab import blueprint
from cloison.app.measure import measured
from cloison.app.running import Running
from cloison.probe.lab.client import Lab
from tests.support.cli import run_process

pytestmark = pytest.mark.usefixtures("machine")

EXAMPLE = "examples/case-management"
OPEN, FORBIDDEN, DROPPED = Arrival.OPEN, Arrival.FORBIDDEN, Arrival.DROPPED
GET = "{method: GET, path: /v1/.*}"


def pod(name: str, node: str) -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: x, "
        f"labels: {{app: {name}}}}}\nspec: {{nodeName: {node}, containers: "
        "[{name: c, image: i, ports: [{containerPort: 80}]}]}\n"
    )


PLACES = {"near": "n1", "web": "n1", "api": "n1", "far": "n2", "other": "n2"}
WORLD = "---\n".join(
    [
        *(f"apiVersion: v1\nkind: Node\nmetadata: {{name: {n}}}\n" for n in ("n1", "n2")),
        *(pod(name, node) for name, node in PLACES.items()),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: x}\n"
            "spec: {selector: {app: api}, ports: [{port: 8000, targetPort: 80}]}\n"
        ),
    ]
)


def policy(name: str, app: str, *directions: str) -> str:
    """A policy of a pod; each direction is `ingress: [...]` in flow style."""
    return (
        f"---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
        f"metadata: {{name: {name}, namespace: x}}\nspec:\n"
        f"  endpointSelector: {{matchLabels: {{app: {app}}}}}\n"
        + "".join(f"  {direction}\n" for direction in directions)
    )


def rule(way: str, peer: str, http: str | None = None) -> str:
    """An element of a direction: on port 80, for a pod, and for requests if they are said."""
    ends = {"ingress": "fromEndpoints", "egress": "toEndpoints"}[way.removesuffix("Deny")]
    asks = f", rules: {{http: [{http}]}}" if http else ""
    return (
        f"{{{ends}: [{{matchLabels: {{app: {peer}}}}}], "
        f"toPorts: [{{ports: [{{port: '80', protocol: TCP}}]{asks}}}]}}"
    )


def session(*policies: str, **settings: str) -> Session:
    config = "".join(f'  {k.replace("_", "-")}: "{v}"\n' for k, v in settings.items())
    more = (
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: "
        f"kube-system}}\ndata:\n{config}"
    )
    texts = {"world.yaml": WORLD + "".join(policies) + (more if config else "")}
    return load_texts(texts, profile="cilium@1.19")


def row(source: str, target: str, http: str) -> Row:
    ends = f"x/{source}", target if ":" in target else f"x/{target}"
    port = "8000" if target.startswith("svc:") else "80"
    return Row(f"{source} {target} {http}", *ends, None, port, application=Application(http))


def came(made: Session, *rows: Row) -> list[Arrival | None]:
    """What came of each row, the same over both families and as predicted."""
    found = measured(blueprint(made, rows), rows)
    differing = [str(c.flow) for c in found.cells if c.agreement is not Agreement.AGREES]
    assert not differing
    arrivals = [{cell.arrival for cell in result.cells} for result in found.results]
    assert all(len(each) == 1 for each in arrivals), arrivals
    return [next(iter(each)) for each in arrivals]


@pytest.mark.parametrize("target", ["api", "svc:x/api"])
def test_what_enters_from_the_same_node_and_from_another(target: str) -> None:
    ways = ", ".join(rule("ingress", app, GET) for app in ("web", "far"))
    rows = [row(s, target, f"{m} /v1/a") for s in ("web", "far") for m in ("GET", "POST")]
    rows += [row(s, target, "GET /v1/a") for s in ("near", "other")]
    found = came(session(policy("p", "api", f"ingress: [{ways}]")), *rows)
    assert found == [OPEN, FORBIDDEN, OPEN, FORBIDDEN, DROPPED, DROPPED]


@pytest.mark.parametrize("source", ["near", "far"])
def test_what_leaves_and_enters_is_read_at_both_ends(source: str) -> None:
    leaving = policy("out", source, f"egress: [{rule('egress', 'api', '{path: /v1/.*}')}]")
    entering = policy("in", "api", f"ingress: [{rule('ingress', source, '{method: GET}')}]")
    rows = [row(source, "api", f"{m} {p}") for m in ("GET", "PUT") for p in ("/v1/a", "/")]
    assert came(session(leaving), *rows) == [OPEN, FORBIDDEN, OPEN, FORBIDDEN]
    assert came(session(leaving, entering), *rows) == [OPEN, FORBIDDEN, FORBIDDEN, FORBIDDEN]


def test_what_leaves_to_the_outside_and_what_closes_further_on() -> None:
    asks = "{toCIDR: [203.0.113.0/24], toPorts: [{ports: [{port: '80', protocol: TCP}]"
    leaving = policy("out", "web", f"egress: [{asks}, rules: {{http: [{GET}]}}}}]}}]")
    rows = [row("web", "203.0.113.9", f"GET {path}") for path in ("/v1/a", "/v2")]
    rows = [
        Row(r.name, r.source, "203.0.113.9", None, "80", application=r.application) for r in rows
    ]
    assert came(session(leaving), *rows) == [OPEN, FORBIDDEN]
    # The proxy lets it leave, and the packet filter of the other end lets nothing enter.
    leaving = policy("out", "web", f"egress: [{rule('egress', 'far', GET)}]")
    sealed = policy("in", "far", "ingress: [{}]", f"ingressDeny: [{rule('ingress', 'web')}]")
    found = came(
        session(leaving, sealed), row("web", "far", "GET /v1/a"), row("web", "far", "GET /")
    )
    assert found == [DROPPED, FORBIDDEN]


def test_rules_of_several_policies_and_rules_that_ask_nothing() -> None:
    one = policy("one", "api", f"ingress: [{rule('ingress', 'web', '{path: /a}')}]")
    two = policy("two", "api", f"ingress: [{rule('ingress', 'web', '{path: /b}')}]")
    rows = [row("web", "api", f"GET {path}") for path in ("/a", "/b", "/c")]
    assert came(session(one, two), *rows) == [OPEN, OPEN, FORBIDDEN]
    plain = policy("plain", "api", f"ingress: [{rule('ingress', 'web')}]")
    assert came(session(one, two, plain), *rows) == [OPEN] * 3
    whole = policy("whole", "api", "ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]")
    assert came(session(one, two, whole), *rows) == [OPEN] * 3
    denied = policy("deny", "api", "ingress: [{}]", f"ingressDeny: [{rule('ingress', 'web')}]")
    assert came(session(one, two, denied), *rows) == [DROPPED] * 3
    watched = policy(
        "watched",
        "api",
        f"ingress: [{rule('ingress', 'web', GET)}]",
        "enableDefaultDeny: {ingress: false}",
    )
    assert came(session(watched), *rows) == [OPEN] * 3


def test_hosts_and_headers() -> None:
    asks = "{host: api\\.x, headers: ['X-Role: admin', X-Trace]}"
    made = session(policy("p", "api", f"ingress: [{rule('ingress', 'web', asks)}]"))
    known = {"x-role": "admin", "x-trace": "1"}
    requests = [
        {"host": "api.x", "headers": known},
        {"host": "api.x:80", "headers": known},
        {"host": "api.x", "headers": {**known, "x-role": "Admin"}},
        {"host": "api.x", "headers": {"x-role": "admin", "x-trace": None}},
    ]
    found = came(made, *(row("web", "api", json.dumps(each)) for each in requests))
    assert found == [OPEN, FORBIDDEN, FORBIDDEN, FORBIDDEN]


@pytest.mark.parametrize(
    ("normalises", "expected"),
    [("true", [OPEN, OPEN, FORBIDDEN]), ("false", [FORBIDDEN, FORBIDDEN, OPEN])],
)
def test_paths_are_brought_to_one_form_where_the_proxy_does(
    normalises: str, expected: list[Arrival]
) -> None:
    asks = "{path: /v1/a}, {path: /v1/\\.\\./admin}"
    made = session(
        policy("p", "api", f"ingress: [{rule('ingress', 'web', asks)}]"),
        http_normalize_path=normalises,
    )
    paths = ("/v1/x/../a", "//v1/%61", "/v1/../admin")
    assert came(made, *(row("web", "api", f"GET {path}") for path in paths)) == expected


def test_what_is_not_sent_says_why() -> None:
    asks = rule("ingress", "web", GET)
    ports = "ports: [{port: '80', protocol: TCP}]"
    servers = f"{{fromEndpoints: [{{}}], toPorts: [{{{ports}, serverNames: [a.x]}}]}}"
    made = session(policy("p", "api", f"ingress: [{asks}, {servers}]"))
    rows = [
        row("web", "api", "GET /v1/a"),
        Row("g", "x/web", "x/api", None, "80", application=Application(sni="cart.shop")),
    ]
    found = measured(blueprint(made, rows), rows)
    reasons = [{cell.reason for cell in result.cells} for result in found.results]
    rule_2 = "CiliumNetworkPolicy x/p ingress rule 2 asks for more than the lab's proxy reads"
    assert reasons == [{rule_2}, {"labs send no TLS, only plain HTTP"}]


@contextmanager
def running(*words: str) -> Iterator[str]:
    name = f"requests-{os.getpid()}"
    ran = run_process("lab", "up", *words, "--name", name)
    assert ran.exit == 0, ran.err
    try:
        yield name
    finally:
        Lab.find(name).down()


def test_a_lab_that_stays_tells_what_its_proxy_decides() -> None:
    ends = "case-management/case-api", "payments/payments-api:8080"
    with running("-f", EXAMPLE) as name:
        seen = run_process("lab", "status", "--name", name)
        said = "proxy of node:lab-node: reads HTTP requests entering payments/payments-api"
        assert said in seen.out
        ran = run_process(
            "lab", "trace", *ends, "--http", "GET /payments/reservations", "--name", name
        )
        assert ran.exit == 0, ran.err
        assert ran.out.startswith("FORBIDDEN")
        assert "403 Access denied, by the proxy of node:lab-node, ingress" in ran.out
        assert "reservations ingress rule 1, handed on" in ran.out
        found = Running.find(name)
        passed = found.trace(*ends, application=Application("POST /payments/reservations"))
        assert passed.agrees
        keys = [each.key for met in passed.met for each in met.counted]
        rule_1 = "CiliumNetworkPolicy payments/reservations ingress 1"
        assert keys[-2:] == [f"{rule_1}, handed on", rule_1]
        dropped = found.trace("web/case-portal", ends[1], application=Application("GET /"))
        assert (dropped.cell.arrival, dropped.agrees) == (DROPPED, True)
        assert _said_by_hand(found.lab, "POST /payments/reservations HTTP/1.1").startswith(
            b"HTTP/1.0 200"
        )
        assert _said_by_hand(found.lab, "GET /payments/reservations HTTP/1.1").endswith(
            b"Access denied\r\n"
        )
        assert b" 400 " in _said_by_hand(found.lab, "EHLO me")
        # Without the rule everything is dropped, and nothing is handed on any more.
        done = run_process(
            "lab", "apply", "--delete", "CiliumNetworkPolicy/payments/reservations", "--name", name
        )
        assert done.exit == 0, done.err
        gone = Running.find(name).trace(
            *ends, application=Application("POST /payments/reservations")
        )
        assert (gone.cell.arrival, gone.agrees) == (DROPPED, True)


def _said_by_hand(lab: Lab, line: str) -> bytes:
    """What is answered to somebody who connects by hand."""
    target = lab.station("payments/payments-api").addresses[0]
    program = (
        "import socket, sys\n"
        f"file = socket.create_connection(({target!r}, 8080), 5)\n"
        f"file.sendall({line!r}.encode() + b'\\r\\nHost: x\\r\\n\\r\\n')\n"
        "while said := file.recv(4096): sys.stdout.buffer.write(said)\n"
    )
    words = lab.inside("case-management/case-api", ["python3", "-c", program])
    return subprocess.run(words, capture_output=True, check=True, timeout=20).stdout
