"""D-PROBE: probes where whoever enforces lets no node in of itself, and what lets them in."""

from typing import Any

import pytest
import yaml

from cloison.base import Severity
from tests.support.smallworlds import Manifest, found, listening, thing, workload

READY = {"httpGet": {"path": "/", "port": 8080}}
APP = workload("web", ports=listening(8080), readinessProbe=READY)
CILIUM: dict[str, Any] = {
    "api": "apps/v1",
    "spec": {
        "selector": {"matchLabels": {"k8s-app": "cilium"}},
        "template": {
            "metadata": {"labels": {"k8s-app": "cilium"}},
            "spec": {
                "hostNetwork": True,
                "containers": [{"name": "agent", "image": "quay.io/cilium/cilium:v1.19.0"}],
            },
        },
    },
}
AGENT = thing("DaemonSet", "cilium", "kube-system", **CILIUM)


def settings(**said: str) -> Manifest:
    """Return what the agent is told."""
    return thing("ConfigMap", "cilium-config", "kube-system", data=said)


def admitting(*entities: str) -> Manifest:
    """Return a policy for the application that admits entities, and its own namespace."""
    rules: list[Any] = [{"fromEndpoints": [{}]}]
    if entities:
        rules.append({"fromEntities": list(entities)})
    spec = {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": rules}
    return thing("CiliumNetworkPolicy", "web", "a", api="cilium.io/v2", spec=spec)


STRICT = settings(**{"allow-localhost": "policy"})


@pytest.mark.parametrize("entities", [(), ("remote-node",)])
def test_a_probe_from_the_own_node_is_stopped_where_no_node_is_exempt(
    entities: tuple[str, ...],
) -> None:
    (one,) = found("D-PROBE", AGENT, STRICT, APP, admitting(*entities))
    assert (one.code, one.severity, str(one.workload)) == ("PRB001", Severity.ERROR, "a/web")
    assert "TCP/8080" in one.message
    (mend,) = one.mend
    rules = yaml.safe_load(mend.manifest)["spec"]["ingress"]
    ports = [{"ports": [{"port": "8080", "protocol": "TCP"}]}]
    assert rules == [{"fromEntities": ["host"], "toPorts": ports}]
    more = yaml.safe_load(mend.manifest)
    assert not found("D-PROBE", AGENT, STRICT, APP, admitting(*entities), more)


def test_who_admits_the_own_node_is_probed() -> None:
    assert not found("D-PROBE", AGENT, STRICT, APP, admitting("host"))


def test_the_own_node_is_exempt_where_nothing_else_is_said() -> None:
    assert not found("D-PROBE", AGENT, settings(), APP, admitting())
