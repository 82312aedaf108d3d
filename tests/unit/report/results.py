"""One result of every kind, over the example and over a small world with corners."""

from datetime import date
from functools import cache
from typing import Any

import pytest

import cloison
from cloison.analyses.between import Between
from cloison.analyses.doctor.examine import CHECKS
from cloison.analyses.portable import Portability
from cloison.app import Session
from cloison.app.between import compare, pair_of, sides
from cloison.app.compile import compile_contract as compiled
from cloison.app.contract import check as contract_check
from cloison.app.draft import draft as drafted
from cloison.app.reconcile import reconcile
from cloison.base import Span, sort_diagnostics
from cloison.base.version import VERSION
from cloison.report import About, Accepted, Effective, Findings, Judged, Setting
from cloison.report.about import Examination
from tests.support.cli import ROOT
from tests.support.lab import CLUSTER, SEEN, applied, matrix, odd_matrix, traced
from tests.support.texts import portability_texts
from tests.unit.report import (
    driftedresults,
    flowresults,
    recommendedresults,
    reconciledresults,
    shadowedresults,
)

CORNERS = """\
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: a, labels: {app: one}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80, name: web}]}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: "2001:db8::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: a, labels: {app: two}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.2}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: many, namespace: a}
spec:
  selector: {matchLabels: {app: many}}
  template:
    metadata: {labels: {app: many}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: a}
spec: {selector: {app: one}, ports: [{port: 8000, targetPort: web}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: a}
spec:
  podSelector: {matchLabels: {app: one}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: two}}}, {ipBlock: {cidr: 198.51.100.0/24}}]
      ports: [{port: web}, {protocol: SCTP, port: 9}]
"""


@cache
def example(name: str = "case-management-broken", profile: str = "generic") -> Session:
    """The bundled example, for most as read by who knows nothing of its enforcer."""
    return cloison.load(str(ROOT / "examples" / name), profile=profile)


@cache
def corners() -> Session:
    """A world with a node, a dual-stack pod, a Service and a block."""
    return cloison.load_texts({"corners.yaml": CORNERS})


@cache
def worked_on() -> Session:
    """The world with corners, after a change that opens, closes and changes, in every way."""
    text = CORNERS.replace("name: two", "name: new").replace("port: 9}", "port: 10}")
    return cloison.load_texts({"corners.yaml": text.replace("198.51.100.0/24", "0.0.0.0/0")})


def about(session: Session) -> About:
    """What surrounds a session's answers."""
    return About(VERSION, session.profile, session.settings.profile_chosen, session.diagnostics)


def findings(session: Session) -> Findings:
    """Everything `validate` says."""
    return Findings(sort_diagnostics([*session.diagnostics, *session.suspicions]), 14)


def accepted(session: Session) -> Findings:
    """The same, some of it accepted."""
    first, *rest = findings(session).diagnostics
    excuses = Accepted(first, "known", date(2027, 3, 31)), Accepted(rest[0], "known too")
    return Findings(tuple(rest[1:]), 14, excuses, show_suppressed=True)


def examined(session: Session) -> Examination:
    """What the doctor finds, the last of it accepted where there is more than one."""
    found = session.doctor()
    kept, rest = (found[:-1], found[-1:]) if len(found) > 1 else (found, ())
    excuses = tuple(Accepted(each.diagnostic, "known", date(2027, 3, 31)) for each in rest)
    return Examination(kept, tuple(CHECKS), excuses, show_suppressed=True)


CONTRACT = """\
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {name: corners}
spec:
  zones: [{name: inner}, {name: outer, to: [inner]}]
  workloads: [{match: {namespace: a, name: one}, zone: inner, class: service, owner: team-a}]
  dependencies:
    - {name: front, from: a/two, to: "svc:a/front", ports: [8000], expires: 2026-01-01}
    - {name: whole, from: a/many, to: a/one, owner: team-a, reason: because, direction: both}
  externals: [{name: partner, cidrs: [198.51.100.0/24], review: 2026-01-01}]
  guardrails:
    - {name: holds, deny: {from: a/many, to: a/one}}
    - {name: pods, deny: {to: a/many}, reason: nobody}
    - {name: outside, only: {from: a/two, to: a/one}}
    - {name: "names", deny: {from: "any:a", to: "dns:example.com"}}
    - {name: nodes, deny: {from: "node:n1", to: "any:b"}}
    - {name: gone, deny: {to: a/gone}}
"""
DAY = date(2026, 7, 1)


@cache
def agreed() -> Session:
    """The world with corners, and a contract about it."""
    return cloison.load_texts({"corners.yaml": CORNERS, "contract.yaml": CONTRACT})


def judged(found: Any) -> Judged[Any]:
    """An answer with findings, some of which are accepted where there are any."""
    kept, rest = found.findings[:1], found.findings[1:]
    excuses = tuple(Accepted(each, "known", date(2027, 3, 31)) for each in rest)
    return Judged(found, kept, excuses, show_suppressed=True)


SETTINGS = Effective(
    (
        Setting("sources", (".",), "default"),
        Setting("cni", "flannel", "environment", "CLOISON_CNI"),
        Setting("podCidrs", ("10.0.0.0/8",), "file", None, Span("cloison.yaml", 2)),
        Setting("strict", value=True, kind="flag", by="--strict"),
    ),
    "cloison.yaml",
    1,
)


BOUND = """\
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: looks, namespace: a}
spec:
  selector: app contains 'one'
  ingress:
  - {action: Allow, source: {selector: app == 'two'}}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: plain, namespace: a}
spec:
  selector: app == 'two'
  ingress:
  - {action: Allow}
"""


@cache
def bound() -> tuple[Session, Portability]:
    """Policies of which one is bound to its enforcer, and one is not read alike by all."""
    texts = {"corners.yaml": CORNERS, "bound.yaml": BOUND}
    return portability_texts(texts, profile="generic")


def apart(session: Session) -> Between:
    """What two enforcers make of a session."""
    return compare(*sides(session, *pair_of("cilium@1.19,calico@3.32")))


ORDER = (
    *("why",) * 11,
    *("map",) * 2,
    *("tally",) * 2,
    *("grouped",) * 2,
    *("exposure",) * 2,
    *("diff",) * 2,
    *("relate",) * 5,
    "portability",
    *("between",) * 2,
    *("effective",) * 3,
    *("policy",) * 2,
    "verify",
    *("measured",) * 2,
    "trace",
    "applied",
    "ingested",
    "observed",
    "ranked",
    "recorded",
    "lab",
    *("validate",) * 2,
    "doctor",
    *("cni",) * 2,
    *("egress",) * 2,
    *("checked",) * 2,
    *("reconciled",) * 2,
    *("shadowed",) * 2,
    *("drifted",) * 2,
    *("compiled",) * 2,
    *("recommended",) * 2,
    *("drafted",) * 2,
    "config",
)
"""Kinds of the results: tests are named by them, and only those that run work the results out."""
PLACES = [pytest.param(number, id=f"{kind}-{number}") for number, kind in enumerate(ORDER)]
TABLES = [each for each, kind in zip(PLACES, ORDER, strict=True) if kind != "grouped"]
"""Places of results, as parameters of tests: of all of them, and of those that are tables."""


@cache
def results() -> tuple[tuple[str, Session, Any], ...]:
    """Results to render, in their `ORDER`: kind, session, result."""
    broken, small = example(), corners()
    asked = [
        (broken, "case-management/case-api", "enforcement/enforcement-api:8080"),
        (broken, "case-management/case-api", "evidence/evidence-api"),
        (broken, "web/case-portal", "kube-system/coredns:icmp/8/0"),
        (small, "a/two", "svc:a/front:8000"),
        (small, "any:", "a/one:web"),
        (small, "any:a", "a/one:80"),
        (small, "198.51.100.0/25", "a/one:80"),
        (small, "node:n1", "a/one:80"),
        (small, "a/one", "127.0.0.1:80"),
        (small, "a/many", "a/one:icmp"),
        (small, "a/one", "2001:db8::7"),
    ]
    whys = [("why", s, s.why(src, dst)) for s, src, dst in asked]
    everything = cloison.MapOptions(pods=True, self_edges=True, nodes=True)
    rest: list[tuple[str, Session, Any]] = [
        ("map", broken, broken.map()),
        ("map", small, small.map(everything)),
        ("tally", broken, broken.tiers()),
        ("tally", small, small.tiers(cloison.MapOptions(pods=True, destinations=("a/one",)))),
        ("grouped", broken, broken.map()),
        ("grouped", small, small.map(everything)),
        ("exposure", broken, broken.exposure()),
        ("exposure", small, small.exposure(cloison.MapOptions(pods=True))),
        ("diff", broken, example("case-management").diff(broken)),
        ("diff", small, corners().diff(worked_on(), everything)),
        ("relate", broken, example("case-management").relate("permits", broken)),
        ("relate", broken, broken.relate("redundant")),
        ("relate", broken, broken.relate("disjoint")),
        ("relate", small, small.relate("all-captured")),
        ("relate", small, small.relate("contained", worked_on())),
        ("portability", *bound()),
        ("between", broken, apart(broken)),
        ("between", small, apart(small)),
        ("effective", broken, broken.effective("case-management/case-api-canary")),
        ("effective", small, small.effective("a/one")),
        ("effective", small, small.effective("a/many")),
        ("policy", broken, broken.describe_policy("enforcement/enforcement-api")),
        ("policy", small, small.describe_policy("a/guard")),
        ("verify", broken, broken.verify()),
        ("measured", CLUSTER, matrix()),
        ("measured", CLUSTER, odd_matrix()),
        ("trace", CLUSTER, traced()),
        ("applied", CLUSTER, applied()),
        ("ingested", CLUSTER, flowresults.RUN),
        ("observed", CLUSTER, flowresults.STATUS),
        ("ranked", CLUSTER, flowresults.TOP),
        ("recorded", CLUSTER, flowresults.FLOWS),
        ("lab", CLUSTER, SEEN),
        ("validate", broken, findings(broken)),
        ("validate", small, accepted(broken)),
        ("doctor", broken, examined(broken)),
        ("cni", broken, judged(broken.cni())),
        ("cni", small, judged(corners().cni())),
        ("egress", broken, judged(broken.egress())),
        ("egress", small, judged(small.egress())),
        ("checked", broken, judged(contract_check(broken, (), DAY)[0])),
        ("checked", agreed(), judged(contract_check(agreed(), (), DAY)[0])),
        ("reconciled", broken, reconciledresults.watched(broken)),
        ("reconciled", agreed(), reconcile(agreed())[0]),
        ("shadowed", broken, shadowedresults.cast(example("case-management"), broken, "hour")),
        ("shadowed", broken, shadowedresults.cast(broken, example("case-management"))),
        ("drifted", broken, driftedresults.astray()),
        ("drifted", small, driftedresults.quiet()),
        ("compiled", broken, judged(compiled(broken, "networkpolicy", today=DAY).result)),
        ("compiled", agreed(), judged(compiled(agreed(), "cilium", today=DAY).result)),
        ("recommended", broken, recommendedresults.told(broken)),
        ("recommended", agreed(), recommendedresults.told(agreed(), "cilium")),
        ("drafted", broken, drafted(broken)),
        ("drafted", small, drafted(small)),
        ("config", small, SETTINGS),
    ]
    return (*whys, *rest)
