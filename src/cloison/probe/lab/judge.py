"""What a proxy makes of requests: the first ruling that matches decides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.algebra import AddressSet, Request, RequestSet, parse_address
from cloison.algebra.paths import Answered, answered, normalised
from cloison.probe.lab.rulings import Judgement, NodeProxy, Ruling, Spans


@dataclass(frozen=True, slots=True)
class Connection:
    """The ends of a connection that came to a proxy.

    Args:
        source: The address it comes from.
        source_port: Its port there.
        target: The address it was to go to.
        port: The port there.
    """

    source: int
    source_port: int
    target: int
    port: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a request.

    Args:
        passes: Whether it is sent on; None where nobody can say.
        keys: What decided, in the order it was asked.
        direction: Of what refused it; empty otherwise.
    """

    passes: bool | None
    keys: tuple[str, ...]
    direction: str = ""


@dataclass(frozen=True, slots=True)
class _Condition:
    must: RequestSet
    may: RequestSet | None

    def holds(self, request: Request) -> bool | None:
        if request in self.must:
            return True
        return None if self.may is not None and request in self.may else False


class Judge:
    """Decides about the requests of one node.

    Args:
        told: What its proxy is told.
    """

    def __init__(self, told: NodeProxy) -> None:
        self._conditions = tuple(
            _Condition(
                RequestSet.unpacked(each.must),
                None if each.may is None else RequestSet.unpacked(each.may),
            )
            for each in told.conditions
        )
        self._peers: dict[tuple[str, ...], AddressSet] = {}
        self._normalises = told.normalises
        self._about: dict[tuple[str, int], list[Judgement]] = {}
        for each in told.judgements:
            for subject in each.subjects:
                key = each.direction, parse_address(subject)
                self._about.setdefault(key, []).append(each)

    def decide(self, request: Request, ends: Connection) -> Decision:
        """Return what becomes of a request: all that are about either of its ends let it pass.

        Args:
            request: All of it, as it was sent.
            ends: On which connection.
        """
        if self._normalises:
            request = as_compared(request)
        keys: list[str] = []
        for direction, subject, peer in (
            ("egress", ends.source, ends.target),
            ("ingress", ends.target, ends.source),
        ):
            for each in self._about.get((direction, subject), ()):
                passes, key = self._ruled(each.rulings, request, peer, ends)
                keys.append(key)
                if not passes:
                    return Decision(passes, tuple(keys), direction)
        return Decision(passes=True, keys=tuple(keys))

    def answers(self, request: Request) -> Answered | None:
        """Return what is answered to a request before it is decided about; None for nothing."""
        return answered(request.path or "/") if self._normalises else None

    def path(self, request: Request) -> str:
        """Return the path that a request is sent on with."""
        return (as_compared(request) if self._normalises else request).path or "/"

    def _ruled(
        self, rulings: tuple[Ruling, ...], request: Request, peer: int, ends: Connection
    ) -> tuple[bool | None, str]:
        at = 0
        while at < len(rulings):
            each = rulings[at]
            holds = self._holds(each, request, peer, ends)
            if holds is None:
                return None, each.key
            if holds and each.action != "pass":
                return each.action == "allow", each.key
            at = max(each.onward, at + 1) if holds else at + 1
        return False, ""

    def _holds(self, ruling: Ruling, request: Request, peer: int, ends: Connection) -> bool | None:
        if not (_within(ruling.ports, ends.port) and _within(ruling.sources, ends.source_port)):
            return False
        if ruling.peers is not None and peer not in self._addresses(ruling.peers):
            return False
        return ruling.request < 0 or self._conditions[ruling.request].holds(request)

    def _addresses(self, ranges: tuple[str, ...]) -> AddressSet:
        if ranges not in self._peers:
            self._peers[ranges] = AddressSet(_spans(ranges))
        return self._peers[ranges]


def as_compared(request: Request) -> Request:
    """Return a request as a proxy compares it that brings paths to one form."""
    path = None if request.path is None else normalised(request.path)
    return Request("http", request.method, path, request.host, request.headers)


def _within(spans: Spans | None, port: int) -> bool:
    return spans is None or any(low <= port <= high for low, high in spans)


def _spans(ranges: Iterable[str]) -> Iterator[tuple[int, int]]:
    for text in ranges:
        first, _, last = text.partition("-")
        yield parse_address(first), parse_address(last)
