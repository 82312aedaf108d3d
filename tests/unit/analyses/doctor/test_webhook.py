"""D-WEBHOOK: what the API server calls lets it in (P70, P71)."""

from typing import Any

import pytest

from tests.support.doctoring import examined, mended
from tests.support.smallworlds import (
    HOME,
    Manifest,
    block,
    found,
    listening,
    policy,
    rule,
    service,
    text,
    thing,
    workload,
)

POD = workload("hook", ports=listening((10250, "https")))
SERVICE = service("hook", "a", {"port": 443, "targetPort": "https"})
PODS_ONLY = policy(ingress=[{"from": [{"namespaceSelector": {}}]}])
GKE = thing("Node", "n1", labels={"cloud.google.com/gke-nodepool": "a"})


def hook(policy_: str = "Fail", **more: Any) -> Manifest:
    """Return a webhook in front of the pods."""
    client = {"service": {"namespace": "a", "name": "hook", **more}}
    return thing(
        "ValidatingWebhookConfiguration",
        "hook",
        api="admissionregistration.k8s.io/v1",
        webhooks=[{"name": "hook.example.org", "clientConfig": client, "failurePolicy": policy_}],
    )


def node(name: str, address: str, **labels: str) -> Manifest:
    """Return a node."""
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    return thing("Node", name, labels=labels, status=status)


CONTROL = node("cp", "172.18.0.2", **{"node-role.kubernetes.io/control-plane": ""})
WORKER = node("w", "172.18.0.3")


def told(*objects: Manifest) -> list[tuple[str, str]]:
    """Return codes and severities of what is found about the webhook's pods."""
    return [(e.code, str(e.severity)) for e in found("D-WEBHOOK", POD, SERVICE, *objects)]


def test_pods_only_shuts_out_the_api_server() -> None:
    assert told(hook(), PODS_ONLY) == [("WHK001", "error")]


@pytest.mark.parametrize(
    "labels", [{}, {"eks.amazonaws.com/nodegroup": "a"}, {"cloud.google.com/gke-nodepool": "a"}]
)
def test_nodes_that_only_work_change_nothing(labels: dict[str, str]) -> None:
    worker = node("w", "172.18.0.3", **labels)
    (one,) = found("D-WEBHOOK", POD, SERVICE, worker, hook(), policy(ingress=[]))
    assert one.code == "WHK001"
    assert "OWN_NODE_UNKNOWN" in {each.id for each in one.caveats}
    let_in = policy(ingress=[rule("from", block("172.18.0.0/16"), ports=(10250,))])
    assert "any address" not in "".join(
        e.message for e in found("D-WEBHOOK", POD, SERVICE, worker, hook(), let_in)
    )


def test_who_passes_without_it_is_only_warned() -> None:
    assert told(hook("Ignore"), PODS_ONLY) == [("WHK001", "warning")]


def test_some_address_may_be_the_api_server() -> None:
    some = policy(ingress=[rule("from", block("10.0.0.0/8"), ports=(10250,))])
    assert told(hook(), some) == []
    assert told(hook(), policy(ingress=[rule("from", ports=("https",))])) == []


def test_the_port_is_that_of_the_pod() -> None:
    wrong = policy(ingress=[rule("from", ports=(443,))])
    assert told(hook(), wrong) == [("WHK001", "error")]


def test_the_control_plane_is_known_by_its_nodes() -> None:
    here = (CONTROL, WORKER, hook())
    let_in = policy(ingress=[rule("from", block("172.18.0.2/32"), ports=(10250,))])
    other = policy(ingress=[rule("from", block("172.18.0.3/32"), ports=(10250,))])
    assert told(*here, let_in) == []
    # A pod on that very node would be let in, and which node it is on nobody knows.
    assert told(*here, other) == [("WHK001", "warning")]


def test_what_is_proposed_mends_it() -> None:
    slices = thing(
        "EndpointSlice",
        "kubernetes",
        "default",
        api="discovery.k8s.io/v1",
        labels={"kubernetes.io/service-name": "kubernetes"},
        addressType="IPv4",
        endpoints=[{"addresses": ["10.9.9.9"]}],
        ports=[{"port": 443}],
    )
    here = text(POD, SERVICE, slices, hook(), PODS_ONLY)
    first = examined(here, "D-WEBHOOK")
    assert [each.code for each in first] == ["WHK001"]
    assert "10.9.9.9 is not let in" in first[0].message
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-WEBHOOK") == ()


def test_a_tunnel_may_be_used_or_not() -> None:
    range_only = policy(ingress=[rule("from", block("172.16.0.0/28"), ports=(10250,))])
    (one,) = found("D-WEBHOOK", POD, SERVICE, GKE, hook(), range_only)
    assert (one.code, str(one.severity)) == ("WHK001", "warning")
    assert "konnectivity-agent" in one.message
    agents = {
        "namespaceSelector": {"matchLabels": {HOME: "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "konnectivity-agent"}},
    }
    tunnelled = policy(ingress=[rule("from", agents, ports=(10250,))])
    (left,) = found("D-WEBHOOK", POD, SERVICE, GKE, hook(), tunnelled)
    assert "any node and any address are not let in; it may call from elsewhere" in left.message
    both = policy(ingress=[rule("from", agents, block("0.0.0.0/0"), ports=(10250,))])
    assert told(GKE, hook(), both) == []


@pytest.mark.parametrize(
    ("item", "effect"),
    [
        (
            thing(
                "APIService",
                "v1.metrics.example.org",
                api="apiregistration.k8s.io/v1",
                spec={"service": {"namespace": "a", "name": "hook"}},
            ),
            "that API is not available",
        ),
        (
            thing(
                "CustomResourceDefinition",
                "things.example.org",
                api="apiextensions.k8s.io/v1",
                spec={
                    "conversion": {
                        "strategy": "Webhook",
                        "webhook": {
                            "clientConfig": {"service": {"namespace": "a", "name": "hook"}}
                        },
                    }
                },
            ),
            "objects of that kind cannot be read",
        ),
    ],
)
def test_other_things_that_the_api_server_calls(item: Manifest, effect: str) -> None:
    (one,) = found("D-WEBHOOK", POD, SERVICE, item, PODS_ONLY)
    assert str(one.severity) == "error"
    assert one.effect.startswith(effect)
    assert told(item) == []


@pytest.mark.parametrize(
    ("items", "severity"),
    [
        ((POD, SERVICE, hook(port=8443)), "error"),
        ((POD, SERVICE, hook("Ignore", port=8443)), "warning"),
        ((workload("hook", ports=listening(10250)), SERVICE, hook()), "error"),
        # Its pods may come from elsewhere.
        ((workload("other"), SERVICE, hook()), "warning"),
    ],
)
def test_where_nothing_is_there_no_policy_is_to_blame(
    items: tuple[Manifest, ...], severity: str
) -> None:
    (one,) = found("D-WEBHOOK", *items)
    assert (one.code, str(one.severity)) == ("WHK002", severity)
    assert one.mend == ()


ANYBODY = policy(ingress=[rule("from", ports=(443,))])


def test_a_webhook_behind_the_port_of_its_service_is_told_as_what_it_is() -> None:
    here = text(POD, SERVICE, hook(), ANYBODY)
    (one,) = examined(here)
    assert (one.code, str(one.severity), str(one.mode)) == ("WHK001", "error", "F4")
    assert one.effect.startswith("failurePolicy is Fail, so the API server refuses every request")
    assert one.evidence[1].text == "ingress rule 1 of a/p opens TCP/443, the port of the Service"
    assert one.help.startswith("write TCP/10250")
    assert examined(mended({"all.yaml": here}, (one,))["mended.yaml"]) == ()


def test_a_rule_for_somebody_else_is_not_meant_for_the_api_server() -> None:
    other = policy(ingress=[rule("from", block("10.0.0.0/8"), ports=(443,))])
    (one,) = found("D-WEBHOOK", POD, SERVICE, CONTROL, hook(), other)
    assert one.help == "let in 172.18.0.2 on the pods' own port"


def test_a_service_that_is_not_in_the_input_is_not_judged() -> None:
    assert found("D-WEBHOOK", POD, hook(), PODS_ONLY) == ()
