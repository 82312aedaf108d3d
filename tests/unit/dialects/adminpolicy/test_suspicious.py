"""What is valid and probably not meant."""

import pytest

from tests.unit.dialects.adminpolicy.helpers import anp, banp, cnp, codes, session

ALL = "{namespaces: {}}"
BLUE = "{namespaces: {matchLabels: {team: blue}}}"
TCP = "protocols: [{tcp: {destinationPort: {number: 80}}}]"
NAMES = "{domainNames: [example.com]}"
WALL = "{action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}"


def rule(action: str, peer: str, more: str = "", peers: str = "from") -> str:
    return f"{{action: {action}, {peers}: [{peer}]{', ' + more if more else ''}}}"


def ingress(*rules: str) -> str:
    return f"ingress: [{', '.join(rules)}]"


def egress(*rules: str) -> str:
    return f"egress: [{', '.join(rules)}]"


def to(action: str, peer: str, more: str = "") -> str:
    return rule(action, peer, more, "to")


SOUND = [
    cnp("a", ingress(rule("Deny", BLUE, TCP), rule("Accept", BLUE))),
    cnp("a", egress(to("Pass", ALL), to("Deny", "{networks: [0.0.0.0/0, '::/0']}"))),
    banp(ingress(rule("Deny", ALL))),
    cnp("a", egress(to("Accept", NAMES))),
]
SUSPECT = [
    ("ADS001", [cnp("a", "ingress: []")]),
    ("ADS002", [cnp("a", ingress(rule("Deny", ALL), rule("Accept", BLUE, TCP)))]),
    ("ADS002", [cnp("a", ingress(rule("Deny", ALL), rule("Deny", BLUE)))]),
    ("ADS003", [cnp("a", ingress(rule("Deny", ALL))).replace("io/metadata.name: x", "io/m: q")]),
    (
        "ADS004",
        [
            cnp("a", ingress(rule("Deny", ALL))),
            cnp("b", ingress(rule("Accept", BLUE)), priority=11),
        ],
    ),
    ("ADS004", [anp("a", ingress(rule("Allow", ALL))), banp(ingress(rule("Deny", BLUE)))]),
    ("ADS005", [cnp("a", egress(to("Pass", NAMES)))]),
    (
        "ADS006",
        [cnp("a", egress(to("Pass", ALL, TCP), to("Accept", NAMES), WALL))],
    ),
    (
        "ADS007",
        [
            cnp(
                "a",
                ingress(
                    rule(
                        "Deny",
                        "{namespaces: {matchLabels: {a: b}, matchExpressions: "
                        "[{key: a, operator: DoesNotExist}]}}",
                    )
                ),
            )
        ],
    ),
    (
        "ADS008",
        [
            cnp(
                "a",
                ingress(
                    rule("Deny", "{namespaces: {matchLabels: {kubernetes.io/metadata.name: gone}}}")
                ),
            )
        ],
    ),
    ("ADS009", [cnp("a", ingress(rule("Deny", "{pods: {podSelector: {matchLabels: {app: q}}}}")))]),
    ("ADS010", [cnp("a", ingress(rule("Deny", ALL, "protocols: [{destinationNamedPort: q}]")))]),
    ("ADS011", [cnp("a", egress(to("Pass", ALL), to("Deny", "{networks: [0.0.0.0/0]}")))]),
    ("ADS012", [cnp("a", egress(to("Deny", "{networks: [0.0.0.0/0, '::/0']}")))]),
    ("ADS013", [cnp("a", egress(to("Deny", "{nodes: {matchLabels: {role: nobody}}}")))]),
]


@pytest.mark.parametrize("manifest", SOUND)
def test_sound_policies_are_left_alone(manifest: str) -> None:
    assert codes(session(manifest).suspicions) == []


@pytest.mark.parametrize(("code", "manifests"), SUSPECT)
def test_each_is_said_and_nothing_else(code: str, manifests: list[str]) -> None:
    found = session(*manifests).suspicions
    assert codes(found) == [code]
    assert all(d.span and d.effect and d.help and d.source and d.object for d in found)


def test_passing_keeps_the_later_tier_in_reach() -> None:
    first = cnp("a", ingress(rule("Pass", BLUE)), priority=1)
    second = cnp("b", ingress(rule("Deny", ALL)), priority=2)
    last = cnp("c", ingress(rule("Deny", BLUE)), tier="Baseline")
    assert codes(session(first, second, last).suspicions) == []


def test_dns_before_the_wall_is_enough_for_names() -> None:
    dns = to("Accept", ALL, "protocols: [{udp: {destinationPort: {number: 53}}}]")
    wall = to("Deny", "{networks: [0.0.0.0/0, '::/0']}")
    assert codes(session(cnp("a", egress(dns, to("Accept", NAMES), wall))).suspicions) == []
