"""Cilium's row in the table of dialects."""

from cloison.dialects.cilium.compile import beside, compile_objects
from cloison.dialects.cilium.decode import decode
from cloison.dialects.cilium.inventory import tells
from cloison.dialects.cilium.model import CiliumObject
from cloison.dialects.cilium.notices import notices
from cloison.dialects.dialect import Dialect, later

DIALECT: Dialect[CiliumObject] = Dialect(
    name="cilium",
    read=decode,
    compile=compile_objects,
    compile_among=compile_objects,
    notices=notices,
    suspicious=later("cloison.dialects.cilium.suspicious", "suspicious"),
    tells=tells,
    beside=beside,
    create=later("cloison.dialects.cilium.propose", "create"),
    makes=("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    writer=later("cloison.dialects.cilium.from_ir", "writer"),
)
