"""Cilium's objects as text.

A list that was not written stays absent, and one that was written empty stays empty: the API tells
them apart.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from cloison.dialects.cilium import model, model_rules
from cloison.dialects.writing.render import rendered

Plain = dict[str, Any]
T = TypeVar("T")


def to_dict(found: model.Policy | model.CiliumCIDRGroup) -> Plain:
    """Return a policy or a group of blocks as plain values, as `json.loads` would give them.

    Raises:
        ValueError: It says something of which the model only knows that it is there.
    """
    metadata: Plain = {"name": found.name}
    if found.namespace is not None:
        metadata["namespace"] = found.namespace
    if found.labels:
        metadata["labels"] = dict(sorted(found.labels.items()))
    head = {"apiVersion": model.API_VERSION, "kind": found.kind, "metadata": metadata}
    if isinstance(found, model.CiliumCIDRGroup):
        return {**head, "spec": {"externalCIDRs": list(found.cidrs)}}
    rules = [_rule(each) for each in found.rules]
    return {**head, "spec": rules[0]} if len(rules) == 1 else {**head, "specs": rules}


def to_yaml(found: model.Policy | model.CiliumCIDRGroup) -> str:
    """Return a policy or a group as a YAML document, ending in a newline.

    >>> group = model.CiliumCIDRGroup(name="partners", cidrs=("203.0.113.0/24",))
    >>> print(to_yaml(group), end="")
    apiVersion: cilium.io/v2
    kind: CiliumCIDRGroup
    metadata:
      name: partners
    spec:
      externalCIDRs:
      - 203.0.113.0/24
    """
    return rendered(to_dict(found))


def _rule(rule: model.Rule) -> Plain:
    default = _present(ingress=rule.default_ingress, egress=rule.default_egress)
    return _present(
        endpointSelector=_maybe(rule.endpoints),
        nodeSelector=_maybe(rule.nodes),
        ingress=_elements(rule.ingress, "from"),
        ingressDeny=_elements(rule.ingress_deny, "from"),
        egress=_elements(rule.egress, "to"),
        egressDeny=_elements(rule.egress_deny, "to"),
        enableDefaultDeny=default or None,
        description=rule.description or None,
        log=None if rule.log is None else {"value": rule.log},
    )


def _elements(found: tuple[model_rules.Element, ...] | None, way: str) -> list[Plain] | None:
    return None if found is None else [_element(each, way) for each in found]


def _element(element: model_rules.Element, way: str) -> Plain:
    if element.groups:
        msg = "groups that a cloud knows cannot be written"
        raise ValueError(msg)
    mode = element.authentication
    return {
        **_way(element, way),
        **_present(
            toServices=_each(element.services, _service),
            toFQDNs=_each(element.fqdns, _fqdn),
            toPorts=_each(element.ports, _port_rule),
            icmps=_icmps(element.icmps),
            authentication=None if mode is None else {"mode": mode},
        ),
    }


def _way(element: model_rules.Element, way: str) -> Plain:
    """Return the peers of an element, whose fields say which way."""
    found: dict[str, list[Any] | None] = {
        "Endpoints": _each(element.endpoints, selector_to_dict),
        "CIDR": _each(element.cidrs, str),
        "CIDRSet": _each(element.cidr_sets, _cidr),
        "Entities": _each(element.entities, str),
        "Nodes": _each(element.nodes, selector_to_dict),
    }
    return {f"{way}{name}": held for name, held in found.items() if held is not None}


def selector_to_dict(selector: model_rules.Selector) -> Plain:
    """Return a selector as plain values."""
    labels: dict[str, str] = {}
    expressions: list[Plain] = []
    for each in selector.requirements:
        key = each.key if each.source == "any" else f"{each.source}:{each.key}"
        if each.pair:
            labels[key] = each.values[0]
        else:
            term: Plain = {"key": key, "operator": each.operator}
            expressions.append({**term, "values": list(each.values)} if each.values else term)
    return _present(matchLabels=labels or None, matchExpressions=expressions or None)


def _maybe(selector: model_rules.Selector | None) -> Plain | None:
    return None if selector is None else selector_to_dict(selector)


def _cidr(rule: model_rules.CidrRule) -> Plain:
    return _present(
        cidr=rule.cidr,
        cidrGroupRef=rule.group,
        cidrGroupSelector=_maybe(rule.groups),
        **{"except": list(rule.holes) or None},
    )


def _service(service: model_rules.ServiceRef) -> Plain:
    if service.selector is not None:
        chosen = _present(selector=_maybe(service.selector), namespace=service.namespace)
        return {"k8sServiceSelector": chosen}
    return {"k8sService": _present(serviceName=service.name, namespace=service.namespace)}


def _fqdn(fqdn: model_rules.Fqdn) -> Plain:
    return _present(matchName=fqdn.name, matchPattern=fqdn.pattern)


def _port_rule(rule: model_rules.PortRule) -> Plain:
    if rule.terminates or rule.originates or rule.listener is not None:
        msg = "what a proxy needs to know besides cannot be written"
        raise ValueError(msg)
    return _present(
        ports=_each(rule.ports, _port),
        rules=None if rule.rules is None else _l7(rule.rules),
        serverNames=_each(rule.server_names, str),
    )


def _port(port: model_rules.Port) -> Plain:
    return _present(port=port.port, endPort=port.end, protocol=port.protocol)


def _l7(rules: model_rules.L7Rules) -> Plain:
    if rules.kafka or rules.proto is not None:
        msg = "rules of parsers that nobody models cannot be written"
        raise ValueError(msg)
    return _present(http=_each(rules.http, _http), dns=_each(rules.dns, _fqdn))


def _http(rule: model_rules.HttpRule) -> Plain:
    return _present(
        path=rule.path,
        method=rule.method,
        host=rule.host,
        headers=list(rule.headers) or None,
        headerMatches=[_header(each) for each in rule.header_matches] or None,
    )


def _header(match: model_rules.HeaderMatch) -> Plain:
    secret: Mapping[str, str] | None = None
    if match.secret is not None:
        namespace, _, name = match.secret.rpartition("/")
        secret = _present(namespace=namespace or None, name=name)
    return _present(mismatch=match.mismatch, name=match.name, secret=secret, value=match.value)


def _icmps(found: tuple[model_rules.Icmp, ...] | None) -> list[Plain] | None:
    if found is None:
        return None
    return [{"fields": [{"family": f"IPv{each.family}", "type": each.type} for each in found]}]


def _each(found: Iterable[T] | None, write: Callable[[T], object]) -> list[Any] | None:
    return None if found is None else [write(each) for each in found]


def _present(**fields: object) -> Plain:
    return {key: value for key, value in fields.items() if value is not None}
