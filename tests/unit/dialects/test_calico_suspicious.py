"""What Calico accepts and nobody meant."""

from collections.abc import Sequence

import pytest

from cloison.algebra import AddressSet
from cloison.base import Diagnostic, Severity
from cloison.dialects import Surroundings
from cloison.dialects.calico.decode import decode
from cloison.dialects.calico.suspicious import notices, suspicious
from cloison.platform import profile
from cloison.resources.options import ReadOptions
from tests.support.documents import documents, world

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c}]}
"""


def one(kind: str, spec: str, name: str = "x") -> str:
    return (
        f"---\napiVersion: projectcalico.org/v3\nkind: {kind}\n"
        f"metadata: {{name: {name}, namespace: shop, labels: {{kind: threat}}}}\nspec: {spec}\n"
    )


def said(*texts: str) -> list[Diagnostic]:
    objects = []
    for each in documents("\n".join(texts)):
        found, diagnostics = decode(each, ReadOptions())
        assert not [d for d in diagnostics if d.severity is Severity.ERROR]
        assert found is not None
        objects.append(found)
    around = Surroundings(
        world(PODS), profile("calico@3.32"), services=AddressSet.block("10.96.0.0/12")
    )
    found_ = suspicious(objects, around)
    assert set(found_) == set(suspicious(objects[::-1], around))
    assert all(d.effect and d.help and d.source and d.span and d.object for d in found_)
    return found_


def codes(found: Sequence[Diagnostic]) -> list[str]:
    return [each.code for each in found]


UNTRACKED = "{selector: kind == 'threat', doNotTrack: true, applyOnForward: true, types: [Ingress]}"
HOST = one("HostEndpoint", "{node: one, interfaceName: '*'}", "host")


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("CAL201", [one("Tier", "{}", "security")]),
        (
            "CAL202",
            [
                one("NetworkPolicy", "{ingress: [{action: Allow}]}", "a"),
                one("NetworkPolicy", "{ingress: [{action: Deny}]}", "b"),
            ],
        ),
        ("CAL203", [one("StagedNetworkPolicy", "{stagedAction: Learn}")]),
        ("CAL204", [one("StagedNetworkPolicy", "{stagedAction: Delete}")]),
        ("CAL205", [one("NetworkPolicy", "{types: [Ingress], egress: [{action: Allow}]}")]),
        ("CAL206", [one("NetworkPolicy", "{ingress: [{action: Log}]}")]),
        (
            "CAL207",
            [
                one("NetworkPolicy", "{order: 1}", "default.a"),
                one("NetworkPolicy", "{order: 2}", "a"),
            ],
        ),
        (
            "CAL210",
            [
                one(
                    "NetworkPolicy",
                    "{egress: [{action: Allow, destination: {services: {name: db}}}]}",
                )
            ],
        ),
        (
            "CAL211",
            [
                one(
                    "GlobalNetworkPolicy",
                    "{ingress: [{action: Allow, source: {notNets: ['fd00::/8']}}]}",
                )
            ],
        ),
        (
            "CAL212",
            [one("NetworkPolicy", "{ingress: [{action: Allow, http: {methods: [GET]}}]}")],
        ),
        (
            "CAL213",
            [
                one(
                    "GlobalNetworkPolicy",
                    "{ingress: [{action: Allow, source: {namespaceSelector: team != 'web'}}]}",
                )
            ],
        ),
        (
            "CAL214",
            [
                one("GlobalNetworkSet", "{nets: [192.0.2.0/24]}", "bad"),
                one(
                    "NetworkPolicy",
                    "{egress: [{action: Deny, destination: {selector: kind == 'threat'}}]}",
                ),
            ],
        ),
        (
            "CAL215",
            [
                one(
                    "NetworkPolicy",
                    "{egress: [{action: Allow, destination: {nets: [10.96.0.10/32]}}]}",
                )
            ],
        ),
        ("CAL220", [HOST]),
        (
            "CAL221",
            [one("GlobalNetworkPolicy", "{preDNAT: true, applyOnForward: true, types: [Ingress]}")],
        ),
        ("CAL222", [HOST, one("GlobalNetworkPolicy", "{selector: all(), types: [Ingress]}")]),
        ("CAL223", [HOST, one("GlobalNetworkPolicy", UNTRACKED)]),
    ],
)
def test_a_trap(code: str, texts: list[str]) -> None:
    assert codes(said(*texts)) == [code]


@pytest.mark.parametrize(
    "texts",
    [
        [one("Tier", "{order: 5}", "security")],
        [
            one("NetworkPolicy", "{order: 1, ingress: [{action: Allow}]}", "a"),
            one("NetworkPolicy", "{order: 2, ingress: [{action: Deny}]}", "b"),
        ],
        [
            one("NetworkPolicy", "{ingress: [{action: Allow}]}", "a"),
            one("NetworkPolicy", "{ingress: [{action: Allow}, {action: Log}]}", "b"),
        ],
        [one("StagedNetworkPolicy", "{ingress: [{action: Allow}]}")],
        [
            one(
                "NetworkPolicy",
                "{egress: [{action: Allow, destination: {services: {name: a, namespace: shop}}}]}",
            )
        ],
        [
            one(
                "GlobalNetworkPolicy",
                "{ingress: [{action: Allow, ipVersion: 6, source: {notNets: ['fd00::/8']}}]}",
            )
        ],
        [
            one(
                "GlobalNetworkPolicy",
                "{ingress: [{action: Allow, source: {namespaceSelector: all()}}]}",
            )
        ],
        [
            one("GlobalNetworkSet", "{nets: [192.0.2.0/24]}", "bad"),
            one("NetworkSet", "{nets: [192.0.2.0/24]}", "own"),
            one(
                "NetworkPolicy",
                "{egress: [{action: Deny, destination: {selector: kind == 'threat'}}]}",
            ),
        ],
        [
            one("GlobalNetworkSet", "{nets: [192.0.2.0/24]}", "bad"),
            one(
                "NetworkPolicy",
                "{egress: [{action: Deny, destination: {selector: kind == 'threat', "
                "namespaceSelector: global()}}]}",
            ),
        ],
        [
            HOST,
            one(
                "GlobalNetworkPolicy",
                "{selector: kind == 'threat', applyOnForward: true, preDNAT: true}",
            ),
        ],
        [
            one("HostEndpoint", "{node: one, interfaceName: '*', profiles: [open]}", "host"),
            one("GlobalNetworkPolicy", "{namespaceSelector: all(), types: [Ingress]}"),
        ],
    ],
)
def test_what_is_fine(texts: list[str]) -> None:
    assert codes(said(*texts)) == []


def test_the_remedy_for_a_negative_selector_keeps_brackets() -> None:
    rule = "{action: Allow, source: {namespaceSelector: a != 'x' || has(b)}}"
    (found,) = said(one("GlobalNetworkPolicy", f"{{ingress: [{rule}]}}"))
    assert "has(projectcalico.org/name) && (a != 'x' || has(b))" in (found.help or "")


def test_staged_policies_are_announced_once() -> None:
    staged = [
        one("StagedNetworkPolicy", "{types: [Ingress]}", "a"),
        one("StagedKubernetesNetworkPolicy", "{podSelector: {}}", "b"),
    ]
    objects = [decode(each, ReadOptions())[0] for each in documents("\n".join(staged))]
    (found,) = notices([each for each in objects if each is not None])
    assert found.code == "CAL110"
    assert "2 staged policies take no part" in found.message
    assert notices([]) == []
