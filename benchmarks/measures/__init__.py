"""What is measured: functions by name, each called in a process of its own."""

from collections.abc import Callable, Mapping

from benchmarks.measured import Measured
from benchmarks.measures.allpairs import all_pairs
from benchmarks.measures.disk import parsed, read, read_ready, write
from benchmarks.measures.doctor import doctor
from benchmarks.measures.drift import drift
from benchmarks.measures.peers import peer
from benchmarks.measures.ready import ready
from benchmarks.measures.replay import replayed
from benchmarks.measures.shadow import shadow
from benchmarks.measures.startup import startup
from benchmarks.measures.whatif import what_if

MEASURES: Mapping[str, Callable[..., Measured]] = {
    "ready": ready,
    "all-pairs": all_pairs,
    "what-if": what_if,
    "write": write,
    "parsed": parsed,
    "read": read,
    "read-ready": read_ready,
    "doctor": doctor,
    "drift": drift,
    "shadow": shadow,
    "replay": replayed,
    "peer": peer,
    "startup": startup,
}
"""By the name that scenarios call them by."""
