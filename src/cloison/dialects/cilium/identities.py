"""Labels of identities: what every pod has, and which labels there are for policies at all.

Source: cilium/cilium pkg/labels, pkg/k8s/apis/cilium.io/const.go.
"""

K8S = "k8s"
ANY = "any"
RESERVED = "reserved"
NODE = "node"

NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
CLUSTER = "io.cilium.k8s.policy.cluster"

HOST = "host"
REMOTE_NODE = "remote-node"
API_SERVER = "kube-apiserver"
WORLD = "world"
WORLD_V4 = "world-ipv4"
WORLD_V6 = "world-ipv6"
INIT = "init"

SEEN = "identity:"
"""What keys begin with of labels that an identity has although the filter leaves them out."""

MARK = f"{RESERVED}:"
"""What keys begin with by which pods of reserved identities are marked; no pod can have such."""


def reserved_key(name: str) -> str:
    """Return the key by which a pod of a reserved identity is marked.

    >>> reserved_key("init")
    'reserved:init'
    """
    return MARK + name
