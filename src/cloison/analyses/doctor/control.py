"""The API server as the end of questions: where pods call it, and from where it calls pods."""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra import AddressSet
from cloison.analyses.backends import members
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.judged import nodes, outside
from cloison.analyses.ends import AddressEnd, End, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.paths.assume import with_pods
from cloison.base import Span
from cloison.engine import Engine
from cloison.platform.apiserver import (
    FRONT_PORT,
    SERVICE,
    api_port,
    control_plane,
    front,
    own_nodes,
    tunnel,
)
from cloison.platform.routes.model import Supposed
from cloison.resources.objects import Service

_NOWHERE = Span("", 0, 0)


@dataclass(frozen=True, slots=True)
class Control:
    """Where the API server is, or may be.

    Args:
        end: Its end.
        port: Its port.
        why: What says so.
        span: Where that is written.
        engine: Who decides, where pods of it had to be assumed.
        vague: Whether it stands for many places of which the API server is at few: that some of
            it is shut says nothing.
    """

    end: End
    port: int
    why: str
    span: Span | None = None
    engine: Engine | None = None
    vague: bool = False


def listening(clinic: Clinic) -> tuple[Control, ...]:
    """Return where pods find the API server, all of which they need; nothing where none is known.

    Where the enforcer judges before addresses are translated, that includes the Service itself.
    """
    found = list(_endpoints(clinic)) or list(_nodes(clinic))
    engine = clinic.engine
    service = front(engine.world)
    early = engine.profile.egress_before_translation
    if found and early and service is not None:
        blocks = [each for each in service.cluster_ips if each and each != "None"]
        if blocks:
            end = outside(" and ".join(blocks), blocks)
            why = f"Service {'/'.join(SERVICE)}, judged before its address is translated"
            found.append(Control(end, FRONT_PORT, why, service.span))
    return tuple(found)


def _endpoints(clinic: Clinic) -> Iterator[Control]:
    """Yield what EndpointSlices or Endpoints of default/kubernetes list, addresses together."""
    engine = clinic.engine
    service = front(engine.world) or Service(*SERVICE, _NOWHERE)
    if service.selector:
        return
    where = next(
        (s.span for s in engine.world.slices if (s.namespace, s.service) == SERVICE), service.span
    )
    together: dict[int, list[AddressEnd]] = {}
    for end, ports in members(engine, service).ends:
        for port in ports or ():
            number = port.port
            if isinstance(end, AddressEnd):
                together.setdefault(number, []).append(end)
            else:
                yield Control(end, number, _listed(end.text, number), where)
    for number, ends in sorted(together.items()):
        text = " and ".join(sorted({each.text for each in ends}))
        addresses = AddressSet(span for each in ends for span in each.addresses.spans)
        yield Control(AddressEnd(text, addresses), number, _listed(text, number), where)


def _listed(text: str, port: int) -> str:
    return f"the endpoints of Service {'/'.join(SERVICE)} are {text}, on port {port}"


def _nodes(clinic: Clinic) -> Iterator[Control]:
    world, port = clinic.engine.world, api_port(clinic.site.platform)
    for name in control_plane(world):
        node = world.nodes[name]
        if node.addresses:
            why = f"Node {name} runs the control plane, whose API server listens on {port}"
            yield Control(NodeEnd(f"node:{name}", node), port, why, node.span)


def anywhere() -> tuple[AddressEnd, SomeNodeEnd]:
    """Return all places where an API server could be of which nothing is known."""
    every = outside("any address", ("0.0.0.0/0", "::/0"))
    return every, SomeNodeEnd("any node")


def calling(clinic: Clinic) -> tuple[Control, ...]:
    """Return who calls pods in the name of the API server; several where it may be any of them.

    Where calls come through a tunnel, its own endpoints say nothing of where they come from.
    """
    every, node = anywhere()
    pods = _tunnelling(clinic)
    if pods is not None:
        near = Control(nodes(clinic, "any node"), 0, pods.why)
        far = Control(every, 0, "or it connects from a range of its own", vague=True)
        return pods, near, far
    found = [Control(c.end, c.port, c.why, c.span) for c in _endpoints(clinic)]
    if own_nodes(clinic.site.platform):
        found = found or list(_nodes(clinic))
    if found:
        return tuple(found)
    why = "the input does not say where the API server is: some node, or outside the cluster"
    return Control(node, 0, why, vague=True), Control(every, 0, why, vague=True)


def _tunnelling(clinic: Clinic) -> Control | None:
    """Return the pods through which the platform's API server calls, in the input or assumed."""
    way = tunnel(clinic.site.platform)
    if way is None:
        return None
    why = f"on this platform its calls may come from {way.name} in {way.namespace}, or from a node"
    wanted = dict(way.labels).items()
    for workload in clinic.everyone():
        if (
            workload.id.namespace == way.namespace
            and wanted <= workload.endpoints[0].labels.items()
        ):
            return Control(clinic.pods(workload.id), 0, why, workload.span)
    supposed = Supposed(way.id, way.namespace, dict(way.labels))
    engine, end = with_pods(clinic.engine, supposed, "konnectivity-agent")
    return Control(end, 0, why, engine=engine)


def shown(controls: tuple[Control, ...]) -> str:
    """Return the places for people."""
    return " and ".join(dict.fromkeys(_text(each) for each in controls))


def _text(control: Control) -> str:
    end = control.end
    name = end.text if not isinstance(end, PodsEnd) else f"pod {end.text}"
    return f"{name} on TCP/{control.port}" if control.port else name
