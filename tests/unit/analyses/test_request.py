"""Questions that say a request, and replies that belong to no connection."""

import pytest

from cloison.algebra import Request
from cloison.analyses.ask import verdict_only
from cloison.app import Session, load_texts
from cloison.base import QuestionError
from cloison.ir.http import HttpMatch

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Pod
metadata: {name: front, namespace: web, labels: {app: front}}
spec: {nodeName: n1, containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: back, namespace: web, labels: {app: back}}
spec: {nodeName: n1, containers: [{name: c, ports: [{name: api, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Node
metadata: {name: hn1, labels: {role: node}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: projectcalico.org/v3
kind: FelixConfiguration
metadata: {name: default}
spec: {policySyncPathPrefix: /var/run/nodeagent}
"""
ASKS = """
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: g}
spec:
  selector: app == 'back'
  ingress:
    - {action: Allow, protocol: TCP, http: {methods: [GET, HEAD], paths: [{prefix: /pub}]}}
    - {action: Allow, protocol: TCP, http: {methods: [POST], paths: [{exact: /login}]}}
"""
HOST = """
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h, labels: {role: node}}
spec: {node: hn1, interfaceName: eth0, expectedIPs: [192.0.2.1]}
"""
UNTRACKED = """
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: u}
spec:
  selector: role == 'node'
  doNotTrack: true
  applyOnForward: true
"""
IN = "  ingress: [{action: Allow, protocol: TCP, destination: {ports: [80]}}]\n"
OUT = "  egress: [{action: Allow, protocol: TCP, source: {ports: [80]}}]\n"
IN_DNS = "  ingress: [{action: Allow, protocol: UDP, destination: {ports: [53]}}]\n"
OPEN = """
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: open}
spec: {selector: role == 'node', egress: [{action: Allow}]}
"""
HEAD = "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\n"


def session(policies: str = ASKS, profile: str = "calico@3.32", **more: str) -> Session:
    return load_texts({"world.yaml": WORLD, "calico.yaml": policies, **more}, profile=profile)


def _request(method: str | None, path: str | None) -> Request:
    return Request(method=method, path=path)


@pytest.mark.parametrize(
    ("path", "segments", "text"),
    [
        ("/pub", True, True),
        ("/pub/x", True, True),
        ("/pub/x?next=/a#b", True, True),
        ("/pub/", True, True),
        ("//pub///x", True, False),
        ("/./pub/x", True, False),
        ("/a/../pub", True, False),
        ("/public", False, True),
        ("/pub/../admin", False, True),
        ("/", False, False),
        ("/Pub", False, False),
        # Whether what is encoded is read is not said.
        ("/pub/%2e%2e/admin", None, True),
        ("/%70ub", None, False),
    ],
)
def test_a_prefix_is_of_segments_or_of_text(
    *, path: str, segments: bool | None, text: bool | None
) -> None:
    request = _request("GET", path)
    for by, expected in ((True, segments), (False, text)):
        assert HttpMatch(prefixes=("/pub",), by_segment=by).matches(request) is expected
    both = segments if segments is text else None
    assert HttpMatch(prefixes=("/pub",), by_segment=None).matches(request) is both


def test_an_exact_path_is_one_once_it_is_normalised() -> None:
    match = HttpMatch(exact=("/a/b",))
    assert match.matches(_request("GET", "/a/./b")) is True
    assert match.matches(_request("GET", "/a/b/c")) is False
    # Whether the last slash goes is not said.
    assert match.matches(_request("GET", "/a/b/")) is None
    text = HttpMatch(exact=("/a/b",), by_segment=False)
    assert text.matches(_request("GET", "/a/b/")) is False
    assert HttpMatch(prefixes=("/",)).matches(_request("GET", "/a")) is True


def test_methods_are_exact_and_what_is_not_said_is_open() -> None:
    match = HttpMatch(methods=("GET",), prefixes=("/pub",))
    assert match.matches(_request("get", "/pub")) is False
    assert match.matches(_request(None, "/pub")) is None
    assert match.matches(_request("GET", None)) is None
    assert match.matches(_request(None, "/other")) is False
    assert HttpMatch(methods=("*",)).matches(_request("BREW", None)) is True
    assert HttpMatch().matches(_request(None, "/")) is True


@pytest.mark.parametrize(
    ("http", "verdict"),
    [
        (None, "mixed"),
        ("GET /pub/x", "allowed"),
        ("HEAD /pub", "allowed"),
        ("POST /login", "allowed"),
        ("POST /pub/x", "denied"),
        ("GET /login", "denied"),
        ("/pub", "mixed"),
        ("DELETE", "denied"),
    ],
)
def test_a_request_decides_what_rules_ask(http: str | None, verdict: str) -> None:
    found = session()
    question = found.question("web/front", "web/back:8080", http=http)
    answer = found.why("web/front", "web/back:8080", http=http)
    assert answer.verdict == verdict
    assert [caveat.id for caveat in answer.caveats] == ["HTTP_RULE"]
    assert verdict_only(found.engine, question) == verdict


def test_a_rule_that_asks_for_another_request_is_what_comes_nearest() -> None:
    answer = session().why("web/front", "web/back:8080", http="GET /login")
    assert answer.shown is not None
    (considered,) = answer.shown.points[-1].considered
    only = "but only where HTTP GET, HEAD /pub..."
    assert considered.nearest_miss == f"allows everybody on TCP, {only}"


def test_releases_that_differ_leave_the_answer_open() -> None:
    found = session(profile="calico@3.31")
    answer = found.why("web/front", "web/back:8080", http="GET /public")
    assert answer.verdict == "undetermined"
    assert [caveat.id for caveat in answer.caveats] == ["HTTP_PATHS", "HTTP_RULE"]
    sure = found.why("web/front", "web/back:8080", http="GET /pub/x")
    assert sure.verdict == "allowed"
    assert [caveat.id for caveat in sure.caveats] == ["HTTP_RULE"]


def test_a_request_goes_over_tcp() -> None:
    found = session()
    assert found.why("web/front", "web/back", http="GET /pub").verdict == "allowed"
    assert found.why("web/front", "web/back:api", http="GET /pub").verdict == "allowed"
    with pytest.raises(QuestionError, match="over UDP/53"):
        found.why("web/front", "web/back:53/UDP", http="GET /pub")
    for wrong in (
        "",
        "GET pub",
        "G=T /pub",
        '{"path": 1',
        '{"verb": "GET"}',
        "{}",
        "GET /\udc80",
        "/a b",
    ):
        with pytest.raises(QuestionError):
            found.why("web/front", "web/back:8080", http=wrong)


def test_rows_are_judged_with_their_request() -> None:
    ends = "from: web/front, to: web/back, port: 8080"
    said = {
        "{method: GET, path: /pub/x}": "allow",
        "{method: GET, path: /public}": "deny",
        "GET /pub": "allow",
        "{method: POST, path: /pub}": "deny",
    }
    rows = "".join(f"- {{{ends}, http: {h}, expect: {e}}}\n" for h, e in said.items())
    found = session(**{"t.yaml": f"{HEAD}tests:\n{rows}- {{{ends}, expect: deny}}\n"})
    results = found.verify()
    assert [result.passed for result in results] == [True, True, True, True, False]
    assert results.results[0].notes == ("a policy here looks at http: GET /pub/x was asked",)


@pytest.mark.parametrize(
    ("directions", "state", "verdict"),
    [
        (IN, "new", "allowed"),
        (IN, "reply", "denied"),
        (IN + OUT, "reply", "undetermined"),
    ],
)
def test_a_reply_to_what_is_not_tracked_needs_a_rule(
    directions: str, state: str, verdict: str
) -> None:
    found = session(HOST + UNTRACKED + directions)
    answer = found.why("8.8.8.8", "node:hn1:80", state=state)
    assert answer.verdict == verdict
    assert "UNTRACKED" in {caveat.id for caveat in answer.caveats}
    question = found.question("8.8.8.8", "node:hn1:80", state=state)
    assert verdict_only(found.engine, question) == verdict


def test_other_replies_share_the_fate_of_their_connection() -> None:
    found = session(HOST + UNTRACKED + IN)
    assert found.why("web/front", "web/back:8080", state="reply").verdict == "allowed"
    assert found.why("8.8.8.8", "node:hn1:81", state="reply").verdict == "denied"


def test_a_reply_that_may_begin_something_is_left_open() -> None:
    """Nothing tells a datagram that answers from one that does not: it meets other policies."""
    found = session(HOST + UNTRACKED + IN_DNS)
    assert found.why("8.8.8.8", "node:hn1:53/UDP").verdict == "allowed"
    assert found.why("8.8.8.8", "node:hn1:53/UDP", state="reply").verdict == "undetermined"


def test_a_rule_may_keep_a_reply_from_its_connection() -> None:
    found = session(HOST + OPEN)
    assert found.why("node:hn1", "8.8.8.8:443", state="reply").verdict == "allowed"
    found = session(HOST + UNTRACKED + IN + OPEN)
    assert found.why("node:hn1", "8.8.8.8:443").verdict == "allowed"
    assert found.why("node:hn1", "8.8.8.8:443", state="reply").verdict == "undetermined"
