"""Doubts about ports and Services."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from cloison.base import Diagnostic
from cloison.dialects.cilium.item import Item, Known
from cloison.dialects.cilium.model_rules import Port
from cloison.dialects.cilium.selected import Identity
from cloison.resources.objects import ContainerKind, Service, ServicePort

_LAYER4 = "Cilium documentation, Layer 4 policies"
_LAYER3 = "Cilium documentation, Layer 3 policies, Services"
_NAMES = "cilium/cilium pkg/types/portmap.go"
_PER_PEER = (1, 20)


def _ports(item: Item) -> Iterator[Port]:
    for rule in item.element.ports or ():
        yield from rule.ports or ()


def _ranges(item: Item, known: Known) -> Iterator[Diagnostic]:
    del known
    for port in _ports(item):
        if not port.end:
            continue
        if not port.port.isdigit():
            effect = "only the named port counts"
            message = f"`endPort` of {item.label} stands beside the name `{port.port}`"
            yield item.doubt(
                "CIL232",
                port.span,
                message,
                effect=effect,
                help_="write numbers for both, or leave `endPort` out",
                source="cilium/cilium pkg/policy/api/l4.go",
            )
        elif port.end < int(port.port):
            yield item.doubt(
                "CIL230",
                port.span,
                f"the range of {item.label} ends at {port.end}, before it starts at {port.port}",
                effect="Cilium accepts it, and nobody says what it matches",
                help_="swap the two, or leave `endPort` out",
                source="cilium/cilium pkg/policy/api/rule_validation.go",
            )
        elif port.port == "0":
            yield item.doubt(
                "CIL231",
                port.span,
                f"the range of {item.label} starts at 0, which alone means every port",
                effect="what it matches is not documented",
                help_="start at 1, or leave `endPort` out for every port",
                source=_LAYER4,
            )


def _sctp(item: Item, known: Known) -> Iterator[Diagnostic]:
    if known.cluster.switches.sctp:
        return
    for port in _ports(item):
        if port.protocol == "SCTP":
            yield item.doubt(
                "CIL236",
                port.span,
                f"{item.label} names SCTP, and `enable-sctp` is off",
                effect="Cilium carries no SCTP, whatever policies say",
                help_="turn it on, or say here that it is",
                source=_LAYER4,
            )


def _names(item: Item, known: Known) -> Iterator[Diagnostic]:
    """Names of ports that no pod declares, or that several declare with different numbers."""
    table = known.cluster.port_names
    if not known.identities.every:
        return
    for port in _ports(item):
        name = port.port
        if not name or name.isdigit():
            continue
        protocols = ("TCP", "UDP", "SCTP") if port.protocol == "ANY" else (port.protocol,)
        if item.ingress:
            mine = known.subjects(item)
            if mine and not any(_declares(each, name, protocols) for each in mine):
                yield _unknown_name(item, port, "no pod that the policy selects")
            continue
        numbers = {p: table.get((name, p), frozenset()) for p in protocols}
        if not any(numbers.values()):
            yield _unknown_name(item, port, "no pod")
        several = sorted({n for found in numbers.values() for n in found if len(found) > 1})
        if several and known.cluster.switches.version < _PER_PEER:
            yield item.doubt(
                "CIL234",
                port.span,
                f"pods give the name `{name}` in {item.label} to several numbers: "
                f"{', '.join(map(str, several))}",
                effect="Cilium finds no number for it on the way out, and the port matches nothing",
                help_="write the number",
                source=_NAMES,
            )


def _declares(identity: Identity, name: str, protocols: Iterable[str]) -> bool:
    return any(
        port.name == name and port.protocol in protocols and port.container is ContainerKind.REGULAR
        for pod in identity.pods
        for port in pod.ports
    )


def _unknown_name(item: Item, port: Port, who: str) -> Diagnostic:
    effect = "nothing is denied by it" if item.denies else "it matches nothing"
    return item.doubt(
        "CIL233",
        port.span,
        f"{who} has a port called `{port.port}` ({port.protocol}), which {item.label} names",
        effect=effect,
        help_="declare the port in the pod, or write its number",
        source=_LAYER4,
    )


def _service_ports(item: Item, known: Known) -> Iterator[Diagnostic]:
    """Policy sees the port of the pod, not that of the Service in front of it."""
    if item.ingress:
        return
    said: set[tuple[int, str]] = set()
    for port in _ports(item):
        key = (int(port.port) if port.port.isdigit() else 0, port.protocol)
        services = known.mapped.get(key[0], ())
        if not services or port.end or key in said:
            continue
        for service, peers in _in_front(item, services, known):
            mapped = [
                each
                for each in service.ports
                if each.port == key[0] and port.protocol in ("ANY", each.protocol)
            ]
            if mapped and all(_elsewhere(each, peers) for each in mapped):
                said.add(key)
                target = mapped[0].target
                yield item.doubt(
                    "CIL235",
                    port.span,
                    f"{port.port} in {item.label} is a port of Service {service.namespace}/"
                    f"{service.name}, and its pods listen on {target}",
                    effect="it matches nothing there: policy sees the port of the pod",
                    help_=f'write `port: "{target}"`',
                    source=_LAYER4,
                )
                break


def _elsewhere(port: ServicePort, peers: Iterable[Identity]) -> bool:
    """Return whether a port leads to another number, which pods do not declare themselves."""
    if port.target is None or port.target == port.port:
        return False
    declared = {each.number for i in peers for pod in i.pods for each in pod.ports}
    if isinstance(port.target, str):
        named = {
            e.number for i in peers for pod in i.pods for e in pod.ports if e.name == port.target
        }
        if not named or port.port in named:
            return False
    return port.port not in declared


def _in_front(
    item: Item, services: Iterable[Service], known: Known
) -> Iterator[tuple[Service, tuple[Identity, ...]]]:
    """Yield those of some Services that stand before the peers of an element, with these peers."""
    scope = known.scope(item)
    chosen: dict[str, list[Identity]] = defaultdict(list)
    for selector in item.element.endpoints or ():
        for each in known.identities.peers(selector, scope):
            chosen[each.pods[0].namespace].append(each)
    for service in services:
        wanted = (service.selector or {}).items()
        place = (service.namespace, service.name)
        if any(
            (ref.namespace or place[0], ref.name) == place for ref in item.element.services or ()
        ):
            yield service, known.identities.of_labels(dict(wanted), service.namespace)
        mine = tuple(
            each
            for each in chosen.get(service.namespace, ())
            if wanted <= each.pods[0].labels.items()
        )
        if mine:
            yield service, mine


def _services(item: Item, known: Known) -> Iterator[Diagnostic]:
    del known
    for ref in item.element.services or ():
        if (ref.name, ref.namespace) == ("kubernetes", "default"):
            yield item.doubt(
                "CIL238",
                ref.span,
                f"{item.label} names Service default/kubernetes",
                effect="the API server is no pod that a Service selects: this is not reliable",
                help_="write the entity `kube-apiserver`",
                source=_LAYER3,
            )


PORT_CHECKS = (_ranges, _sctp, _names, _service_ports, _services)
