"""`map --tiers` as published: what each stage of evaluation decides."""

from collections.abc import Iterator, Sequence

from cloison.analyses.tiers import StageKind, Tiers
from cloison.ir.policy import Direction
from cloison.report.about import About
from cloison.report.documents import parts


class Stage(parts.Base, frozen=True):
    """For how many pairs a stage of evaluation does what, with some of their traffic.

    `kind` is `tier`, with its name; `default`, what holds where no tier decided; `builtin`, rules
    of the enforcer itself; or `opaque`, policies that could not be understood. `undetermined`
    counts pairs of which nobody can say what the stage does. A pair is counted wherever it fits.
    """

    direction: Direction
    layer: str
    kind: StageKind
    name: str | None
    comes: int
    allows: int
    denies: int
    undetermined: int
    goes_on: int


class Handover(parts.Base, frozen=True):
    """What tiers before the first one with policies of namespaces leave to it, in pairs."""

    direction: Direction
    tier: str
    whole: int
    partly: int
    nothing: int


class Pairs(parts.Base, frozen=True):
    """How many pairs are decided by the policies of their source, and of their destination."""

    egress: int
    ingress: int


class TiersDocument(parts.Envelope, frozen=True):
    """Which tier decides about how many pairs, and what it leaves to the next.

    A pair is two different workloads, or a workload and the outside, in one order. Only TCP, UDP
    and SCTP count.
    """

    caveats: list[parts.CaveatSaid]
    pairs: Pairs
    stages: list[Stage]
    left_to_namespaces: list[Handover]


DOCUMENT = TiersDocument


def document(result: Tiers, about: About) -> TiersDocument:
    """Return the count as published."""
    return TiersDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        caveats=parts.caveats(result.caveats),
        pairs=Pairs(egress=result.pairs[Direction.EGRESS], ingress=result.pairs[Direction.INGRESS]),
        stages=list(_stages(result)),
        left_to_namespaces=[
            Handover(
                direction=each.direction,
                tier=each.tier,
                whole=each.whole,
                partly=each.partly,
                nothing=each.nothing,
            )
            for each in result.handovers
        ],
    )


def _stages(result: Tiers) -> Iterator[Stage]:
    for each in result.counts:
        yield Stage(
            direction=each.direction,
            layer=result.layers[each.stage.layer],
            kind=each.stage.kind,
            name=each.stage.name or None,
            comes=each.comes,
            allows=each.allows,
            denies=each.denies,
            undetermined=each.undetermined,
            goes_on=each.goes_on,
        )


HEADER = (
    "direction",
    "layer",
    "kind",
    "name",
    "comes",
    "allows",
    "denies",
    "undetermined",
    "goesOn",
)


def rows(result: Tiers) -> Iterator[Sequence[object]]:
    """Iterate over the stages, one row each."""
    for each in _stages(result):
        yield (
            each.direction,
            each.layer,
            each.kind,
            each.name or "",
            each.comes,
            each.allows,
            each.denies,
            each.undetermined,
            each.goes_on,
        )
