"""One load in a process of its own, for `memory_read.py`: as few imports as can be.

python benchmarks/memory_child.py read|load FILE
"""

import resource
import sys
import time

import cloison
import cloison.app.load
import cloison.dialects.networkpolicy.dialect  # its own turn would count as the input's
from cloison import sources


def read(path: str) -> int:
    """Read the sources and drop what they hold; return how many objects there were."""
    return sum(1 for _ in sources.read([path]))


def load(path: str) -> int:
    """Load a session; return how many policies and workloads it has."""
    session = cloison.load(path)
    return len(session.policies.policies) + len(session.world.workloads)


STEPS = {"read": read, "load": load}


def measure(step: str, path: str) -> None:
    """Take one input one way and print what it took."""
    before = peak()
    began = time.perf_counter()
    count = STEPS[step](path)
    seconds = time.perf_counter() - began
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib is weight
        size = file.seek(0, 2)
    most = peak()
    name = path.rpartition("/")[2]
    print(  # noqa: T201 - meant for a terminal
        f"{step} {name}: {count} results of {size / 1e6:.1f} MB in {seconds:.2f} s,"
        f" {size / seconds / 1e6:.1f} MB/s; peak {most / 1e6:.1f} MB, {most / size:.2f} of the"
        f" input; {(most - before) / size:.2f} without the {before / 1e6:.1f} MB of imports"
    )


def peak() -> int:
    """Return the largest resident size so far in bytes; Linux counts it in KiB, macOS in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


if __name__ == "__main__":
    measure(sys.argv[1], sys.argv[2])
