"""DNS names as Cilium's policies write them.

Source: cilium/cilium pkg/fqdn/matchpattern/matchpattern.go.
"""

from collections.abc import Iterable

from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.model_rules import Fqdn
from cloison.ir.names import NamePattern, exact_name, names_within

_DEEP = (1, 19)
"""Since when `**.` at the start is any number of labels."""


def pattern(fqdn: Fqdn, cluster: Cluster) -> NamePattern:
    """Return the names that a selector means."""
    if fqdn.pattern is None:
        return exact_name(fqdn.name or "")
    return names_within(fqdn.pattern, deep=cluster.switches.version >= _DEEP)


def patterns(fqdns: Iterable[Fqdn], cluster: Cluster) -> tuple[NamePattern, ...]:
    """Return the names that selectors mean, each once."""
    return tuple(dict.fromkeys(pattern(each, cluster) for each in fqdns))
