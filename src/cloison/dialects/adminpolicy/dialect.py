"""The row of the Network Policy API in the table of dialects."""

from collections.abc import Sequence

from cloison.base import Diagnostic
from cloison.dialects.adminpolicy.compile import compile_policies
from cloison.dialects.adminpolicy.decode import decode
from cloison.dialects.adminpolicy.model import Object
from cloison.dialects.adminpolicy.suspicious import suspicious
from cloison.dialects.dialect import Dialect, later


def _notices(policies: Sequence[Object]) -> list[Diagnostic]:
    """Nothing: what everybody must know is said by `decode` and `compile`."""
    del policies
    return []


DIALECT: Dialect[Object] = Dialect(
    name="adminpolicy",
    read=decode,
    compile=compile_policies,
    notices=_notices,
    suspicious=suspicious,
    writer=later("cloison.dialects.adminpolicy.from_ir", "writer"),
)
