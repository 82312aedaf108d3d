"""`cni`: who enforces, and what to know of it."""

from typing import Any

import pytest

from cloison.analyses.enforcement import Enforcement, State, summary
from cloison.platform.traits import Stands, Topic
from tests.support.platforms import Manifest, container, crd, node, read, workload

CALICO = workload("calico-node", container("calico-node", "x/node:v3.32.0"))
CILIUM = workload("cilium", container("cilium-agent", "x/cilium:v1.19.1"))
FLANNEL = workload("kube-flannel-ds", container("kube-flannel", "x/flannel:v0.26.0"))
ROUTER = workload("kube-router", container("kube-router", "x/kube-router:v2.11.0"))
OVN = workload("ovnkube-node", container("ovnkube-controller", "x/ovn:1"))
AZURE = workload("azure-npm", container("azure-npm", "x/azure-npm:v1.5.0"))


def policy(name: str = "deny", **spec: Any) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"podSelector": {}, **spec},
    }


ADMIN = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "first"},
    "spec": {"priority": 1, "subject": {"namespaces": {}}},
}
CNP = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumNetworkPolicy",
    "metadata": {"name": "own", "namespace": "shop"},
    "spec": {"endpointSelector": {}, "ingress": [{}]},
}
SERVED = {
    "apiVersion": "security.istio.io/v1",
    "kind": "AuthorizationPolicy",
    "metadata": {"name": "mesh", "namespace": "shop"},
    "spec": {},
}


def asked(*objects: Manifest, **said: Any) -> Enforcement:
    return read(*objects, **said).cni()


def codes(found: Enforcement) -> list[str]:
    return [each.code for each in found.findings]


@pytest.mark.parametrize(
    ("objects", "said", "state"),
    [
        ([CALICO], {}, State.ENFORCED),
        ([CALICO, FLANNEL], {}, State.ENFORCED),
        ([CALICO, CILIUM], {}, State.UNCLEAR),
        ([CALICO, CILIUM], {"profile": "calico"}, State.ENFORCED),
        ([crd("felixconfigurations.crd.projectcalico.org")], {}, State.UNCLEAR),
        ([node(labels={"k3s.io/hostname": "n1"})], {}, State.ASSUMED),
        ([CNP], {}, State.ASSUMED),
        ([], {"profile": "antrea"}, State.ASSUMED),
        ([FLANNEL], {}, State.NONE),
        ([CALICO], {"profile": "none"}, State.NONE),
        ([CILIUM], {"cilium": {"enable-policy": "never"}}, State.NONE),
        ([], {}, State.UNSEEN),
    ],
)
def test_how_certain_it_is(objects: list[Manifest], said: dict[str, Any], state: State) -> None:
    found = asked(policy(), *objects, **said)
    assert found.state is state
    loud = state in (State.NONE, State.UNSEEN)
    assert ("CNI001" in codes(found)) is loud
    if state is not State.UNCLEAR:
        assert bool(found.facts) is not loud


def test_nobody_enforces() -> None:
    found = asked(policy(), policy("allow"), CNP, FLANNEL)
    (first, *rest) = found.findings
    assert first.severity.value == "error"
    assert first.message == (
        "no enforcing CNI: Flannel moves packets and reads no policies; 3 policies do nothing"
    )
    assert not rest
    assert [(k.named, k.enforced, [o.name for o in k.objects]) for k in found.kinds] == [
        ("NetworkPolicy", False, ["shop/allow", "shop/deny"]),
        ("CiliumNetworkPolicy.cilium.io", False, ["shop/own"]),
    ]


def test_an_input_that_shows_nobody_says_so_too() -> None:
    found = asked(policy())
    assert found.findings[0].message.startswith("no enforcing CNI found: nothing that was read")
    assert found.findings[0].message.endswith("; 1 policy does nothing")
    assert asked().findings[0].message.endswith("; there are no policies either")


def test_evidence_has_its_place() -> None:
    session = read(policy(), CALICO)
    found = session.cni()
    (one,) = found.installed
    assert [(e.shown, e.span is not None) for e in one.evidence] == [
        ("DaemonSet kube-system/calico-node (3.32.0)", True)
    ]
    assert summary(found, session.profile) == "Calico 3.32.0 enforces policies here"
    kinds = asked(CNP)
    assert [(e.shown, e.span is not None) for e in kinds.grounds] == [
        ("CiliumNetworkPolicy shop/own", True)
    ]


def test_policies_that_nobody_enforces_are_named() -> None:
    found = asked(policy(), ADMIN, CNP, ROUTER, profile="kube-router")
    ignored = [d for d in found.findings if d.code == "CNI005"]
    assert [d.message for d in ignored] == [
        "kube-router 2.11 does not enforce AdminNetworkPolicy: first",
        "kube-router 2.11 does not enforce CiliumNetworkPolicy.cilium.io: shop/own",
    ]
    assert all(d.span is not None for d in ignored)


def test_what_nobody_knows_is_not_called_ignored() -> None:
    found = asked(CNP, profile="generic")
    assert [k.enforced for k in found.kinds] == [None]
    assert "CNI006" in codes(found)
    assert "CNI005" not in codes(found)


def test_a_mesh_has_policies_of_its_own() -> None:
    assert asked(policy(), SERVED, CALICO).kinds == asked(policy(), CALICO).kinds


NAMED = policy("named", ingress=[{"ports": [{"port": "web"}]}])


def test_what_opens_too_much_counts_where_the_input_has_it() -> None:
    plain, named = asked(policy(), OVN), asked(NAMED, OVN)
    said = "policies do not hold for this: ports by name (opens every port)"
    assert said not in [d.message for d in plain.findings]
    (finding,) = [d for d in named.findings if d.message == said]
    assert finding.code == "CNI007"
    assert finding.span is not None


def test_load_balancers_count_where_there_are_any() -> None:
    service: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "door", "namespace": "shop"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "a"}, "ports": [{"port": 80}]},
    }
    local = {**service, "spec": {**service["spec"], "externalTrafficPolicy": "Local"}}
    for objects, number in (([service], 1), ([local], 0)):
        found = asked(policy(), AZURE, *objects)
        (fact,) = [f for f in found.facts if f.trait.topic is Topic.NODE_PORTS]
        assert fact.trait.stands is Stands.BAD
        assert fact.number == number


def test_facts_say_what_of_the_input_they_are_about() -> None:
    wide = policy(
        "wide",
        policyTypes=["Egress"],
        egress=[
            {
                "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
                "ports": [
                    {"protocol": "SCTP", "port": 9},
                    {"protocol": "TCP", "port": 80, "endPort": 90},
                ],
            }
        ],
    )
    hosted = workload("agent", kind="DaemonSet", namespace="shop", hostNetwork=True)
    found = asked(wide, hosted, CALICO)
    about = {f.trait.topic: (f.number, [t.shown for t in f.touches]) for f in found.facts}
    for topic in (Topic.SCTP, Topic.END_PORT, Topic.BLOCKS):
        assert about[topic] == (1, ["shop/wide"])
    assert about[Topic.HOST_PODS] == (1, ["shop/agent"])
    assert about[Topic.NAMED_PORTS] == (0, [])


def test_the_caller_and_the_input_may_disagree() -> None:
    found = asked(policy(), CALICO, profile="cilium")
    assert "CNI008" in codes(found)
    assert "CNI008" not in codes(asked(policy(), CALICO, profile="calico@3.31"))
