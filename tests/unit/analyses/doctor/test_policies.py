"""What the doctor says of policies whose words cannot mean what they say, and what mends them."""

import pytest

from cloison.analyses.doctor import Mode
from cloison.base import Severity
from tests.support.doctoring import codes, examined, mended

HEAD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: pay, labels: {team: payments}}
---
"""


def workload(name: str, labels: str, port: str = "{name: http, containerPort: 8080}") -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {labels}}}
  template:
    metadata: {{labels: {labels}}}
    spec: {{containers: [{{name: c, image: i, ports: [{port}]}}]}}
---
"""


def ingress(name: str, pods: str, rule: str) -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec: {{podSelector: {pods}, policyTypes: [Ingress], ingress: [{rule}]}}
---
"""


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: http}]}
---
"""
WEB = workload("web", "{app: web}")
API = workload("api", "{app: api}")
FROM_WEB = "{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: %s}]}"


def test_the_port_of_a_service_is_not_that_of_its_pods() -> None:
    text = HEAD + WEB + API + SERVICE + ingress("api", "{matchLabels: {app: api}}", FROM_WEB % 80)
    (found,) = examined(text, "D-PORT")
    assert found.code == "PRT001"
    assert found.severity is Severity.ERROR
    assert "8080" in found.message
    assert codes(mended({"a": text}, [found])["mended.yaml"], "D-PORT") == []


def test_a_service_port_that_does_no_harm_is_left_alone() -> None:
    rules = f"{FROM_WEB % 80}, {FROM_WEB % 8080}"
    text = HEAD + WEB + API + SERVICE + ingress("api", "{matchLabels: {app: api}}", rules)
    assert codes(text, "D-PORT") == []


def test_a_port_name_that_nobody_declares_opens_nothing() -> None:
    text = HEAD + WEB + API + ingress("api", "{matchLabels: {app: api}}", FROM_WEB % "htpp")
    assert codes(text, "D-PORT") == ["PRT003"]


def test_a_pod_without_the_services_port_name_is_no_endpoint() -> None:
    canary = workload("canary", "{app: api, track: canary}", "{name: web, containerPort: 8080}")
    (found,) = examined(HEAD + API + canary + SERVICE, "D-PORT")
    assert (found.code, found.mode) == ("PRT004", Mode.VERSION)
    assert str(found.workload) == "shop/canary"
    assert found.mend == ()


@pytest.mark.parametrize("label", ["version: v1", "track: stable", "pod-template-hash: abc"])
def test_a_version_that_a_policy_does_not_select(label: str) -> None:
    key = label.partition(":")[0]
    old = workload("api", f"{{app: api, {label}}}")
    new = workload("api-next", f"{{app: api, {key}: other}}")
    deny = ingress("deny", "{}", "")
    text = HEAD + WEB + old + new + deny
    text += ingress("api", f"{{matchLabels: {{app: api, {label}}}}}", FROM_WEB % 8080)
    (found,) = examined(text, "D-CANARY")
    assert found.code == "CAN001"
    assert str(found.workload) == "shop/api-next"
    assert codes(mended({"a": text}, [found])["mended.yaml"], "D-CANARY") == []


def test_a_version_that_a_policy_leaves_open() -> None:
    old, new = (
        workload("api", "{app: api, version: v1}"),
        workload("two", "{app: api, version: v2}"),
    )
    policy = ingress("api", "{matchLabels: {app: api, version: v1}}", FROM_WEB % 8080)
    (found,) = examined(HEAD + WEB + old + new + policy, "D-CANARY")
    assert (found.code, found.severity) == ("CAN002", Severity.WARNING)


def test_a_version_of_a_caller_that_a_rule_forgets() -> None:
    one = workload("web", "{app: web, version: v1}")
    two = workload("web-next", "{app: web, version: v2}")
    rule = "{from: [{podSelector: {matchLabels: {app: web, version: v1}}}], ports: [{port: 8080}]}"
    text = HEAD + one + two + API + ingress("api", "{matchLabels: {app: api}}", rule)
    (found,) = examined(text, "D-CANARY")
    assert found.code == "CAN003"
    assert codes(mended({"a": text}, [found])["mended.yaml"], "D-CANARY") == []


def test_a_policy_that_selects_nobody_names_the_nearest_label() -> None:
    text = HEAD + API + ingress("api", "{matchLabels: {app: apii}}", FROM_WEB % 8080)
    (found,) = examined(text, "D-NOSELECT")
    assert found.code == "SEL001"
    assert "app=api" in found.help


def test_a_policy_that_misses_whom_another_one_shuts_is_an_outage() -> None:
    near = ingress("api", "{matchLabels: {app: apii}}", FROM_WEB % 8080)
    text = HEAD + WEB + API + ingress("deny", "{}", "") + near
    (found,) = examined(text, "D-NOSELECT")
    assert (found.code, found.severity, found.mode) == (
        "SEL001",
        Severity.ERROR,
        Mode.DEPENDENCY,
    )
    assert found.effect == "what it allows is denied: shop/web to shop/api on TCP/8080"
    assert codes(mended({"a": text}, [found])["mended.yaml"], "D-NOSELECT") == []
    # Whom nothing shuts off, and what another rule lets through, lacks nothing.
    (left,) = examined(HEAD + WEB + API + near, "D-NOSELECT")
    assert (left.severity, left.mend) == (Severity.WARNING, ())
    other = ingress("other", "{matchLabels: {app: api}}", FROM_WEB % 8080)
    (left,) = examined(text + other, "D-NOSELECT")
    assert (left.severity, left.mend) == (Severity.WARNING, ())


def test_a_policy_of_host_network_pods_does_nothing() -> None:
    agent = API.replace("spec: {containers", "spec: {hostNetwork: true, containers")
    (found,) = examined(HEAD + agent + ingress("a", "{matchLabels: {app: api}}", ""), "D-NOSELECT")
    assert (found.code, found.mode) == ("SEL002", Mode.NO_EFFECT)


def test_a_peer_in_a_namespace_that_is_not_in_the_input_is_not_spoken_of() -> None:
    where = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}"
    rule = f"{{from: [{{{where}}}], ports: [{{port: 8080}}]}}"
    text = HEAD + API + ingress("api", "{matchLabels: {app: api}}", rule)
    assert codes(text, "D-NOSELECT") == []


def test_a_plain_pod_whose_probes_come_from_its_node_is_not_spoken_of() -> None:
    probed = API.replace("image: i,", "image: i, readinessProbe: {httpGet: {port: http}},")
    assert codes(HEAD + probed + ingress("deny", "{}", ""), "D-PROBE") == []


def test_all_workloads_of_a_namespace_that_lack_names_are_one_finding_and_one_policy() -> None:
    deny = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}
"""
    text = HEAD + WEB + API + deny
    (found,) = examined(text, "D-DNS")
    assert found.code == "DNS001"
    assert "2 workloads of shop" in found.message
    assert len(found.mend) == 1
    assert "podSelector: {}" in found.mend[0].manifest
    # Who answers in this cluster nobody said: that is told once names resolve at the likeliest.
    assert codes(mended({"a": text}, [found])["mended.yaml"], "D-DNS") == ["DNS008"]
