"""Entering network namespaces, one thread at a time, and what every namespace of a lab is told."""

import ctypes
import errno
import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""The kind of namespace `setns` is to accept, from `<linux/sched.h>`."""

HERE = "/proc/thread-self/ns/net"

ENOUGH = 1 << 20
"""Files that are enough for any lab, where nothing limits them."""

SETTINGS = (
    # An answer that a rate limit swallows would look like a drop.
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv4/icmp_ratemask", "0"),
    ("ipv6/icmp/ratelimit", "0"),
    ("ipv6/icmp/ratemask", "\n"),
    # A router whose link-local address waits for duplicates asks for no neighbours meanwhile. Read
    # when an interface is made.
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/dad_transmits", "0"),
    # Echo sockets for group 0, which is who the lab's process is in a namespace of users.
    ("ipv4/ping_group_range", "0 0"),
)
"""Names below `/proc/sys/net` and what `prepare` writes there."""


@cache
def _setns() -> Callable[[int, int], int]:
    """`setns` of the C library; `os.setns` exists from Python 3.12 on only."""
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, use_errno=True)
    return prototype(("setns", ctypes.CDLL(None)))


def enter(namespace: int) -> None:
    """Move the calling thread into a network namespace, for good.

    Args:
        namespace: An open file of it.

    Raises:
        OSError: The file is no network namespace, or the caller may not enter it.
    """
    while _setns()(namespace, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))


@contextmanager
def entered(namespace: int | str | os.PathLike[str], home: int | None = None) -> Iterator[None]:
    """Let the calling thread be in a network namespace for a while.

    What is opened meanwhile, sockets above all, stays in that namespace. Nothing may be awaited
    inside: other tasks of the same thread would find themselves in there.

    Args:
        namespace: An open file of the namespace, or its path.
        home: An open file of the namespace to return to, for who has one at hand and does this
            often; the present one otherwise.

    Raises:
        OSError: There is no such namespace, or the caller may not enter it.
    """
    back = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC) if home is None else home
    try:
        if isinstance(namespace, int):
            enter(namespace)
        else:
            there = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                enter(there)
            finally:
                os.close(there)
        try:
            yield
        finally:
            enter(back)
    finally:
        if home is None:
            os.close(back)


def socket_in(
    namespace: int, family: int, kind: int, protocol: int = 0, *, home: int | None = None
) -> socket.socket:
    """Open a socket in a network namespace; it stays there and does not block.

    Args:
        namespace: An open file of the namespace.
        family: `AF_INET` or `AF_INET6`.
        kind: `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_RAW`.
        protocol: Its number; 0 for the usual one of that kind.
        home: An open file of the namespace the thread is in, which saves looking for it.

    Raises:
        OSError: The kernel has no such sockets, or the process no files left.
    """
    with entered(namespace, home):
        return socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)


def prepare(namespace: int) -> None:
    """Tell a namespace not to ration its ICMP errors, and to let us send echo requests.

    Whoever builds namespaces calls this for each of them, routers included, before they have
    interfaces. What this kernel does not have is left out.

    Args:
        namespace: An open file of the namespace.

    Raises:
        OSError: The namespace cannot be entered.
    """
    with entered(namespace):
        for name, value in SETTINGS:
            with suppress(OSError):
                Path("/proc/sys/net", name).write_text(value, encoding="ascii")


def raise_limit() -> int:
    """Let this process have as many files as it may; return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, ENOUGH)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
