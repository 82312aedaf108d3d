"""Conformance rows as packets: what to send for each, and in which lab."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import product

import msgspec

from cloison.algebra import address_text, family_of, parse_address
from cloison.analyses.ends import AddressEnd, ServiceEnd
from cloison.app import Session
from cloison.app.apart import with_ends
from cloison.probe.lab.plan import Ask, Plan, Probe
from tests.conformance.cases import Row
from tests.lab.built import built
from tests.lab.judge import Places
from tests.lab.rows import PING, Asked, reason, session_of

UNANSWERED = "what is not tracked is let in and gets no answer: nobody sees that it arrived"
NOWHERE = "the lab has no such end"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is sent for a row.

    Args:
        asked: The row.
        probes: What to send, for each family and pod that is meant.
        arrives: Whether the target answers.
    """

    asked: Asked
    probes: tuple[Probe, ...]
    arrives: bool

    def wrong(self, outcome: str) -> bool:
        """Whether what came of a probe is not what the case says.

        A proxy refuses with words, and packet filters without.
        """
        answer, refused = self.asked.row.answer, outcome == "forbidden"
        if answer and refused is not (answer == "L7_DENY"):
            return True
        return (outcome in ("open", "refused")) is not self.arrives

    @property
    def older(self) -> bool:
        """Whether it is about connections that were open before the policies were there."""
        return self.asked.row.state == "established"


@dataclass(frozen=True, slots=True)
class Round:
    """Rows about one world under the same policies.

    Args:
        plan: What is built.
        rows: The rows.
    """

    plan: Plan
    rows: tuple[Expected, ...]

    @property
    def bare(self) -> Plan:
        """What is built, whatever the policies: rounds that have this in common share a lab."""
        return msgspec.structs.replace(self.plan, rulesets={}, proxies={})


@dataclass(frozen=True, slots=True)
class Sorted:
    """Every row, by whether packets can express it.

    Args:
        rounds: Those that they can.
        left_out: Those that they cannot, by why.
    """

    rounds: tuple[Round, ...]
    left_out: Counter[str]


def sort(rows: Iterable[Asked]) -> Sorted:
    """Sort rows, and find out what to send for them."""
    by_snapshot: dict[tuple[str, str, str, str, bool], list[Asked]] = defaultdict(list)
    left_out: Counter[str] = Counter()
    outside: dict[str, list[str]] = defaultdict(list)
    for asked in rows:
        why = reason(asked)
        if why is not None:
            left_out[why] += 1
            continue
        by_snapshot[asked.snapshot].append(asked)
        # Worlds that differ in nothing but policies have the same hosts around them.
        texts = filter(_is_address, (asked.row.src, asked.row.dst))
        outside[asked.case.world] += (address_text(parse_address(text)) for text in texts)
    rounds = []
    for snapshot, members in by_snapshot.items():
        around = sorted(set(outside[members[0].case.world]))
        file, case, step, profile, staged = snapshot
        ends = {end for each in members for end in (each.row.src, each.row.dst)}
        declared = with_ends(session_of(file, case, step, profile), sorted(ends))
        # What replicas of one workload say to each other takes two of them.
        twice = [e.row.src for e in members if e.row.src == e.row.dst]
        session, plan = built(declared, around, twice, staged=staged)
        places = Places(session, plan)
        told = []
        for asked in members:
            found = _expected(asked, session, places, plan)
            if isinstance(found, Expected):
                told.append(found)
            else:
                left_out[found] += 1
        if told:
            rounds.append(Round(plan, tuple(told)))
    return Sorted(tuple(rounds), left_out)


def _is_address(text: str) -> bool:
    try:
        return not ip_address(text).is_loopback
    except ValueError:
        return False


def _expected(asked: Asked, session: Session, places: Places, plan: Plan) -> Expected | str:
    """Return what is sent for a row, or why nothing is."""
    row = asked.row
    if row.verdict == "allowed" and _unanswered(asked, session):
        return UNANSWERED
    families = (row.family,) if row.family else (4, 6)
    if row.on in PING:
        families = (4,)  # the other family has messages of its own
    probes = tuple(
        probe for family in families for probe in _probes(asked, session, places, plan, family)
    )
    if not probes:
        return NOWHERE
    return Expected(asked, probes, row.verdict == "allowed")


def _unanswered(asked: Asked, session: Session) -> bool:
    """Whether a connection is let in whose answers are not let out."""
    if all(rule.tracked for policy in session.policies.policies for rule in policy.rules):
        return False
    row = asked.row
    port, protocol = _traffic(row.on)
    answer = session.why(row.src, row.dst, port=port, protocol=protocol, state="reply")
    return row.state == "new" and str(answer.verdict) == "denied"


def _traffic(on: str) -> tuple[str, str | None]:
    protocol, _, rest = on.partition("/")
    return (on.lower(), None) if protocol == "ICMP" else (rest, protocol)


def _probes(
    asked: Asked, session: Session, places: Places, plan: Plan, family: int
) -> Iterator[Probe]:
    """Yield what is sent in one family: from every pod that is meant, to every one."""
    row = asked.row
    protocol, _, port = row.on.partition("/")
    sources = _at(row.src, session, places, plan, family)
    targets = _at(row.dst, session, places, plan, family)
    for source, target in product(sources, targets):
        if source == target and len(sources) > 1:
            # Of like pods, two different ones are meant.
            continue
        number = 0 if protocol == "ICMP" else _number(port, places, row.dst)
        yield Probe(
            places.station(source) or "",
            address_text(source),
            address_text(target),
            protocol,
            number,
            ask=_ask(row),
        )


def _ask(row: Row) -> Ask | None:
    """Return the request that a row is about, what it does not say made up."""
    if not (row.http or row.host or row.headers):
        return None
    method, _, path = (row.http or "GET /").partition(" ")
    headers = tuple((name, value) for name, _, value in (h.partition(": ") for h in row.headers))
    return Ask(method, path, row.host or "lab.example.com", headers)


def _at(text: str, session: Session, places: Places, plan: Plan, family: int) -> list[int]:
    """Return the addresses of one family that an end has: of each pod that is meant, one."""
    end = session.names.end(text)
    if isinstance(end, ServiceEnd):
        name = f"{end.service.namespace}/{end.service.name}"
        found = [a for each in plan.services if each.name == name for a in each.addresses]
        points = list(map(parse_address, found))
    elif isinstance(end, AddressEnd) and end.loopback:
        points = [parse_address(text)]
    elif getattr(end, "family", None) in (None, family):
        points = places.addresses(text, family)
    else:
        points = []
    return [point for point in points if family_of(point) == family]


def _number(port: str, places: Places, target: str) -> int:
    if port.isdecimal():
        return int(port)
    return next(p.number for p in places.ports(target) if p.name == port)
