"""What the proxy of a node is told: rules in the order in which the first match decides."""

import msgspec

from cloison.algebra.flat import FlatRequests

Spans = tuple[tuple[int, int], ...]


class Condition(msgspec.Struct, frozen=True):
    """What a rule asks of HTTP requests.

    Args:
        must: Requests that meet it.
        may: Requests of which nobody can say whether they do; None for none.
    """

    must: FlatRequests
    may: FlatRequests | None = None


class Ruling(msgspec.Struct, frozen=True):
    """A rule, or the end of a tier or layer.

    Args:
        key: What its counter is named by.
        action: `allow`, `deny` or `pass`.
        peers: Ranges of addresses of the other end, `FIRST-LAST`; None for every address.
        ports: Destination ports, from and to; None for every port.
        sources: Source ports, likewise.
        request: Which of the conditions requests must meet; -1 for none.
        onward: For `pass`, which ruling is next.
    """

    key: str
    action: str
    peers: tuple[str, ...] | None = None
    ports: Spans | None = None
    sources: Spans | None = None
    request: int = -1
    onward: int = 0


class Judgement(msgspec.Struct, frozen=True):
    """What becomes of requests from some pods of a node, or to them. All that are about one pass.

    Args:
        direction: `egress` from them, `ingress` to them.
        subjects: Their addresses.
        rulings: The first that matches decides.
    """

    direction: str
    subjects: tuple[str, ...]
    rulings: tuple[Ruling, ...]


class NodeProxy(msgspec.Struct, frozen=True):
    """What the proxy of one node is told.

    Args:
        judgements: For each pod of the node whose rules ask for requests.
        conditions: What rules ask.
        normalises: Whether paths are brought to one form before they are compared.
    """

    judgements: tuple[Judgement, ...]
    conditions: tuple[Condition, ...]
    normalises: bool
