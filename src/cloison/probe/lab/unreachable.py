"""Errors that the network or the kernel reports about a probe, and what they mean for it."""

import errno
import os
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from cloison.probe.lab.plan import Measured

IP_RECVERR = 11
IPV6_RECVERR = 25
"""Ask for errors of the network with their origin, from `<linux/in.h>` and `<linux/in6.h>`."""

_VERSIONS = {2: 4, 3: 6}  # SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6 from <linux/errqueue.h>
_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err, followed by the offender
_OFFENDERS = {
    socket.AF_INET: (socket.AF_INET, slice(4, 8)),  # struct sockaddr_in
    socket.AF_INET6: (socket.AF_INET6, slice(8, 24)),  # struct sockaddr_in6
}
_ROOM = 512

# Version of IP, type and code. RFC 792, RFC 1122 (3.2.2.1), RFC 1812 (5.2.7.1); RFC 4443 (3).
_WORDS = {
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 2): "protocol unreachable",
    (4, 3, 3): "port unreachable",
    (4, 3, 9): "network administratively prohibited",
    (4, 3, 10): "host administratively prohibited",
    (4, 3, 13): "communication administratively prohibited",
    (4, 11, 0): "time to live exceeded",
    (6, 1, 0): "no route to destination",
    (6, 1, 1): "communication administratively prohibited",
    (6, 1, 3): "address unreachable",
    (6, 1, 4): "port unreachable",
    (6, 1, 5): "source address failed policy",
    (6, 1, 6): "reject route to destination",
    (6, 3, 0): "hop limit exceeded",
    (6, 4, 1): "unrecognized next header",
}
_NAMES = {4: "ICMP", 6: "ICMPv6"}
_NOT_SERVED = {(4, 3, 2), (4, 3, 3), (6, 1, 4), (6, 4, 1)}

_NO_ROUTE = {
    errno.ENETUNREACH: "",
    errno.EHOSTUNREACH: "",
    errno.ENETDOWN: "",
    errno.EACCES: "a route of the source prohibits it",
    errno.EINVAL: "a route of the source is a blackhole",
}
_REFUSED = {errno.ECONNREFUSED, errno.ECONNRESET, errno.EPROTO, errno.ENOPROTOOPT}


@dataclass(frozen=True, slots=True)
class Notice:
    """An ICMP error that came back.

    Args:
        version: 4 or 6.
        kind: The ICMP type.
        code: The ICMP code.
        offender: The address that sent it.
        about: The head of the packet it is about, from its transport header on.
        target: Where that packet went.
    """

    version: int
    kind: int
    code: int
    offender: str
    about: bytes = b""
    target: str = ""

    def __str__(self) -> str:
        """One line: `ICMP 3/13 communication administratively prohibited from 10.0.0.1`."""
        words = _WORDS.get((self.version, self.kind, self.code), "error")
        return f"{_NAMES[self.version]} {self.kind}/{self.code} {words} from {self.offender}"

    def measured(self, target: str) -> Measured:
        """What it says about a probe.

        A target that says it does not serve a port was reached. Anything else was said on the
        way, by a router or its packet filter.

        Args:
            target: The address that was tried.
        """
        served = (self.version, self.kind, self.code) not in _NOT_SERVED
        itself = bool(self.offender) and ip_address(self.offender) == ip_address(target)
        return Measured("no-route" if served or not itself else "refused", str(self))


def ask_for_errors(file: socket.socket) -> None:
    """Have a socket keep the ICMP errors that concern it, for `notices`.

    Args:
        file: Of either version of IP.
    """
    if file.family == socket.AF_INET6:
        file.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        file.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def notice(file: socket.socket) -> Notice | None:
    """Take the oldest ICMP error that a socket kept, if there is one.

    Args:
        file: One that was asked to keep them.
    """
    while True:
        try:
            about, extra, _, target = file.recvmsg(_ROOM, _ROOM, socket.MSG_ERRQUEUE)
        except OSError:
            return None
        for _, _, data in extra:
            if len(data) < _ERROR.size:
                continue
            _, origin, kind, code, _, _, _ = _ERROR.unpack_from(data)
            if origin in _VERSIONS:
                where = target[0] if isinstance(target, tuple) and target else ""
                return Notice(
                    _VERSIONS[origin], kind, code, _address(data[_ERROR.size :]), about, where
                )


def from_error(number: int) -> Measured:
    """What an error number says about a probe.

    Args:
        number: From `errno`, of `connect`, `send` or `recv`.
    """
    words = os.strerror(number)
    if number in _NO_ROUTE:
        return Measured("no-route", _NO_ROUTE[number] or words)
    if number in _REFUSED:
        return Measured("refused", words)
    if number == errno.EPERM:
        # What netfilter's output hook drops is reported to the sender.
        return Measured("dropped", "the source's own packet filter dropped it")
    return Measured("failed", words)


def _address(name: bytes) -> str:
    if len(name) < struct.calcsize("=H"):
        return ""
    family = struct.unpack_from("=H", name)[0]
    if family not in _OFFENDERS:
        return ""
    known, place = _OFFENDERS[family]
    packed = name[place]
    return socket.inet_ntop(known, packed) if len(packed) == place.stop - place.start else ""
