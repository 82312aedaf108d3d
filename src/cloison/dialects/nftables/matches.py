"""What a rule matches, in words of nftables: traffic, and elements of sets."""

from collections.abc import Iterable, Iterator

from cloison.algebra import (
    ANY,
    PORT_PROTOCOLS,
    PROTOCOLS,
    AddressSet,
    TrafficSet,
    address_text,
    family_of,
)

_WIDTH = 1 << 16
_CODES = 256
_NAMES = {PROTOCOLS[name]: name.lower() for name in PROTOCOLS}
_PORTED = frozenset(PROTOCOLS[name] for name in PORT_PROTOCOLS)
_TYPED = {PROTOCOLS["ICMP"]: "icmp", PROTOCOLS["ICMPV6"]: "icmpv6"}
Span = tuple[int, int]


def address_elements(addresses: AddressSet) -> list[str]:
    """Return addresses of one family as elements of a set: single ones, and ranges."""
    return [
        address_text(low) if low == high else f"{address_text(low)}-{address_text(high)}"
        for low, high in addresses
    ]


def header(addresses: AddressSet) -> str:
    """Return what the header of such addresses is called."""
    return _HEADERS[family_of(addresses.spans[0][0])]


_HEADERS = {4: "ip", 6: "ip6"}


def traffic_matches(traffic: TrafficSet, sources: TrafficSet | None = None) -> list[str]:
    """Return matches any of which is enough, disjoint; the empty text matches everything.

    Args:
        traffic: Protocols with destination ports or types.
        sources: Protocols with source ports; None for any.
    """
    if sources is not None and sources != ANY:
        return list(_from_ports(_by_protocol(traffic), _by_protocol(sources)))
    if traffic == ANY:
        return [""]
    return list(_plain(_by_protocol(traffic)))


def _by_protocol(traffic: TrafficSet) -> dict[int, list[Span]]:
    """Return the ports or types of each protocol; none where all of it is meant."""
    found: dict[int, list[Span]] = {}
    for low, high in traffic:
        for number in range(low // _WIDTH, high // _WIDTH + 1):
            base = number * _WIDTH
            piece = (max(low - base, 0), min(high - base, _WIDTH - 1))
            found.setdefault(number, []).append(piece)
    return {number: _partial(number, spans) for number, spans in sorted(found.items())}


def _partial(number: int, spans: list[Span]) -> list[Span]:
    if number in _PORTED:
        return [] if spans == [(1, _WIDTH - 1)] else spans
    if number in _TYPED:
        return [] if spans == [(0, _WIDTH - 1)] else spans
    return []


def _plain(protocols: dict[int, list[Span]]) -> Iterator[str]:
    whole = [number for number, spans in protocols.items() if not spans]
    if whole:
        yield f"meta l4proto {_braced(_runs(whole))}"
    ports = {number: spans for number, spans in protocols.items() if spans and number in _PORTED}
    if len(ports) == 1:
        ((number, spans),) = ports.items()
        yield f"{_NAMES[number]} dport {_braced(_ranges(spans))}"
    elif ports:
        pairs = (f"{_NAMES[n]} . {each}" for n, spans in ports.items() for each in _ranges(spans))
        yield f"meta l4proto . th dport {{ {', '.join(pairs)} }}"
    for number, name in _TYPED.items():
        if protocols.get(number):
            yield from _types(name, protocols[number])


def _from_ports(traffic: dict[int, list[Span]], sources: dict[int, list[Span]]) -> Iterator[str]:
    """Yield a match for each protocol of which source ports are asked."""
    both = [number for number in traffic if number in sources]
    whole = [n for n in both if n not in _PORTED and not traffic[n]]
    if whole:
        yield f"meta l4proto {_braced(_runs(whole))}"
    for number in both:
        if number in _PORTED:
            name = _NAMES[number]
            asked = (("sport", sources[number]), ("dport", traffic[number]))
            said = [f"{name} {word} {_braced(_ranges(each))}" for word, each in asked if each]
            yield " ".join(said) or f"meta l4proto {name}"
        elif number in _TYPED and traffic[number]:
            yield from _types(_TYPED[number], traffic[number])


def _types(name: str, spans: list[Span]) -> Iterator[str]:
    """Yield matches of ICMP types and codes."""
    whole: list[int] = []
    pieces: list[str] = []
    for low, high in spans:
        for kind in range(low // _CODES, high // _CODES + 1):
            first = max(low - kind * _CODES, 0)
            last = min(high - kind * _CODES, _CODES - 1)
            if (first, last) == (0, _CODES - 1):
                whole.append(kind)
            else:
                codes = str(first) if first == last else f"{first}-{last}"
                pieces.append(f"{kind} . {codes}")
    if whole:
        yield f"{name} type {_braced(_runs(whole, named=False))}"
    if pieces:
        yield f"{name} type . {name} code {{ {', '.join(pieces)} }}"


def _runs(numbers: Iterable[int], *, named: bool = True) -> list[str]:
    """Return ascending numbers, neighbours as ranges, protocols by name where they have one."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    names = _NAMES if named else {}
    return [names.get(low, str(low)) if low == high else f"{low}-{high}" for low, high in runs]


def _ranges(spans: Iterable[Span]) -> list[str]:
    return [str(low) if low == high else f"{low}-{high}" for low, high in spans]


def _braced(elements: list[str]) -> str:
    return elements[0] if len(elements) == 1 else f"{{ {', '.join(elements)} }}"
