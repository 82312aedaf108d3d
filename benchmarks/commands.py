"""Commands, and what they take."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took.

    Args:
        cpu: Seconds of processor time.
        wall: Seconds.
        code: Its exit code.
    """

    cpu: float
    wall: float
    code: int


def run(command: Sequence[str], stdout: Path = Path(os.devnull)) -> Ran:
    """Run a command to its end and say what it took.

    It may keep its bytecode, whatever is said here: what is measured is not the compiler.

    Args:
        command: A program, as a path, and its arguments.
        stdout: Where its output goes; what it says besides goes nowhere.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(stdout), flags, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0o600),
    ]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = os.posix_spawn(command[0], list(command), environment, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - began
    return Ran(usage.ru_utime + usage.ru_stime, wall, os.waitstatus_to_exitcode(status))
