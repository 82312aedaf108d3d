"""Policies written: from the model, from the IR, and in the newer version."""

from dataclasses import replace

import pytest

from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.create import create, from_policy
from cloison.dialects.adminpolicy.fields import FIELDS
from cloison.dialects.adminpolicy.migrate import migrate
from cloison.dialects.adminpolicy.write import write_policy
from tests.unit.dialects.adminpolicy.helpers import X, anp, banp, cnp, codes, policy, session, text

DENY = "{action: Deny, from: [{namespaces: {}}]}"
PORTS = (
    "ports: [{portNumber: {port: 80}}, {portRange: {protocol: UDP, start: 7, end: 7}}, "
    "{namedPort: http}]"
)


def test_the_older_version_becomes_the_newer_one() -> None:
    old = policy(
        anp("guard", f"ingress: [{{name: r, action: Allow, from: [{{namespaces: {X}}}], {PORTS}}}]")
    )
    (new,), said = migrate([old])
    assert said == []
    assert write_policy(new) == (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        "metadata:\n  name: guard\nspec:\n  tier: Admin\n  priority: 10\n"
        "  subject:\n    namespaces:\n      matchLabels:\n        kubernetes.io/metadata.name: x\n"
        "  ingress:\n  - name: r\n    action: Accept\n    from:\n    - namespaces:\n"
        "        matchLabels:\n          kubernetes.io/metadata.name: x\n    protocols:\n"
        "    - tcp:\n        destinationPort:\n          number: 80\n"
        "    - udp:\n        destinationPort:\n          number: 7\n"
        "    - destinationNamedPort: http\n"
    )


def test_what_is_too_long_goes_on_and_the_rest_makes_room() -> None:
    long = policy(anp("long", f"ingress: [{', '.join([DENY] * 60)}]", priority=10))
    next_ = policy(anp("next", f"ingress: [{DENY}]", priority=11))
    far = policy(anp("far", f"ingress: [{DENY}]", priority=50))
    found, said = migrate([far, next_, long])
    assert [(p.name, p.priority, len(p.ingress or ())) for p in found] == [
        ("long", 10, 25),
        ("long-2", 11, 25),
        ("long-3", 12, 10),
        ("next", 13, 1),
        ("far", 50, 1),
    ]
    assert codes(said) == ["ADL042", "ADL043"]


def test_at_the_end_earlier_policies_make_room() -> None:
    last = policy(anp("last", f"ingress: [{', '.join([DENY] * 30)}]", priority=1000))
    before = policy(anp("before", f"ingress: [{DENY}]", priority=999))
    found, _ = migrate([last, before])
    assert [(p.name, p.priority) for p in found] == [
        ("before", 998),
        ("last", 999),
        ("last-2", 1000),
    ]


def test_names_stay_unique_and_the_baseline_comes_last() -> None:
    objects = [
        policy(banp(f"ingress: [{DENY}]")),
        policy(anp("default", f"ingress: [{DENY}]")),
        policy(cnp("there", f"ingress: [{DENY}]", tier="Baseline", priority=1000)),
    ]
    found, _ = migrate(objects)
    assert [(p.name, p.tier, p.priority) for p in found] == [
        ("default", "Admin", 10),
        ("there", "Baseline", 999),
        ("default-baseline", "Baseline", 1000),
    ]


def test_labels_and_annotations_stay_but_for_the_object_as_it_was() -> None:
    manifest = anp("a", f"ingress: [{DENY}]").replace(
        "{name: a}",
        "{name: a, labels: {l: v}, annotations: "
        "{note: w, kubectl.kubernetes.io/last-applied-configuration: x}}",
    )
    (new,), _ = migrate([policy(manifest)])
    assert (dict(new.labels), dict(new.annotations)) == ({"l": "v"}, {"note": "w"})


@pytest.mark.parametrize(
    ("port", "rules", "said"),
    [
        ("{portRange: {start: 90, end: 80}}", 0, ["ADL041"]),
        ("{portNumber: {port: 80, protocol: tcp}}", None, ["ADL040"]),
    ],
)
def test_ports_that_were_never_of_use(port: str, rules: int | None, said: list[str]) -> None:
    found, diagnostics = migrate([policy(anp("a", f"ingress: [{DENY[:-1]}, ports: [{port}]}}]"))])
    assert [len(p.ingress or ()) for p in found] == ([] if rules is None else [rules])
    assert codes(diagnostics) == said


def test_an_object_of_another_version_is_left_out() -> None:
    found, (said,) = migrate([model.Unreadable("ClusterNetworkPolicy", "a", "it is newer")])
    assert found == []
    assert said.code == "ADL040"


def test_a_tie_that_splitting_settles_is_said() -> None:
    many = f"ingress: [{', '.join([DENY] * 30)}]"
    _, said = migrate([policy(anp("a", many)), policy(anp("b", f"ingress: [{DENY}]"))])
    assert codes(said) == ["ADL042", "ADL044"]


def test_what_the_kind_cannot_say_is_not_written() -> None:
    spec = f"{{subject: {{namespaces: {X}}}, ingress: [{DENY}]}}"
    (old,) = session(text("BaselineAdminNetworkPolicy", "default", spec)).policies.policies
    assert isinstance(from_policy(old), model.BaselineAdminNetworkPolicy)
    (passing,) = session(cnp("a", f"ingress: [{DENY.replace('Deny', 'Pass')}]")).policies.policies
    assert "action: Pass" in create(passing)
    with pytest.raises(ValueError, match="cannot say"):
        create(replace(passing, id=old.id))


def test_every_row_of_the_field_table_says_something() -> None:
    assert all(fact.note.endswith(".") for fact in FIELDS.values())
