"""Names of counters and marks of packets: who writes filters and who reads them share these."""

import re
from hashlib import blake2s
from typing import Final

PROXY_PORT: Final = 64999
"""Where the proxy of a node listens, on its loopback: outside of what anybody connects from."""
TO_PROXY: Final = 1
"""The mark of packets that go to the proxy, or to a connection that it holds."""
FROM_PROXY: Final = 2
"""The mark of what a proxy sends on: it and the filter before it have judged that."""

_MOST: Final = 80
"""Bytes of a name that are readable; the kernel's limit for all of it is 255."""


def counter_name(key: str) -> str:
    """Return the name of the counter of a rule or of a tier's end: readable, and its alone.

    >>> counter_name("NetworkPolicy web/front ingress 1")
    'c_NetworkPolicy_web_front_ingress_1_b6a684'
    """
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", key).strip("_")[:_MOST]
    return f"c_{readable}_{blake2s(key.encode(), digest_size=3).hexdigest()}"
