"""What converting keeps, what it leaves out, and where limits make one object several."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloison.app.convert import convert, convert_texts
from cloison.base import QuestionError, SourceError

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
