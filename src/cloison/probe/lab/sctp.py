"""Packets of SCTP: enough of RFC 9260 to ask whether something listens, and to answer.

Where the kernel has no SCTP sockets, INIT chunks are sent and answered by way of raw sockets.
Packet filters and connection tracking see no difference: the layout and the checksum are the real
ones.
"""

import struct
from dataclasses import dataclass

INIT, INIT_ACK, ABORT = 1, 2, 6
"""Kinds of chunks, RFC 9260, section 3.2."""

_COMMON = struct.Struct("!HHI")  # section 3.1: ports and verification tag; a checksum follows
_PORTS = struct.Struct("!HH")  # the beginning of that
_CHECKSUM = struct.Struct("<I")
_CHUNK = struct.Struct("!BBH")  # section 3.2
_INIT = struct.Struct("!IIHHI")  # section 3.3.2: tag, window, streams out and in, first number
_PARAMETER = struct.Struct("!HH")  # section 3.2.1
_COOKIE = 7  # section 3.3.3
_HEAD = _COMMON.size + _CHECKSUM.size
_WINDOW, _STREAMS = 65536, 1
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reflected: RFC 9260, appendix A


def _table() -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """The checksum of SCTP, byte by byte from a table: RFC 9260, appendix A.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet, and the first chunk in it.

    Args:
        source_port: Where it comes from.
        port: Where it goes.
        tag: The verification tag.
        kind: The kind of the chunk.
        body: What the chunk holds.
    """

    source_port: int
    port: int
    tag: int
    kind: int
    body: bytes = b""

    def encoded(self) -> bytes:
        """The packet as it is sent, with its checksum."""
        head = _COMMON.pack(self.source_port, self.port, self.tag)
        chunk = _CHUNK.pack(self.kind, 0, _CHUNK.size + len(self.body)) + self.body
        chunk += bytes(-len(chunk) % 4)
        sum_ = crc32c(head + bytes(_CHECKSUM.size) + chunk)
        return head + _CHECKSUM.pack(sum_) + chunk

    @property
    def initiate_tag(self) -> int:
        """The tag that whoever sent an INIT or INIT ACK wants to be answered with; 0 for none."""
        return int(_INIT.unpack_from(self.body)[0]) if len(self.body) >= _INIT.size else 0

    @property
    def cookie(self) -> bytes:
        """The state cookie of an INIT ACK."""
        place = _INIT.size
        while place + _PARAMETER.size <= len(self.body):
            kind, length = _PARAMETER.unpack_from(self.body, place)
            if kind == _COOKIE:
                return self.body[place + _PARAMETER.size : place + length]
            place += max(length + -length % 4, _PARAMETER.size)
        return b""


def decode(data: bytes) -> Packet | None:
    """Read a packet; None for what is too short, or whose checksum is wrong.

    Args:
        data: From the SCTP header on.
    """
    if len(data) < _HEAD + _CHUNK.size:
        return None
    source_port, port, tag = _COMMON.unpack_from(data)
    sum_ = _CHECKSUM.unpack_from(data, _COMMON.size)[0]
    if sum_ != crc32c(data[: _COMMON.size] + bytes(_CHECKSUM.size) + data[_HEAD:]):
        return None
    kind, _, length = _CHUNK.unpack_from(data, _HEAD)
    return Packet(source_port, port, tag, kind, data[_HEAD + _CHUNK.size : _HEAD + length])


def ports(data: bytes) -> tuple[int, int] | None:
    """Source and destination port of a packet of which only the head is left.

    Args:
        data: From the SCTP header on.
    """
    return _PORTS.unpack_from(data) if len(data) >= _PORTS.size else None


def asking(source_port: int, port: int, tag: int) -> Packet:
    """The packet that opens an association.

    Args:
        source_port: Where it comes from.
        port: Where it goes.
        tag: What the answer has to carry; not 0.
    """
    return Packet(source_port, port, 0, INIT, _INIT.pack(tag, _WINDOW, _STREAMS, _STREAMS, tag))


def answer(packet: Packet, said: bytes | None) -> Packet | None:
    """What a host says to a packet out of the blue; None where it says nothing.

    Args:
        packet: What arrived.
        said: Goes into the state cookie; None where nothing listens.

    Source: RFC 9260, sections 5.1 and 8.4: an INIT ACK, or an ABORT with the tag asked for.
    """
    tag = packet.initiate_tag
    if packet.kind != INIT or not tag:
        return None
    if said is None:
        return Packet(packet.port, packet.source_port, tag, ABORT)
    body = _INIT.pack(tag ^ _POLYNOMIAL or 1, _WINDOW, _STREAMS, _STREAMS, 1)
    body += _PARAMETER.pack(_COOKIE, _PARAMETER.size + len(said)) + said
    return Packet(packet.port, packet.source_port, tag, INIT_ACK, body)
