"""An end as Calico's agent knows it: by a type, and by a name that may stand for many.

Pods of one template share a name, `frontend-6b687c8dcb-*`, unless a source keeps each apart. What
is no pod goes by other names: a NetworkSet's, a node's, and `pub` or `pvt` for addresses that
nothing names. Those stand in the columns of a workload too, with a kind that says so.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from cloison.flows.pods import workload_of
from cloison.flows.schema import Entity
from cloison.flows.schema import Labels as Set

TYPES: Final[dict[int | str, str]] = {
    1: "wep",
    "WorkloadEndpoint": "wep",
    "wep": "wep",
    2: "hep",
    "HostEndpoint": "hep",
    "hep": "hep",
    3: "ns",
    "NetworkSet": "ns",
    "ns": "ns",
    4: "net",
    "Network": "net",
    "net": "net",
}
"""Types in Goldmane's words and numbers, and in Enterprise's."""

_MANY: Final = "*"
# Whisker's words for no namespace, and for what nothing names
# (projectcalico/calico whisker-backend/pkg/handlers/v1/protoconvert.go).
_NOWHERE: Final = "Global"
_NETWORKS: Final = {"PUBLIC NETWORK": "pub", "PRIVATE NETWORK": "pvt"}
_OWN: Final = ("projectcalico.org/", "pcns.", "pcsa.")
_OF_CONTROLLERS: Final = (
    "pod-template-hash=",
    "controller-revision-hash=",
    "pod-template-generation=",
    "statefulset.kubernetes.io/",
    "apps.kubernetes.io/pod-index=",
    "batch.kubernetes.io/",
    "job-name=",
)


class End(NamedTuple):
    """One end of a flow, without its address."""

    ns: str | None
    workload: str | None
    kind: str | None
    pod: str | None
    entity: Entity


@lru_cache(maxsize=1 << 15)
def end(
    type_: str, ns: str | None, name: str | None, shared: str | None, labels: Set | None
) -> End:
    """Return the end of a type and a name.

    Args:
        type_: One of the values of `TYPES`; empty where a source does not tell it.
        ns: Its namespace.
        name: Its own name, or the one that it shares.
        shared: The name that it shares, where the source tells both.
        labels: Its labels: those that controllers set are on pods only.

    >>> end("wep", "shop", "web-6b687c8dcb-*", None, None)
    End(ns='shop', workload='web', kind=None, pod=None, entity='pod')
    >>> end("net", None, "pvt", None, None)
    End(ns=None, workload='pvt', kind='Network', pod=None, entity='unknown')
    """
    if not type_ and ns == _NOWHERE:
        ns = None
    if ns is None and name is not None:
        name = _NETWORKS.get(name, name)
    told = name or shared
    if not type_:
        type_ = _type(ns, told, labels)
    if type_ == "wep":
        pod = None if name is None or name.endswith(_MANY) else name
        return End(ns, workload_of(shared or name), None, pod, "pod")
    if type_ == "net":
        # A private address that nothing names may be a node's, or any other.
        return End(None, told, "Network", None, "world" if told == "pub" else "unknown")
    if type_ == "ns":
        return End(ns, told, "NetworkSet" if ns else "GlobalNetworkSet", None, "set")
    if type_ == "hep":
        return End(None, told, "HostEndpoint", None, "host")
    return End(ns, told, None, None, "unknown")


def _type(ns: str | None, name: str | None, labels: Set | None) -> str:
    """Return what can be said of an end whose type is not told."""
    if ns is None:
        # The name of a host endpoint and that of a GlobalNetworkSet look the same.
        return "net" if name in {"pub", "pvt"} else ""
    if name is not None and name.endswith(_MANY):
        return "wep"
    # A NetworkSet of the namespace, or a pod that nothing made but a person.
    return "wep" if any(label.startswith(_OF_CONTROLLERS) for label in labels or ()) else ""


@lru_cache(maxsize=1 << 15)
def labelled(told: tuple[str, ...] | None) -> Set | None:
    """Return labels without those that Calico adds; `None` where none are told."""
    if told is None:
        return None
    return tuple(sorted(label for label in told if label and not label.startswith(_OWN)))
