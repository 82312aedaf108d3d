"""NetworkPolicy's row in the table of dialects."""

from collections.abc import Sequence

from cloison.base import Diagnostic
from cloison.dialects.dialect import Dialect
from cloison.dialects.networkpolicy import propose
from cloison.dialects.networkpolicy.compile import compile_policies
from cloison.dialects.networkpolicy.decode import decode
from cloison.dialects.networkpolicy.from_ir import WRITER
from cloison.dialects.networkpolicy.model import NetworkPolicy
from cloison.dialects.networkpolicy.suspicious import suspicious


def _notices(policies: Sequence[NetworkPolicy]) -> list[Diagnostic]:
    """Nothing: everything there is to say is said of a single object, by `decode`."""
    del policies
    return []


DIALECT: Dialect[NetworkPolicy] = Dialect(
    name="networkpolicy",
    read=decode,
    compile=compile_policies,
    notices=_notices,
    suspicious=suspicious,
    create=propose.create,
    amend=propose.amend,
    fragment=propose.fragment,
    writer=WRITER,
)
