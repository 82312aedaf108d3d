"""What rulesets do to packets, asked of a kernel: who passes, and which counter moves."""

from collections.abc import Mapping

import pytest

from cloison.algebra import L4, TrafficSet
from cloison.dialects.nftables import write
from cloison.ir.enforcement import Ruleset
from cloison.ir.peers import Relative
from cloison.ir.policy import Action, Combine, Direction
from tests.support.filtering import Packet, Seen, Trial, tried
from tests.unit.dialects.nftables.rulesets import (
    A6,
    B6,
    DNS,
    FAR,
    HTTP,
    NODE,
    OTHER,
    OWN,
    A,
    B,
    C,
    D,
    addresses,
    also,
    arrived,
    dropped,
    layer,
    policy,
    rule,
    ruleset,
    tier,
    to,
    untracked,
)

ALLOW, DENY, PASS, LOG = Action.ALLOW, Action.DENY, Action.PASS, Action.LOG
END = "end of policies"
FIRST = Combine.FIRST_MATCH


def _ports(low: int, high: int) -> TrafficSet:
    return TrafficSet.ports("TCP", low, high)


CASES: Mapping[str, tuple[Ruleset, Mapping[Packet, Seen]]] = {
    "whom a policy isolates meets the tier's end": (
        ruleset(layer(tier())),
        {to(B): dropped(END), to(B6): arrived(), to(B, "47"): dropped(END)},
    ),
    "the end is for what the tier is defined for": (
        ruleset(layer(tier(scope=L4))),
        {to(B, "UDP"): dropped(END), to(B, "SCTP"): dropped(END), to(B, "ICMP", 8): arrived()},
    ),
    "peers, and ports of two protocols": (
        ruleset(layer(tier(policy("p", rule("r", peers=addresses(B, C), traffic=HTTP | DNS))))),
        {
            to(B): arrived("r"),
            to(C, "UDP", 53): arrived("r"),
            to(C, "TCP", 53): dropped(END),
            to(D): dropped(END),
        },
    ),
    "a range of ports, and a protocol whole": (
        ruleset(
            layer(tier(policy("p", rule("r", traffic=_ports(80, 90) | TrafficSet.protocol(47)))))
        ),
        {
            to(B, port=80): arrived("r"),
            to(B, port=90): arrived("r"),
            to(B, port=91): dropped(END),
            to(B, "47"): arrived("r"),
            to(B, "50"): dropped(END),
        },
    ),
    "a whole family but for a block": (
        ruleset(
            layer(
                tier(
                    policy("p", rule("r", peers=addresses("0.0.0.0/0") - addresses("10.0.0.0/31")))
                )
            )
        ),
        {to(B): arrived("r"), to(FAR): arrived("r"), Packet("10.0.0.1", A): dropped(END)},
    ),
    "a whole family is not the other one": (
        also(
            ruleset(layer(tier(policy("p", rule("r", peers=addresses("::/0")))))),
            ruleset(layer(tier(policy("p", rule("r", peers=addresses("::/0"))))), subject=A6),
        ),
        {to(B): dropped(END), to(B6): arrived("r")},
    ),
    "policies of a union add up": (
        ruleset(
            layer(
                tier(
                    policy("p", rule("p 1", peers=addresses(B))),
                    policy("q", rule("q 1", peers=addresses(C))),
                )
            )
        ),
        {to(B): arrived("p 1"), to(C): arrived("q 1"), to(D): dropped(END)},
    ),
    "in a union, any allow comes before every deny": (
        ruleset(
            layer(
                tier(
                    policy("p", rule("deny", DENY, traffic=HTTP)),
                    policy("q", rule("allow", peers=addresses(B))),
                    end=None,
                )
            )
        ),
        {to(B): arrived("allow"), to(C): dropped("deny"), to(C, port=81): arrived()},
    ),
    "where denies override, the other way round": (
        ruleset(
            layer(
                tier(
                    policy("p", rule("allow", peers=addresses(B, C))),
                    policy("q", rule("deny", DENY, peers=addresses(C, D))),
                    combine=Combine.DENY_OVERRIDES,
                )
            )
        ),
        {to(B): arrived("allow"), to(C): dropped("deny"), to(OWN): dropped(END)},
    ),
    "the first match decides, within policies and between them": (
        ruleset(
            layer(
                tier(
                    policy("p", rule("p 1", peers=addresses(B)), rule("p 2", DENY, traffic=HTTP)),
                    policy("q", rule("q 1", DENY, peers=addresses(B)), rule("q 2")),
                    combine=FIRST,
                )
            )
        ),
        {to(B): arrived("p 1"), to(C): dropped("p 2"), to(C, port=81): arrived("q 2")},
    ),
    "a rule that logs counts and goes on": (
        ruleset(
            layer(
                tier(
                    policy("p", rule("log", LOG), rule("deny", DENY, traffic=HTTP)),
                    combine=FIRST,
                    end=None,
                )
            )
        ),
        {to(B): dropped("log", "deny"), to(B, port=81): arrived("log")},
    ),
    "pass leaves the tier, past what comes later in it and past its end": (
        ruleset(
            layer(
                tier(
                    policy("p", rule("pass", PASS, peers=addresses(B, C))),
                    policy("q", rule("deny", DENY)),
                    combine=FIRST,
                    name="first",
                ),
                tier(policy("r", rule("allow", peers=addresses(B)))),
            )
        ),
        {to(B): arrived("pass", "allow"), to(C): dropped("pass", END), to(D): dropped("deny")},
    ),
    "pass out of the last tier is the layer's default": (
        ruleset(layer(tier(policy("p", rule("pass", PASS, peers=addresses(B))), combine=FIRST))),
        {to(B): arrived("pass"), to(C): dropped(END)},
    ),
    "a tier without an end leaves the rest to the next": (
        ruleset(
            layer(
                tier(policy("p", rule("deny", DENY, peers=addresses(B))), end=None, name="first"),
                tier(policy("q", rule("allow", peers=addresses(B, C)))),
            )
        ),
        {to(B): dropped("deny"), to(C): arrived("allow"), to(D): dropped(END)},
    ),
    "an end may let through": (
        ruleset(layer(tier(end=ALLOW, name="first"), tier(policy("p", rule("deny", DENY))))),
        {to(B): arrived("end of first")},
    ),
    "every layer has to let a packet pass": (
        ruleset(
            layer(tier(policy("p", rule("cni", peers=addresses(B, C))), name="one")),
            layer(tier(policy("q", rule("mesh", peers=addresses(C, D))), name="two"), name="mesh"),
        ),
        {
            to(B): dropped("cni", "end of two"),
            to(C): arrived("cni", "mesh"),
            to(D): dropped("end of one"),
        },
    ),
    "a layer may be closed by default": (
        ruleset(layer(tier(policy("p", rule("r", peers=addresses(B))), end=None), default=DENY)),
        {to(B): arrived("r"), to(C): dropped("layer cni ingress default")},
    ),
    "built-in rules come first": (
        ruleset(
            layer(tier(), builtin=(rule("own", peers=addresses(), relation=Relative.OWN_NODE),))
        ),
        {to(OWN): arrived("own"), to(OTHER): dropped(END), to(B): dropped(END)},
    ),
    "other nodes are not one's own": (
        ruleset(
            layer(tier(policy("p", rule("r", peers=addresses(), relation=Relative.OTHER_NODE))))
        ),
        {to(OTHER): arrived("r"), to(OWN): dropped(END)},
    ),
    "what a Service led back does not meet the end": (
        ruleset(layer(tier(returned=ALLOW))),
        {to(A): arrived(f"{END}, returned"), to(B): dropped(END)},
    ),
    "a rule may ask for what a Service led back": (
        ruleset(layer(tier(policy("p", rule("r", peers=addresses(), relation=Relative.RETURNED))))),
        {to(A): arrived("r"), to(B): dropped(END)},
    ),
    "source ports": (
        ruleset(
            layer(tier(policy("p", rule("r", traffic=HTTP | DNS, sources=_ports(1000, 2000)))))
        ),
        {
            to(B, sport=1000): arrived("r"),
            to(B, sport=999): dropped(END),
            to(B, "UDP", 53, 1000): dropped(END),
        },
    ),
    "types and codes of ICMP": (
        ruleset(
            layer(tier(policy("p", rule("r", traffic=TrafficSet.icmp(8) | TrafficSet.icmp(3, 1)))))
        ),
        {
            to(B, "ICMP", 8): arrived("r"),
            to(B, "ICMP", 3, 1): arrived("r"),
            to(B, "ICMP", 3, 2): dropped(END),
            to(B, "ICMP", 11): dropped(END),
        },
    ),
    "types of ICMPv6, and neighbours find each other whatever is denied": (
        ruleset(
            layer(tier(policy("p", rule("r", traffic=TrafficSet.icmp(128, version=6))))), subject=A6
        ),
        {
            to(B6, "ICMPV6", 128): arrived("r"),
            to(B6, "ICMPV6", 1): dropped(END),
            to(B6, "ICMPV6", 135): Seen(arrived=True, counters=frozenset({"untracked"})),
            to(B6, "ICMPV6", 136): Seen(arrived=True, counters=frozenset({"untracked"})),
        },
    ),
    "what leaves a pod": (
        ruleset(
            layer(tier(policy("p", rule("r", peers=addresses(B, OWN))))), direction=Direction.EGRESS
        ),
        {
            Packet(A, B): arrived("r"),
            Packet(A, C): dropped(END),
            Packet(A, OWN): arrived("r"),
            Packet(A, OTHER): dropped(END),
            Packet(C, A): arrived(),
        },
    ),
    "traffic of the node itself": (
        also(
            ruleset(
                layer(tier(policy("p", rule("in", peers=addresses(FAR))))),
                subject=OWN,
                on_host=True,
            ),
            ruleset(
                layer(tier(policy("p", rule("out", traffic=HTTP)))),
                subject=OWN,
                on_host=True,
                direction=Direction.EGRESS,
            ),
        ),
        {
            Packet(FAR, OWN): arrived("in"),
            Packet(B, OWN): dropped(END),
            Packet(OWN, FAR, "TCP"): arrived("out"),
            Packet(OWN, FAR, "TCP", 81): dropped(END),
            Packet(OWN, B, "TCP"): arrived("out"),
            Packet(FAR, B): arrived(),
        },
    ),
    "both ends have a say": (
        also(
            ruleset(layer(tier(policy("p", rule("in", peers=addresses(B)))))),
            ruleset(
                layer(tier(policy("q", rule("out", traffic=HTTP)), name="other")),
                subject=B,
                direction=Direction.EGRESS,
            ),
        ),
        {
            to(B): arrived("in", "out"),
            to(B, "UDP"): dropped("in", "end of other"),
            to(C): dropped(END),
        },
    ),
    "what leaves a node untracked": (
        ruleset(
            layer(
                tier(
                    policy(
                        "p",
                        rule("safe", traffic=TrafficSet.ports("TCP", 22)),
                        untracked("loose", peers=addresses(B)),
                    ),
                    combine=FIRST,
                )
            ),
            subject=OWN,
            on_host=True,
            direction=Direction.EGRESS,
        ),
        {
            Packet(OWN, B): Seen(arrived=True, counters=arrived("loose").counters | {"untracked"}),
            Packet(OWN, B, "TCP", 22): arrived("safe"),
            Packet(OWN, C): dropped(END),
        },
    ),
    "what comes from the own node untracked": (
        ruleset(layer(tier(policy("p", untracked("loose", peers=addresses(OWN)))))),
        {to(OWN): Seen(arrived=True, counters=arrived("loose").counters | {"untracked"})},
    ),
    "a node and its pods, as the node sees them": (
        ruleset(
            layer(
                tier(
                    policy(
                        "p",
                        rule("own", peers=addresses(), relation=Relative.OWN_POD),
                        rule("self", peers=addresses(), relation=Relative.LOOPBACK),
                    )
                )
            ),
            subject=OWN,
            on_host=True,
        ),
        {
            Packet(B, OWN): arrived("own"),
            Packet(OWN, OWN): arrived("self"),
            Packet(FAR, OWN): dropped(END),
        },
    ),
}


@pytest.fixture(scope="module")
def trials() -> Mapping[str, Trial]:
    """One kernel tries them all: it takes longer to start than to try."""
    asked = [(write(rules, NODE), list(expected)) for rules, expected in CASES.values()]
    return dict(zip(CASES, tried(asked), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_packets(trials: Mapping[str, Trial], name: str) -> None:
    _, expected = CASES[name]
    assert dict(zip(expected, trials[name].seen, strict=True)) == dict(expected)
