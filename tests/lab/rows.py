"""Rows of the conformance cases, and why some of them cannot be tried with packets."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from cloison.app import Session, load_texts
from cloison.ir.profile import Profile
from tests.conformance.cases import Case, Row, cases
from tests.conformance.test_conformance import _profile, _version

FILES = (
    "networkpolicy",
    "adminpolicy",
    "adminpolicy-v1alpha1",
    "calico",
    "calico-fields",
    "cilium",
    "cilium-fields",
    "cilium-networkpolicy",
    "cilium-open",
    "cilium-requests",
    "cilium-state",
    "published-cilium",
)
_JUDGED = "it is about what an API server takes, and asks about no traffic"
EXCLUDED = {
    "adminpolicy-validation": _JUDGED,
    "calico-selectors": "it is about which selectors can be read, and asks about no traffic",
    "calico-validation": _JUDGED,
    "cilium-validation": _JUDGED,
    "networkpolicy-validation": _JUDGED,
}
"""Files of cases that are not tried with packets, and why."""
PING = ("ICMP/8/0",)

NO_TRAFFIC = "it asks about an object, and not about traffic"
UNKNOWN = "the answer is that nobody can say"
SEVERAL = "the question has several answers"
LOOKED_UP = "it is about a name that is looked up, and no proxy here reads such queries"
REWRITTEN = "whether the client's address is rewritten is for the load balancer to say"
WITHOUT_ADDRESS = "it is about a pod without an address, and in a lab every pod has one"
REDIRECTED = "a redirect to a pod of the own node, before policies look, is in no lab"
MESSAGE = "probes send no other ICMP message than an echo request"
PROTOCOL = "probes send TCP, UDP, SCTP and ICMP only"


@dataclass(frozen=True, slots=True)
class Asked:
    """A row, under one enforcer.

    Args:
        file: The file it is in.
        case: The case it is of.
        row: The row.
        number: Which of the case.
        profile: Who enforces.
    """

    file: str
    case: Case
    row: Row
    number: int
    profile: str

    @property
    def snapshot(self) -> tuple[str, str, str, str, bool]:
        """What rows have in common that are about one world under the same policies."""
        return self.file, self.case.id, self.row.step, self.profile, self.row.staged

    def __str__(self) -> str:
        """Name the row as other tests do."""
        return f"{self.case.id}-{self.number} under {self.profile}"


def every_row() -> Iterator[Asked]:
    """Yield the rows of every case, once for each enforcer they are asked under."""
    for file in FILES:
        for case in cases(file):
            for number, row in enumerate(case.rows, 1):
                for name in case.under or (row.profile,):
                    if not case.under or row.profile in ("generic", name):
                        yield Asked(file, case, row, number, name)


@cache
def session_of(file: str, case_id: str, step: str, profile: str) -> Session:
    """Return what rows are asked of."""
    (case,) = [case for case in cases(file) if case.id == case_id]
    judge: Profile = _profile(case, profile)
    return load_texts(
        case.texts(step),
        profile=judge,
        kubernetes=_version(case.kubernetes),
        field_validation="warn",
        **case.told(step),
    )


def _not_known(asked: Asked) -> bool:
    return asked.row.verdict == "undetermined"


def _several(asked: Asked) -> bool:
    return asked.row.verdict == "mixed"


def _no_traffic(asked: Asked) -> bool:
    return asked.row.asks != "traffic"


def _looked_up(asked: Asked) -> bool:
    return bool(asked.row.dns)


def _rewritten(asked: Asked) -> bool:
    return "SNAT" in (asked.row.caveats or ())


def _without_address(asked: Asked) -> bool:
    return "POD_ADDRESS_UNKNOWN" in (asked.row.caveats or ())


def _redirected(asked: Asked) -> bool:
    return "kind: CiliumLocalRedirectPolicy" in asked.case.objects


def _other_message(asked: Asked) -> bool:
    return asked.row.on.startswith("ICMP") and asked.row.on not in PING


def _other_protocol(asked: Asked) -> bool:
    return asked.row.on.isdecimal()


WITHOUT_PACKETS: Mapping[str, Callable[[Asked], bool]] = MappingProxyType(
    {
        NO_TRAFFIC: _no_traffic,
        UNKNOWN: _not_known,
        SEVERAL: _several,
        LOOKED_UP: _looked_up,
        REWRITTEN: _rewritten,
        WITHOUT_ADDRESS: _without_address,
        REDIRECTED: _redirected,
        MESSAGE: _other_message,
        PROTOCOL: _other_protocol,
    }
)
"""Rows that packets cannot express, by the reason."""


def reason(asked: Asked) -> str | None:
    """Return why a row cannot be tried with packets; None where it can."""
    return next((why for why, holds in WITHOUT_PACKETS.items() if holds(asked)), None)
