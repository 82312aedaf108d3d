"""Objects against the field table."""

import pytest

from cloison.base import Severity
from cloison.resources.check import MAX_PROBLEMS, Checked, check
from cloison.resources.options import FieldValidation, ReadOptions
from tests.unit.resources.loading import OPTIONS, codes, documents

STRICT = ReadOptions(field_validation=FieldValidation.STRICT)

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}, annotations: null}
spec:
  hostNetwork: false
  overhead: {cpu: 1}
  nodeSelector: null
  volumes:
  - {name: a, emptyDir: {sizeLimit: 1.5}}
  - null
  containers:
  - name: web
    ports: [{containerPort: 80.0, name: http}]
    resources: {limits: {cpu: 0.5, memory: 1Gi}, requests: {cpu: "500m", memory: 1e3}}
    livenessProbe: {httpGet: {port: http}, periodSeconds: 5}
    readinessProbe: {httpGet: {port: 80}}
status: {}
"""


def checked(text: str, options: ReadOptions = OPTIONS) -> Checked:
    """Check the only document of a text as its own kind."""
    (document,) = documents(text)
    kind = document.root.get("kind")
    assert kind is not None
    return check(document, str(kind.value), options)


def pod(**lines: str) -> str:
    """Return a small pod with the given top-level lines."""
    lines = {"metadata": "{name: web, namespace: shop}", **lines}
    return "apiVersion: v1\nkind: Pod\n" + "\n".join(f"{k}: {v}" for k, v in lines.items())


def test_a_valid_manifest_has_no_problem() -> None:
    assert checked(POD) == Checked(refused=False, diagnostics=())
    assert checked(POD, STRICT) == Checked(refused=False, diagnostics=())


def test_unknown_field_is_a_warning_with_place_object_and_remedy() -> None:
    result = checked(pod(spec="\n  hostNetwrok: true"))
    (found,) = result.diagnostics
    assert not result.refused
    assert found.code == "OBJ002"
    assert found.severity is Severity.WARNING
    assert str(found.span) == "in.yaml:5:3"
    assert found.object == "Pod shop/web"
    assert found.message == "unknown field `spec.hostNetwrok`"
    assert found.help == "did you mean `hostNetwork`?"
    assert found.effect is not None
    assert "drops" in found.effect


def test_case_matters_in_field_names() -> None:
    (found,) = checked(pod(spec="{HostNetwork: true}")).diagnostics
    assert found.help == "did you mean `hostNetwork`?"


def test_strict_validation_refuses_unknown_fields() -> None:
    result = checked(pod(spec="{hostNetwrok: true}"), STRICT)
    assert result.refused
    assert result.diagnostics[0].severity is Severity.ERROR


def test_what_a_server_printed_is_never_refused_for_an_unknown_field() -> None:
    text = pod(metadata="{name: web, uid: 1b1b}", spec="{fieldOfTomorrow: 1}")
    assert not checked(text, STRICT).refused


def test_unknown_field_of_a_policy_is_an_error_but_does_not_refuse() -> None:
    result = checked(
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a},"
        " spec: {podSelector: {}, ingress: [{from: [{namespaceSelctor: {}}]}]}}"
    )
    (found,) = result.diagnostics
    assert found.severity is Severity.ERROR
    assert found.help == "did you mean `namespaceSelector`?"
    assert found.message == "unknown field `spec.ingress[0].from[0].namespaceSelctor`"
    assert not result.refused


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{hostNetwork: 'yes'}", "`spec.hostNetwork` is the text `yes`, not true or false"),
        ("{containers: {}}", "`spec.containers` is a mapping, not a list"),
        ("{containers: [x]}", "`spec.containers[0]` is the text `x`, not a mapping"),
        ("{nodeName: 5}", "`spec.nodeName` is the number `5`, not text"),
        ("{nodeName: [a]}", "`spec.nodeName` is a list, not text"),
        ("[]", "`spec` is a list, not a mapping"),
        ("{priority: 1.5}", "`spec.priority` is the number `1.5`, not a whole number"),
        ("{priority: true}", "`spec.priority` is `true`, not a whole number"),
        ("{overhead: {cpu: lots}}", "`spec.overhead.cpu` is the text `lots`, not a quantity"),
        ("{nodeSelector: {a: 1}}", "`spec.nodeSelector.a` is the number `1`, not text"),
        ("{nodeSelector: []}", "`spec.nodeSelector` is a list, not a mapping"),
        (
            "{containers: [{ports: [{containerPort: http}]}]}",
            "`spec.containers[0].ports[0].containerPort` is the text `http`, not a whole number",
        ),
    ],
)
def test_a_wrong_type_refuses_the_object(spec: str, message: str) -> None:
    result = checked(pod(spec=spec))
    assert result.refused
    assert [d.message for d in result.diagnostics] == [message]
    assert codes(result.diagnostics) == ["OBJ003"]


def test_quotes_are_offered_as_the_remedy() -> None:
    (found,) = checked(pod(metadata="{name: a, labels: {version: 1.5}}")).diagnostics
    assert found.help == 'write it in quotes: `"1.5"`'
    (found,) = checked(pod(spec="{priority: '5'}")).diagnostics
    assert found.help == "write it without quotes: `5`"


def test_all_problems_are_collected() -> None:
    result = checked(pod(metadata="{labels: {a: 1}}", spec="{x: 1, hostNetwork: 1, containers: 3}"))
    assert codes(result.diagnostics) == ["OBJ003", "OBJ002", "OBJ003", "OBJ003", "OBJ004"]


def test_the_number_of_problems_is_bounded() -> None:
    result = checked(pod(spec=f"{{containers: [{'x, ' * 5000}]}}"))
    assert len(result.diagnostics) == MAX_PROBLEMS + 1
    assert result.diagnostics[-1].code == "OBJ012"
    assert result.refused


@pytest.mark.parametrize("name", ["Web", "web_1", "-web", "web.", "a" * 254, "a b", "é"])
def test_a_name_that_cannot_be_one_refuses_the_object(name: str) -> None:
    result = checked(pod(metadata=f"{{name: {name!r}}}"))
    assert result.refused
    assert codes(result.diagnostics) == ["OBJ005"]


@pytest.mark.parametrize(
    ("kind", "name", "good"),
    [
        ("Pod", "a.b", True),
        ("Namespace", "a.b", False),
        ("Service", "a.b", False),
        ("Node", "ip-10-0-0-1.ec2.internal", True),
        ("Namespace", "a" * 64, False),
        ("Pod", "a" * 64, True),
    ],
)
def test_each_kind_has_its_rule_for_names(kind: str, name: str, *, good: bool) -> None:
    text = f"{{apiVersion: v1, kind: {kind}, metadata: {{name: {name}}}}}"
    assert checked(text).refused is not good


def test_a_namespace_that_cannot_be_one_refuses_the_object() -> None:
    assert codes(checked(pod(metadata="{name: a, namespace: b.c}")).diagnostics) == ["OBJ005"]


def test_a_missing_name_refuses_the_object() -> None:
    for metadata in ("{}", "{name: ''}", "null", "{name: null}"):
        result = checked(pod(metadata=metadata))
        assert result.refused
        assert codes(result.diagnostics) == ["OBJ004"]


def test_generate_name_will_do() -> None:
    assert not checked(pod(metadata="{generateName: migrate-}")).refused
    assert checked(pod(metadata="{generateName: Migrate-}")).refused


@pytest.mark.parametrize(
    "label", ["-a: b", "a: -b", f"a: {'b' * 64}", "A B: c", "x/y/z: a", "Up/a: b", "a/: b"]
)
def test_a_bad_label_refuses_the_object(label: str) -> None:
    key, value = label.split(": ")
    result = checked(pod(metadata=f"{{name: a, labels: {{'{key}': '{value}'}}}}"))
    assert result.refused
    assert codes(result.diagnostics) == ["OBJ006"]


def test_labels_of_a_template_are_checked_too() -> None:
    result = checked(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a},"
        " spec: {template: {metadata: {labels: {'a!': b}}}}}"
    )
    assert codes(result.diagnostics) == ["OBJ006"]
    assert "`spec.template.metadata.labels`" in result.diagnostics[0].message


def test_good_labels_pass() -> None:
    labels = "{a: '', example.com/A_b.c: X-1, x: null, n: y}"
    assert not checked(pod(metadata=f"{{name: a, labels: {labels}}}")).diagnostics


def test_partial_manifests_are_welcome() -> None:
    assert not checked(pod()).diagnostics
    assert not checked(pod(spec="{containers: []}")).diagnostics


def test_messages_hold_no_control_characters() -> None:
    result = checked(pod(metadata=r'{name: "\e[31mred"}', spec=r'{"\e[0m": 1}'))
    assert result.diagnostics
    for found in result.diagnostics:
        assert "\x1b" not in found.message + str(found.object) + str(found.help)


def test_a_number_too_large_to_print_is_refused_quietly() -> None:
    (document,) = documents(pod(spec="{priority: 1, nodeName: 2}"))
    for field in ("priority", "nodeName"):
        node = document.root.get("spec", field)
        assert node is not None
        node.value = 10**5000
    result = check(document, "Pod", OPTIONS)
    assert codes(result.diagnostics) == ["OBJ003", "OBJ003"]
