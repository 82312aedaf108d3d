"""Which records are lost on the way."""

from random import Random

from cloison.flows.generator.model import Connection, Plan


def lost(plan: Plan, connection: Connection, record: str) -> bool:
    """Return whether a record about a connection is lost; the same whenever it is asked."""
    if not plan.loss:
        return False
    return Random(f"{plan.seed}/lost/{connection.serial}/{record}").random() < plan.loss
