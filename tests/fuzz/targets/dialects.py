"""Policies: read, judged, compiled, bound and asked; blocks and selectors by themselves."""

import io
import ipaddress
from typing import Any

from cloison.algebra import AddressSet, LabelSelector, Operator, Requirement
from cloison.algebra.addresses import V6_BASE
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.ends import Names
from cloison.analyses.survey import survey
from cloison.base import Severity
from cloison.dialects import Dialect, Surroundings, dialect_for
from cloison.dialects.adminpolicy.decode import decode as decode_admin
from cloison.dialects.adminpolicy.model import Policy, Rule, Unreadable
from cloison.dialects.networkpolicy.cidr import parse_cidr
from cloison.dialects.networkpolicy.decode import decode
from cloison.engine import Engine, Networks
from cloison.ir.policy import PolicySet
from cloison.ir.profile import Profile
from cloison.platform import profile, profile_names
from cloison.resources.documents import Document, Node
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.world import World
from cloison.sources import read
from tests.fuzz import seeds
from tests.fuzz.policies import answers, documents
from tests.fuzz.target import Target, sampled, sound
from tests.fuzz.targets.questions import small_world
from tests.support.written.adminpolicy import to_yaml

_OPTIONS = (
    ReadOptions(),
    ReadOptions((1, 15)),
    ReadOptions((1, 36), FieldValidation.STRICT, "web"),
)


def _policies(
    data: bytes, dialect: str, options: ReadOptions
) -> tuple[Dialect[Any] | None, list[Any]]:
    """Return the policies of one dialect in an input."""
    pool = Pool()
    found: list[Any] = []
    speaker = None
    for document, version, kind in documents(data, dialect):
        speaker = dialect_for(version, kind)
        assert speaker is not None
        policy, said = speaker.read(document, options, pool)
        sound(said, document.file)
        if dialect in ("networkpolicy", "adminpolicy"):
            refused = any(d.severity is Severity.ERROR for d in said)
            assert refused or policy is not None, "refused, and nobody says why"
        if policy is not None:
            found.append(policy)
    return speaker, _one_each(found)


def _dialect(data: bytes, name: str) -> None:
    chosen = len(data) % len(_OPTIONS)
    speaker, found = _policies(data, name, _OPTIONS[chosen])
    if speaker is None:
        return
    world = small_world()
    who = profile(profile_names()[len(data) % len(profile_names())])
    sound(speaker.notices(found))
    _judged(speaker, found, world, who)
    if name in ("networkpolicy", "adminpolicy") and sampled(data, 2):
        _judged(speaker, found, World(), who)
    compiled = list(speaker.compile(found, who, world).policies)
    verdicts = _asked(world, compiled, who)
    if sampled(data, 4):
        assert verdicts == _asked(world, compiled[::-1], who), "reading order shows"


def _judged(speaker: Dialect[Any], found: list[Any], world: World, who: Profile) -> None:
    pods = AddressSet.block("10.0.0.0/16")
    around = Surroundings(world, who, pods)
    said = speaker.suspicious(found, around)
    sound(said)
    assert set(said) == set(speaker.suspicious(found[::-1], around)), "reading order shows"


def _one_each(policies: list[Any]) -> list[Any]:
    """Keep one policy of a name, as loading does."""
    return list({(getattr(p, "kind", ""), p.namespace, p.name): p for p in policies}.values())


def _asked(world: World, policies: list[Any], who: Profile) -> list[str]:
    """Return the answers to one question each way, and the map."""
    engine = Engine(world, PolicySet(tuple(policies), who.layers), who, Networks())
    asked = answers(
        engine,
        (
            ("web/portal", "api/server", "8080"),
            ("web/portal", "api/server", None),
            ("192.0.2.7", "web/portal", "http"),
            ("node:n1", "svc:web/front", "8000"),
        ),
    )
    edges = survey(engine, MapOptions(), Names(engine))
    return [*asked, *(repr(edge) for edge in edges)]


def _networkpolicy(data: bytes) -> None:
    _dialect(data, "networkpolicy")


def _adminpolicy(data: bytes) -> None:
    _dialect(data, "adminpolicy")
    _, found = _policies(data, "adminpolicy", ReadOptions())
    readable = [p for p in found if not isinstance(p, Unreadable)]
    for policy in readable:
        if any(r.unknown or not all(peer.known for peer in r.peers) for r in _rules(policy)):
            continue  # what is not known is not written
        text = to_yaml(policy)
        (one,) = read(["-"], stdin=io.BytesIO(text.encode()))
        assert isinstance(one, Document), text
        again, _ = decode_admin(one, ReadOptions())
        assert again == policy, text


def _rules(policy: Policy) -> tuple[Rule, ...]:
    return (*(policy.ingress or ()), *(policy.egress or ()))


def _unmodelled(data: bytes) -> None:
    _dialect(data, "unmodelled")


def _cidr(data: bytes) -> None:
    for text in data.decode("utf-8", "replace").split("\n"):
        found = parse_cidr(text)
        try:
            plain = ipaddress.ip_network(text, strict=False)
        except ValueError:
            plain = None
        if found is None:
            # Python also takes a mask, or no length at all, where Kubernetes does not.
            slash = text.rpartition("/")[2]
            assert plain is None or not slash.isdecimal() or "/" not in text or "%" in text, text
            continue
        again = parse_cidr(found.canonical())
        assert again is not None
        assert again.addresses == found.addresses, text
        assert not again.loose, text
        assert (found.complaint is None) is (not found.loose), text
        if plain is not None and not found.mapped:
            base = 0 if plain.version == 4 else V6_BASE
            expected = AddressSet([(base + int(plain[0]), base + int(plain[-1]))])
            assert found.addresses == expected, text
        assert not found.holds_strictly(found), text
    try:
        AddressSet.block(data.decode("utf-8", "replace"))
    except ValueError:
        return


def _selectors(data: bytes) -> None:
    """Take each document as a selector."""
    for one in read(["-"], stdin=io.BytesIO(data), anything=True):
        if not isinstance(one, Document):
            continue
        root = one.root
        at = (root.line, root.column)
        spec = Node({"podSelector": root}, *at)
        head = {
            "apiVersion": Node("networking.k8s.io/v1", *at),
            "kind": Node("NetworkPolicy", *at),
            "metadata": Node({"name": Node("p", *at), "namespace": Node("web", *at)}, *at),
            "spec": spec,
        }
        policy, said = decode(Document(one.file, Node(head, *at)), ReadOptions())
        sound(said, one.file)
        if policy is None:
            continue
        _means(policy)


def _means(policy: Any) -> None:
    """Hold a selector that the API server accepts to the laws of selectors."""
    written = policy.pod_selector
    meant = LabelSelector.of(
        written.match_labels,
        [
            Requirement(r.key, Operator(r.operator), tuple(r.values))
            for r in written.match_expressions
        ],
    )
    assert LabelSelector.of({}, meant.requirements) == meant
    str(meant).encode("utf-8")
    labels = dict.fromkeys(meant.keys, "web")
    for requirement in meant.requirements:
        if requirement.operator is Operator.IN:
            labels[requirement.key] = requirement.values[0]
    assert meant.matches(labels) is (not meant.unmet(labels))
    assert not meant.matches(labels) or meant.satisfiable()


def _selector_seeds() -> list[bytes]:
    return [
        b"matchLabels: {app: web}\n",
        b"matchExpressions: [{key: app, operator: In, values: [web, db]}]\n",
        b"matchExpressions: [{key: a.b/c, operator: DoesNotExist}]\n---\n{}\n",
        b'{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}\n',
    ]


_CODE = ("cloison.dialects",)
_CIDRS = (
    *("10.0.0.0/8", "::/0", "0.0.0.0/0", "2001:db8::/32", "::ffff:1.2.3.4/128", "010.1.2.3/08"),
    *("1.2.3.4/33", "::1:2.3.4.5/64", "fe80::1%eth0/64", "1.2.3.4/255.0.0.0", "::ffff:0:0/96"),
    *("00001::/16", "1::2::3/8", ":1/8", "1:2:3:4:5:6:7:8/128", "/8", "/", "\u0661.2.3.4/8"),
)

NETWORKPOLICY = Target(
    "networkpolicy",
    _networkpolicy,
    lambda: [*seeds.worlds(), *seeds.cases()],
    (*_CODE, "cloison.engine.bind", "cloison.engine.units", "cloison.engine.vocabulary"),
)
ADMINPOLICY = Target(
    "adminpolicy",
    _adminpolicy,
    seeds.adminpolicies,
    ("cloison.dialects.adminpolicy",),
)
UNMODELLED = Target("unmodelled", _unmodelled, seeds.unmodelled, ("cloison.dialects.unmodelled",))
SELECTORS = Target("selectors", _selectors, _selector_seeds, (*_CODE, "cloison.algebra.selectors"))
CIDR = Target(
    "cidr",
    _cidr,
    lambda: [text.encode() for text in _CIDRS],
    ("cloison.dialects.networkpolicy.cidr", "cloison.algebra.addresses"),
    lines=True,
    words=_CIDRS,
)
