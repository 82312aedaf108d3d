"""What converting keeps, what it leaves out, and where limits make one object several."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloison.app.convert import convert
from cloison.base import QuestionError, SourceError
from tests.support.texts import convert_texts

ANP: dict[str, Any] = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "many"},
}


def anp(name: str, priority: int, rules: list[dict[str, Any]]) -> dict[str, Any]:
    spec = {"priority": priority, "subject": {"namespaces": {}}, "ingress": rules}
    return {**ANP, "metadata": {"name": name}, "spec": spec}


def rule(number: int, action: str = "Deny", peers: int = 1, ports: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": action,
        "from": [{"namespaces": {"matchLabels": {"key": f"{number}-{i}"}}} for i in range(peers)],
    }
    if ports:
        found["ports"] = [{"portNumber": {"port": 100 + 2 * i}} for i in range(ports)]
    return found


def written(*objects: dict[str, Any], **said: Any) -> list[Any]:
    done = convert_texts(
        {"in.yaml": yaml.safe_dump_all(objects)}, to="clusternetworkpolicy", **said
    )
    assert not done.refused
    return [yaml.safe_load(text) for text in done.texts]


def test_more_rules_than_fit_go_to_the_priorities_that_follow() -> None:
    rules = [rule(n, ("Allow", "Deny")[n % 2]) for n in range(60)]
    found = written(anp("many", 10, rules))
    assert [each["metadata"]["name"] for each in found] == ["many", "many-2", "many-3"]
    assert [each["spec"]["priority"] for each in found] == [10, 11, 12]
    assert [len(each["spec"]["ingress"]) for each in found] == [25, 25, 10]
    asked = [r["from"][0] for each in found for r in each["spec"]["ingress"]]
    assert asked == [each["from"][0] for each in rules]


@pytest.mark.parametrize(
    ("objects", "places"),
    [
        (
            [("far", 50, 1), ("next", 11, 1), ("long", 10, 60)],
            [("long", 10), ("long-2", 11), ("long-3", 12), ("next", 13), ("far", 50)],
        ),
        (
            [("last", 1000, 30), ("before", 999, 1)],
            [("before", 998), ("last", 999), ("last-2", 1000)],
        ),
        ([("a", 10, 30), ("b", 10, 1)], [("a", 10), ("b", 10), ("a-2", 11)]),
    ],
)
def test_others_move_as_far_as_they_must(
    objects: list[tuple[str, int, int]], places: list[tuple[str, int]]
) -> None:
    rules = [rule(n, ("Allow", "Deny")[n % 2]) for n in range(60)]
    found = written(*(anp(name, priority, rules[:count]) for name, priority, count in objects))
    assert sorted((each["spec"]["priority"], each["metadata"]["name"]) for each in found) == [
        (priority, name) for name, priority in places
    ]


def test_what_stays_is_neither_joined_nor_passed() -> None:
    rules = [rule(n) for n in range(60)]
    stays: dict[str, Any] = {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "stays"},
        "spec": {
            "tier": "Admin",
            "priority": 11,
            "subject": {"namespaces": {}},
            "ingress": [{"action": "Accept", "from": [{"namespaces": {}}]}],
        },
    }
    found = written(anp("early", 10, rules), stays)
    assert [each["metadata"]["name"] for each in found] == ["early", "early-2", "early-3"]
    assert max(each["spec"]["priority"] for each in found) < stays["spec"]["priority"]


def test_more_peers_and_ports_than_fit_make_several_rules() -> None:
    (found,) = written(anp("many", 10, [rule(0, peers=30, ports=60)]))
    sizes = [(len(r["from"]), len(r["protocols"])) for r in found["spec"]["ingress"]]
    assert sizes == [(25, 25), (25, 25), (25, 10), (5, 25), (5, 25), (5, 10)]


def test_only_some_kinds() -> None:
    baseline = {
        **ANP,
        "kind": "BaselineAdminNetworkPolicy",
        "metadata": {"name": "default"},
        "spec": {"subject": {"namespaces": {}}, "ingress": [rule(1)]},
    }
    objects = (anp("a", 1, [rule(1)]), baseline)
    (found,) = written(*objects, kinds=["baselineadminnetworkpolicies"])
    assert found["metadata"]["name"] == "default"
    with pytest.raises(QuestionError, match="there is no Pond"):
        written(*objects, kinds=["Pond"])


def test_what_is_not_enforced_is_said() -> None:
    done = convert_texts(
        {"in.yaml": yaml.safe_dump(anp("a", 1, [rule(1)]))},
        to="clusternetworkpolicy",
        profile="calico@3.32",
    )
    assert not done.texts
    assert done.refused
    assert "not enforced" in done.written.refusals[0].message


def test_what_is_in_the_language_already_is_left_alone() -> None:
    text = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: a, namespace: x}\nspec: {podSelector: {}}\n"
    )
    done = convert_texts({"in.yaml": text}, to="networkpolicy")
    assert (done.texts, done.already, done.left, done.refused) == ((), 1, 0, False)


def test_a_language_nobody_writes() -> None:
    with pytest.raises(QuestionError, match="no language"):
        convert_texts({}, to="morse")


def test_no_comment_is_lost_and_none_is_said_twice() -> None:
    text = """\
# one
apiVersion: networking.k8s.io/v1 # two
kind: NetworkPolicy
metadata: # three
  name: a # four
  namespace: x
  labels:
    # five
    b: c # six
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}" # seven
spec: # eight
  podSelector: {} # nine
  # ten
  ingress:
    # eleven
    - ports: # twelve
        # thirteen
        - port: 80 # fourteen
      from: # fifteen
        - podSelector: # sixteen
            # seventeen
            matchLabels: {a: b} # eighteen
# nineteen
---
# of something else
apiVersion: v1
kind: Namespace
metadata: {name: x}
"""
    numbers = re.findall(
        r"# ([a-z]+teen|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)$",
        text,
        re.MULTILINE,
    )
    assert len(numbers) == 19
    (out,) = convert_texts({"in.yaml": text}, to="calico").texts
    said = [word for line in out.splitlines() for word in line.partition("#")[2].split()]
    assert sorted(word.rstrip(";#") for word in said) == sorted(numbers)
    assert yaml.safe_load(out)["metadata"]["labels"] == {"b": "c"}
    assert "annotations" not in yaml.safe_load(out)["metadata"]


def test_files_are_read_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "# kept\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: a, namespace: x}\nspec: {podSelector: {}, policyTypes: [Egress]}\n"
    )
    done = convert(tmp_path, to="calico")
    assert done.texts[0].startswith("# kept\n")
    assert done.file_names == ("networkpolicy-x-a",)
    with pytest.raises(SourceError):
        convert(tmp_path / "nowhere", to="calico")


def cnp(name: str, priority: int, action: str = "Accept", port: int = 80) -> dict[str, Any]:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": name},
        "spec": {
            "tier": "Admin",
            "priority": priority,
            "subject": {"namespaces": {}},
            "ingress": [
                {
                    "action": action,
                    "from": [{"namespaces": {}}],
                    "protocols": [{"tcp": {"destinationPort": {"number": port}}}],
                }
            ],
        },
    }


POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: x}]}
status: {podIP: 10.0.1.10, phase: Running}
"""


def test_priorities_between_what_stays_are_given() -> None:
    rules = [rule(n, ("Allow", "Deny")[n % 2]) for n in range(30)]
    found = written(anp("a", 10, rules), anp("b", 11, rules[:1]), cnp("s5", 5), cnp("s12", 12))
    assert {each["metadata"]["name"]: each["spec"]["priority"] for each in found} == {
        "a": 9,
        "a-2": 10,
        "b": 11,
    }


SHARED = (
    "ClusterNetworkPolicy s10 (priority 10) stays as it is at the same priority, and 2 objects "
    "would have to share its place"
)
CROWDED = (
    "priorities to give: 2; free between ClusterNetworkPolicy s9 (priority 9) and "
    "ClusterNetworkPolicy s11 (priority 11): 1"
)


@pytest.mark.parametrize(
    ("stays", "why"),
    [((10,), SHARED), ((9, 11), CROWDED)],
)
def test_no_room_is_said_with_its_reason(stays: tuple[int, ...], why: str) -> None:
    rules = [rule(n, ("Allow", "Deny")[n % 2]) for n in range(30)]
    objects = [anp("a", 10, rules), *(cnp(f"s{priority}", priority) for priority in stays)]
    done = convert_texts({"in.yaml": yaml.safe_dump_all(objects)}, to="clusternetworkpolicy")
    assert not done.texts
    assert [d.message for d in done.written.refusals] == [f"`spec.priority`: {why}"]


def test_a_priority_that_is_shared_with_what_stays_is_kept() -> None:
    (found,) = written(anp("a", 10, [rule(1)]), cnp("s10", 10), cnp("s5", 5), cnp("s20", 20))
    assert found["spec"]["priority"] == 10


def test_what_moves_and_what_is_split_is_said() -> None:
    rules = [rule(0, peers=30), *(rule(n, ("Allow", "Deny")[n % 2]) for n in range(30))]
    objects = [anp("a", 10, rules), anp("b", 11, rules[1:2]), anp("c", 50, rules[1:2])]
    done = convert_texts({"in.yaml": yaml.safe_dump_all(objects)}, to="clusternetworkpolicy")
    assert {(d.object, d.code, d.message) for d in done.written.refusals} == {
        (
            "AdminNetworkPolicy a",
            "CNV004",
            "`spec.ingress[0]`: more than 25 peers or ports: the rule becomes several",
        ),
        (
            "AdminNetworkPolicy a",
            "CNV004",
            "`spec`: more than 25 rules: it becomes several objects, at the priorities 10, 11",
        ),
        ("AdminNetworkPolicy b", "CNV004", "`spec.priority`: 11 becomes priority 12"),
    }


def test_what_a_tie_leaves_open_is_not_settled_in_silence() -> None:
    objects = [cnp("a", 20, "Deny"), cnp("b", 20), cnp("c", 30, "Deny", 90)]
    text = yaml.safe_dump_all([*objects, yaml.safe_load(POD)])
    text += "---" + POD.replace("web", "api").replace("10.0.1.10", "10.0.1.20")
    done = convert_texts({"in.yaml": text}, to="calico")
    assert not done.difference
    assert sorted(
        (each.src.name, each.dst.name, str(each.before.undetermined), str(each.after.undetermined))
        for each in done.across.settled
    ) == [
        ("api", "web", "TCP/80", "none"),
        ("web", "api", "TCP/80", "none"),
    ]
    assert [str(each.before.profile.name) for each in done.within] == ["calico@3.32"]
    assert not any(each.different or each.settled for each in done.within)
    # The same tie among ClusterNetworkPolicies is as open as it was.
    apart = convert_texts({"in.yaml": text.replace("priority: 20", "priority: 21", 1)}, to="calico")
    assert not apart.across.settled


def calico(*rules: str) -> str:
    return (
        "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n"
        "metadata: {name: p, namespace: shop}\n"
        f"spec: {{selector: app == 'web', types: [Egress], egress: [{', '.join(rules)}]}}\n"
        f"---{POD}"
    )


SETS = """{action: Allow, destination: {selector: kind == 't', namespaceSelector: global()}}"""
EITHER = """{action: Allow, destination: {selector: kind == 't'}}"""
PODS = "{action: Allow, destination: {selector: projectcalico.org/orchestrator == 'k8s'}}"
ACCOUNTS = "{action: Log, destination: {serviceAccounts: {names: [a]}}}"


@pytest.mark.parametrize("to", ["networkpolicy", "clusternetworkpolicy"])
def test_a_rule_for_network_sets_does_not_vanish(to: str) -> None:
    text = calico(EITHER, SETS)
    done = convert_texts({"in.yaml": text}, to=to, profile="calico@3.32")
    said = ("CNV002", "`spec.egress[1].destination.selector`: network sets match")
    assert [(d.code, d.message.partition(",")[0]) for d in done.written.refusals] == [said]
    assert not done.texts
    done = convert_texts({"in.yaml": text}, to=to, profile="calico@3.32", snapshot=True)
    assert [d.code for d in done.written.refusals] == ["CNV003"]
    assert done.texts
    assert not done.difference


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((EITHER, EITHER), ["`spec.egress[0].destination.selector`: it finds network sets, too"]),
        ((PODS, EITHER), ["`spec.egress[1].destination.selector`: it finds network sets, too"]),
        ((PODS, PODS), []),
        ((ACCOUNTS,), ["`spec.egress[0].action`: `Log` is left out"]),
    ],
)
def test_what_could_be_a_network_set_is_said(rules: tuple[str, ...], said: list[str]) -> None:
    done = convert_texts({"in.yaml": calico(*rules)}, to="networkpolicy", profile="calico@3.32")
    assert done.texts
    assert {d.code for d in done.written.refusals} <= {"CNV004"}
    assert [d.message.partition(", and")[0] for d in done.written.refusals] == said


CILIUM = """
apiVersion: cilium.io/v2
kind: {kind}
metadata: {{name: {name}{home}}}
spec:
  endpointSelector: {{{selects}}}
  {rest}
"""


def cilium(rest: str, name: str = "p", selects: str = "", *, wide: bool = False) -> str:
    kind = f"Cilium{'Clusterwide' if wide else ''}NetworkPolicy"
    home = "" if wide else ", namespace: ops"
    return CILIUM.format(kind=kind, name=name, home=home, selects=selects, rest=rest)


def test_a_policy_that_does_not_isolate_is_refused_at_the_field_that_says_so() -> None:
    """As the table of features has it, which `portability` tells."""
    text = cilium("enableDefaultDeny: {ingress: false}\n  ingress: [{fromEntities: [all]}]")
    done = convert_texts({"in.yaml": text}, to="networkpolicy", profile="cilium@1.19")
    assert [each.message.partition(":")[0] for each in done.written.refusals] == [
        "`spec.enableDefaultDeny.ingress`"
    ]


def test_a_denial_beside_what_stays_is_refused_at_the_denial() -> None:
    deny = cilium("ingressDeny: [{fromEndpoints: [{}]}]\n  ingress: [{fromEntities: [all]}]")
    stays = cilium("ingress: [{fromEntities: [cluster]}]", "q", "matchLabels: {a: b}", wide=True)
    done = convert_texts(
        {"in.yaml": f"{deny}---{stays}"}, to="networkpolicy", profile="cilium@1.19"
    )
    told = {each.object: each.message for each in done.written.refusals}
    said = next(text for name, text in told.items() if name and "ops/p" in name)
    assert said.startswith("`spec.ingressDeny`: a denial comes before what any policy allows")
