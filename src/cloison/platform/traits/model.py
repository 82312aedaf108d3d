"""What to know of an enforcer before relying on it: one answer per topic, each with its source."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cloison.platform.evidence import Evidence


class Topic(StrEnum):
    """What somebody who relies on policies asks of their enforcer, in the order of asking."""

    EGRESS = "egress"
    START = "start"
    AGENT_DOWN = "agent-down"
    ESTABLISHED = "established"
    BLOCKS = "blocks"
    HOST_PODS = "host-pods"
    NODE_TO_POD = "node-to-pod"
    POD_TO_NODE = "pod-to-node"
    NODE_PORTS = "node-ports"
    TRANSLATION = "translation"
    NAMED_PORTS = "named-ports"
    END_PORT = "end-port"
    SCTP = "sctp"
    OTHER_PROTOCOLS = "other-protocols"
    FAMILIES = "families"
    NAMES = "names"
    REQUESTS = "requests"
    DENY_LOGS = "deny-logs"
    SOURCE_ADDRESS = "source-address"
    LIMITS = "limits"


TITLES: Final = MappingProxyType(
    {
        Topic.EGRESS: "ingress and egress rules enforced",
        Topic.START: "a new pod, before its policies are programmed",
        Topic.AGENT_DOWN: "while the agent is down",
        Topic.ESTABLISHED: "connections that are open when policies change",
        Topic.BLOCKS: "what an ipBlock matches",
        Topic.HOST_PODS: "pods on their node's network",
        Topic.NODE_TO_POD: "from a node to its own pods",
        Topic.POD_TO_NODE: "from a pod to its own node",
        Topic.NODE_PORTS: "traffic through NodePorts and load balancers",
        Topic.TRANSLATION: "egress judged before or after Service translation",
        Topic.NAMED_PORTS: "ports by name",
        Topic.END_PORT: "port ranges (endPort)",
        Topic.SCTP: "SCTP",
        Topic.OTHER_PROTOCOLS: "ICMP and other protocols, once isolated",
        Topic.FAMILIES: "address families",
        Topic.NAMES: "rules by DNS name (FQDN)",
        Topic.REQUESTS: "rules by request (L7)",
        Topic.DENY_LOGS: "logs of what is denied",
        Topic.SOURCE_ADDRESS: "the source address seen outside",
        Topic.LIMITS: "limits",
    }
)
"""Topics in words."""


class Stands(StrEnum):
    """What an answer means for whoever relies on policies."""

    SOUND = "sound"
    MIND = "mind"
    """It holds, or does not, in a way that has to be kept in mind."""
    BAD = "bad"
    """Something passes that policies say is closed."""
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What an answer rests on."""

    CODE = "code"
    DOCUMENTATION = "documentation"
    ISSUE = "issue"
    """An issue or pull request of the project."""
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Trait:
    """What one enforcer does, of one topic.

    Args:
        topic: The topic.
        says: The answer in a few words.
        stands: What it means.
        text: The answer in sentences.
        basis: What it rests on.
        source: Who says so.
        version: The version that was looked at; None where nothing says.
        seen: The setting of this installation that makes it so.
    """

    topic: Topic
    says: str
    stands: Stands
    text: str
    basis: Basis
    source: str
    version: str | None = None
    seen: Evidence | None = None


def unknown(topic: Topic) -> Trait:
    """Return the answer that there is where nobody has looked, or nothing was found."""
    return Trait(
        topic, "unknown", Stands.UNKNOWN, "Nothing that was read says.", Basis.UNCONFIRMED, ""
    )
