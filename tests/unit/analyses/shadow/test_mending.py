"""What shadow offers to add: lookups by both protocols, and nothing for persons and scans."""

from dataclasses import replace

import cloison
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.sorts import Sort
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import Seen
from cloison.analyses.shadow.model import Fate, Shadow
from cloison.app.shadow import Recorded, shadowed
from cloison.report.text.shadowed import effect, outcome
from tests.unit.analyses.shadow.test_shadow import (
    API,
    CLOSED,
    DNS,
    WEB,
    WORLD,
    cast,
    fates,
    seen,
)

EVERY = range(72)


def _steady(some: Seen) -> Seen:
    """Return an edge as seen in each of many hours."""
    course = Course.of((hour, 1) for hour in EVERY)
    return replace(some, count=course.total, course=course, first=0, last=EVERY[-1] * HOUR)


def _cast(*some: Seen, candidate: str = CLOSED, more: str = "") -> Shadow:
    texts = {"world.yaml": WORLD + more}
    before = cloison.load_texts(texts, runtime=True)
    after = cloison.load_texts({**texts, "candidate.yaml": candidate}, runtime=True)
    return shadowed(before, after, Recorded(some, Watch({"hubble": tuple(EVERY)})))


def test_lookups_are_let_through_by_both_protocols() -> None:
    """Answers that are too long for UDP are asked for again by TCP, sooner or later."""
    for protocol in ("UDP", "TCP"):
        found = cast(CLOSED, seen(WEB, DNS, 53, 1, protocol=protocol))
        (mend,) = found.findings[0].mends or ()
        assert "protocol: TCP\n      port: 53" in mend.manifest
        assert "protocol: UDP\n      port: 53" in mend.manifest
    both = cast(CLOSED, seen(WEB, DNS, 53, 1), seen(WEB, DNS, 53, 1, protocol="UDP"))
    assert (both.findings[0].mends or ())[0].manifest.count("port: 53") == 2


def test_what_is_let_through_already_is_not_mended_again() -> None:
    """The candidate has a rule for one of both."""
    half = CLOSED.replace(
        "policyTypes: [Ingress, Egress]}",
        "policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: TCP}]}]}",
    )
    found = cast(half, seen(WEB, DNS, 53, 1, protocol="UDP"))
    (mend,) = found.findings[0].mends or ()
    assert "protocol: UDP" in mend.manifest
    assert "protocol: TCP" not in mend.manifest


def test_other_calls_are_mended_by_the_protocol_that_was_seen() -> None:
    found = cast(CLOSED, seen(WEB, API, 9053, 20))
    assert not any("UDP" in each.manifest for each in found.findings[0].mends or ())


SCAN = [seen(WEB, API, port) for port in range(9001, 9009)]


def test_what_policy_stopped_and_let_through_once_has_no_mend() -> None:
    """A gap in enforcement is no reason; a single denial of what goes on is none against it."""
    steady = _steady(seen(WEB, API, 8080))
    gap = _cast(steady, seen(WEB, API, 9000), seen(WEB, API, 9000, 30, "denied"))
    (odd,) = [each for each in gap.findings if each.sort is not None]
    assert (odd.sort, odd.mends) == (Sort.DENIED, ())
    assert "stopped more often than not" in effect(odd)
    late = _cast(steady, seen(WEB, API, 8080, 1, "denied"))
    assert all(each.sort is None for each in late.findings)


def test_nobody_is_told_how_to_let_a_scan_through() -> None:
    """It is what recommending asks about, and comes after what applications do."""
    found = _cast(_steady(seen(WEB, API, 8080)), *SCAN)
    mine, odd = found.findings
    assert (mine.sort, bool(mine.mends)) == (None, True)
    assert (odd.sort, odd.mends) == (Sort.SCAN, ())
    assert "looks like a scan (its source tried 8 destinations and ports" in effect(odd)
    assert "8 of them as by a person or a scan, or mostly stopped" in outcome(found)
    assert "8 of them" not in outcome(_cast(_steady(seen(WEB, API, 8080))))
    assert found.connections(Fate.DENIED) == 72 + 8


def test_nor_a_person() -> None:
    """One call of somebody's, among days of others."""
    found = _cast(_steady(seen(WEB, DNS, 53, protocol="UDP")), seen(API, WEB, 8080))
    assert [each.sort for each in found.findings] == [None, Sort.PERSON]
    assert found.findings[1].mends == ()
    assert "looks like a person's doing" in effect(found.findings[1])


CONTRACT = """---
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {name: c}
spec:
  dependencies:
    - {name: once, from: shop/api, to: shop/web, ports: [8080], owner: o, reason: r}
"""


def test_what_a_contract_means_is_an_applications() -> None:
    """However seldom it happens."""
    some = (_steady(seen(WEB, DNS, 53, protocol="UDP")), seen(API, WEB, 8080))
    found = _cast(*some, more=CONTRACT)
    assert [each.sort for each in found.findings] == [None, None]
    assert all(each.mends for each in found.findings)


def _lookups(pattern: str, *more: str) -> str:
    rules = ", ".join([f'{{matchPattern: "{pattern}"}}', *more])
    return f"""
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: names, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: web}}}}
  egress:
    - toEndpoints:
        - matchLabels: {{k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}}
      toPorts:
        - ports: [{{port: "53", protocol: UDP}}, {{port: "80", protocol: TCP}}]
          rules: {{dns: [{rules}]}}
"""


def test_a_pattern_of_every_name_lets_every_lookup_through() -> None:
    """Whatever is asked for over such an edge is a name; elsewhere it may be anything."""
    call = seen(WEB, DNS, 53, 4, protocol="UDP")
    for rule in (_lookups("*"), _lookups("a.example", '{matchPattern: "*"}')):
        assert fates(cast(rule, call, profile="cilium@1.19")) == {"passing": 4}
    assert fates(cast(_lookups("*.example"), call, profile="cilium@1.19")) == {"undetermined": 4}
    other = cast(_lookups("*"), seen(WEB, DNS, 80, 4), profile="cilium@1.19")
    assert fates(other) == {"undetermined": 4}
    today = cast("", call, today=_lookups("*"), profile="cilium@1.19")
    assert fates(today) == {"passing": 4}
