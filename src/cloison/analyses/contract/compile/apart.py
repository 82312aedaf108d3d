"""What policies leave as it is: namespaces that nobody speaks of, and pods they do not apply to."""

from cloison.analyses.contract.compile.model import OPEN, UNGOVERNED, Notes
from cloison.analyses.contract.compile.naming import Order
from cloison.analyses.contract.compile.peers import on_host
from cloison.analyses.contract.compile.subjects import is_pods
from cloison.base import Severity
from cloison.base.words import few


def left_out(order: Order, spoken: frozenset[str], notes: Notes) -> None:
    """Note the namespaces without policies, and the pods that none applies to.

    Args:
        order: What is compiled.
        spoken: The namespaces that policies are written for.
        notes: Takes it.
    """
    pods = [each for each in order.clinic.engine.world.workloads.values() if is_pods(each)]
    homes = {each.id.namespace for each in pods}
    for home in sorted(homes - spoken) if not order.only else ():
        notes.say(
            UNGOVERNED,
            Severity.INFO,
            f"nothing is written for namespace {home}",
            "what its pods may do is as open as the policies that are there leave it",
            "place its workloads, under `workloads`",
        )
    hosts = [str(each.id) for each in pods if each.id.namespace in spoken and on_host(each)]
    if hosts:
        notes.say(
            OPEN,
            Severity.WARNING,
            f"policies do not apply to {few(hosts)}, on the network of the nodes",
            "what they do stays open, and they get no file",
        )


def stays_open(order: Order, spoken: frozenset[str], notes: Notes) -> None:
    """Note what the language cannot keep out of any pod.

    Args:
        order: What is compiled.
        spoken: The namespaces that policies are written for.
        notes: Takes it.
    """
    if order.words.outside_in or not spoken:
        return
    notes.say(
        OPEN,
        Severity.ERROR,
        f"{order.words.name} knows no peers outside the cluster on the way in",
        "what comes from outside, or from nodes, is not kept out: pods that Services of type "
        "LoadBalancer or NodePort lead to stay open to it",
        "compile to networkpolicy for that, and use this beside it",
    )
