"""A call fares as its connections do, each asked about by itself."""

import random
from itertools import product

import pytest

from cloison.analyses.paths.model import HopRole, Way, way_verdict
from cloison.app import Session, answers, load_objects
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from tests.oracle.raw import Manifest
from tests.support.worlds import random_world

_PORTS = (80, 443, 8080)


def with_services(rng: random.Random) -> tuple[list[Manifest], list[tuple[str, str]]]:
    """Return a random world with Services and an Ingress in it, and the Services' names."""
    objects = [dict(each) for each in random_world(rng)]
    namespaces = sorted({_home(o) for o in objects if _has_labels(o)})
    names: list[tuple[str, str]] = []
    for number, namespace in enumerate(namespaces * 2):
        here = [o for o in objects if _has_labels(o) and _home(o) == namespace]
        labels = dict(rng.choice(here)["metadata"]["labels"])
        key = rng.choice(sorted(labels))
        spec: Manifest = {
            "selector": {key: labels[key]},
            "ports": [
                {"name": f"p{port}", "port": port, "targetPort": rng.choice(_PORTS)}
                for port in rng.sample(_PORTS, rng.randint(1, 2))
            ],
        }
        if rng.random() < 0.3:
            spec["clusterIP"] = "None"
        elif rng.random() < 0.3:
            spec["internalTrafficPolicy"] = "Local"
        name = f"s{number}"
        names.append((namespace, name))
        objects.append(_object("v1", "Service", namespace, name, spec))
    for namespace in namespaces:
        mine = [name for home, name in names if home == namespace]
        paths = [
            {
                "path": f"/{name}",
                "pathType": "Prefix",
                "backend": {"service": {"name": name, "port": {"number": rng.choice(_PORTS)}}},
            }
            for name in (*mine, "gone")
        ]
        spec = {"ingressClassName": "nginx", "rules": [{"http": {"paths": paths}}]}
        objects.append(_object("networking.k8s.io/v1", "Ingress", namespace, "door", spec))
    return objects, names


def _home(each: Manifest) -> str:
    return str(each["metadata"].get("namespace") or "default")


def _has_labels(each: Manifest) -> bool:
    return each["kind"] == "Pod" and bool(each["metadata"].get("labels"))


def _object(api: str, kind: str, namespace: str, name: str, spec: Manifest) -> Manifest:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec}


def pods(session: Session) -> list[str]:
    return [str(name) for name, each in session.world.workloads.items() if each.endpoints]


def assert_adds_up(session: Session, ways: tuple[Way, ...]) -> None:
    """Hold every way against its hops, and every hop of the input against itself asked alone."""
    for way in ways:
        own = [hop.verdict for hop in way.hops if hop.role is not HopRole.LOOKUP]
        assert way.verdict is (Verdict.DENIED if way.stop else way_verdict(own))
        for hop in way.asked:
            if "(assumed)" not in str(hop.question):
                assert answers.hop(session, hop.question).verdict is hop.verdict


@pytest.mark.parametrize("seed", range(12))
def test_a_call_is_let_through_where_all_its_connections_are(seed: int) -> None:
    rng = random.Random(seed)
    objects, names = with_services(rng)
    session = load_objects(objects)
    there = pods(session)
    questions = [
        (source, f"svc:{namespace}/{name}")
        for source, (namespace, name) in product(rng.sample(there, min(3, len(there))), names)
    ]
    doors = {f"gw:{namespace}/door" for namespace, _ in names}
    questions += [("203.0.113.9", door) for door in sorted(doors)]
    questions += [(door, rng.choice(there)) for door in sorted(doors)]
    for source, destination in questions:
        answer = session.why(source, destination)
        assert_adds_up(session, answer.ways)
        verdicts = {way.verdict for way in answer.ways if not way.copy}
        expected = verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED
        assert not answer.ways or answer.verdict is expected
        assert session.verdict(source, destination) is answer.verdict


@pytest.mark.parametrize("seed", range(12))
def test_a_service_is_its_pods_on_their_own_ports(seed: int) -> None:
    """Ask about a Service's port, and about each pod behind it on the port it leads to."""
    rng = random.Random(seed)
    objects, _ = with_services(rng)
    session = load_objects(objects)
    there = pods(session)
    for service in session.world.services.values():
        if service.internal_traffic_policy == "Local" or "None" in service.cluster_ips:
            continue
        source = rng.choice(there)
        behind = [
            str(name)
            for name, each in session.world.workloads.items()
            if name.namespace == service.namespace
            and each.endpoints
            and all((service.selector or {}).items() <= e.labels.items() for e in each.endpoints)
            and str(name) != source
        ]
        some = any(
            (service.selector or {}).items() <= e.labels.items()
            for name, each in session.world.workloads.items()
            if name.namespace == service.namespace and str(name) not in behind
            for e in each.endpoints
        )
        some = some or any(
            e.terminating or e.ready is False
            for name in session.world.workloads.values()
            for e in name.endpoints
            if str(name.id) in behind
        )
        if some or not behind:
            continue
        for port in service.ports:
            assert isinstance(port.target, int)
            singly = {session.verdict(source, each, port=port.target) for each in behind}
            expected = singly.pop() if len(singly) == 1 else Verdict.MIXED
            name = f"svc:{service.namespace}/{service.name}"
            assert session.verdict(source, name, port=port.port) is expected


def test_nothing_is_said_of_a_gateway_that_is_not_there() -> None:
    session = load_objects([])
    with pytest.raises(QuestionError):
        session.why("203.0.113.9", "gw:web/door")
