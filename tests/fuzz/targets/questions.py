"""What people ask: ends, ports, and files of tests."""

import io
from functools import cache
from itertools import pairwise

import cloison
from cloison.analyses.ask import Question, ask
from cloison.analyses.ends import Names
from cloison.analyses.question import State, parse_traffic, split_port
from cloison.analyses.testfile import read_tests
from cloison.app import Session
from cloison.base import CloisonError, Diagnostic
from cloison.probe.simulate import run
from cloison.resources.documents import Document
from cloison.resources.world import World
from cloison.sources import read
from tests.fuzz import seeds
from tests.fuzz.target import Target, sampled, sound

WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {team: a}}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: portal, namespace: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 80, name: http}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: portal, namespace: db}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: server, namespace: api, labels: {app: web, tier: back}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 8080, name: http}]}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: "2001:db8::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: api, labels: {app: agent}}
spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: i}]}
status: {phase: Running, podIPs: [{ip: 192.0.2.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: api, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Succeeded, podIPs: [{ip: 10.0.0.3}]}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: web}
spec: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 8000, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 198.51.100.0/24}}]
      ports: [{port: http}, {protocol: SCTP, port: 9}]
"""
_WORDS = (
    *("web/portal", "web/deploy/portal", "portal", "db/sts/portal", "api/server", "api/pod/done"),
    *("node:n1", "node:", "svc:web/front", "svc:front", "gw:a/b", "dns:x", "any:", "any:api"),
    *(
        "10.0.0.1",
        "10.0.0.0/8",
        "2001:db8::1",
        "[2001:db8::1]:443",
        "::/0",
        "0.0.0.0/0",
        "127.0.0.1",
    ),
    *("10.96.0.1", "192.0.2.1", "::ffff:10.0.0.1", "fe80::1%eth0", "010.0.0.1", "1.2.3.4/33"),
    *(":80", ":8080/UDP", ":http", ":icmp/8/0", ":icmpv6", ":0", ":65536", ":1-65535", ":5-3"),
    *("80", "http", "icmp/256", "8080/tcp", "53/17", "TCP", "udp", "256", "132", "new", "reply"),
    *("established", "4", "6", "web", "\u0661", "\u00b2", "1" * 5000, "web/portals", "a/b/c/d"),
)


@cache
def small_session() -> Session:
    """Return a session over a small world with one of everything."""
    return cloison.load_texts({"small.yaml": WORLD})


def small_world() -> World:
    """Return that world."""
    return small_session().world


def _questions(data: bytes) -> None:
    session = small_session()
    lines = data.decode("utf-8", "replace").split("\n") + [""] * 7
    source, destination, port, protocol, state, family, namespace = lines[:7]
    for text in lines[:3]:
        _halves(text)
    try:
        question = session.question(
            source,
            destination,
            port=port or None,
            protocol=protocol or None,
            state=state if state in tuple(State) else "new",
            family={"4": 4, "6": 6}.get(family),
            namespace=namespace or None,
        )
    except CloisonError as error:
        _said(error)
        return
    str(question).encode("utf-8")
    try:
        answer = ask(session.engine, question)
    except CloisonError as error:
        _said(error)
        return
    str(answer).encode("utf-8")
    if sampled(data, 4):
        assert repr(ask(session.engine, question)) == repr(answer)


def _halves(text: str) -> None:
    """Read a text as each thing that a question is made of."""
    session = small_session()
    end, port = split_port(text)
    assert port is None or port in text
    for part, protocol in ((port, None), (text, None), (text, "UDP"), (None, text)):
        try:
            traffic = parse_traffic(part, protocol)
        except CloisonError as error:
            _said(error)
        else:
            assert traffic.traffic or traffic.name or traffic.text is None, text
    for where in (None, "web"):
        try:
            found = Names(session.engine, where).end(end)
        except CloisonError as error:
            _said(error)
            continue
        found.text.encode("utf-8")
        question = Question(found, found, parse_traffic(None))
        try:
            ask(session.engine, question)
        except CloisonError as error:
            _said(error)


def _said(error: CloisonError) -> None:
    assert error.message
    (error.message + (error.help or "")).encode("utf-8")


def _tests(data: bytes) -> None:
    found = list(read(["-"], stdin=io.BytesIO(data), anything=True))
    documents = [one for one in found if isinstance(one, Document)]
    tests = read_tests(documents)
    sound(tests.diagnostics)
    assert all(d.span is not None for d in tests.diagnostics)
    sound(d for row in tests.rows for d in row.faults)
    session = small_session()
    said = [one for one in found if isinstance(one, Diagnostic)]
    matrix = run(session.engine, tests.rows, names=Names(session.engine), diagnostics=tuple(said))
    assert len(list(matrix)) == len(tests.rows)
    if sampled(data, 4):
        again = run(session.engine, tests.rows, names=session.names, diagnostics=tuple(said))
        assert repr(again) == repr(matrix)


def _question_seeds() -> list[bytes]:
    texts = [f"{a}\n{b}" for a, b in pairwise(_WORDS)]
    texts += ["web/portal\napi/server\n80\nTCP\nreply\n4\nweb", "10.0.0.1\n10.0.0.1\nhttp"]
    return [text.encode() for text in texts]


_CODE = (
    "cloison.analyses.ends",
    "cloison.analyses.question",
    "cloison.analyses.services",
    "cloison.analyses.ask",
    "cloison.algebra",
)

QUESTIONS = Target("questions", _questions, _question_seeds, _CODE, lines=True, words=_WORDS)
TESTS = Target(
    "tests", _tests, seeds.tests, ("cloison.analyses.testfile", *_CODE[:2], "cloison.probe")
)
