"""Four weeks of the example, in the last two of which one thing of each kind goes astray.

Two trees of manifests, before and after, made-up flows of four weeks, and what drift there is.
Each event is planted apart from the others: who has a part in one has none in another.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from cloison import load
from cloison.app.traffic import Wanted, plan
from cloison.flows.generator.export import exporter
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Call, Made, Place, Plan

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "case-management"
START: Final = 1_767_571_200_000_000
"""Monday, 5 January 2026, in microseconds."""
DAYS: Final = 28
HOURS: Final = 24.0
TURNED: Final = 14
"""Days after which things go astray."""
PROVIDER: Final = Place("provider", ("198.51.100.30",))
STRAY: Final = Place("stray", ("203.0.113.77",))


@dataclass(frozen=True)
class Event:
    """Something planted.

    Args:
        code: The check that must find it: `D1` and so on.
        about: Words that its row must hold: names of the workloads, the policy, the namespace.
    """

    code: str
    about: tuple[str, ...]


@dataclass(frozen=True)
class Weeks:
    """What was planted, and where.

    Args:
        before: Manifests and contract of the first two weeks.
        after: Those of the last two.
        log: Flows of all four, as Hubble writes them.
        audit: What the API server's audit log says of changes.
        events: What drift there is after four weeks.
    """

    before: Path
    after: Path
    log: Path
    audit: Path
    events: tuple[Event, ...]


EVENTS: Final = (
    Event("D1", ("case-api", "enforcement-api")),
    Event("D2", ("sandbox/case-api", "evidence/evidence-store")),
    Event("D3", ("audit/audit-writer", "evidence/evidence-api")),
    Event("D4", ("reports/report-api",)),
    Event("D5", ("web/portal-typo",)),
    Event("D6", ("sandbox", "zone")),
    Event("D7", ("kube-system/node-agent",)),
    Event("D8", ("payments/payments-api", "evidence/evidence-api")),
    Event("D9", ("enforcement/wide-open",)),
    Event("D10", ("enforcement/enforcement-api", "203.0.113.77")),
    Event("D11", ("legacy-export",)),
    Event("D12", ("provider",)),
)


def planted(place: Path, *, loss: float = 0.0, seed: int = 0) -> Weeks:
    """Write both trees, the flows and the audit log.

    Args:
        place: Where to.
        loss: The share of records that are lost.
        seed: Another makes other traffic of the same shape.
    """
    before, after = place / "before", place / "after"
    shutil.copytree(EXAMPLE, before)
    _common(before)
    shutil.copytree(before, after)
    _astray(after)
    made = _plan(before, loss, seed)
    log, audit = place / "flows.log", place / "audit.log"
    log.write_text(
        "".join(f"{line}\n" for line in exporter("hubble")(made, connections(made))), "utf-8"
    )
    audit.write_text("".join(f"{line}\n" for line in _audited()), "utf-8")
    return Weeks(before, after, log, audit, EVENTS)


# Manifests


def _common(home: Path) -> None:
    """Write what both trees have besides the example: an agent, a provider, an old exception."""
    _write(home / "70-node-agent.yaml", _agent(ready=3))
    contract = home / "contract.yaml"
    said = yaml.safe_load(contract.read_text("utf-8"))
    spec = said["spec"]
    spec["externals"].append(
        {
            "name": "provider",
            "ranges": {"file": "provider.json"},
            "owner": "team-payments",
            "reason": "Who moves the money",
            "review": "2027-06-30",
        }
    )
    spec["dependencies"].append(_exception("2099-03-31"))
    contract.write_text(yaml.safe_dump(said, sort_keys=False), "utf-8")
    _ranges(home, ["198.51.100.0/26", "198.51.100.128/26"])


def _exception(expires: str) -> dict[str, Any]:
    return {
        "name": "legacy-export",
        "from": "egress-system/egress-proxy",
        "to": "external:provider",
        "ports": [8443],
        "owner": "team-payments",
        "reason": "Until the old interface is shut down",
        "ticket": "NET-1090",
        "expires": expires,
    }


def _astray(home: Path) -> None:
    """Write what went astray in the last two weeks."""
    # D4
    _write(
        home / "80-reports.yaml",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "reports"}},
        _deployment("reports", "report-api"),
    )
    # D5, D3 and D9
    _write(
        home / "81-policies.yaml",
        _policy(
            "web", "portal-typo", {"app": "case-portl"}, {"ingress": [{"from": [_pods("web")]}]}
        ),
        _policy(
            "audit",
            "writer-reads-evidence",
            {"app": "audit-writer"},
            {"egress": [_rule("to", "evidence", "evidence-api", 8080)]},
        ),
        _policy(
            "evidence",
            "evidence-to-writer",
            {"app": "evidence-api"},
            {"ingress": [_rule("from", "audit", "audit-writer", 8080)]},
        ),
        _policy(
            "enforcement",
            "wide-open",
            {"app": "enforcement-api"},
            {"egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]},
        ),
    )
    # D6
    spaces = home / "00-namespaces.yaml"
    found = list(yaml.safe_load_all(spaces.read_text("utf-8")))
    for each in found:
        if each and each["metadata"]["name"] == "sandbox":
            each["metadata"]["labels"]["zone"] = "app"
    _write(spaces, *(each for each in found if each))
    # D7
    _write(home / "70-node-agent.yaml", _agent(ready=2))
    # D11 and D12
    contract = home / "contract.yaml"
    said = yaml.safe_load(contract.read_text("utf-8"))
    entries = said["spec"]["dependencies"]
    entries[-1] = _exception("2026-01-25")
    contract.write_text(yaml.safe_dump(said, sort_keys=False), "utf-8")
    _ranges(home, ["198.51.100.0/26", "192.0.2.128/26"])


def _write(file: Path, *objects: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump_all(objects, sort_keys=False), "utf-8")


def _ranges(home: Path, blocks: list[str]) -> None:
    prefixes = [{"ip_prefix": block, "service": "PAY", "region": "eu"} for block in blocks]
    (home / "provider.json").write_text(json.dumps({"prefixes": prefixes}), "utf-8")


def _agent(ready: int) -> dict[str, Any]:
    labels = {"app": "node-agent"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "node-agent", "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": True,
                    "containers": [{"name": "agent", "image": "images.example.org/agent:1"}],
                },
            },
        },
        "status": {
            "desiredNumberScheduled": 3,
            "currentNumberScheduled": 3,
            "numberReady": ready,
            "numberAvailable": ready,
            "numberUnavailable": 3 - ready,
        },
    }


def _deployment(namespace: str, name: str) -> dict[str, Any]:
    labels = {"app": name}
    containers = [
        {"name": name, "image": f"images.example.org/{name}:1", "ports": [{"containerPort": 8080}]}
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def _policy(
    namespace: str, name: str, pods: dict[str, str], rules: dict[str, Any]
) -> dict[str, Any]:
    prefix = "policy.cloison.dev"
    said = {f"{prefix}/owner": "platform-security", f"{prefix}/reason": "planted"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "annotations": said},
        "spec": {
            "podSelector": {"matchLabels": pods},
            "policyTypes": [key.title() for key in rules],
            **rules,
        },
    }


def _pods(namespace: str, app: str | None = None) -> dict[str, Any]:
    home = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return {**home, **({"podSelector": {"matchLabels": {"app": app}}} if app else {})}


def _rule(key: str, namespace: str, app: str, port: int) -> dict[str, Any]:
    return {key: [_pods(namespace, app)], "ports": [{"port": port}]}


# Flows


def _plan(before: Path, loss: float, seed: int) -> Plan:
    session = load(str(before), runtime=True)
    made = plan(session, (), Wanted(DAYS, seed, loss))
    calls = [_slower(_ended(call)) for call in made.calls if not _is(call, PROVIDER.name)]
    ends = {
        (end.namespace, end.name): end
        for call in calls
        for end in (call.src, call.dst)
        if isinstance(end, Made)
    }
    since = TURNED * HOURS + 9
    case = ends["sandbox", "case-api"]
    store, evidence = ends["evidence", "evidence-store"], ends["evidence", "evidence-api"]
    calls += [
        # D2
        Call(case, store, 9000, per_hour=2.0, since=since, denied="evidence/default-deny"),
        # D3
        Call(ends["audit", "audit-writer"], evidence, 8080, per_hour=2.0, since=since),
        # D8
        Call(ends["payments", "payments-api"], evidence, 8080, per_hour=2.0, since=since),
        # D10
        Call(ends["enforcement", "enforcement-api"], STRAY, 443, per_hour=2.0, since=since),
    ]
    return replace(made, calls=tuple(calls), start=START)


def _is(call: Call, name: str) -> bool:
    return any(isinstance(end, Place) and end.name.endswith(name) for end in (call.src, call.dst))


def _ended(call: Call) -> Call:
    """Return a call as it is made; D1: the one to enforcement is not made any more."""
    ends = (call.src, call.dst)
    names = tuple(end.name for end in ends if isinstance(end, Made))
    if (
        len(names) == len(ends)
        and names[0].startswith("case-api")
        and names[1] == "enforcement-api"
    ):
        return replace(call, until=(TURNED - 2) * HOURS)
    return call


def _slower(call: Call) -> Call:
    """Return a call that happens less often: weeks are to be read in seconds."""
    return replace(call, per_hour=call.per_hour * 0.4)


def _audited() -> Iterator[str]:
    """Yield what the audit log says of the label of D6."""
    yield json.dumps(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "RequestResponse",
            "auditID": "7c1f9d9a-0000-4000-8000-000000000001",
            "stage": "ResponseComplete",
            "requestURI": "/api/v1/namespaces/sandbox",
            "verb": "patch",
            "user": {"username": "temp-admin", "groups": ["ops"]},
            "sourceIPs": ["192.0.2.60"],
            "userAgent": "kubectl/v1.34.0",
            "objectRef": {"resource": "namespaces", "name": "sandbox", "apiVersion": "v1"},
            "responseStatus": {"code": 200},
            "requestReceivedTimestamp": "2026-01-20T10:00:00.000000Z",
            "stageTimestamp": "2026-01-20T10:00:00.010000Z",
            "responseObject": {
                "kind": "Namespace",
                "apiVersion": "v1",
                "metadata": {
                    "name": "sandbox",
                    "labels": {"environment": "sandbox", "zone": "app"},
                },
            },
        }
    )
