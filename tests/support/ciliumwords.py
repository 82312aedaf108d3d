"""What random policies of Cilium's and the worlds around them speak of."""

from tests.support.netpols import EXTERNAL

NAMESPACE = "k8s:io.kubernetes.pod.namespace"
OF_NAMESPACES = "io.cilium.k8s.namespace.labels."
ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
CLUSTER = "io.cilium.k8s.policy.cluster"
ACCOUNTS = ("default", "runner", "reader")
HIDDEN = {
    "controller-revision-hash": ("r1", "r2"),
    "pod-template-hash": ("h1", "h2"),
    "topology.kubernetes.io/zone": ("z1",),
    "app.kubernetes.io/name": ("shop", "ledger"),
}
"""Labels of which policies see the last only."""
POOLS = ("one", "two")
SERVER = "198.51.100.250"
GROUPS = {"partners": {"kind": "partner"}, "blocked": {"kind": "threat"}}
NAMES = {
    "api.example.com": (EXTERNAL[0],),
    "db.example.com": (EXTERNAL[1], EXTERNAL[3]),
    "a.b.example.com": (EXTERNAL[2],),
    "other.test": ("192.0.2.77",),
}
"""What names stand for, where somebody said so."""
NAME_TEXTS = (*NAMES, "nobody.test")
PATTERNS = ("*", "*.example.com", "**.example.com", "a*.example.com", "*.test")
METHODS = ("GET", "POST", "DELETE")
PATHS = ("/", "/v1", "/v1/a", "/v1/a?x=1", "/v2/users/7", "/v2/users/7/edit")
PATH_PATTERNS = ("/", "/v1/.*", "/v1/?", "/v2/users/[0-9]+", "/v2/users/[^/]+/edit", "/(v1|v2)/a.*")
METHOD_PATTERNS = ("GET", "POST", "GET|POST", "[A-Z]+", "DELETE")
HOSTS = ("api.shop", "apixshop", "api.shop:8080", "admin.shop")
HOST_PATTERNS = ("api.shop", r"api\.shop(:[0-9]+)?", ".*shop", r"[a-z]+\.shop")
HEADERS = {"X-Role": ("admin", "guest"), "X-Team": ("red", "blue")}
HTTP_PORTS = (80, 8080, 8081)
TLS_PORT = 9003
SERVERS = ("api.example.com", "*.example.com", "**.test")
MESSAGES = ((8, "EchoRequest"), (0, "EchoReply"), (3, "DestinationUnreachable"))
