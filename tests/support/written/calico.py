"""Calico's objects as text."""

from collections.abc import Mapping
from typing import Any

from cloison.dialects.calico import model
from cloison.dialects.calico.decode import VERSIONS
from cloison.dialects.networkpolicy import write
from cloison.dialects.writing.render import rendered

Plain = dict[str, Any]


def to_dict(found: model.CalicoObject) -> Plain:
    """Return an object as plain values, as `json.loads` would give them."""
    metadata: Plain = {"name": _name(found)}
    if found.namespace is not None:
        metadata["namespace"] = found.namespace
    if isinstance(found, model.FelixConfiguration) and found.created:
        metadata["creationTimestamp"] = found.created
    for field, texts in (("labels", found.labels), ("annotations", found.annotations)):
        if texts:
            metadata[field] = _sorted(texts)
    return {
        "apiVersion": VERSIONS[found.group],
        "kind": found.kind,
        "metadata": metadata,
        "spec": _spec(found),
    }


def to_yaml(found: model.CalicoObject) -> str:
    """Return an object as a YAML document, ending in a newline.

    >>> tier = model.Tier(name="security", order=100, default_action=model.Action.PASS)
    >>> print(to_yaml(tier), end="")
    apiVersion: projectcalico.org/v3
    kind: Tier
    metadata:
      name: security
    spec:
      order: 100
      defaultAction: Pass
    """
    return rendered(to_dict(found))


def _name(found: model.CalicoObject) -> str:
    """Return the name to write: the store's `default.` is taken off again when it is read."""
    prefix = f"{model.DEFAULT_TIER}."
    doubled = isinstance(found, model.Policy) and found.stored and found.name.startswith(prefix)
    return prefix + found.name if doubled else found.name


def _spec(found: model.CalicoObject) -> Plain:
    match found:
        case model.Policy():
            return _policy(found)
        case model.StagedKubernetesNetworkPolicy():
            return {"stagedAction": str(found.staged_action), **write.to_dict(found.policy)["spec"]}
        case model.Tier():
            return _present(order=_number(found.order), defaultAction=str(found.default_action))
        case model.NetworkSet() | model.GlobalNetworkSet():
            return _present(nets=list(found.nets) or None)
        case model.HostEndpoint():
            return _host(found)
        case model.Profile():
            return _present(
                ingress=_rules(found.ingress or None),
                egress=_rules(found.egress or None),
                labelsToApply=_sorted(found.labels_to_apply) or None,
            )
        case model.IPPool():
            return _present(
                cidr=found.cidr,
                natOutgoing=found.nat_outgoing or None,
                disabled=found.disabled or None,
            )
    return _felix(found)


def _policy(policy: model.Policy) -> Plain:
    staged = policy.staged_action
    return _present(
        stagedAction=str(staged) if staged is not None else None,
        tier=policy.tier if policy.tier != model.DEFAULT_TIER else None,
        order=_number(policy.order),
        selector=_text(policy.selector),
        namespaceSelector=_text(policy.namespace_selector),
        serviceAccountSelector=_text(policy.service_account_selector),
        types=[str(type_) for type_ in policy.types] if policy.types else None,
        applyOnForward=policy.apply_on_forward or None,
        preDNAT=policy.pre_dnat or None,
        doNotTrack=policy.do_not_track or None,
        performanceHints=list(policy.performance_hints) or None,
        ingress=_rules(policy.ingress),
        egress=_rules(policy.egress),
    )


def _rules(rules: tuple[model.Rule, ...] | None) -> list[Plain] | None:
    return None if rules is None else [_rule(rule) for rule in rules]


def _rule(rule: model.Rule) -> Plain:
    """Return a rule as plain values."""
    return _present(
        action=str(rule.action),
        ipVersion=rule.ip_version,
        protocol=rule.protocol,
        icmp=_icmp(rule.icmp),
        notProtocol=rule.not_protocol,
        notICMP=_icmp(rule.not_icmp),
        source=_entity(rule.source) or None,
        destination=_entity(rule.destination) or None,
        http=_http(rule.http),
        metadata={"annotations": _sorted(rule.annotations)} if rule.annotations else None,
    )


def _entity(entity: model.EntityRule) -> Plain:
    services, accounts = entity.services, entity.service_accounts
    return _present(
        nets=list(entity.nets) or None,
        notNets=list(entity.not_nets) or None,
        selector=_text(entity.selector),
        notSelector=_text(entity.not_selector),
        namespaceSelector=_text(entity.namespace_selector),
        serviceAccounts=None
        if accounts is None
        else _present(names=list(accounts.names) or None, selector=_text(accounts.selector)),
        services=None
        if services is None
        else _present(name=services.name, namespace=services.namespace),
        ports=_ports(entity.ports),
        notPorts=_ports(entity.not_ports),
    )


def _ports(ports: tuple[model.Port, ...]) -> list[int | str] | None:
    return [f"{p[0]}:{p[1]}" if isinstance(p, tuple) else p for p in ports] or None


def _icmp(icmp: model.Icmp | None) -> Plain | None:
    return None if icmp is None else _present(type=icmp.type, code=icmp.code)


def _http(http: model.HttpMatch | None) -> Plain | None:
    if http is None:
        return None
    paths = [_present(exact=path.exact, prefix=path.prefix) for path in http.paths]
    return _present(methods=list(http.methods) or None, paths=paths or None)


def _host(host: model.HostEndpoint) -> Plain:
    return _present(
        node=host.node,
        interfaceName=host.interface_name,
        expectedIPs=list(host.expected_ips) or None,
        profiles=list(host.profiles) or None,
        ports=[{"name": p.name, "protocol": p.protocol, "port": p.port} for p in host.ports]
        or None,
    )


def _felix(felix: model.FelixConfiguration) -> Plain:
    words = {"true": True, "false": False}
    others = {key: words.get(text, text) for key, text in sorted(felix.settings.items())}
    return _present(
        nodeSelector=_text(felix.node_selector),
        defaultEndpointToHostAction=felix.default_endpoint_to_host_action,
        failsafeInboundHostPorts=_proto_ports(felix.failsafe_inbound),
        failsafeOutboundHostPorts=_proto_ports(felix.failsafe_outbound),
        iptablesFilterAllowAction=felix.filter_allow_action,
        iptablesMangleAllowAction=felix.mangle_allow_action,
        chainInsertMode=felix.chain_insert_mode,
        policySyncPathPrefix=felix.policy_sync_path_prefix,
        bpfEnabled=felix.bpf_enabled,
        **others,
    )


def _proto_ports(ports: tuple[model.ProtoPort, ...] | None) -> list[Plain] | None:
    if ports is None:
        return None
    return [_present(protocol=p.protocol, port=p.port, net=p.net) for p in ports]


def _text(selector: model.Selector | None) -> str | None:
    return None if selector is None else selector.text


def _number(order: float | None) -> float | None:
    """Return a number as people write it: `10`, not `10.0`."""
    return int(order) if order is not None and order == int(order) else order


def _sorted(texts: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(texts.items()))


def _present(**fields: object) -> Plain:
    return {key: value for key, value in fields.items() if value is not None}
