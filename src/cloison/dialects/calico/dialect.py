"""Calico's row in the table of dialects."""

from cloison.dialects.calico.besides import besides
from cloison.dialects.calico.compile import compile_objects
from cloison.dialects.calico.decode import decode
from cloison.dialects.calico.model import CalicoObject
from cloison.dialects.calico.suspicious import notices, suspicious
from cloison.dialects.dialect import Dialect, later

DIALECT: Dialect[CalicoObject] = Dialect(
    name="calico",
    read=decode,
    compile=compile_objects,
    notices=notices,
    suspicious=suspicious,
    writer=later("cloison.dialects.calico.from_ir", "writer"),
    besides=besides,
)
