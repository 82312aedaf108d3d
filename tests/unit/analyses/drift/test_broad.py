"""Checks that look at the cluster: what is broad, what is over, what has moved."""

from pathlib import Path
from typing import Any

import pytest

from cloison.analyses.drift.model import State
from tests.support.drifting import (
    BASE,
    DAY,
    WEEK,
    allow,
    contract,
    deny,
    flow,
    look,
    past,
    pods,
    policy,
    remembering,
    session,
    space,
    texts,
    workload,
)

MONTH = 35
EVERY = range(MONTH * DAY)


# D1


def _agents(ready: int, *nodes: str) -> tuple[str, ...]:
    more = f"status: {{desiredNumberScheduled: 3, numberReady: {ready}}}\n"
    made = workload("kube-system", "agent", "DaemonSet", host=True, more=more)
    return (*BASE, space("kube-system"), made, *nodes)


def _node(name: str, *, resting: bool = False) -> str:
    spec = "{unschedulable: true}" if resting else "{}"
    return f"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("peer", "port", "told"),
    [
        ("{ipBlock: {cidr: 0.0.0.0/0}}", None, "every address on any port"),
        ("{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}", 443, "the whole internet"),
        ("{ipBlock: {cidr: 52.0.0.0/8}}", 443, "52.0.0.0/8"),
        ("{ipBlock: {cidr: 192.168.0.0/16}}", 443, "the whole private range"),
        ("{ipBlock: {cidr: 203.0.113.0/24}}", None, ""),
        ("{ipBlock: {cidr: 10.1.0.0/16}}", 443, ""),
    ],
)
def test_broad_rules(peer: str, port: int | None, told: str) -> None:
    """Eight bits, the private ranges whole, or everything: too much for a rule."""
    rule = allow("shop", "out", "api", "to", peer, port)
    found = look((*BASE, rule), past(), "D9")
    assert bool(found.findings) is bool(told)
    assert told in texts(found.findings)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{ports: [{port: 443}]}", "everywhere"),
        ("{}", "everywhere on any port"),
    ],
)
def test_rules_to_nobody_in_particular_are_for_everybody(rule: str, told: str) -> None:
    """Without `to`, ports alone say where."""
    spec = (
        f"{{podSelector: {{matchLabels: {{app: api}}}}, policyTypes: [Egress], egress: [{rule}]}}"
    )
    found = look((*BASE, policy("shop", "out", spec)), past(), "D9")
    (one,) = found.findings
    assert one.sign.message.endswith(told)


@pytest.mark.parametrize(("pattern", "count"), [("'*'", 1), ("'*.example.com'", 0)])
def test_every_name_is_broad(pattern: str, count: int) -> None:
    """A pattern that every name meets restricts nothing, where names can be learned."""
    dns = (
        "{toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': kube-system}}], "
        "toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]}"
    )
    rule = (
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
        "metadata: {name: out, namespace: shop}\nspec: {endpointSelector: {matchLabels: "
        f"{{app: api}}}}, egress: [{{toFQDNs: [{{matchPattern: {pattern}}}]}}, {dns}]}}\n"
    )
    found = look((*BASE, rule), past(), "D9", said={"profile": "cilium"})
    assert len(found.findings) == count


def test_what_the_contract_means_is_not_broad() -> None:
    """Somebody owns the reason."""
    rule = allow("shop", "out", "api", "to", "{ipBlock: {cidr: 52.0.0.0/8}}", 443)
    said = contract(
        "    - {name: c, from: shop/api, to: external:cloud, ports: [443], owner: o, reason: r}\n",
        "  externals:\n    - {name: cloud, cidrs: [52.0.0.0/8], owner: o, reason: r, "
        "review: 2027-01-01}\n",
    )
    assert not look((*BASE, rule, said), past(), "D9").findings


def test_a_few_more_places_are_no_spreading() -> None:
    """One or two new destinations are new flows, no more."""
    calls = [flow("shop/api", f"203.0.{at}.9", range(WEEK + 50, WEEK + 60), 443) for at in (1, 2)]
    found = look((*BASE, contract()), past(*calls), "D9")
    assert not found.findings


# D11


def test_expired_exceptions() -> None:
    """Of the contract and of policies, from the day after their last."""
    old = (
        "    - {name: old, from: shop/web, to: shop/api, ports: [81], owner: o, reason: r, "
        "expires: DAY}\n"
    )
    said = "policy.cloison.dev/expires: 'DAY'"
    for day, wanted in (("2026-01-31", 2), ("2026-02-01", 0)):
        rule = allow("shop", "x", "api", "from", pods("web"), annotations=said.replace("DAY", day))
        found = look((*BASE, rule, contract(old.replace("DAY", day))), past(), "D11")
        assert len(found.findings) == wanted


def test_a_day_that_is_none_is_told() -> None:
    """Nobody can say whether it has passed."""
    rule = allow(
        "shop", "x", "api", "from", pods("web"), annotations="policy.cloison.dev/expires: soon"
    )
    found = look((*BASE, rule), past(), "D11")
    assert not found.findings
    assert [each.count for each in found.unjudged] == [1]


# D12


def test_ranges_that_moved(tmp_path: Path) -> None:
    """Blocks that are gone and blocks that are new, and which of them rules know of."""
    said = contract(
        more="  externals:\n    - {name: p, ranges: {file: p.json}, owner: o, reason: r, "
        "review: 2027-01-01}\n"
    )
    (tmp_path / "c.yaml").write_text(said, "utf-8")
    file = tmp_path / "p.json"
    rule = allow("shop", "out", "api", "to", "{ipBlock: {cidr: 198.51.100.0/26}}", 443)
    named: dict[str, Any] = {"contracts": (str(tmp_path / "c.yaml"),)}
    file.write_text('{"prefixes": ["198.51.100.0/26"]}', "utf-8")
    _, memory = remembering((*BASE, rule), past(), "D12", **named)
    quiet, memory = remembering((*BASE, rule), past(), "D12", memory=memory, **named)
    assert not quiet.findings
    file.write_text('{"prefixes": ["198.51.100.64/26"]}', "utf-8")
    found, memory = remembering((*BASE, rule), past(), "D12", memory=memory, **named)
    assert "no longer in the list: 198.51.100.0/26" in texts(found.findings)
    assert "rules still let through to 198.51.100.0/26" in texts(found.findings)
    assert "no rule names 198.51.100.64/26" in texts(found.findings)
    again, _ = remembering((*BASE, rule), past(), "D12", memory=memory, **named)
    assert [(each.state, each.new) for each in again.findings] == [(State.CONFIRMED, False)]


def test_what_is_mended_is_gone() -> None:
    """What stood in the last run and is so no more is named."""
    new = (space("new"), workload("new", "app"))
    _, memory = remembering((*BASE, *new), past(), "D4")
    found, _ = remembering((*BASE, *new, deny("new")), past(), "D4", memory=memory)
    assert not found.findings
    assert found.gone == ("D4|new/Deployment/app|egress", "D4|new/Deployment/app|ingress")


def test_sessions_know_what_daemon_sets_and_nodes_say() -> None:
    """What D7 stands on is read from objects."""
    world = session(*_agents(2, _node("n1", resting=True))).world
    (agent,) = (w for w in world.workloads.values() if w.id.kind == "DaemonSet")
    assert agent.ready == (2, 3)
    assert world.nodes["n1"].resting
