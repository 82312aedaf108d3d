"""NetworkPolicy's row in the table of dialects."""

from collections.abc import Sequence

from cloison.base import Diagnostic
from cloison.dialects.dialect import Dialect, later
from cloison.dialects.networkpolicy.compile import compile_policies
from cloison.dialects.networkpolicy.decode import decode
from cloison.dialects.networkpolicy.model import NetworkPolicy
from cloison.dialects.networkpolicy.plain import read_plain

_PROPOSE = "cloison.dialects.networkpolicy.propose"


def _notices(policies: Sequence[NetworkPolicy]) -> list[Diagnostic]:
    """Nothing: everything there is to say is said of a single object, by `decode`."""
    del policies
    return []


DIALECT: Dialect[NetworkPolicy] = Dialect(
    name="networkpolicy",
    read=decode,
    compile=compile_policies,
    notices=_notices,
    suspicious=later("cloison.dialects.networkpolicy.suspicious", "suspicious"),
    create=later(_PROPOSE, "create"),
    amend=later(_PROPOSE, "amend"),
    fragment=later(_PROPOSE, "fragment"),
    rewrite=later(_PROPOSE, "rewrite"),
    plain=read_plain,
    writer=later("cloison.dialects.networkpolicy.from_ir", "writer"),
)
