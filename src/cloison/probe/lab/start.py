"""What a machine needs so that it can hold labs, and what to do where it lacks something."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from cloison.base import SourceError

_PACKAGES = {"ip": "iproute2", "nft": "nftables", "unshare": "util-linux", "nsenter": "util-linux"}
"""Programs that labs need, and the Debian packages that have them."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program.

    Args:
        code: Its exit code.
        printed: What it printed.
        errors: What it complained about.
    """

    code: int
    printed: str
    errors: str


PRIVATE = ("--mount", "--net", "--pid", "--fork", "--kill-child")
_ROOTLESS = ("--user", "--map-root-user")


def command() -> list[str]:
    """Return the beginning of the command line that runs a program in namespaces of its own.

    Raises:
        SourceError: Programs are missing, or namespaces are forbidden.
    """
    if sys.platform != "linux":
        msg = "a lab is made of Linux namespaces, and this is not Linux"
        raise SourceError(msg, "run it in a virtual machine or a CI job with Linux")
    path = surroundings()["PATH"]
    missing = [name for name in _PACKAGES if shutil.which(name, path=path) is None]
    if missing:
        packages = " ".join(sorted({_PACKAGES[name] for name in missing}))
        msg = f"a lab needs {', '.join(missing)}, and this machine has no such program"
        raise SourceError(msg, f"install it; on Debian and Ubuntu: apt install {packages}")
    unshare = shutil.which("unshare", path=path) or "unshare"
    ways = ([], list(_ROOTLESS)) if os.geteuid() == 0 else (list(_ROOTLESS),)
    said = ""
    for way in ways:
        line = [unshare, *way, *PRIVATE]
        tried = run([*line, "true"])
        if tried.code == 0:
            return line
        said = tried.errors.strip().rpartition("\n")[2]
    msg = f"this machine does not allow namespaces: {said}"
    raise SourceError(msg, _REMEDY)


_REMEDY = (
    "run as root; or let users have namespaces: "
    "sysctl kernel.unprivileged_userns_clone=1 (Debian), "
    "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), "
    "sysctl user.max_user_namespaces=10000; in a container, --privileged"
)


def run(line: Sequence[str], given: str = "") -> Ran:
    """Run a program to its end.

    Args:
        line: The program and its arguments.
        given: What it reads.

    Raises:
        OSError: It cannot be started.
    """
    with started(line, stderr=subprocess.PIPE) as process:
        printed, errors = process.communicate(given.encode())
    return Ran(process.returncode, printed.decode(), errors.decode("utf-8", "replace"))


def started(
    line: Sequence[str], *, stderr: int | IO[bytes], apart: bool = False
) -> "subprocess.Popen[bytes]":
    """Start a program that is written to and read from.

    Args:
        line: The program and its arguments.
        stderr: Where its complaints go.
        apart: Whether what ends our terminal's programs spares it.

    Raises:
        OSError: It cannot be started.
    """
    return subprocess.Popen(  # noqa: S603 - no shell, and callers build the whole command line
        list(line),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=surroundings(),
        start_new_session=apart,
    )


def surroundings() -> dict[str, str]:
    """Return the environment of a lab's programs: with those for administrators on the path."""
    found = dict(os.environ)
    path = found.get("PATH") or os.defpath
    found["PATH"] = os.pathsep.join([path, "/usr/sbin", "/sbin"])
    return found
