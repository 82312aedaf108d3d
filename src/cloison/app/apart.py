"""Ends that an enforcer has besides pods, for questions that name them.

No object stands for them, so they are in no answer that nobody asked for them in.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from cloison.app.load import over
from cloison.base import Span
from cloison.dialects.cilium.inventory import apart
from cloison.resources.objects import Namespace
from cloison.resources.world import APART

if TYPE_CHECKING:
    from cloison.app.session import Session

_END = re.compile(re.escape(APART) + r"(?P<name>[a-z-]{1,32})(?:@(?P<node>[^:@/]{1,253}))?(?::.*)?")


def with_ends(session: "Session", texts: Iterable[str]) -> "Session":
    """Return a session that also has the ends that some texts name, as far as there are such.

    Args:
        session: The session.
        texts: Names of ends: `reserved:health@n1`, perhaps with a port.
    """
    found = {}
    for text in texts:
        said = _END.fullmatch(text)
        end = apart(said["name"], said["node"], session.profile) if said is not None else None
        if end is not None:
            found[end.id] = end
    if not found:
        return session
    workloads = dict(sorted({**session.world.workloads, **found}.items()))
    # They live in no namespace: one without a name or labels.
    nowhere = Namespace(APART, {}, Span("", 0, 0))
    namespaces = dict(sorted({**session.world.namespaces, APART: nowhere}.items()))
    return over(session, replace(session.world, workloads=workloads, namespaces=namespaces))
