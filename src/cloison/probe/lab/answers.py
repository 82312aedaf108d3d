"""What listeners say, whatever the protocol."""

import socket
from contextlib import suppress

AT_ONCE = 64
"""How many events one socket may take in a turn of the loop, so that the others have theirs."""

GREETING = b"cloison\n"
"""What a probe says where it has to speak first."""

ROOM = 2048
"""Bytes read at a time."""

BUFFER = 8 << 20
"""Bytes that datagrams may wait in: a whole matrix can arrive in one turn."""

SO_RCVBUFFORCE = 33
"""From `<asm-generic/socket.h>`."""

_END_OF_HEAD = b"\r\n\r\n"
_MAPPED = "::ffff:"  # RFC 4291, section 2.5.5.2


def plain(address: str) -> str:
    """An address as people write it, also where a socket for both versions of IP saw it.

    Args:
        address: `10.0.0.1`, `::ffff:10.0.0.1` or `fd00::1`.

    >>> plain("::ffff:10.0.0.1")
    '10.0.0.1'
    """
    return address.removeprefix(_MAPPED) if "." in address else address.partition("%")[0]


def line(station: str, address: str, port: int) -> bytes:
    r"""Who answers, and which peer was seen.

    Args:
        station: The name of who answers.
        address: The peer's.
        port: Likewise.

    >>> line("web/portal", "10.0.0.1", 40000)
    b'web/portal 10.0.0.1 40000\n'
    """
    return f"{station} {plain(address)} {port}\n".encode()


def greeting(station: str, address: str, port: int) -> bytes:
    """The same for a stream, as an answer of HTTP that does not wait for the question.

    So `curl` and `wget` are as good as `nc` for who tries connections by hand, and a probe needs
    not say anything first.

    Args:
        station: The name of who answers.
        address: The peer's.
        port: Likewise.
    """
    said = line(station, address, port)
    head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(said)}"
    return head.encode() + _END_OF_HEAD + said


def asks(said: bytes) -> bool:
    """Whether somebody asks by HTTP, who would take an echo for a part of the answer.

    Args:
        said: What arrived.

    >>> asks(b"GET / HTTP/1.1")
    True
    """
    return b" HTTP/1." in said.partition(b"\r\n")[0]


def words(said: bytes) -> str:
    """What was said, as far as it prints: anybody may listen in a lab.

    Args:
        said: What arrived first.

    >>> words(greeting("web/portal", "10.0.0.1", 40000))
    'web/portal 10.0.0.1 40000'
    """
    _, _, body = said.rpartition(_END_OF_HEAD)
    text = body.decode("utf-8", "replace").strip()
    return text if text.isprintable() else ""


def roomy(file: socket.socket) -> None:
    """Let many datagrams wait on a socket, as many as the caller may.

    Args:
        file: Any socket.
    """
    file.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    with suppress(OSError):  # beyond the usual limit, for who administers this network
        file.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
