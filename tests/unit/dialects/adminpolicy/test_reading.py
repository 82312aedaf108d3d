"""What is read, what is refused and what is pruned."""

import pytest

from cloison.base import Severity
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.say import ABSENT
from cloison.resources.options import Channel, FieldValidation, ReadOptions
from tests.unit.dialects.adminpolicy.helpers import anp, banp, cnp, codes, policy, read, text

DENY = "{action: Deny, from: [{namespaces: {}}]}"


def test_a_whole_policy_is_read() -> None:
    found = policy(
        cnp(
            "a",
            "egress: [{name: out, action: Pass, to: [{networks: [10.0.0.0/8]}, {domainNames: "
            "[Example.com.]}], protocols: "
            "[{udp: {destinationPort: {range: {start: 1, end: 9}}}}]}]",
            tier="Baseline",
        )
    )
    assert isinstance(found, model.ClusterNetworkPolicy)
    assert (found.tier, found.priority, str(found)) == ("Baseline", 10, "ClusterNetworkPolicy a")
    assert found.ingress is None
    (rule,) = found.egress or ()
    assert (rule.name, rule.action, rule.ports) == ("out", "Pass", None)
    assert rule.protocols == (model.Protocol(udp=model.DestinationPort(range=(1, 9))),)
    assert [peer.networks or peer.domain_names for peer in rule.peers] == [
        ("10.0.0.0/8",),
        ("Example.com.",),
    ]


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (text("BaselineAdminNetworkPolicy", "base", "{subject: {namespaces: {}}}"), "ADL003"),
        (cnp("a", "ingress: []") + "status: {}\n", "ADL004"),
        (text("ClusterNetworkPolicy", "a", "{tier: Admin, priority: 1}"), "ADL005"),
        (cnp("a", "ingress: []", tier="admin"), "ADL006"),
        (cnp("a", f"ingress: [{DENY.replace('Deny', 'Allow')}]"), "ADL007"),
        (cnp("a", "ingress: []", priority=1001), "ADL008"),
        (cnp("a", "ingress: [{action: Deny, from: [{}]}]"), "ADL009"),
        (cnp("a", "ingress: [{action: Deny, from: [{namespaces: {}, pods: {}}]}]"), "ADL010"),
        (cnp("a", f"ingress: [{', '.join([DENY] * 26)}]"), "ADL011"),
        (cnp("a", "ingress: [{action: Deny, from: []}]"), "ADL012"),
        (cnp("a", "ingress: [null]"), "ADL013"),
        (cnp("a", f"ingress: [{DENY[:-1]}, name: {'n' * 101}}}]"), "ADL014"),
        (cnp("a", "egress: [{action: Deny, to: [{networks: ['::/0', '::/0']}]}]"), "ADL015"),
        (cnp("a", "egress: [{action: Deny, to: [{networks: [10.0.0.1]}]}]"), "ADL016"),
        (cnp("a", "egress: [{action: Accept, to: [{domainNames: [com]}]}]"), "ADL017"),
        (cnp("a", f"ingress: [{DENY[:-1]}, protocols: [{{tcp: {{}}}}]}}]"), "ADL018"),
        (anp("a", f"ingress: [{DENY[:-1]}, ports: [{{portNumber: {{port: 0}}}}]}}]"), "ADL019"),
    ],
)
def test_what_the_server_refuses_is_absent(manifest: str, code: str) -> None:
    found, said = read(manifest)
    assert found is None
    assert code in codes(said)
    assert all(d.effect == ABSENT and d.span and d.help and d.source for d in said)


def test_a_null_is_shown_at_its_key() -> None:
    _, (said,) = read(cnp("a", "ingress: [{action: Deny,\n      from: }]"))
    assert said.code == "ADL005"
    assert said.message == "`from` is null, which is as missing, at spec.ingress[0].from"
    assert said.span is not None
    assert (said.span.line, said.span.column) == (5, 7)


def test_every_reason_is_given_not_only_the_first() -> None:
    _, said = read(banp("ingress: [{action: Pass, from: [{}]}, {from: [{namespaces: {}}]}]"))
    assert codes(said) == ["ADL005", "ADL007", "ADL009"]


def test_an_old_sample_comes_to_every_namespace_and_says_so() -> None:
    manifest = text(
        "AdminNetworkPolicy",
        "a",
        "{priority: 1, subject: {namespaces: {namespaceSelector: {matchLabels: {a: b}}}}}",
    )
    found, (said,) = read(manifest)
    assert isinstance(found, model.AdminNetworkPolicy)
    assert found.subject == model.Subject(namespaces=model.LabelSelector())
    assert said.severity is Severity.ERROR
    assert "it matches everything" in (said.effect or "")
    assert said.help == "write its contents directly under `namespaces`"
    strict, _ = read(manifest, ReadOptions(field_validation=FieldValidation.STRICT))
    assert strict is None


@pytest.mark.parametrize(
    ("field", "help_"),
    [
        ("ports: [{portNumber: {port: 80}}]", "ClusterNetworkPolicy says `protocols"),
        ("protocol: []", "did you mean `protocols`?"),
    ],
)
def test_dropped_ports_widen_the_rule(field: str, help_: str) -> None:
    found, (said,) = read(cnp("a", f"ingress: [{DENY[:-1]}, {field}}}]"))
    assert isinstance(found, model.ClusterNetworkPolicy)
    assert (found.ingress or ())[0].protocols is None
    assert "possibly more than was meant" in (said.effect or "")
    assert (said.help or "").startswith(help_)


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("ClusterNetworkPolicy", "v1beta1"),
        ("ClusterNetworkPolicy", "v1alpha1"),
        ("AdminNetworkPolicy", "v1alpha2"),
    ],
)
def test_other_versions_are_said_and_not_guessed(kind: str, version: str) -> None:
    found, (said,) = read(text(kind, "a", "{anything: goes}", version=version))
    assert isinstance(found, model.Unreadable)
    assert (said.code, said.severity) == ("ADL001", Severity.WARNING)


_HEAD = "{tier: Admin, priority: 1, subject: "


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        (_HEAD + "{tenants: {}}}", model.Unreadable),
        (_HEAD + "{namespaces: {}}, mode: x}", model.Unreadable),
        (
            _HEAD + "{namespaces: {}}, ingress: [{action: Deny, from: [{tenants: {}}]}]}",
            model.ClusterNetworkPolicy,
        ),
    ],
)
def test_what_a_newer_server_stored_is_never_refused(spec: str, kept: type) -> None:
    found, said = read(text("ClusterNetworkPolicy", "a", spec, uid=", uid: u"))
    assert isinstance(found, kept)
    assert [d.severity for d in said] == [Severity.WARNING]


def test_the_channel_says_which_fields_there_are() -> None:
    manifest = cnp("a", "egress: [{action: Deny, to: [{nodes: {}}]}]")
    for channel, accepted, said in (
        (None, True, ["ADL025"]),
        (Channel.EXPERIMENTAL, True, []),
        (Channel.STANDARD, False, ["ADL009"]),
    ):
        found, diagnostics = read(manifest, ReadOptions(policy_channel=channel))
        assert (found is not None, codes(diagnostics)) == (accepted, said)


def test_a_name_that_the_server_completes_stays_apart() -> None:
    one, _ = read(cnp("a", "ingress: []").replace("name: a", "generateName: a-"))
    assert one is not None
    assert one.name.startswith("a-*")


def test_a_value_that_is_no_text_is_the_schema_s_to_refuse() -> None:
    selector = "{matchExpressions: [{key: a, operator: In, values: [[x]]}]}"
    _, said = read(cnp("a", f"ingress: [{{action: Deny, from: [{{namespaces: {selector}}}]}}]"))
    assert [each.code for each in said] == ["OBJ003"]
    assert "Node(" not in "".join(each.message for each in said)
