"""What the sources of Cilium leave open, each with the answers it may have."""

from enum import StrEnum


class U1(StrEnum):
    """An explicit deny against the exemption of the own node."""

    DENY_WINS = "deny-wins"
    LOCALHOST_WINS = "localhost-wins"


class U2(StrEnum):
    """`toServices` that finds no Service, with `toPorts`."""

    NOTHING = "nothing"
    EVERY_DESTINATION = "every-destination"


class U3(StrEnum):
    """A rule without ports for the resolver, against rules about DNS names."""

    RELAXES = "relaxes"
    KEEPS = "keeps"


class U4(StrEnum):
    """`policy-cidr-match-mode: pods`: which pods a block matches."""

    MATCHES_LIKE_NODES = "matches-like-nodes"
    OTHER = "other"


class U5(StrEnum):
    """The aggregate reserved identities of 1.20 and the entity `cluster-mesh`."""

    PRESENT = "present"
    ABSENT = "absent"
