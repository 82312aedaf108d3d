"""Commands that `reconcile` prints: each runs, and says what its cell says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run_cloison

EXAMPLE = ("-f", "examples/case-management")
SAYS = {
    "yes": ("ALLOWED",),
    "no": ("DENIED",),
    "partly": ("MIXED",),
    # Of some of many addresses nobody can say it.
    "unclear": ("UNDETERMINED", "MIXED"),
}
NAMED = """
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {name: named}
spec:
  externals:
    - {name: rates, names: [rates.example.com], owner: team-portal, reason: r, review: 2027-01-01}
    - {name: partners, cidrs: [203.0.113.0/24, 198.51.100.0/24], owner: team-portal, reason: r,
       review: 2027-01-01}
  dependencies:
    - {name: rates, from: web/case-portal, to: external:rates, ports: [443], owner: team-portal,
       reason: The portal shows rates}
    - {name: pays, from: case-management/case-api, to: payments/payments-api, ports: [8080],
       owner: team-case, reason: r, http: {method: GET, path: /nowhere}}
    - {name: many, from: external:partners, to: web/case-portal, ports: [8080],
       owner: team-portal, reason: r}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: rates, namespace: web}
spec:
  endpointSelector: {}
  egress:
    - toFQDNs: [{matchPattern: "*.example.com"}]
      toPorts: [{ports: [{port: "443", protocol: TCP}]}]
    - toEndpoints:
        - matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}
      toPorts:
        - ports: [{port: "53", protocol: ANY}]
          rules: {dns: [{matchPattern: "*"}]}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
"""


def line(name: str, address: str, number: int) -> str:
    """Return a connection of the portal to an address outside, under a name."""
    labels = ["k8s:app=case-portal", "k8s:io.kubernetes.pod.namespace=web"]
    pod = {
        "namespace": "web",
        "pod_name": "case-portal-1",
        "labels": labels,
        "identity": 5001,
        "workloads": [{"name": "case-portal", "kind": "Deployment"}],
    }
    flow = {
        "time": f"2026-01-01T00:{number:02}:00Z",
        "verdict": "FORWARDED",
        "IP": {"source": "10.244.0.9", "destination": address, "ipVersion": "IPv4"},
        "l4": {"TCP": {"source_port": 40000 + number, "destination_port": 443}},
        "source": pod,
        "destination": {"identity": 2, "labels": ["reserved:world"]},
        "destination_names": [name],
        "Type": "L3_L4",
        "node_name": "n1",
        "event_type": {"type": 5},
        "traffic_direction": "EGRESS",
        "is_reply": False,
    }
    return json.dumps({"flow": flow, "node_name": "n1", "time": flow["time"]})


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the answer about the example, with names that only flows tell, and its options."""
    home = tmp_path_factory.mktemp("asks")
    extra = home / "more.yaml"
    extra.write_text(NAMED, encoding="utf-8")
    options = (*EXAMPLE, "-f", str(extra))
    flows = home / "flows.log"
    made = run_cloison("flows", "generate", *EXAMPLE, "--days", "0.2")
    assert made.exit == 0, made.err
    names = [
        line("rates.example.com", "203.0.113.77", 1),
        line("other.example.com", "203.0.113.78", 2),
        line("rates.example.com", "203.0.113.79", 3),
    ]
    flows.write_text(made.out + "\n".join(names) + "\n", encoding="utf-8")
    store = str(home / "store")
    ran = run_cloison("flows", "ingest", str(flows), "--store", store)
    assert ran.exit == 0, ran.err
    found = run_cloison("reconcile", *options, "--store", store, "-o", "json")
    assert found.exit in (0, 1), found.err
    return json.loads(found.out), options


def test_every_command_runs_and_says_what_its_cell_says(
    asked: tuple[dict[str, Any], tuple[str, ...]],
) -> None:
    found, options = asked
    cells = [cell for cell in found["cells"] if cell["why"]]
    # Nobody but the cluster calls from a node of its own: no question is about that.
    silent = [c for c in found["cells"] if not c["why"]]
    # What decides there is named all the same.
    assert all(cell["decidedBy"] for cell in found["cells"])
    assert {c["srcName"] for c in silent} <= {"a node"}, silent
    assert len(cells) > 60
    for cell in cells:
        ran = run_cloison("why", *cell["why"], *options)
        assert ran.exit == 0, (cell["why"], ran.err)
        requested = "--http" in cell["why"]
        hangs = cell["conditional"] and cell["permitted"] == "yes" and not requested
        says = ("MIXED", "ALLOWED") if hangs else SAYS[cell["permitted"]]
        assert ran.out.startswith(says), (cell["why"], cell["permitted"], ran.out)


def test_every_line_of_excess_names_its_rules_and_a_command_that_shows_it(
    asked: tuple[dict[str, Any], tuple[str, ...]],
) -> None:
    found, options = asked
    assert found["excess"]
    for line in found["excess"]:
        assert line["decidedBy"], line
        ran = run_cloison("why", *line["why"], *options)
        assert ran.out.lower().startswith((line["verdict"], "mixed")), (line["why"], ran.out)
        placed = [by["place"] for by in line["decidedBy"] if by["rule"] is not None]
        assert all(place["file"] and place["line"] for place in placed)


def test_what_was_learned_of_names_is_in_the_command(
    asked: tuple[dict[str, Any], tuple[str, ...]], tmp_path: Path
) -> None:
    found, options = asked
    assert found["flows"]["names"] == ["other.example.com", "rates.example.com"]
    asks = [c["why"] for c in found["cells"] if "--dns-name" in (c["why"] or ())]
    assert [
        "web/case-portal",
        "203.0.113.78:443/TCP",
        "--dns-name",
        "other.example.com=203.0.113.78",
    ] in asks
    # Without the name, the address is nobody's: that was the link before.
    bare = run_cloison("why", "web/case-portal", "203.0.113.78:443/TCP", *options)
    assert not bare.out.startswith("ALLOWED")
    text = run_cloison("why", *asks[0], *options)
    assert text.out.startswith("ALLOWED")
    wrong = run_cloison("why", *asks[0][:2], "--dns-name", "=1.2.3.4", *options, cwd=tmp_path)
    assert wrong.exit == 2
    assert "write --dns-name" in wrong.err


def test_what_is_meant_with_a_request_is_asked_with_it(
    asked: tuple[dict[str, Any], tuple[str, ...]],
) -> None:
    cells = [
        cell for cell in asked[0]["cells"] if "pays" in [each["name"] for each in cell["intended"]]
    ]
    assert [cell["permitted"] for cell in cells] == ["no"]
    assert cells[0]["why"][2:] == ["--http", "GET /nowhere"]
    # Other requests passed there, which contradicts nothing.
    assert cells[0]["observed"]["allowed"]
    assert cells[0]["kind"] == "broken"


HALF = """
apiVersion: v1
kind: Namespace
metadata: {name: s}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: w, namespace: s}
spec:
  selector: {matchLabels: {app: w}}
  template:
    metadata: {labels: {app: w}}
    spec: {containers: [{name: c, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: w, namespace: s}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 80}]}]
---
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {name: half}
spec:
  dependencies: [{name: in, from: zone:world, to: s/w, ports: [80], owner: me, reason: r}]
"""


def test_a_part_that_is_denied_is_named_with_who_decides_and_how_it_is_asked(
    tmp_path: Path,
) -> None:
    world = tmp_path / "half.yaml"
    world.write_text(HALF, encoding="utf-8")
    options = ("-f", str(world))
    ran = run_cloison("reconcile", *options, "-o", "json")
    (cell,) = (each for each in json.loads(ran.out)["cells"] if each["kind"] == "broken")
    assert cell["permitted"] == "partly"
    assert cell["denied"] == "::/0 -> s/w"
    assert [each["policy"]["name"] for each in cell["decidedBy"]] == ["w"]
    assert cell["why"][:2] == ["::/0", "s/w:80/TCP"]
    answer = json.loads(run_cloison("why", *cell["why"], *options, "-o", "json").out)
    assert answer["verdict"] == "denied"
    said = run_cloison("reconcile", *options).out
    assert "  denied: ::/0 -> s/w\n" in said
    assert "  by: s/w isolates ingress" in said
    assert "  see: cloison why ::/0 s/w:80/TCP -f" in said
