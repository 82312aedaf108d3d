"""Reading Calico's objects: both groups, what is refused, and what is only said."""

import json
from typing import Any, TypeVar

import pytest

from cloison.algebra.expressions import ALWAYS
from cloison.base import Diagnostic, Severity
from cloison.dialects.calico import model
from cloison.dialects.calico.decode import decode
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.resources.options import FieldValidation, ReadOptions
from tests.support.documents import document

T = TypeVar("T", bound=model.CalicoObject)
API = "projectcalico.org/v3"
STORE = "crd.projectcalico.org/v1"


def read(
    kind: str, spec: str = "{}", version: str = API, **metadata: Any
) -> tuple[model.CalicoObject | None, list[Diagnostic]]:
    meta = json.dumps({"name": "x", **metadata})
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {meta}\nspec: {spec}\n"
    return decode(document(text), ReadOptions(namespace="home"))


def good(type_: type[T], spec: str = "{}", version: str = API, **metadata: Any) -> T:
    found, said = read(type_.kind, spec, version, **metadata)
    assert [d for d in said if d.severity is Severity.ERROR] == []
    assert isinstance(found, type_)
    return found


def codes(found: tuple[model.CalicoObject | None, list[Diagnostic]]) -> list[str]:
    assert all(d.effect and d.help and d.source and d.span for d in found[1])
    return [d.code for d in found[1]]


def test_a_policy_says_where_everything_stands() -> None:
    policy = good(
        model.NetworkPolicy,
        "{tier: t, order: 5, selector: all(), types: [Egress], egress: [{action: Pass}]}",
    )
    assert str(policy) == "NetworkPolicy home/x"
    assert (policy.tier, policy.order, policy.types) == ("t", 5.0, (PolicyType.EGRESS,))
    assert policy.selector == model.Selector("all()", ALWAYS)
    assert policy.span
    assert policy.egress_span
    assert policy.selector.span is not None
    assert policy.selector.span.line == 4
    assert policy.rules(PolicyType.EGRESS) == (model.Rule(model.Action.PASS),)
    assert policy.rules(PolicyType.INGRESS) == ()


@pytest.mark.parametrize(
    ("spec", "api", "store"),
    [
        ("{}", "I", "IE"),
        ("{ingress: [{action: Allow}]}", "I", "IE"),
        ("{egress: [{action: Allow}]}", "E", "IE"),
        ("{egress: []}", "I", "IE"),
        ("{ingress: [{action: Allow}], egress: [{action: Allow}]}", "IE", "IE"),
        ("{types: [Ingress], egress: [{action: Allow}]}", "I", "I"),
    ],
)
def test_types_that_are_not_written(spec: str, api: str, store: str) -> None:
    for version, expected in ((API, api), (STORE, store)):
        policy = good(model.GlobalNetworkPolicy, spec, version)
        assert "".join(t[0] for t in PolicyType if t in policy.effective_types) == expected


def test_a_stored_policy_without_types_is_worth_a_warning() -> None:
    assert codes(read("GlobalNetworkPolicy", "{selector: all()}", STORE)) == ["CAL015"]
    assert codes(read("GlobalNetworkPolicy", "{types: [Ingress]}", STORE)) == []
    assert codes(read("StagedGlobalNetworkPolicy", "{stagedAction: Delete}", STORE)) == []


def test_an_empty_selector_is_none_and_a_blank_one_is_kept() -> None:
    assert good(model.GlobalNetworkPolicy, "{selector: ''}").selector is None
    blank = good(model.GlobalNetworkPolicy, "{selector: '  '}").selector
    assert blank == model.Selector("  ", ALWAYS)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("NetworkPolicy", "{selector: ' '}"),
        ("GlobalNetworkPolicy", '{selector: "\\t", namespaceSelector: has(a)}'),
        ("GlobalNetworkPolicy", "{selector: ' ', serviceAccountSelector: has(a)}"),
        ("NetworkPolicy", "{ingress: [{action: Deny, source: {selector: ' '}}]}"),
        (
            "GlobalNetworkPolicy",
            "{ingress: [{action: Deny, source: {selector: ' ', namespaceSelector: all()}}]}",
        ),
    ],
)
def test_a_blank_selector_in_brackets_drops_the_policy(kind: str, spec: str) -> None:
    for version in (API, STORE):
        found = read(kind, spec, version)
        assert found[0] is None
        assert "CAL011" in codes(found)


BROKEN = "\"team = 'web'\""


@pytest.mark.parametrize(
    "spec",
    [
        f"{{selector: {BROKEN}}}",
        f"{{ingress: [{{action: Deny, source: {{selector: {BROKEN}}}}}]}}",
        f"{{egress: [{{action: Deny, destination: {{namespaceSelector: {BROKEN}}}}}]}}",
        f"{{ingress: [{{action: Deny, source: {{serviceAccounts: {{selector: {BROKEN}}}}}}}]}}",
    ],
)
def test_a_selector_that_cannot_be_read_drops_the_policy(spec: str) -> None:
    for version in (API, STORE):
        found = read("GlobalNetworkPolicy", spec, version)
        assert found[0] is None
        said = next(d for d in found[1] if d.code == "CAL010")
        assert "column 6: expected `==`" in said.message


@pytest.mark.parametrize("field", ["namespaceSelector", "serviceAccountSelector"])
def test_felix_ignores_what_the_api_refuses(field: str) -> None:
    spec = f"{{{field}: {BROKEN}, types: [Ingress]}}"
    assert read("GlobalNetworkPolicy", spec)[0] is None
    found, said = read("GlobalNetworkPolicy", spec, STORE)
    assert isinstance(found, model.GlobalNetworkPolicy)
    assert model.Selector("team = 'web'", None) in (
        found.namespace_selector,
        found.service_account_selector,
    )
    (error,) = said
    assert (error.code, error.severity) == ("CAL014", Severity.ERROR)


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("allow", model.Action.ALLOW),
        ("deny", model.Action.DENY),
        ("LOG", model.Action.LOG),
        ("next-tier", model.Action.PASS),
        ("''", model.Action.ALLOW),
    ],
)
def test_the_store_knows_actions_by_other_names(written: str, action: model.Action) -> None:
    spec = f"{{types: [Ingress], ingress: [{{action: {written}}}]}}"
    policy = good(model.GlobalNetworkPolicy, spec, STORE)
    assert policy.rules(PolicyType.INGRESS) == (model.Rule(action),)
    assert codes(read("GlobalNetworkPolicy", spec)) == ["CAL020"]


def test_felix_is_laxer_about_values() -> None:
    spec = (
        "{types: [Ingress], ingress: [{action: Allow, protocol: tcp, ipVersion: 4, "
        "source: {nets: [10.0.0.1/24, 10.0.0.9, nonsense], services: {}}, "
        "destination: {ports: ['80']}}]}"
    )
    found, said = read("GlobalNetworkPolicy", spec, STORE)
    assert [d.code for d in said] == ["CAL027"]
    assert isinstance(found, model.GlobalNetworkPolicy)
    (rule,) = found.rules(PolicyType.INGRESS)
    assert rule.protocol == "TCP"
    assert rule.source == model.EntityRule(nets=("10.0.0.1/24", "10.0.0.9"))
    assert rule.destination.ports == (80,)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{action: pass}", "CAL020"),
        ("{action: Allow, protocol: 300}", "CAL021"),
        ("{action: Allow, protocol: TCP, destination: {ports: [0]}}", "CAL022"),
        ("{action: Allow, destination: {notPorts: [80]}}", "CAL023"),
        ("{action: Allow, protocol: ICMP, icmp: {type: 255}}", "CAL024"),
        ("{action: Allow, ipVersion: 5}", "CAL025"),
        ("{action: Allow, destination: {domains: [example.com]}}", "CAL038"),
    ],
)
def test_what_felix_refuses_too(rule: str, code: str) -> None:
    for version in (API, STORE):
        found = read("GlobalNetworkPolicy", f"{{types: [Ingress], ingress: [{rule}]}}", version)
        assert found[0] is None
        assert codes(found) == [code]


@pytest.mark.parametrize(
    ("name", "tier", "annotation", "expected"),
    [
        ("default.x", "", None, "x"),
        ("default.x", "default", None, "x"),
        ("sec.x", "sec", None, "sec.x"),
        ("default.x", "sec", None, "default.x"),
        ("x", "", {"name": "default.y"}, "default.y"),
        ("default.x", "", {"labels": {"a": "b"}}, "x"),
    ],
)
def test_the_true_name_of_a_stored_policy(
    name: str, tier: str, annotation: dict[str, Any] | None, expected: str
) -> None:
    annotations = {"kept": "yes"}
    if annotation is not None:
        annotations["projectcalico.org/metadata"] = json.dumps(annotation)
    policy = good(
        model.NetworkPolicy,
        f"{{tier: '{tier}', types: [Ingress]}}",
        STORE,
        name=name,
        annotations=annotations,
        labels={"a": "stood"},
    )
    assert policy.name == expected
    assert policy.annotations == {"kept": "yes"}
    assert policy.labels == {"a": (annotation or {}).get("labels", {}).get("a", "stood")}


def test_a_name_written_through_the_api_is_left_alone() -> None:
    policy = good(model.NetworkPolicy, name="default.x")
    assert (policy.name, policy.bare_name) == ("default.x", "x")
    assert good(model.NetworkPolicy, "{tier: sec}", name="default.x").bare_name == "default.x"


@pytest.mark.parametrize("text", ["nonsense", "[]", "1", "[" * 5000])
def test_metadata_that_cannot_be_read(text: str) -> None:
    found = read("Tier", "{}", STORE, annotations={"projectcalico.org/metadata": text})
    assert found[0] is None
    assert codes(found) == ["CAL002"]
    assert read("Tier", "{}", API, annotations={"projectcalico.org/metadata": text})[0]


@pytest.mark.parametrize("version", ["projectcalico.org/v1", "crd.projectcalico.org/v3"])
def test_a_version_that_is_none(version: str) -> None:
    found = read("Tier", "{order: 1}", version)
    assert found[0] is None
    assert codes(found) == ["OBJ008"]


def test_unknown_fields_are_said_with_what_they_change() -> None:
    found, said = read(
        "NetworkPolicy",
        "{policyTypes: [Ingress], ingress: [{action: Deny, source: {ipBlock: {}, nets: []}}]}",
    )
    assert isinstance(found, model.NetworkPolicy)
    assert [d.code for d in said] == ["OBJ002", "OBJ002"]
    assert [d.help for d in said] == ["write `types`", "write `nets: [10.0.0.0/8]`"]
    assert "more than was meant" in (said[1].effect or "")
    strict = ReadOptions(field_validation=FieldValidation.STRICT)
    text = f"apiVersion: {API}\nkind: Tier\nmetadata: {{name: x}}\nspec: {{orders: 1}}"
    assert decode(document(text), strict)[0] is None


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("NetworkPolicy", "{ingress: {}}"),
        ("NetworkPolicy", "[]"),
        ("GlobalNetworkPolicy", "{order: high}"),
        ("GlobalNetworkPolicy", "{order: [1]}"),
        ("GlobalNetworkPolicy", "{ingress: [{action: 1}]}"),
        ("GlobalNetworkPolicy", "{ingress: [{action: Allow, source: {nets: 10.0.0.0/8}}]}"),
        ("IPPool", "{cidr: [], natOutgoing: maybe}"),
        ("FelixConfiguration", "{failsafeInboundHostPorts: {}}"),
        ("FelixConfiguration", "{failsafeInboundHostPorts: [{port: 99999}]}"),
        ("HostEndpoint", "{node: one, interfaceName: '*', ports: [{name: http}]}"),
    ],
)
def test_a_wrong_type_is_refused(kind: str, spec: str) -> None:
    found, said = read(kind, spec)
    assert found is None
    assert any(d.severity is Severity.ERROR for d in said)


@pytest.mark.parametrize(
    ("kind", "spec", "code"),
    [
        ("HostEndpoint", "{interfaceName: eth0}", "CAL036"),
        ("HostEndpoint", "{node: one}", "CAL036"),
        ("HostEndpoint", "{node: one, interfaceName: a-very-long-device-name}", "CAL036"),
        ("HostEndpoint", "{node: one, expectedIPs: [10.0.0.0/8]}", "CAL036"),
        ("IPPool", "{cidr: 10.0.0.1/16}", "CAL026"),
        ("Tier", "{defaultAction: Allow}", "CAL034"),
        ("NetworkSet", "{nets: [example.com]}", "CAL026"),
        ("StagedNetworkPolicy", "{stagedAction: Maybe}", "CAL037"),
        (
            "StagedKubernetesNetworkPolicy",
            "{stagedAction: Delete, policyTypes: [Egress]}",
            "CAL037",
        ),
        ("GlobalNetworkPolicy", "{doNotTrack: true}", "CAL031"),
        ("GlobalNetworkPolicy", "{tier: 'a b'}", "CAL033"),
        ("GlobalNetworkPolicy", "{types: [Both]}", "CAL030"),
        ("GlobalNetworkPolicy", "{selector: '" + "has(b) || " * 103 + "has(c)'}", "CAL012"),
        ("NetworkPolicy", "{ingress: [" + "{action: Allow}," * 1025 + "]}", "CAL032"),
    ],
)
def test_what_the_api_refuses_besides(kind: str, spec: str, code: str) -> None:
    found = read(kind, spec)
    assert found[0] is None
    assert set(codes(found)) == {code}


def test_names_of_policies_and_labels_of_sets() -> None:
    assert codes(read("NetworkPolicy", name="a.b.c")) == ["CAL033"]
    assert codes(read("NetworkPolicy", name="knp.default.a.b.c")) == []
    assert codes(read("GlobalNetworkPolicy", name="a.b.c")) == []
    labels = {"projectcalico.org/namespace": "x"}
    assert codes(read("GlobalNetworkSet", labels=labels)) == ["CAL035"]
    assert codes(read("GlobalNetworkSet", "{nets: []}", STORE, labels=labels)) == []


def test_a_built_in_tier_as_it_is() -> None:
    assert good(model.Tier, "{order: 1000000, defaultAction: Deny}", name="default").order == 1e6
    assert codes(read("Tier", "{order: 1000}", name="kube-admin")) == ["CAL034"]
    admin = good(model.Tier, "{order: 1000, defaultAction: Pass}", name="kube-admin")
    assert admin.default_action is model.Action.PASS


def test_sets_take_bare_addresses_and_lack_the_names_of_the_commercial_editions() -> None:
    found, said = read("NetworkSet", "{nets: [10.0.0.1], allowedEgressDomains: [a.b]}")
    assert isinstance(found, model.NetworkSet)
    assert found.nets == ("10.0.0.1",)
    assert [d.code for d in said] == ["CAL038"]
    assert read("NetworkSet", "{nets: [10.0.0.1, a.b]}", STORE)[0] == model.NetworkSet(
        name="x", namespace="home", group="crd.projectcalico.org", nets=("10.0.0.1",)
    )


def test_a_staged_kubernetes_policy_is_read_by_its_own_dialect() -> None:
    spec = "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}"
    staged = good(model.StagedKubernetesNetworkPolicy, spec)
    assert staged.staged_action is model.StagedAction.SET
    assert (staged.policy.namespace, staged.policy.name) == ("home", "x")
    assert staged.policy.ingress is not None
    found, said = read("StagedKubernetesNetworkPolicy", "{ingress: [{ports: [{port: 99999}]}]}")
    assert found is None
    assert {d.object for d in said} == {"StagedKubernetesNetworkPolicy home/x"}


def test_a_configuration_says_what_changes_verdicts() -> None:
    felix = good(
        model.FelixConfiguration,
        "{defaultEndpointToHostAction: Accept, bpfEnabled: true, serviceLoopPrevention: Drop, "
        "failsafeInboundHostPorts: [], logSeverityScreen: Info, "
        "failsafeOutboundHostPorts: [{protocol: udp, port: 53, net: 10.0.0.0/8}]}",
        name="default",
        creationTimestamp="2026-01-02T03:04:05Z",
    )
    assert felix.default_endpoint_to_host_action == "Accept"
    assert felix.failsafe_inbound == ()
    assert felix.failsafe_outbound == (model.ProtoPort("UDP", 53, "10.0.0.0/8"),)
    assert felix.settings == {"serviceLoopPrevention": "Drop"}
    assert felix.created == "2026-01-02T03:04:05Z"


def test_orders_are_numbers_of_any_size() -> None:
    for text, number in (("-3", -3.0), ("1e300", 1e300), ("0.5", 0.5), ("9" * 40, 1e40)):
        assert good(model.GlobalNetworkPolicy, f"{{order: {text}}}").order == number


def test_many_faults_come_to_an_end() -> None:
    found = read("GlobalNetworkPolicy", "{ingress: [" + "{action: Maybe}," * 5000 + "]}")
    assert found[0] is None
    assert len(found[1]) == 100
