"""The words that ends are named with, and what to say where a word names nothing."""

from collections.abc import Iterable
from difflib import get_close_matches

from cloison.base.words import begun

KINDS = {
    "po": "Pod",
    "pod": "Pod",
    "deploy": "Deployment",
    "deployment": "Deployment",
    "sts": "StatefulSet",
    "statefulset": "StatefulSet",
    "ds": "DaemonSet",
    "daemonset": "DaemonSet",
    "rs": "ReplicaSet",
    "replicaset": "ReplicaSet",
    "rc": "ReplicationController",
    "replicationcontroller": "ReplicationController",
    "job": "Job",
    "cj": "CronJob",
    "cronjob": "CronJob",
}
"""kubectl's names for kinds with pods, long and short, in lower case; plurals work too."""

FORMS = (
    "write NAMESPACE/NAME, NAMESPACE/KIND/NAME, NAME with -n, an address or block, "
    "node:NAME, svc:NAMESPACE/NAME, gw:NAMESPACE/NAME, dns:NAME or any:"
)
"""How ends are named, for whoever wrote something else."""


def unknown(what: str, text: str, known: Iterable[str]) -> tuple[str, str]:
    """Return a message and a help for something that is not there.

    Args:
        what: What is not there, for the message.
        text: Its name.
        known: The names that there are.
    """
    names = sorted(known)
    close = get_close_matches(text, names, n=3, cutoff=0.6)
    if close:
        return f"there is no {what}", f"did you mean {' or '.join(close)}?"
    return f"there is no {what}", f"known: {begun(names)}" if names else "the source holds none"
