"""How scripts are written: what people read in them, and what grows with what."""

import random
import re
from dataclasses import replace

import pytest

from cloison.algebra import (
    ANY,
    NO_ADDRESSES,
    AddressSet,
    RequestSet,
    StringSet,
    TrafficSet,
)
from cloison.app import load_objects
from cloison.dialects.nftables import (
    FROM_PROXY,
    PROXY_PORT,
    TABLE,
    NodeView,
    counter_name,
    write,
)
from cloison.dialects.nftables.write import BESIDE
from cloison.engine.resolve import resolve
from cloison.ir.enforcement import Ruleset
from cloison.ir.policy import Action, Combine, Direction, PolicyId
from cloison.ir.requests import RequestMatch
from tests.oracle.raw import Manifest
from tests.support.enforced import views
from tests.support.filtering import in_private, tried
from tests.support.lab import node, pod
from tests.support.lab import policy as manifest
from tests.unit.dialects.nftables.rulesets import (
    HTTP,
    NODE,
    OWN,
    A,
    B,
    C,
    D,
    addresses,
    also,
    layer,
    policy,
    rule,
    ruleset,
    tier,
    untracked,
)

EMPTY = Ruleset(())
GET = RequestMatch(RequestSet.http(StringSet.of("GET")))


def chains(script: str) -> dict[str, list[str]]:
    """Return the lines of each chain."""
    found = re.findall(r"^\tchain (\S+) \{\n((?:\t\t.*\n)*)\t\}$", script, re.MULTILINE)
    return {name: [line.strip() for line in lines.splitlines()] for name, lines in found}


def test_the_script_replaces_its_table_and_nothing_else() -> None:
    for text in (write(EMPTY, NODE), write(ruleset(layer(tier())), NODE)):
        lines = text.splitlines()
        gone = [f"{word} table {each}" for each in (TABLE, BESIDE) for word in ("add", "delete")]
        assert lines[:5] == [*gone, f"table {TABLE} {{"]
        assert lines[-1] == "}"
        assert text.count("table ") == 5


def test_one_transaction_loads_whole_and_again() -> None:
    text = write(ruleset(layer(tier(policy("p", rule("r", peers=addresses(B, C)))))), NODE)
    once = ("nft -c -f /dev/stdin", "nft -f /dev/stdin", "nft -f /dev/stdin")
    checked = " && ".join(f'echo "$script" | {each}' for each in once)
    said = in_private("sh", "-c", f"script=$(cat) && {checked} && nft list tables", text=text)
    assert said == f"table {TABLE}\n"


def test_people_find_policies_in_what_the_kernel_lists() -> None:
    key = "NetworkPolicy web/front ingress 1"
    rules = ruleset(layer(tier(policy("front", rule(key, peers=addresses(B))))))
    (trial,) = tried([(write(rules, NODE), ())])
    assert f'comment "{key}"' in trial.listed
    assert 'comment "NetworkPolicy web/front, ingress"' in trial.listed
    assert 'comment "ingress of pods, layer cni"' in trial.listed
    assert f'ip saddr {B} counter name "{counter_name(key)}" accept' in trial.listed
    assert 'comment "node n1"' in trial.listed


HOSTILE = 'x" ; } drop\n\\ $(id) \x1b[31m é'


def test_names_say_nothing_to_the_kernel() -> None:
    """Names in input are whatever somebody wrote."""
    named = PolicyId(HOSTILE, HOSTILE * 40, HOSTILE)
    one = policy("p", rule(HOSTILE, peers=addresses(B)), rule(HOSTILE * 40))
    told = type(one)(named, one.order, one.rules)
    rules = ruleset(layer(tier(told, name=HOSTILE), name=HOSTILE))
    text = write(rules, NodeView(HOSTILE, NODE.pods, NODE.own))
    (trial,) = tried([(text, ())])
    assert "drop" in trial.listed
    assert text.isascii()
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", text)
    assert all(line.count('"') in (0, 2) for line in text.splitlines())


def test_counters_are_told_apart_whatever_their_rules_are_called() -> None:
    keys = ["a b", "a_b", "a/b", "é", "è", "x" * 300, "x" * 301]
    names = [counter_name(key) for key in keys]
    assert len(set(names)) == len(keys)
    assert all(re.fullmatch(r"c_[\w.-]{1,100}", name, re.ASCII) for name in names)


def test_a_node_is_told_of_its_own_subjects() -> None:
    mine = ruleset(layer(tier(policy("p", rule("mine")))))
    theirs = ruleset(layer(tier(policy("p", rule("theirs")))), subject="10.0.9.9")
    host = ruleset(layer(tier(policy("p", rule("host")))), subject=OWN, on_host=True)
    text = write(also(mine, also(theirs, host)), NODE)
    assert "theirs" not in text
    assert "mine" in text
    assert "host" in text
    elsewhere = NodeView("n2", addresses("10.0.9.9"), addresses("192.168.0.9"))
    assert chains(write(also(mine, host), elsewhere)) == {}


def test_who_is_governed_alike_shares_everything() -> None:
    one = ruleset(layer(tier(policy("p", rule("r", peers=addresses(B, D))))))
    other = ruleset(layer(tier(policy("p", rule("r", peers=addresses(B, D))))), subject=B)
    text = write(also(one, other), NODE)
    assert len(chains(text)) == len(chains(write(one, NODE)))
    assert text.count("set peers") == 1


def test_a_policy_is_written_once_for_all_whom_it_selects() -> None:
    shared = policy("shared", rule("shared", peers=addresses(C)))
    rules = [
        ruleset(layer(tier(shared, policy(each, rule(each, peers=addresses(each))))), subject=each)
        for each in (A, B)
    ]
    text = write(also(*rules), NODE)
    assert text.count(f'"{counter_name("shared")}" accept') == 1
    assert text.count('comment "NetworkPolicy web/shared, ingress"') == 1


def test_a_policy_that_passes_is_part_of_its_tier() -> None:
    """To return from a chain of its own would not leave the tier."""
    passing = policy("p", rule("pass", Action.PASS, peers=addresses(B)))
    rules = ruleset(
        layer(
            tier(passing, policy("q", rule("q")), combine=Combine.FIRST_MATCH, name="first"),
            tier(),
        )
    )
    found = chains(write(rules, NODE))
    (first,) = (lines for lines in found.values() if 'comment "tier first, ingress"' in lines)
    assert f'ip saddr {B} counter name "{counter_name("pass")}" return' in first


def test_rules_in_doubt_decide_nothing() -> None:
    doubtful = rule("doubtful", Action.DENY)
    doubtful = type(doubtful)(
        "doubtful", Action.DENY, doubtful.peers, doubtful.traffic, doubt="who knows"
    )
    text = write(ruleset(layer(tier(policy("p", doubtful), end=None))), NODE)
    assert "doubtful" not in text
    assert "drop" not in text


@pytest.mark.parametrize("keeps", [True, False])
def test_replies_need_no_rule(*, keeps: bool) -> None:
    """Where connections do not outlive what allowed them, only replies go by themselves."""
    told = ruleset(layer(tier()))
    text = write(Ruleset(told.enforcements, keeps_connections=keeps), NODE)
    base = chains(text)["forward_pod_ingress_1"]
    assert base[2].startswith("ct state established,related" if keeps else "ct direction reply")
    assert base[2].endswith("accept")


def test_what_is_not_tracked_is_said_before_tracking() -> None:
    first = policy(
        "p",
        rule("safe", traffic=TrafficSet.ports("TCP", 22)),
        rule("deny", Action.DENY, peers=addresses(C)),
        untracked("untracked", peers=addresses(B)),
    )
    rules = ruleset(
        layer(tier(first, combine=Combine.FIRST_MATCH, end=None, name="early"), tier()),
        on_host=True,
        subject=OWN,
    )
    text = write(rules, NODE)
    found = chains(text)
    base = found["early_prerouting_node_ingress_1"]
    assert "type filter hook prerouting priority -300; policy accept;" in base
    (early,) = (lines for lines in found.values() if "early, ingress, before" in lines[0])
    assert [line.split(" comment ")[0] for line in early[1:]] == [
        "tcp dport 22 accept",
        f"ip saddr {C} accept",
        f"ip saddr {B} notrack accept",
    ]
    assert "drop" not in "".join(early)
    tried([(text, ())])


def _cluster(pods: int) -> list[Manifest]:
    return [
        node("n1", "192.168.0.1"),
        pod("api", "10.0.0.1"),
        # Every other address, so that no two are a range.
        *(pod("web", f"10.1.{n // 100}.{n % 100 * 2}") | _named(n) for n in range(pods)),
        manifest(
            "api",
            "api",
            ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}],
        ),
        manifest("web", "web", policyTypes=["Ingress", "Egress"]),
    ]


def _named(number: int) -> Manifest:
    meta = {"name": f"web-{number}", "namespace": "web", "labels": {"app": "web"}}
    return {"metadata": meta}


def _script(objects: list[Manifest]) -> str:
    session = load_objects(objects, profile="generic")
    (view,) = views(session.world)
    return write(resolve(session.engine), view)


def test_sets_grow_with_pods_and_rules_do_not() -> None:
    few, many = (_script(_cluster(pods)) for pods in (3, 90))
    assert chains(few) == chains(many)
    (of_few,), (of_many,) = (re.findall(r"set peers_1_v4 .*", text) for text in (few, many))
    assert (of_few.count("10.1."), of_many.count("10.1.")) == (3, 90)


def test_the_same_world_gives_the_same_bytes() -> None:
    objects = _cluster(9)
    shuffled = random.Random(1).sample(objects, len(objects))
    assert _script(objects) == _script(shuffled)


def test_empty_peers_match_nobody() -> None:
    text = write(ruleset(layer(tier(policy("p", rule("r", peers=NO_ADDRESSES))))), NODE)
    assert "accept" not in "".join(chains(text).get("policy_1", []))
    assert counter_name("r") not in text


def test_directions_do_not_share_rules() -> None:
    told = policy("p", rule("r", peers=addresses(B), traffic=ANY))
    for both in (layer(tier(told)), layer(tier(told, name="first"), tier())):
        rules = also(ruleset(both), ruleset(both, direction=Direction.EGRESS))
        text = write(rules, NODE)
        assert f"ip saddr {B}" in text
        assert f"ip daddr {B}" in text


def test_all_addresses_of_one_side_of_a_hole() -> None:
    """The first and the last address of a family are members like any other."""
    peers = AddressSet.block("::/0") - AddressSet.block("8000::/1")
    text = write(ruleset(layer(tier(policy("p", rule("r", peers=peers))))), NODE)
    assert "ip6 saddr ::-7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" in text
    tried([(text, ())])


def test_rules_about_requests_hand_connections_to_the_proxy() -> None:
    asking = replace(rule("r", traffic=HTTP), request=GET)
    denying = replace(asking, key="d", action=Action.DENY)
    script = write(ruleset(layer(tier(policy("p", denying, asking)))), NODE)
    found = chains(script)
    (handing,) = [name for name in found if re.fullmatch(r"proxied_\d+", name)]
    ways = [line for line in found[handing] if "tproxy" in line]
    ends = [f"ip to 127.0.0.1:{PROXY_PORT}", f"ip6 to [::1]:{PROXY_PORT}"]
    assert [line.partition("tproxy ")[2] for line in ways] == ends
    assert all("tcp dport 80" in line for line in ways)
    # Of requests the filter knows nothing: what is denied is for the proxy to say.
    assert counter_name("r, handed on") in script
    assert counter_name("d") not in script
    hooks = [line for lines in found.values() for line in lines if "hook prerouting" in line]
    assert len(hooks) == 2
    entering = found["input_pod_ingress_1"]
    assert entering.index(f"meta mark {FROM_PROXY} accept") == 2


def test_without_rules_about_requests_nothing_comes_to_a_proxy() -> None:
    script = write(ruleset(layer(tier(policy("p", rule("r"))))), NODE)
    assert "tproxy" not in script
    assert "meta mark" not in script
    assert "input_pod_ingress_1" not in chains(script)


def test_what_looks_before_translation_drops_before_it() -> None:
    denial = rule("no", Action.DENY, traffic=HTTP)
    early = tier(policy("early", denial, rule("yes")), combine=Combine.FIRST_MATCH)
    script = write(ruleset(layer(replace(early, before_nat=True)), subject=OWN, on_host=True), NODE)
    found = chains(script)
    assert "type filter hook prerouting priority -150" in " ".join(
        found["untranslated_prerouting_node_ingress_1"]
    )
    (name,) = [name for name in found if name.startswith("untranslated_tier")]
    drop = f'tcp dport 80 counter name "{counter_name("no")}" drop'
    assert found[name][1:] == [drop, 'accept comment "yes"']
