"""Flow records of our own, as sources write them; tests change fields of them."""

import re
from typing import Any

TIME = "2026-01-02T03:04:05.123456789Z"
LABELS = [
    "k8s:app=web",
    "k8s:io.cilium.k8s.namespace.labels.team=shop",
    "k8s:io.cilium.k8s.policy.cluster=east",
    "k8s:io.kubernetes.pod.namespace=shop",
    "k8s:app.kubernetes.io/part-of=shop",
]
WEB = {
    "ID": 7,
    "identity": 4242,
    "namespace": "shop",
    "labels": LABELS,
    "pod_name": "web-6b687c8dcb-zn5s2",
    "workloads": [{"name": "web", "kind": "Deployment"}],
}
API = {"identity": 4243, "namespace": "shop", "pod_name": "api-0", "cluster_name": "west"}
FLOW: dict[str, Any] = {
    "time": TIME,
    "uuid": "8a1c",
    "verdict": "FORWARDED",
    "IP": {"source": "10.0.1.7", "destination": "10.0.2.9", "ipVersion": "IPv4"},
    "l4": {"TCP": {"source_port": 40000, "destination_port": 8080, "flags": {"SYN": True}}},
    "source": WEB,
    "destination": API,
    "Type": "L3_L4",
    "node_name": "east/node-1",
    "event_type": {"type": 5},
    "destination_names": ["api.shop.svc.cluster.local."],
    "destination_service": {"name": "api", "namespace": "shop"},
    "traffic_direction": "EGRESS",
    "policy_match_type": 2,
    "is_reply": False,
    "egress_allowed_by": [
        {
            "name": "web-out",
            "namespace": "shop",
            "kind": "CiliumNetworkPolicy",
            "labels": ["k8s:io.cilium.k8s.policy.name=web-out"],
            "revision": "3",
        }
    ],
    "Summary": "TCP Flags: SYN",
}
LEVEL0: dict[str, Any] = {
    "start_time": 1_760_000_000,
    "end_time": 1_760_000_300,
    "source_ip": "10.0.1.7",
    "source_name": "web-6b687c8dcb-zn5s2",
    "source_name_aggr": "web-6b687c8dcb-*",
    "source_namespace": "shop",
    "source_port": 40000,
    "source_type": "wep",
    "source_labels": {"labels": ["pod-template-hash=6b687c8dcb", "app=web"]},
    "dest_ip": "10.0.2.9",
    "dest_name": "api-0",
    "dest_name_aggr": "api-*",
    "dest_namespace": "shop",
    "dest_port": 8080,
    "dest_type": "wep",
    "dest_labels": {"labels": ["app=api", "projectcalico.org/namespace=shop"]},
    "dest_service_namespace": "shop",
    "dest_service_name": "api",
    "dest_service_port": "http",
    "dest_service_port_num": 80,
    "dest_domains": None,
    "proto": "tcp",
    "action": "allow",
    "reporter": "dst",
    "policies": {
        "enforced_policies": [
            "1|default|shop/default.api-in|allow|0",
            "0|security|security.quarantine|pass|-1",
        ],
        "pending_policies": ["0|default|shop/staged:default.strict|deny|2"],
    },
    "bytes_in": 300,
    "bytes_out": 1000,
    "packets_in": 6,
    "packets_out": 5,
    "num_flows": 3,
    "num_flows_started": 2,
    "host": "node-1",
}
LEVEL2 = {
    "source_ip": None,
    "source_name": "-",
    "source_port": None,
    "dest_ip": None,
    "dest_name": "-",
    "dest_name_aggr": "api-86c57db685-*",
    "reporter": "src",
}
KEY: dict[str, Any] = {
    "source_name": "web-6b687c8dcb-*",
    "source_namespace": "shop",
    "source_type": "WorkloadEndpoint",
    "dest_name": "pub",
    "dest_namespace": "-",
    "dest_type": "Network",
    "dest_port": "443",
    "dest_service_name": "-",
    "proto": "tcp",
    "reporter": "Src",
    "action": "Deny",
    "policies": {
        "enforced_policies": [
            {
                "kind": "EndOfTier",
                "tier": "default",
                "action": "Deny",
                "rule_index": "-1",
                "trigger": {
                    "kind": "CalicoNetworkPolicy",
                    "namespace": "shop",
                    "name": "web-out",
                    "tier": "default",
                },
            }
        ],
        "pending_policies": [],
    },
}
GOLDMANE: dict[str, Any] = {
    "Key": KEY,
    "start_time": "1760000000",
    "end_time": "1760000015",
    "source_labels": ["app=web"],
    "packets_in": "3",
    "bytes_out": "7",
    "num_connections_started": "2",
}
WHISKER: dict[str, Any] = {
    "start_time": "2025-10-09T08:53:20Z",
    "end_time": "2025-10-09T08:53:35Z",
    "action": "Allow",
    "source_name": "web-6b687c8dcb-*",
    "source_namespace": "shop",
    "source_labels": "app=web | pod-template-hash=6b687c8dcb",
    "dest_name": "PRIVATE NETWORK",
    "dest_namespace": "Global",
    "dest_labels": "",
    "protocol": "udp",
    "dest_port": 53,
    "reporter": "Dst",
    "policies": {
        "enforced": [
            {
                "kind": "Profile",
                "name": "kns.shop",
                "tier": "__PROFILE__",
                "action": "Allow",
                "rule_index": 0,
                "trigger": None,
            }
        ],
        "pending": [
            {
                "kind": "StagedGlobalNetworkPolicy",
                "name": "default.deny",
                "tier": "default",
                "action": "Deny",
                "rule_index": 1,
                "trigger": None,
            }
        ],
    },
    "packets_in": 1,
    "packets_out": 2,
    "bytes_in": 30,
    "bytes_out": 40,
}


def camel(value: Any) -> Any:
    """Spell a message as protobuf's own JSON does."""
    if isinstance(value, dict):
        return {
            re.sub(r"_([a-z])", lambda found: found[1].upper(), key): camel(each)
            for key, each in value.items()
        }
    return [camel(each) for each in value] if isinstance(value, list) else value
