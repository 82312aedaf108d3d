"""Parts of what `reconcile` publishes."""

from cloison.analyses.reconcile.kinds import Kind, State
from cloison.analyses.reconcile.marks import Status
from cloison.analyses.reconcile.sources import Sort
from cloison.ir.fidelity import Verdict
from cloison.report.documents import parts


class Observed(parts.Base, frozen=True):
    """What flows say: connections, when the first and the last of them was seen, and who tells.

    `other` are those of which nobody knows what became, `audited` those that would have been
    stopped by a policy that is not enforced, `ambiguous` those besides with an address that
    several held at that time. Of `closed` cells all that got through did so before the first that
    was stopped.
    """

    allowed: int
    denied: int
    audited: int
    other: int
    ambiguous: int
    first: str | None
    last: str | None
    adapters: list[str]
    closed: bool


class Intention(parts.Base, frozen=True):
    """Why traffic is intended: an entry of the contract, or what the cluster does (`implied`)."""

    name: str
    owner: str | None
    implied: bool
    place: parts.Place | None


class DecidedBy(parts.Base, frozen=True):
    """What decides: a rule, isolation, or a default."""

    text: str
    policy: parts.PolicyRef | None
    rule: int | None
    place: parts.Place | None


class CellSaid(parts.Base, frozen=True):
    """Traffic between two ends of which the three relations say the same.

    `permitted` is `partly` where it is for some pods or addresses only. `conditional` traffic is
    permitted with some requests only. `observed` is null where no flow tells of it; where it is
    healthy then, its entry was seen at the other source it may have, a node or a client. `covered`
    says whether any source tells of one of its ends. `why` are the arguments with which
    `cloison why` shows it, null where it cannot be asked. Where some addresses are denied and no
    question covers both, `denied` is a part that is, and `decidedBy` and `why` are about that.
    """

    kind: Kind
    src: parts.Endpoint
    dst: parts.Endpoint
    src_name: str
    dst_name: str
    traffic: list[parts.Traffic]
    permitted: State
    conditional: bool
    intended: list[Intention]
    observed: Observed | None
    covered: bool
    decided_by: list[DecidedBy]
    caveats: list[str]
    denied: str | None
    why: list[str] | None


class Excess(parts.Base, frozen=True):
    """What is permitted, neither intended nor observed: every source to every other destination.

    Whether it is used is not known where it is `unobserved`: no source tells of these ends, some
    flows were lost, or there are none. Where it is of `itself`, each source may call pods of its
    own, and no other destination. `decidedBy` names what lets a few of the pairs through, `why`
    are the arguments with which `cloison why` shows one of them, null where it cannot be asked.
    """

    src: list[parts.Endpoint]
    dst: list[parts.Endpoint]
    verdict: Verdict
    traffic: list[parts.Traffic]
    unobserved: bool
    itself: bool
    decided_by: list[DecidedBy]
    caveats: list[str]
    why: list[str] | None


class AssumedSource(parts.Base, frozen=True):
    """A source that the path model assumes, and what flows say of it.

    It is `refuted` where it was never seen, and others were that could be the same connections:
    these are in `instead`, and `called` names a few of them.
    """

    sort: Sort
    status: Status
    src: str
    dst: str
    traffic: list[parts.Traffic]
    of: str
    because: str
    place: parts.Place | None
    observed: Observed | None
    instead: Observed | None
    called: list[str]


class Reach(parts.Base, frozen=True):
    """How many workloads are reached: on average over who may start, at most, and by whom."""

    mean: float
    worst: int
    of: str | None


class Measures(parts.Base, frozen=True):
    """Least privilege in numbers.

    Counted are (source, destination, port) between workloads. `possible` is every port that a
    destination declares, from everybody else, and what is open at ports that it does not declare
    and to which connections got through; `admitted` is what of that is permitted. `permitted` is
    that and what is open at other ports that rules name; `needed` is what of it is meant or used.
    `excess` is the share of `permitted` that is not needed, `segmentedness` the share of `possible`
    that is not admitted. `portsPermitted` and `portsNeeded` are ports for each pair that has any;
    `toData` says from how many workloads those that keep data are reached; all on average.
    """

    workloads: int
    possible: int
    admitted: int
    permitted: int
    needed: int
    excess: float
    segmentedness: float
    ports_permitted: float
    ports_needed: float
    one_hop: Reach
    any_hops: Reach
    from_outside: int
    from_outside_any_hops: int
    data: int
    to_data: float
    to_data_any_hops: float


class Stray(parts.Base, frozen=True):
    """An observed edge that is in no cell, and why."""

    src: str
    dst: str
    protocol: str | None
    port: int | None
    verdict: str
    count: int
    why: str


class Missing(parts.Base, frozen=True):
    """An entry of the contract, or a part of one, that means nothing here."""

    name: str
    why: str
    help: str | None


class Loss(parts.Base, frozen=True):
    """What a source says it lost; of samples, one of `sampled` was recorded.

    A `gap` is a time of which a source tells nothing, though it tells of much in other hours; its
    `reason` is the source. What was lost on a `node` counts for workloads with pods there; for all
    where it is null, or where nobody knows who has.
    """

    events: int
    reason: str
    node: str | None
    sampled: int
    since: str | None
    until: str | None
    gap: bool


class Flows(parts.Base, frozen=True):
    """Where flows are from, when they count, how many connections they tell of, what was lost.

    `names` are those whose addresses are taken from flows, as nobody else says them.
    """

    store: str
    adapters: list[str]
    since: str | None
    until: str | None
    connections: int
    lost: list[Loss]
    names: list[str]


class Counts(parts.Base, frozen=True):
    """How many cells there are of each kind, whichever of them are told."""

    contradicted: int
    broken: int
    attempted: int
    undocumented: int
    undetermined: int
    unused: int
    unobserved: int
    healthy: int
