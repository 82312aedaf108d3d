"""Calico's objects come back from their own text as they were."""

from io import BytesIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloison.dialects.calico import model
from cloison.dialects.calico.decode import decode
from cloison.dialects.networkpolicy import model as kubernetes
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.resources.documents import Document
from cloison.resources.options import ReadOptions
from cloison.sources import read
from tests.support.written.calico import to_yaml

# Nothing here is refused, so that every object has a text that means it.
names = st.sampled_from(("a", "b-c", "web", "on"))
texts = st.dictionaries(st.sampled_from(("team", "env", "x.y/z")), names, max_size=2)
selectors = st.none() | st.sampled_from(
    ("all()", "app == 'web'", "has(x) && !(y in {'a', 'b'})", 'a contains "\'"')
).map(model.Selector.of)
scopes = selectors | st.just(model.Selector.of("global()"))
orders = st.none() | st.sampled_from((-3.0, 0.5, 0.0, 10.0, 999999999.0))
Ports = st.SearchStrategy[tuple[model.Port, ...]]
ports: Ports = st.sampled_from(((), (80, (80, 90)), ((443, 443), "http"), (1, 65535)))
named: Ports = st.sampled_from(((), ("http",), ("http", "sql")))
none: Ports = st.just(())
WEB = kubernetes.NetworkPolicyRule(ports=(kubernetes.NetworkPolicyPort("TCP", 80),))
nets = st.sampled_from(((), ("10.0.0.0/8",), ("10.0.0.0/24", "192.0.2.1/32")))
HTTP = model.HttpMatch(("GET",), (model.HttpPath("/a"), model.HttpPath(prefix="/b")))
messages = st.none() | st.sampled_from((model.Icmp(), model.Icmp(8), model.Icmp(3, 4)))
accounts = st.none() | st.builds(
    model.ServiceAccountMatch, st.lists(names, max_size=2).map(tuple), selectors
)


def _entities(numbers: Ports) -> st.SearchStrategy[model.EntityRule]:
    return st.builds(
        model.EntityRule,
        nets=nets,
        not_nets=nets,
        selector=selectors,
        not_selector=selectors,
        namespace_selector=scopes,
        ports=numbers,
        not_ports=numbers,
        service_accounts=accounts,
    )


@st.composite
def rules(draw: st.DrawFn, *, http: bool = True) -> model.Rule:
    """Draw a rule: about ports, about messages, or about neither, perhaps with an HTTP part."""
    protocol: model.Protocol | None = draw(st.sampled_from(("TCP", "UDP", 132, "ICMP", None)))
    entity = _entities(none if protocol == "ICMP" else named if protocol is None else ports)
    message = messages if protocol == "ICMP" else st.none()
    inner = draw(st.booleans()) if http and protocol in ("TCP", None) else False
    other: model.Protocol | None = draw(st.sampled_from((None, 47, "UDPLite")))
    return model.Rule(
        action=model.Action.ALLOW if inner else draw(st.sampled_from(list(model.Action))),
        protocol=protocol,
        not_protocol=other,
        ip_version=draw(st.sampled_from((None, 4))),
        icmp=draw(message),
        not_icmp=draw(message),
        source=draw(entity),
        destination=draw(entity),
        http=HTTP if inner else None,
        annotations=draw(texts),
    )


lists = st.none() | st.lists(rules(), max_size=2).map(tuple)
outward = st.none() | st.lists(rules(http=False), max_size=2).map(tuple)
types = st.none() | st.sampled_from(
    (tuple(PolicyType), (PolicyType.INGRESS,), (PolicyType.EGRESS,))
)
common = {"name": names, "labels": texts, "annotations": texts}
policy = {
    **common,
    "tier": st.sampled_from(("default", "security")),
    "order": orders,
    "selector": selectors,
    "service_account_selector": selectors,
    "types": types,
    "ingress": lists,
    "egress": outward,
    "performance_hints": st.sampled_from(((), ("AssumeNeededOnEveryNode",))),
}
staged = {"staged_action": st.sampled_from([a for a in model.StagedAction if a != "Delete"])}
inside = {"namespace": names}
sets = st.sampled_from(((), ("10.0.0.1", "10.0.0.1/24", "::/0")))
sides = st.sampled_from((model.API_GROUP, model.STORED_GROUP))
proto_ports = st.none() | st.sampled_from(
    ((), (model.ProtoPort("TCP", 22), model.ProtoPort("UDP", 53, "10.0.0.0/8")))
)


@st.composite
def wide(draw: st.DrawFn, kind: type[Any]) -> Any:
    more = {**policy, "namespace_selector": selectors, "group": sides}
    if kind is model.StagedGlobalNetworkPolicy:
        more |= staged
    values: dict[str, Any] = {key: draw(strategy) for key, strategy in more.items()}
    values["apply_on_forward"] = draw(st.booleans())
    if values["apply_on_forward"]:
        values["do_not_track"] = draw(st.booleans())
    return kind(**values)


objects = st.one_of(
    st.builds(model.NetworkPolicy, **policy, **inside, group=sides),
    wide(model.GlobalNetworkPolicy),
    st.builds(model.StagedNetworkPolicy, **policy, **inside, **staged, group=sides),
    wide(model.StagedGlobalNetworkPolicy),
    st.builds(
        model.Tier,
        **common,
        order=orders,
        default_action=st.sampled_from((model.Action.DENY, model.Action.PASS)),
        group=sides,
    ),
    st.builds(model.NetworkSet, **common, **inside, nets=sets, group=sides),
    st.builds(model.GlobalNetworkSet, **common, nets=sets, group=sides),
    st.builds(
        model.HostEndpoint,
        **common,
        node=names,
        interface_name=st.sampled_from(("*", "eth0")),
        expected_ips=st.sampled_from(((), ("192.0.2.1", "2001:db8::1"))),
        profiles=st.lists(names, max_size=2).map(tuple),
        ports=st.sampled_from(((), (model.EndpointPort("http", "TCP", 80),))),
        group=sides,
    ),
    st.builds(
        model.Profile,
        **common,
        ingress=st.lists(rules(), max_size=1).map(tuple),
        labels_to_apply=texts,
        group=sides,
    ),
    st.builds(
        model.IPPool,
        **common,
        cidr=st.just("10.0.0.0/16"),
        nat_outgoing=st.booleans(),
        disabled=st.booleans(),
    ),
    st.builds(
        model.FelixConfiguration,
        **common,
        created=st.sampled_from((None, "2026-01-02T03:04:05Z")),
        node_selector=selectors,
        default_endpoint_to_host_action=st.sampled_from((None, "Accept", "Drop")),
        failsafe_inbound=proto_ports,
        failsafe_outbound=proto_ports,
        filter_allow_action=st.sampled_from((None, "Return")),
        chain_insert_mode=st.sampled_from((None, "Append")),
        bpf_enabled=st.sampled_from((None, True, False)),
        settings=st.sampled_from(({}, {"serviceLoopPrevention": "Drop", "xdpEnabled": "true"})),
    ),
    st.builds(
        model.StagedKubernetesNetworkPolicy,
        name=st.just("np"),
        namespace=st.just("web"),
        labels=texts,
        annotations=texts,
        policy=st.builds(
            kubernetes.NetworkPolicy,
            namespace=st.just("web"),
            name=st.just("np"),
            ingress=st.sampled_from((None, (), (WEB,))),
        ),
        staged_action=st.sampled_from([a for a in model.StagedAction if a != "Delete"]),
    ),
)


def _document(text: str) -> Document:
    (found,) = read(["-"], stdin=BytesIO(text.encode()))
    assert isinstance(found, Document)
    return found


@given(objects)
def test_reading_what_was_written_gives_the_same(written: model.CalicoObject) -> None:
    text = to_yaml(written)
    found, said = decode(_document(text), ReadOptions())
    assert [d for d in said if d.code != "CAL015"] == []
    assert found == written
    assert found is not None
    assert to_yaml(found) == text
