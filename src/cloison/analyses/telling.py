"""Labels that tell a workload from others, as people would choose them."""

from cloison.analyses.parties import Party
from cloison.engine import Engine

VOLATILE = frozenset(
    {
        "pod-template-hash",
        "rollouts-pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "job-name",
        "helm.sh/chart",
        "app.kubernetes.io/version",
    }
)
"""Label keys that controllers and tools stamp: a selector on them breaks at the next rollout."""

NAMING = ("app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/instance", "name")
"""Label keys that usually name a workload, the most telling first."""

PASSING = frozenset({"version", "track", "release", "revision", "color", "slot"})
"""Last parts of label keys that tell apart versions of one workload."""

_OWNERS = frozenset({"owning-gateway-name", "owning-gateway-namespace", "gateway-name"})
"""Last parts of label keys that say for which Gateway pods were made: others may come."""


def telling_labels(engine: Engine, party: Party) -> dict[str, str]:
    """Return the fewest labels that tell a party's workload from others of its namespace.

    Keys that name things come first; a label is added only while it leaves out pods of
    other workloads. Labels of one version or rollout are used only when nothing else
    tells two workloads apart.
    """
    if party.endpoint is None:
        return {}
    own = party.endpoint.workload
    others = [e.labels for e in engine.table.living_in(own.namespace) if e.workload != own]
    kin = [
        engine.table.endpoints[i].labels
        for i in engine.table.by_workload[own]
        if not engine.table.endpoints[i].finished
    ]
    given = {k: v for k, v in party.endpoint.labels.items() if k not in VOLATILE}
    shared = {k: v for k, v in given.items() if all(each.get(k) == v for each in kin)}
    labels = shared or given
    found = {k: v for k, v in labels.items() if k.rpartition("/")[2] in _OWNERS}
    if found:
        others = [each for each in others if found.items() <= each.items()]
    for key in sorted(labels, key=_telling):
        if found and not others:
            break
        left = [each for each in others if each.get(key) == labels[key]]
        if not found or len(left) < len(others):
            found[key] = labels[key]
            others = left
        if not others:
            break
    return found


def _telling(key: str) -> tuple[int, str]:
    """Rank label keys: names first, versions last."""
    if key in NAMING:
        return NAMING.index(key), key
    return (len(NAMING) + (key.rpartition("/")[2] in PASSING)), key
