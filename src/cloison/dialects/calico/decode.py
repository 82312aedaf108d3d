"""From a document to the model: `decode` is the one way in, for every kind.

What the API would refuse takes no part. A stored object was written past the API; there only
what Felix refuses takes no part, and Felix is laxer.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from cloison.base import Diagnostic
from cloison.dialects import dialect_for
from cloison.dialects.calico.decode_rules import read_rule
from cloison.dialects.calico.meta import Meta, policy_name, read_meta
from cloison.dialects.calico.model import (
    API_GROUP,
    DEFAULT_TIER,
    STORED_GROUP,
    Action,
    CalicoObject,
    EndpointPort,
    FelixConfiguration,
    GlobalNetworkPolicy,
    GlobalNetworkSet,
    HostEndpoint,
    IPPool,
    NetworkPolicy,
    NetworkSet,
    Profile,
    ProtoPort,
    Rule,
    Selector,
    StagedAction,
    StagedGlobalNetworkPolicy,
    StagedKubernetesNetworkPolicy,
    StagedNetworkPolicy,
    Tier,
)
from cloison.dialects.calico.reader import Reader
from cloison.dialects.calico.say import PROCESSORS, TYPES
from cloison.dialects.calico.shape import custom
from cloison.dialects.calico.validate import validate
from cloison.dialects.calico.values import parse_block, parse_port, parse_protocol
from cloison.dialects.networkpolicy.model import NetworkPolicy as KubernetesNetworkPolicy
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.resources import faults
from cloison.resources.check import check_custom, object_name
from cloison.resources.documents import Document, Node
from cloison.resources.kinds import group_of
from cloison.resources.names import shown
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

VERSIONS: Mapping[str, str] = MappingProxyType(
    {API_GROUP: f"{API_GROUP}/v3", STORED_GROUP: f"{STORED_GROUP}/v1"}
)
"""The version of each group that we read."""

Spec = Mapping[str, Node]


def decode(
    document: Document, options: ReadOptions, pool: Pool | None = None
) -> tuple[CalicoObject | None, list[Diagnostic]]:
    """Return the object that `document` holds, and everything there is to say about it.

    Args:
        document: One object of a kind of `model.KINDS`.
        options: The namespace of objects that name none, and what unknown fields do.
        pool: Where repeated values are kept; pass the same one for a whole load.

    Returns:
        The object, or None when it takes no part, and diagnostics: every reason, not only the
        first, and warnings.

    Raises:
        KeyError: The document is of another kind.
    """
    root = document.root
    kind = _text(root, "kind")
    version = _text(root, "apiVersion")
    group = group_of(version)
    read, type_ = _READERS[kind]
    name = str(object_name(root, kind, options, namespaced=type_.namespaced))
    reader = Reader(document, options, pool or Pool(), name, stored=group == STORED_GROUP)
    said: list[Diagnostic] = []
    right = VERSIONS.get(group, VERSIONS[API_GROUP])
    if version != right:
        span = root.span(document.file)
        said.append(faults.kind_misplaced(span, name, version, kind, right))
    checked = check_custom(document, custom(kind, namespaced=type_.namespaced), options)
    meta = read_meta(reader, group, namespaced=type_.namespaced)
    spec = reader.mapping(root.get("spec"), "spec")
    found = read(reader, meta, spec)
    if not checked.refused and not reader.refused and not said:
        validate(found, reader, spec)
    if not checked.refused:
        said += reader.found
    absent = checked.refused or reader.refused or version != right
    return None if absent else found, [*checked.diagnostics, *said]


def _text(root: Node, key: str) -> str:
    node = root.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _policy(
    type_: type[NetworkPolicy]
    | type[GlobalNetworkPolicy]
    | type[StagedNetworkPolicy]
    | type[StagedGlobalNetworkPolicy],
) -> Callable[[Reader, Meta, Spec], CalicoObject]:
    def read(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
        tier = reader.text(spec.get("tier"), "spec.tier") or DEFAULT_TIER

        def selector(field: str, *, ignorable: bool = False) -> Selector | None:
            return reader.selector(spec.get(field), f"spec.{field}", ignorable=ignorable)

        wide = not type_.namespaced
        return type_(
            name=policy_name(meta, tier),
            namespace=meta.namespace,
            group=meta.group,
            labels=meta.labels,
            annotations=meta.annotations,
            span=meta.span,
            created=meta.created,
            tier=tier,
            order=reader.number(spec.get("order"), "spec.order"),
            selector=selector("selector"),
            namespace_selector=selector("namespaceSelector", ignorable=True) if wide else None,
            service_account_selector=selector("serviceAccountSelector", ignorable=True),
            types=_types(reader, spec.get("types")),
            ingress=_rules(reader, spec, "ingress"),
            egress=_rules(reader, spec, "egress"),
            apply_on_forward=wide and _flag(reader, spec, "applyOnForward"),
            pre_dnat=wide and _flag(reader, spec, "preDNAT"),
            do_not_track=wide and _flag(reader, spec, "doNotTrack"),
            performance_hints=reader.texts(spec.get("performanceHints"), "spec.performanceHints"),
            staged_action=_staged_action(reader, spec) if type_.staged else None,
            tier_span=reader.span(spec.get("tier")),
            types_span=reader.key_span(spec.get("types")),
            ingress_span=reader.key_span(spec.get("ingress")),
            egress_span=reader.key_span(spec.get("egress")),
        )

    return read


def _types(reader: Reader, node: Node | None) -> tuple[PolicyType, ...] | None:
    known = {str(type_): type_ for type_ in PolicyType}
    found = []
    for i, item in enumerate(reader.items(node, "spec.types", lambda item, _: item) or ()):
        text = reader.text(item, f"spec.types[{i}]") or ""
        if text in known:
            found.append(known[text])
        else:
            message = f"`spec.types[{i}]` is `{shown(text)}`"
            reader.refuse("CAL030", item, message, "write `Ingress` or `Egress`")
    return tuple(found) or None


def _rules(reader: Reader, spec: Spec, field: str) -> tuple[Rule, ...] | None:
    path = f"spec.{field}"
    return reader.items(spec.get(field), path, lambda item, at: read_rule(reader, item, at))


def _flag(reader: Reader, spec: Spec, field: str) -> bool:
    return bool(reader.flag(spec.get(field), f"spec.{field}"))


def _staged_action(reader: Reader, spec: Spec) -> StagedAction:
    node = spec.get("stagedAction")
    text = reader.text(node, "spec.stagedAction")
    known = {str(action): action for action in StagedAction}
    if text is None or text in known:
        return known.get(text or "", StagedAction.SET)
    message = f"`spec.stagedAction` is `{shown(text)}`"
    reader.refuse("CAL037", node, message, f"write {', '.join(known)}", source=TYPES)
    return StagedAction.SET


def _staged_kubernetes(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
    """Read the spec of a Kubernetes NetworkPolicy as that dialect does."""
    root = reader.document.root
    inner = {key: node for key, node in spec.items() if key != "stagedAction"}
    said = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    body = {key: Node(text, root.line, root.column) for key, text in said.items()}
    metadata = root.get("metadata")
    if metadata is not None:
        body["metadata"] = metadata
    body["spec"] = Node(inner, root.line, root.column)
    document = Document(reader.document.file, Node(body, root.line, root.column))
    dialect = dialect_for(said["apiVersion"], said["kind"])
    policy = None
    if dialect is not None:
        policy, found = dialect.read(document, reader.options, reader.pool)
        reader.found += [replace(each, object=reader.name) for each in found]
    if policy is None:
        reader.refused = True
        policy = KubernetesNetworkPolicy(meta.namespace or "", meta.name)
    return StagedKubernetesNetworkPolicy(
        name=meta.name,
        namespace=meta.namespace,
        group=meta.group,
        labels=meta.labels,
        annotations=meta.annotations,
        span=meta.span,
        policy=replace(policy, name=meta.name, labels={}, annotations={}),
        staged_action=_staged_action(reader, spec),
    )


def _tier(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
    node = spec.get("defaultAction")
    text = reader.text(node, "spec.defaultAction") or str(Action.DENY)
    if text not in (Action.DENY, Action.PASS):
        message = f"`spec.defaultAction` is `{shown(text)}`"
        reader.refuse("CAL034", node, message, "write Deny or Pass", source=TYPES)
        text = str(Action.DENY)
    return Tier(
        name=meta.name,
        group=meta.group,
        labels=meta.labels,
        annotations=meta.annotations,
        span=meta.span,
        order=reader.number(spec.get("order"), "spec.order"),
        default_action=Action(text),
    )


def _set(
    type_: type[NetworkSet] | type[GlobalNetworkSet],
) -> Callable[[Reader, Meta, Spec], CalicoObject]:
    def read(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
        domains = spec.get("allowedEgressDomains")
        if domains is not None and domains.value:
            reader.remark(
                "CAL038",
                domains.key_span(reader.document.file),
                "`spec.allowedEgressDomains` is a field of the commercial editions only",
                "name the addresses with `nets`",
                effect="the set holds its `nets` and nothing else: rules that select it do not "
                "match what these names stand for",
                source=TYPES,
            )
        return type_(
            name=meta.name,
            namespace=meta.namespace,
            group=meta.group,
            labels=meta.labels,
            annotations=meta.annotations,
            span=meta.span,
            nets=_set_nets(reader, spec.get("nets")),
        )

    return read


def _set_nets(reader: Reader, node: Node | None) -> tuple[str, ...]:
    kept = []
    for i, item in enumerate(reader.items(node, "spec.nets", lambda item, _: item) or ()):
        text = reader.text(item, f"spec.nets[{i}]") or ""
        if parse_block(text) is not None:
            kept.append(text)
            continue
        message = f"`spec.nets[{i}]` is `{shown(text)}`, which is no block of addresses"
        help_ = "write it as `10.0.0.0/24` or `10.0.0.1`"
        if reader.stored:
            effect = "the set is without it"
            source = f"{PROCESSORS}/networksetprocessor.go"
            reader.remark("CAL027", item, message, help_, effect=effect, source=source)
        else:
            reader.refuse("CAL026", item, message, help_)
    return reader.pool.share(tuple(kept))


def _host(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
    return HostEndpoint(
        name=meta.name,
        group=meta.group,
        labels=meta.labels,
        annotations=meta.annotations,
        span=meta.span,
        node=reader.text(spec.get("node"), "spec.node") or "",
        interface_name=reader.text(spec.get("interfaceName"), "spec.interfaceName"),
        expected_ips=reader.texts(spec.get("expectedIPs"), "spec.expectedIPs"),
        profiles=reader.texts(spec.get("profiles"), "spec.profiles"),
        ports=reader.items(
            spec.get("ports"), "spec.ports", lambda item, at: _endpoint_port(reader, item, at)
        )
        or (),
    )


def _endpoint_port(reader: Reader, node: Node, path: str) -> EndpointPort:
    found = reader.mapping(node, path)
    name = reader.text(found.get("name"), f"{path}.name")
    said = reader.scalar(found.get("protocol"), f"{path}.protocol")
    protocol = None if said is None else parse_protocol(said, any_case=reader.stored)
    number = reader.whole(found.get("port"), f"{path}.port")
    port = None if number is None else parse_port(number)
    if name is None or protocol is None or not isinstance(port, int):
        message = f"`{path}` is no named port"
        reader.refuse("CAL022", node, message, "write `name`, `protocol` and `port`", source=TYPES)
        return EndpointPort(name or "", "TCP", 1)
    return EndpointPort(name, protocol, port)


def _profile(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
    return Profile(
        name=meta.name,
        group=meta.group,
        labels=meta.labels,
        annotations=meta.annotations,
        span=meta.span,
        ingress=_rules(reader, spec, "ingress") or (),
        egress=_rules(reader, spec, "egress") or (),
        labels_to_apply=reader.strings(spec.get("labelsToApply"), "spec.labelsToApply"),
    )


def _pool(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
    return IPPool(
        name=meta.name,
        group=meta.group,
        labels=meta.labels,
        annotations=meta.annotations,
        span=meta.span,
        cidr=reader.text(spec.get("cidr"), "spec.cidr") or "",
        nat_outgoing=_flag(reader, spec, "natOutgoing"),
        disabled=_flag(reader, spec, "disabled"),
    )


_TOLD = frozenset(
    {
        "allowIPIPPacketsFromWorkloads",
        "allowVXLANPacketsFromWorkloads",
        "bpfConnectTimeLoadBalancing",
        "bpfExternalServiceMode",
        "disableConntrackInvalidCheck",
        "flowLogsPolicyEvaluationMode",
        "interfacePrefix",
        "iptablesFilterDenyAction",
        "nftablesFilterAllowAction",
        "nftablesFilterDenyAction",
        "nftablesMangleAllowAction",
        "nftablesMode",
        "serviceLoopPrevention",
        "workloadSourceSpoofing",
        "xdpEnabled",
    }
)
"""Settings that may change a verdict, and that we hand on as written."""


def _felix(reader: Reader, meta: Meta, spec: Spec) -> CalicoObject:
    def text(field: str) -> str | None:
        return reader.text(spec.get(field), f"spec.{field}")

    others = {}
    for key in sorted(_TOLD & spec.keys()):
        value = spec[key].value
        if isinstance(value, bool):
            others[key] = str(value).lower()
        elif isinstance(value, str):
            others[key] = value
    return FelixConfiguration(
        name=meta.name,
        group=meta.group,
        labels=meta.labels,
        annotations=meta.annotations,
        span=meta.span,
        created=meta.created,
        node_selector=reader.selector(spec.get("nodeSelector"), "spec.nodeSelector"),
        default_endpoint_to_host_action=text("defaultEndpointToHostAction"),
        failsafe_inbound=_proto_ports(reader, spec, "failsafeInboundHostPorts"),
        failsafe_outbound=_proto_ports(reader, spec, "failsafeOutboundHostPorts"),
        filter_allow_action=text("iptablesFilterAllowAction"),
        mangle_allow_action=text("iptablesMangleAllowAction"),
        chain_insert_mode=text("chainInsertMode"),
        policy_sync_path_prefix=text("policySyncPathPrefix"),
        bpf_enabled=reader.flag(spec.get("bpfEnabled"), "spec.bpfEnabled"),
        settings=reader.pool.mapping(others),
    )


def _proto_ports(reader: Reader, spec: Spec, field: str) -> tuple[ProtoPort, ...] | None:
    path = f"spec.{field}"
    return reader.items(spec.get(field), path, lambda item, at: _proto_port(reader, item, at))


def _proto_port(reader: Reader, node: Node, path: str) -> ProtoPort:
    found = reader.mapping(node, path)
    protocol = (reader.text(found.get("protocol"), f"{path}.protocol") or "TCP").upper()
    number = reader.whole(found.get("port"), f"{path}.port")
    net = reader.text(found.get("net"), f"{path}.net")
    port = None if number is None else parse_port(number)
    sound = protocol in ("TCP", "UDP", "SCTP") and (net is None or parse_block(net) is not None)
    if not sound or not isinstance(port, int):
        help_ = "write `protocol` (TCP, UDP or SCTP), `port` and perhaps `net`"
        reader.refuse("CAL039", node, f"`{path}` is no failsafe port", help_)
        return ProtoPort("TCP", 1)
    return ProtoPort(protocol, port, net)


_READERS: Mapping[str, tuple[Callable[[Reader, Meta, Spec], CalicoObject], type[CalicoObject]]] = (
    MappingProxyType(
        {
            "NetworkPolicy": (_policy(NetworkPolicy), NetworkPolicy),
            "GlobalNetworkPolicy": (_policy(GlobalNetworkPolicy), GlobalNetworkPolicy),
            "StagedNetworkPolicy": (_policy(StagedNetworkPolicy), StagedNetworkPolicy),
            "StagedGlobalNetworkPolicy": (
                _policy(StagedGlobalNetworkPolicy),
                StagedGlobalNetworkPolicy,
            ),
            "StagedKubernetesNetworkPolicy": (_staged_kubernetes, StagedKubernetesNetworkPolicy),
            "Tier": (_tier, Tier),
            "NetworkSet": (_set(NetworkSet), NetworkSet),
            "GlobalNetworkSet": (_set(GlobalNetworkSet), GlobalNetworkSet),
            "HostEndpoint": (_host, HostEndpoint),
            "Profile": (_profile, Profile),
            "IPPool": (_pool, IPPool),
            "FelixConfiguration": (_felix, FelixConfiguration),
        }
    )
)
