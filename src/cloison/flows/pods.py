"""Workloads by the names of their pods, where a source tells no more."""

import re
from functools import lru_cache
from typing import Final

# The alphabet of `rand.String` of k8s.io/apimachinery/pkg/util/rand: no vowels, no digits that
# look like letters.
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_REPLICA: Final = re.compile(rf"^(?P<name>.+)-[{_LETTERS}]{{6,10}}-(?:[{_LETTERS}]{{5}}|\*)$")
_ORDINAL: Final = re.compile(r"^(?P<name>.+)-\d{1,5}$")
_RANDOM: Final = re.compile(rf"^(?P<name>.+)-(?:[{_LETTERS}]{{5}}|\*)$")


@lru_cache(maxsize=1 << 16)
def workload_of(pod: str | None) -> str | None:
    """Return the name of what made a pod, as controllers name pods; the pod's own name otherwise.

    Args:
        pod: A pod's name, or a prefix with `*` in place of what varies.

    >>> workload_of("frontend-6b687c8dcb-zn5s2"), workload_of("frontend-6b687c8dcb-*")
    ('frontend', 'frontend')
    >>> workload_of("db-0"), workload_of("node-local-dns-88zrp"), workload_of("shell")
    ('db', 'node-local-dns', 'shell')
    """
    if pod is None:
        return None
    for shape in (_REPLICA, _ORDINAL, _RANDOM):
        if found := shape.match(pod):
            return found["name"]
    return pod
