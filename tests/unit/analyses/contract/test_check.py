"""`contract check`: what is found wrong with a contract, and what holds."""

import json
import os
from datetime import date
from pathlib import Path

import pytest

import cloison
from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.examine import Check
from cloison.analyses.contract.placed import Placed
from cloison.analyses.contract.prove import NOT_ALL_TRIED, Status, prove
from cloison.app.contract import agreed, check, edges
from cloison.base import QuestionError, Severity
from cloison.intent import Contract
from cloison.ir.fidelity import Verdict
from tests.support.cli import ROOT
from tests.unit.intent.said import HEAD, reading

DAY = date(2026, 7, 1)
WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {zone: edge}}
---
apiVersion: v1
kind: Namespace
metadata: {name: db, labels: {zone: dta}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: portal, namespace: web}
spec:
  selector: {matchLabels: {app: portal}}
  template:
    metadata: {labels: {app: portal}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: portal, namespace: web}
spec: {selector: {app: portal}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres, namespace: db}
spec:
  selector: {matchLabels: {app: postgres}}
  template:
    metadata: {labels: {app: postgres}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432, name: sql}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: db}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: postgres, namespace: db}
spec:
  podSelector: {matchLabels: {app: postgres}}
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}
          podSelector: {matchLabels: {app: portal}}
      ports: [{port: sql}]
"""


def checked(spec: str, world: str = WORLD, today: date = DAY) -> Check:
    texts = {"world.yaml": world, "contract.yaml": HEAD + "spec:\n" + spec}
    return check(cloison.load_texts(texts), (), today)[0]


def codes(found: Check) -> list[str]:
    return [each.code for each in found.findings]


def statuses(found: Check) -> dict[str, Status]:
    return {proof.guardrail.name: proof.status for proof in found.proofs}


def guardrail(text: str, world: str = WORLD, more: str = "") -> Check:
    return checked(f"  guardrails:\n    - {{name: g, {text}}}\n{more}", world)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("only: {from: web/portal, to: db/postgres}", Status.HOLDS),
        ("only: {from: web/deploy/portal, to: db/postgres, ports: [sql]}", Status.HOLDS),
        ("only: {from: 'svc:web/portal', to: db/postgres}", Status.HOLDS),
        ("only: {from: 'any:web', to: 'any:db'}", Status.HOLDS),
        ("only: {from: {namespace: web, selector: {app: portal}}, to: 'any:db'}", Status.HOLDS),
        ("only: {from: {namespaceSelector: {zone: edge}}, to: db/postgres}", Status.HOLDS),
        ("only: {from: {namespaceSelector: {zone: app}}, to: db/postgres}", Status.BROKEN),
        ("deny: {to: db/postgres}, except: [web/portal]", Status.HOLDS),
        ("deny: {to: db/postgres}, except: [{ports: [5432]}]", Status.HOLDS),
        ("deny: {to: db/postgres, ports: [80, 53/UDP]}", Status.HOLDS),
        ("deny: {to: db/postgres, ports: [http]}", Status.HOLDS),
        ("deny: {to: db/postgres, ports: [sql]}", Status.BROKEN),
        ("deny: {to: db/postgres}", Status.BROKEN),
        ("deny: {from: zone:world, to: 'any:db'}", Status.HOLDS),
        ("deny: {from: zone:world, to: 'any:web'}", Status.BROKEN),
        ("deny: {from: 'any:db', to: zone:world}", Status.HOLDS),
        ("deny: {from: 'any:db', to: 'dns:example.com'}", Status.HOLDS),
        ("deny: {from: web/portal, to: 'dns:example.com'}", Status.BROKEN),
        ("deny: {from: 192.0.2.0/24, to: web/portal}, except: [192.0.2.0/25]", Status.BROKEN),
        ("deny: {from: 192.0.2.0/24, to: web/portal}, except: [192.0.2.0/23]", Status.HOLDS),
        ("deny: {from: web/portal, to: 'any:'}, except: [{to: 'any:web'}]", Status.BROKEN),
        ("deny: {from: 'any:absent', to: 'any:db'}", Status.HOLDS),
        ("deny: {from: 'any:absent', to: 'any:web'}", Status.BROKEN),
        ("deny: {to: db/gone}", Status.UNASKED),
        ("deny: {to: 'gw:web/public'}", Status.UNASKED),
    ],
)
def test_a_guardrail_comes_out(text: str, status: Status) -> None:
    assert statuses(guardrail(text)) == {"g": status}


def test_icmp_of_which_nobody_can_say_is_undetermined_where_it_is_asked_for() -> None:
    for ports in ("icmp", "icmp/8", "{protocol: ICMP}"):
        (proof,) = guardrail(
            f"deny: {{from: web/portal, to: db/postgres, ports: [{ports}]}}"
        ).proofs
        assert proof.status is Status.UNDETERMINED
        assert [each.id for each in proof.caveats] == ["NON_L4"]
    (proof,) = guardrail("only: {from: web/portal, to: db/postgres}").proofs
    assert proof.status is Status.HOLDS
    assert "NON_L4" in [each.id for each in proof.caveats]


def test_a_pod_that_comes_may_declare_a_port_by_any_number() -> None:
    world = WORLD + (
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: admin, namespace: db}\n"
        "spec: {podSelector: {}, ingress: [{ports: [{port: admin}]}]}\n"
    )
    (proof,) = guardrail("deny: {to: 'any:db', ports: [6000]}", world).proofs
    assert proof.status is Status.BROKEN
    assert "declaring the port admin" in proof.breaches[0].destination.text
    assert statuses(guardrail("deny: {to: db/postgres, ports: [6000]}", world)) == {
        "g": Status.HOLDS
    }


def test_what_holds_says_what_it_stands_on() -> None:
    world = WORLD.replace(
        "ingress:\n    - from:\n", "ingress:\n    - from:\n        - ipBlock: {cidr: 10.0.0.0/8}\n"
    )
    (proof,) = guardrail("deny: {from: 'any:db', to: db/postgres}", world).proofs
    assert proof.status is Status.HOLDS
    assert "POD_ADDRESS_UNKNOWN" in [each.id for each in proof.caveats]


def test_what_nobody_is_or_declares_cannot_be_asked() -> None:
    found = guardrail("deny: {to: db/postgres, ports: [sqll]}")
    assert statuses(found) == {"g": Status.UNASKED}
    assert codes(found) == ["CON103"]
    found = guardrail("deny: {from: 'zone:z', to: db/postgres}", more="  zones: [{name: z}]\n")
    assert statuses(found) == {"g": Status.UNASKED}


def test_a_repeated_key_is_an_error_at_its_place() -> None:
    spec = "spec:\n  guardrails: []\n  guardrails: []\n"
    session = cloison.load_texts({"world.yaml": WORLD, "contract.yaml": HEAD + spec})
    found = agreed(session)
    assert not found.whole
    (said,) = found.diagnostics
    assert said.span is not None
    assert (said.code, said.severity) == ("SRC004", Severity.ERROR)
    assert (said.span.line, said.span.column) == (6, 3)


def test_a_broken_guardrail_is_shown_with_a_flow_and_its_rule() -> None:
    found = guardrail("deny: {to: db/postgres}, reason: nobody reads it")
    (proof,) = found.proofs
    first = proof.breaches[0]
    assert (first.source.text, first.destination.text) == ("web/portal", "db/postgres")
    assert str(first.traffic) == "TCP/5432"
    assert first.why == ("web/portal", "db/postgres:5432")
    assert first.deciders[0].text == "db/postgres ingress rule 1"
    assert first.mend.startswith("narrow db/postgres ingress rule 1 at world.yaml:43")
    assert codes(found) == ["CON101"]
    assert found.findings[0].effect == "nobody reads it"
    session = cloison.load_texts({"world.yaml": WORLD})
    assert session.why(*first.why).verdict is Verdict.ALLOWED


def test_pods_that_may_come_break_a_guardrail_that_those_of_today_keep() -> None:
    world = WORLD.replace("          podSelector: {matchLabels: {app: portal}}\n", "")
    (proof,) = guardrail("only: {from: web/portal, to: db/postgres}", world).proofs
    assert proof.status is Status.BROKEN
    assert [b.source.kind for b in proof.breaches] == ["any-pod"]
    assert proof.breaches[0].why == ("any:web", "db/postgres:5432")


def test_a_pod_of_its_own_is_no_peer_of_itself_and_replicas_are() -> None:
    pod = (
        "---\napiVersion: v1\nkind: Pod\nmetadata: {name: lone, namespace: web}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
    )
    lone = guardrail("deny: {from: web/lone, to: web/lone}", WORLD + pod)
    assert statuses(lone) == {"g": Status.HOLDS}
    replicas = guardrail("deny: {from: web/portal, to: web/portal}")
    assert statuses(replicas) == {"g": Status.BROKEN}


def test_what_nobody_can_say_is_not_proved() -> None:
    world = WORLD.replace("ports: [{port: sql}]", "ports: [{port: 5432, endPort: 5440}]")
    block = world.replace(
        "        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}\n"
        "          podSelector: {matchLabels: {app: portal}}\n",
        "        - ipBlock: {cidr: 10.1.0.0/16}\n",
    )
    texts = {
        "world.yaml": block,
        "contract.yaml": HEAD
        + "spec: {guardrails: [{name: g, deny: {from: web/portal, to: db/postgres}}]}",
    }
    session = cloison.load_texts(texts, pod_cidrs=("10.0.0.0/8",))
    found, whole = check(session, (), DAY)
    assert statuses(found) == {"g": Status.UNDETERMINED}
    assert codes(found) == ["CON102"]
    assert whole


def test_too_many_kinds_of_pods_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloison.analyses.imagine.MOST", 2)
    (proof,) = guardrail("only: {from: 'any:web', to: 'any:db'}").proofs
    assert (proof.status, proof.message) == (Status.UNDETERMINED, NOT_ALL_TRIED)
    (named,) = guardrail("deny: {from: db/postgres, to: web/portal}").proofs
    assert named.status is Status.HOLDS


ZONES = """\
  owner: team
  zones: [{name: edge, from: [world]}, {name: data}]
  workloads:
    - {match: {namespace: web}, zone: edge}
    - {match: {namespace: db}, zone: data, asset: orders}
"""


def test_what_passes_with_one_request_is_a_breach_with_that_request() -> None:
    session = cloison.load(str(ROOT / "examples" / "case-management"))
    ends = "from: case-management/case-api, to: payments/payments-api"
    contract = of_spec_text(f"  guardrails: [{{name: g, deny: {{{ends}}}}}]\n")
    (proof,) = prove(contract, Ends(session.names, Placed.of(contract, session.world))).proofs
    assert proof.status is Status.BROKEN
    first = proof.breaches[0]
    asked = ("--http", "POST /payments/reservations")
    assert first.arguments == (*first.why, *asked)
    assert session.why(*first.why, http=asked[1]).verdict is Verdict.ALLOWED
    assert session.why(*first.why).verdict is Verdict.MIXED


def of_spec_text(spec: str) -> Contract:
    found = reading(f"{HEAD}spec:\n{spec}")
    assert not found.diagnostics
    return found.contract


def test_a_border_that_nobody_opens_is_not_crossed() -> None:
    calls = "  dependencies: [{name: d, from: web/portal, to: db/postgres, reason: r}]\n"
    assert "CON111" in codes(checked(ZONES + calls))
    opened = ZONES.replace("{name: data}", "{name: data, from: [edge]}")
    assert "CON111" not in codes(checked(opened + calls))
    inner = "  dependencies: [{name: d, from: web/portal, to: web/portal, reason: r}]\n"
    (said,) = (f.message for f in checked(ZONES + inner).findings if f.code == "CON111")
    assert "stays within zone edge" in said
    out = "  dependencies: [{name: d, from: zone:world, to: zone:edge, reason: r}]\n"
    assert "CON111" not in codes(checked(ZONES + out))


def test_an_external_may_be_in_a_zone() -> None:
    outside = "  externals: [{name: old, cidrs: [192.0.2.0/24], zone: data}]\n"
    calls = "  dependencies: [{name: d, from: web/portal, to: external:old, reason: r}]\n"
    rails = "  guardrails: [{name: g, deny: {from: 'any:db', to: zone:data}}]\n"
    found = checked(ZONES + outside + calls + rails)
    assert [f.message for f in found.findings if f.code == "CON111"] == [
        "the dependency 'd' leads from zone edge to data, which no zone allows"
    ]
    assert statuses(found) == {"g": Status.HOLDS}
    world = (
        "  guardrails: [{name: g, deny: {from: 192.0.2.7, to: web/portal}, except: [zone:world]}]\n"
    )
    assert statuses(checked(ZONES + outside + world)) == {"g": Status.BROKEN}


def test_what_a_contract_lacks_is_listed() -> None:
    spec = """\
  zones: [{name: edge}]
  workloads:
    - {match: {namespace: web, name: portal}, zone: edge}
    - {match: {namespace: gone}, owner: x}
  dependencies:
    - {name: old, from: web/portal, to: db/postgres, ports: [5432], expires: 2026-06-30}
    - {name: lost, from: web/portal, to: db/gone, owner: o, reason: r}
    - {name: bad, from: db/postgres, to: web/portal, owner: o, reason: r}
  guardrails: [{name: g, deny: {from: db/postgres}}]
  externals: [{name: mail, names: [mail.example.com], review: 2026-06-30}]
  namespaceLabels:
    - {key: zone, values: [edge, data], owner: team-s, changedBy: [team-s]}
    - {key: cost, required: true, except: [web]}
  platform: [dns, metrcs, {id: metrics}]
"""
    found = checked(spec)
    said = sorted((f.code, f.message) for f in found.findings)
    assert [code for code, _ in said] == [
        "CON110",
        "CON112",
        "CON113",
        "CON113",
        "CON113",
        "CON114",
        "CON114",
        "CON115",
        "CON120",
        "CON130",
        "CON131",
        "CON140",
        "CON141",
        "CON150",
        "CON151",
        "CON151",
    ]
    assert found.blanks["old"] == (
        "asset",
        "direction",
        "identity",
        "bootstrap",
        "observability",
        "rollout",
    )
    assert found.blanks["bad"][-2:] == ("protocol", "port")
    later = checked(spec, today=date(2026, 6, 30))
    assert not {"CON112", "CON120"} & set(codes(later))
    helps = {f.code: f.help for f in found.findings}
    assert helps["CON150"] == "did you mean `metrics`?"
    assert helps["CON130"] == (
        "set it to edge or data; team-s answers for it; team-s may change it"
    )


def test_edges_are_at_the_pods_behind_a_service() -> None:
    spec = """\
  workloads: [{match: {namespace: web}, zone: a}]
  zones: [{name: a}]
  dependencies:
    - {name: one, from: db/postgres, to: "svc:web/portal", ports: [80]}
    - {name: two, from: zone:a, to: db/postgres, ports: [sql, 9]}
"""
    texts = {"world.yaml": WORLD, "contract.yaml": HEAD + "spec:\n" + spec}
    session = cloison.load_texts(texts)
    found = edges(session, agreed(session))
    assert [
        (e.entry.name, e.source.text, e.destination.text, e.traffic.text) for e in found.edges
    ] == [
        ("one", "db/postgres", "web/portal", "TCP/8080"),
        ("two", "web/portal", "db/postgres", "sql"),
        ("two", "web/portal", "db/postgres", "TCP/9"),
    ]
    assert found.edges[0].dialled is not None
    assert not found.unmet


def contract_in(directory: Path, external: str) -> Path:
    path = directory / "contract.yaml"
    denied = "deny: {from: web/portal, to: zone:world}"
    rails = f"  guardrails: [{{name: g, {denied}, except: [{{to: external:x}}]}}]"
    path.write_text(f"{HEAD}spec:\n  externals: [{external}]\n{rails}\n")
    (directory / "world.yaml").write_text(WORLD)
    return path


def test_a_list_of_ranges_is_read_beside_the_contract(tmp_path: Path) -> None:
    path = contract_in(tmp_path, "{name: x, ranges: {file: r.json, keep: {service: S3}}}")
    items = [
        {"ip_prefix": "192.0.2.0/24", "service": "S3"},
        {"ip_prefix": "198.51.100.0/24", "service": "EC2", "about": "10.0.0.0/8"},
    ]
    (tmp_path / "r.json").write_text(json.dumps({"prefixes": items}))
    session = cloison.load(str(tmp_path / "world.yaml"))
    found = agreed(session, [str(path)])
    assert not found.diagnostics
    assert str(found.published["x"]) == "192.0.2.0/24"


@pytest.mark.parametrize(
    ("ranges", "content", "said"),
    [
        ("../r.json", "{}", "leads out of the directory"),
        ("/etc/passwd", "{}", "leads out of the directory"),
        ("gone.json", "{}", "cannot read"),
        ('"r\\0.json"', "{}", "can be no path"),
        ("loop.json", "{}", "cannot be read"),
        ("pipe.json", "{}", "it is no regular file"),
        ("r.json", "[", "is no JSON"),
        ("r.json", '{"a": ["text", 7]}', "holds no block of addresses"),
    ],
)
def test_a_list_that_cannot_be_read_is_said_so(
    tmp_path: Path, ranges: str, content: str, said: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = contract_in(home, f"{{name: x, ranges: {ranges}}}")
    (home / "r.json").write_text(content)
    (home / "loop.json").symlink_to("loop.json")
    os.mkfifo(home / "pipe.json")
    session = cloison.load(str(home / "world.yaml"))
    found, whole = check(session, [str(path)], DAY)
    first = found.findings[0]
    assert first.code == "CON014"
    lines = path.read_text().splitlines()
    (number,) = (at for at, line in enumerate(lines, 1) if "ranges: " in line)
    column = lines[number - 1].index("ranges: ") + len("ranges: ") + 1
    assert first.span is not None
    assert (first.span.line, first.span.column) == (number, column)
    assert said in first.message
    assert statuses(found) == {"g": Status.UNASKED}
    assert not whole


def test_without_a_contract_there_is_nothing_to_check() -> None:
    with pytest.raises(QuestionError, match="there is no contract in the source"):
        check(cloison.load_texts({"world.yaml": WORLD}), (), DAY)


def test_the_example_holds_and_the_broken_one_shows_its_opening() -> None:
    session = cloison.load(str(ROOT / "examples" / "case-management"))
    found, whole = check(session, (), DAY)
    assert whole
    assert not found.findings
    assert set(statuses(found).values()) == {Status.HOLDS}
    assert not found.edges.unmet
    broken = cloison.load(str(ROOT / "examples" / "case-management-broken"))
    shown = check(broken, (), DAY)[0]
    assert [n for n, s in statuses(shown).items() if s is not Status.HOLDS] == [
        "evidence-only-through-cases"
    ]
    assert shown.proofs[0].breaches[0].source.text == "case-management/path-prober"


def test_everything_the_example_means_is_permitted() -> None:
    session = cloison.load(str(ROOT / "examples" / "case-management"))
    verdicts = set()
    for edge in edges(session, agreed(session)).edges:
        number, _, name = (edge.traffic.text or "").partition("/")
        port = f"{name}/{number}"
        target = edge.entry.destination.text
        if target == "external:postgres":
            target = "10.42.15.4"
        if edge.entry.http is None and not target.startswith(("external:", "zone:", "pods")):
            source = "203.0.113.10" if edge.source.text == "external:public" else edge.source.text
            verdicts.add(session.why(source, f"{target}:{port}").verdict)
    assert verdicts == {Verdict.ALLOWED}
