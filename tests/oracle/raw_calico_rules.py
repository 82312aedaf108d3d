"""Policies and rules as Felix holds them, out of plain manifests of three languages.

Sources: projectcalico/calico libcalico-go/lib/backend/syncersv1 and
libcalico-go/lib/backend/k8s/conversion.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from tests.oracle.raw import (
    Manifest,
    policy_types,
)
from tests.oracle.raw_calico_selector import Labels, holds

ALLOW, DENY, PASS, LOG = "Allow", "Deny", "Pass", "Log"
NAMESPACE = "projectcalico.org/namespace"
ORCHESTRATOR = "projectcalico.org/orchestrator"
ACCOUNT = "projectcalico.org/serviceaccount"


@dataclass(frozen=True)
class Enforced:
    """A policy as Felix holds it.

    Args:
        tier: Its tier.
        place: Its order, then what tells it from others of that order.
        governs: The directions it governs.
        selects: Whether it selects a pod, by the pod's labels.
        rules: Its rules by direction.
    """

    tier: str
    place: tuple[float, bytes]
    governs: frozenset[str]
    selects: Callable[[Labels], bool]
    rules: Mapping[str, list["Rule"]]


@dataclass(frozen=True)
class Rule:
    """A rule, in Calico's terms.

    Args:
        action: What it does.
        source: What is asked of the source.
        destination: What is asked of the destination.
        match: Its protocol, ICMP and family fields, by their names.
    """

    action: str
    source: "Entity"
    destination: "Entity"
    match: Manifest


@dataclass(frozen=True)
class Entity:
    """What a rule asks of one end.

    Args:
        known: Labels of pods and sets whose addresses match; None where labels do not matter.
        unknown: Labels of pods and sets whose addresses do not match; None likewise.
        nets: Blocks one of which must hold the address.
        not_nets: Blocks none of which may.
        ports: Ports one of which must be it.
        not_ports: Ports none of which may.
        service: Namespace and name of a Service whose endpoints must hold the address.
    """

    known: Callable[[Labels], bool] | None = None
    unknown: Callable[[Labels], bool] | None = None
    nets: tuple[str, ...] = ()
    not_nets: tuple[str, ...] = ()
    ports: tuple[int | str, ...] = ()
    not_ports: tuple[int | str, ...] = ()
    service: tuple[str, str] | None = None


def calico_policy(item: Manifest) -> Enforced:
    """Return a NetworkPolicy or GlobalNetworkPolicy of Calico's."""
    spec, meta = item["spec"], item["metadata"]
    home = meta.get("namespace") if item["kind"] == "NetworkPolicy" else None
    rules = {
        direction: [as_rule(rule, home) for rule in spec.get(direction.lower()) or []]
        for direction in ("Ingress", "Egress")
    }
    types = spec.get("types")
    if not types:
        if item["apiVersion"].startswith("crd."):
            types = ["Ingress", "Egress"]
        else:
            types = [d for d, found in rules.items() if found] or ["Ingress"]
    order = spec.get("order")
    name = meta["name"]
    if item["apiVersion"].startswith("crd.") and spec.get("tier") in (None, "", "default"):
        name = name.removeprefix("default.")
    key = f"{name}/{home or ''}/{item['kind']}".encode()
    place = (inf if order is None else float(order), key)

    def selects(labels: Labels) -> bool:
        return (
            (home is None or labels.get(NAMESPACE) == home)
            and holds(spec.get("selector") or "", labels)
            and holds(spec.get("namespaceSelector") or "", labels, "pcns.")
            and holds(spec.get("serviceAccountSelector") or "", labels, "pcsa.")
        )

    return Enforced(spec.get("tier") or "default", place, frozenset(types), selects, rules)


def as_rule(rule: Manifest, home: str | None = None) -> Rule:
    """Return a rule of a policy that lives in a namespace, or in none."""
    return Rule(
        rule["action"],
        _entity(rule.get("source") or {}, home),
        _entity(rule.get("destination") or {}, home),
        rule,
    )


def _entity(said: Manifest, home: str | None) -> Entity:
    selector, without = said.get("selector") or "", said.get("notSelector") or ""
    where, accounts = said.get("namespaceSelector") or "", said.get("serviceAccounts") or {}
    services = said.get("services")
    asked = bool(selector or without or where or accounts)
    positive = bool(selector or where or accounts or (asked and home is not None))

    def known(labels: Labels) -> bool:
        names, chosen = accounts.get("names") or (), accounts.get("selector") or ""
        return (
            holds(selector, labels)
            and not (without and holds(without, labels))
            and _scope(where, home, labels)
            and (not names or labels.get(ACCOUNT) in names)
            and (not chosen or holds(chosen, labels, "pcsa."))
        )

    def unknown(labels: Labels) -> bool:
        return holds(without, labels)

    return Entity(
        known if positive else None,
        unknown if without and not positive else None,
        tuple(said.get("nets") or ()),
        tuple(said.get("notNets") or ()),
        tuple(said.get("ports") or ()),
        tuple(said.get("notPorts") or ()),
        # A namespace that is left out is not the policy's own: such a set stays empty.
        (services.get("namespace") or "", services["name"]) if services else None,
    )


def _scope(where: str, home: str | None, labels: Labels) -> bool:
    if not where:
        return home is None or labels.get(NAMESPACE) == home
    if where.strip() == "all()":
        return NAMESPACE in labels
    if where.strip() == "global()":
        return NAMESPACE not in labels
    return holds(where, labels, "pcns.")


def kubernetes_policy(item: Manifest) -> Enforced:
    """Return a Kubernetes NetworkPolicy: one rule that allows per port and peer."""
    spec, meta = item["spec"], item["metadata"]
    home = meta.get("namespace") or "default"
    rules = {
        "Ingress": list(_allowing(spec.get("ingress") or [], "from", home)),
        "Egress": list(_allowing(spec.get("egress") or [], "to", home)),
    }

    def selects(labels: Labels) -> bool:
        return labels.get(NAMESPACE) == home and chosen(spec.get("podSelector"), labels)

    key = f"{meta['name']}/{home}/KubernetesNetworkPolicy".encode()
    return Enforced("default", (1000.0, key), frozenset(policy_types(spec)), selects, rules)


def _allowing(rules: list[Manifest], side: str, home: str) -> Iterator[Rule]:
    for rule in rules:
        for peer in rule.get(side) or [None]:
            entity = Entity() if peer is None else _peer(peer, home)
            for port in rule.get("ports") or [None]:
                match: Manifest = {}
                ports: tuple[int | str, ...] = ()
                if port is not None:
                    match = {"protocol": port.get("protocol") or "TCP"}
                    ports = _one_port(port)
                yield _directed(ALLOW, side, entity, match, ports)


def _one_port(port: Manifest) -> tuple[int | str, ...]:
    said, last = port.get("port"), port.get("endPort")
    if said is None:
        return ()
    return (said if last is None else f"{said}:{last}",)


def _directed(
    action: str, side: str, entity: Entity, match: Manifest, ports: tuple[int | str, ...]
) -> Rule:
    if side == "from":
        return Rule(action, entity, Entity(ports=ports), match)
    there = Entity(entity.known, entity.unknown, entity.nets, entity.not_nets, ports)
    return Rule(action, Entity(), there, match)


def _peer(peer: Manifest, home: str) -> Entity:
    block = peer.get("ipBlock")
    if block is not None:
        return Entity(nets=(block["cidr"],), not_nets=tuple(block.get("except") or ()))

    def known(labels: Labels) -> bool:
        if labels.get(ORCHESTRATOR) != "k8s" or not chosen(peer.get("podSelector"), labels):
            return False
        where = peer.get("namespaceSelector")
        if where is None:
            return labels.get(NAMESPACE) == home
        return chosen(where, labels, "pcns.")

    return Entity(known)


def cluster_policy(item: Manifest) -> Enforced:
    """Return a ClusterNetworkPolicy: what Calico cannot convert fails closed."""
    spec = item["spec"]
    rules = {
        "Ingress": list(_converted(spec.get("ingress") or [], "from")),
        "Egress": list(_converted(spec.get("egress") or [], "to")),
    }
    tier = "kube-admin" if spec["tier"] == "Admin" else "kube-baseline"
    key = f"{item['metadata']['name']}//KubernetesClusterNetworkPolicy".encode()
    subject = spec["subject"]

    def selects(labels: Labels) -> bool:
        pods = subject.get("pods")
        where = subject.get("namespaces") if pods is None else pods.get("namespaceSelector")
        if not chosen(where, labels, "pcns."):
            return False
        return pods is None or chosen(pods.get("podSelector"), labels)

    governs = frozenset(direction for direction, found in rules.items() if found)
    return Enforced(tier, (float(spec["priority"]), key), governs, selects, rules)


def _converted(rules: list[Manifest], side: str) -> Iterator[Rule]:
    for rule in rules:
        action = ALLOW if rule["action"] == "Accept" else rule["action"]
        peers = rule[side]
        if any("nodes" in peer or "domainNames" in peer for peer in peers):
            if action != ALLOW:
                yield Rule(DENY, Entity(), Entity(), {})
            continue
        for peer in peers:
            for entry in rule.get("protocols") or [None]:
                match, ports = _protocol(entry)
                yield _directed(action, side, _cluster_peer(peer), match, ports)


def _protocol(entry: Manifest | None) -> tuple[Manifest, tuple[int | str, ...]]:
    if entry is None:
        return {}, ()
    if "destinationNamedPort" in entry:
        return {}, (entry["destinationNamedPort"],)
    ((name, told),) = entry.items()
    port = told["destinationPort"]
    span = port.get("range")
    said = port["number"] if span is None else f"{span['start']}:{span['end']}"
    return {"protocol": name.upper()}, (said,)


def _cluster_peer(peer: Manifest) -> Entity:
    if "networks" in peer:
        return Entity(nets=tuple(peer["networks"]))

    def known(labels: Labels) -> bool:
        pods = peer.get("pods")
        if pods is None:
            where = peer["namespaces"]
            if not any(where.values()):
                return NAMESPACE in labels
            return chosen(where, labels, "pcns.")
        return (
            labels.get(ORCHESTRATOR) == "k8s"
            and chosen(pods.get("podSelector"), labels)
            and chosen(pods.get("namespaceSelector"), labels, "pcns.")
        )

    return Entity(known)


def chosen(selector: Manifest | None, labels: Labels, prefix: str = "") -> bool:
    """Return whether a Kubernetes selector matches; an absent one matches everything."""
    said = selector or {}
    if any(labels.get(prefix + k) != v for k, v in (said.get("matchLabels") or {}).items()):
        return False
    for each in said.get("matchExpressions") or []:
        value = labels.get(prefix + each["key"])
        held = {
            "In": value is not None and value in (each.get("values") or ()),
            "NotIn": value is None or value not in (each.get("values") or ()),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not held[each["operator"]]:
            return False
    return True
