"""Connections of rows that tell both addresses and ports: one row for each."""

from operator import itemgetter
from typing import Final

import ibis
from ibis.expr.types import BooleanValue, Table

from cloison.flows.expressions.sides import END, any_of, carried, common, sided, where, words

_APART: Final = 1
"""Seconds between a denial and what was let through that make these two decisions. In less, one end
let go what the other denied, and their clocks differ; nobody asks again so soon."""

_LATE: Final = 10
"""Seconds by which a source may write later what it let through than what it denied."""

_RANKS: Final = {"let_go": 1, "error": 2, "settled": 3, "audited": 4, "undated": 5}
"""What rows say of their connection, besides when it was denied; the higher counts."""

_RANKED: Final = ((5, "denied"), (4, "audited"), (3, "allowed"), (2, "error"), (1, "unknown"))
"""What that makes of it."""

_SURE: Final = {"inferred": 2, "known": 4}
"""How surely a row says who opened; one less where it was denied, as that may be a reply."""


_EITHER: Final = 2
"""What got through, by an end of which nobody knows whether it asked or answered."""


def paired(flows: Table) -> Table:
    """Return connections of flows that tell both addresses and ports.

    Args:
        flows: The flows; where an address had several holders, with the columns of `holders.apart`.
    """
    turns = ("one_turn", "two_turn") if "src_turn" in flows.columns else ()
    flip = (flows.src_ip > flows.dst_ip) | (
        (flows.src_ip == flows.dst_ip) & (flows.src_port > flows.dst_port)
    )
    by_one = flip == flows.turned  # the end that sorts first has opened
    asked = ~flows.turned
    said = words(flows)
    said["undated"] = said["denied"] & flows.time.isnull()
    denied, settled = said["denied"], said["settled"]
    sure = ibis.cases(
        *(
            (flows.initiator == how, denied.ifelse(weight - 1, weight))
            for how, weight in _SURE.items()
        ),
        else_=0,
    ).cast("int8")
    nobody = ibis.literal(0, "int8")
    ranks = sorted(_RANKS.items(), key=itemgetter(1), reverse=True)
    rank = ibis.cases(*((said[word], number) for word, number in ranks), else_=0)
    passed = flows.verdict == "allowed"
    # Where nobody knows who asks, the way back is not turned.
    either = (flows.initiator == "unknown").ifelse(_EITHER, 1)
    went = (passed | carried(flows)).ifelse(either, 0).cast("int8")
    rows = flows.select(
        "adapter",
        "hour",
        "proto",
        "time",
        "last",
        "observer",
        "bytes",
        "count",
        "sample_rate",
        "obs_id",
        *sided(flows, lambda end, other: flip.ifelse(other, end)),
        **{
            f"{side}_turn": flip.ifelse(flows[f"{other}_turn"], flows[f"{end}_turn"])
            for side, end, other in (("one", "src", "dst"), ("two", "dst", "src"))
            if turns
        },
        sure_one=by_one.ifelse(sure, nobody),
        sure_two=by_one.ifelse(nobody, sure),
        rank=rank.cast("int8"),
        denied=denied,
        denied_one=denied & by_one,
        denied_two=denied & ~by_one,
        passed_one=passed & by_one,
        passed_two=passed & ~by_one,
        went_one=by_one.ifelse(went, nobody),
        went_two=by_one.ifelse(nobody, went),
        settled=settled,
        refused=said["refused"],
        svc_ns=asked.ifelse(flows.svc_ns, ibis.null("string")),
        svc_name=asked.ifelse(flows.svc_name, ibis.null("string")),
        svc_port=asked.ifelse(flows.svc_port, ibis.null("int32")),
        name=asked.ifelse(flows["name"], ibis.null("string")),
    )
    key = ["adapter", "hour", "proto", "one_ip", "one_port", "two_ip", "two_port", *turns]
    found = rows.group_by(key).agg(
        **{
            f"{side}_{column}": any_of(rows, f"{side}_{column}", column)
            for side in ("one", "two")
            for column in END
            if column != "ip"
        },
        **{
            word: where(rows[word], rows["time"]).min()
            for word in ("denied_one", "denied_two", "passed_one", "passed_two")
        },
        denied_last=where(rows.denied, rows["last"]).max(),
        settled_first=where(rows.settled, rows["time"]).min(),
        settled_last=where(rows.settled, rows["last"]).max(),
        sure_one=rows.sure_one.max(),
        sure_two=rows.sure_two.max(),
        went_one=rows.went_one.max(),
        went_two=rows.went_two.max(),
        rank=rows["rank"].max(),
        count=rows["count"].max(),
        refused=rows.refused.sum().cast("int64"),
        **common(rows),
    )
    answered = (
        (ibis.least(found.went_one, found.went_two) > 0)
        & (ibis.greatest(found.went_one, found.went_two) == _EITHER)
        & (found.one_port != found.two_port)
    )
    rank = ibis.greatest(found["rank"], answered.ifelse(_RANKS["settled"], 0))
    return _decided(found.mutate(rank=rank.cast("int8")))


def _decided(found: Table) -> Table:
    """Return connections of what is known of two ends: one, or what was denied and what was not."""
    reply_one, reply_two = _replies(found, "one", "two"), _replies(found, "two", "one")
    weak = [weight - 1 for weight in _SURE.values()]
    found = found.mutate(
        one=(reply_one & found.sure_one.isin(weak)).ifelse(0, found.sure_one),
        two=(reply_two & found.sure_two.isin(weak)).ifelse(0, found.sure_two),
        denied_one=reply_one.ifelse(ibis.null(found.denied_one.type()), found.denied_one),
        denied_two=reply_two.ifelse(ibis.null(found.denied_two.type()), found.denied_two),
        # A reply is no request: no policy was asked about it.
        rank=ibis.greatest(found["rank"], (reply_one | reply_two).ifelse(_RANKS["error"], 0)),
    )
    known_one, known_two = found.one > _SURE["inferred"], found.two > _SURE["inferred"]
    sure_one, sure_two = known_one & ~known_two, known_two & ~known_one
    guess = ~known_one & ~known_two
    maybe_one = guess & (found.one > 0) & (found.two == 0)
    maybe_two = guess & (found.two > 0) & (found.one == 0)
    from_two = sure_two | maybe_two
    oriented = sure_one | sure_two | maybe_one | maybe_two
    denied = found.denied_one.notnull() | found.denied_two.notnull()
    denied_first = ibis.least(
        ibis.coalesce(found.denied_one, found.denied_two),
        ibis.coalesce(found.denied_two, found.denied_one),
    )
    apart = ibis.interval(seconds=_APART)
    later = found.settled_last >= found.denied_last + apart
    earlier = found.settled_first + apart <= denied_first
    both = denied & (later | earlier).fill_null(False)
    otherwise = found["rank"].cases(*_RANKED, else_=(found.refused > 0).ifelse("denied", "unknown"))
    one = denied.ifelse("denied", otherwise)
    found = found.mutate(
        both=both,
        denied_first=denied_first,
        verdict=both.ifelse(ibis.array([otherwise, "denied"]), ibis.array([one])).unnest(),
    )
    refusal, both = found.verdict == "denied", found.both
    first = both.ifelse(refusal.ifelse(found.denied_first, found.settled_first), found["first"])
    last = both.ifelse(refusal.ifelse(found.denied_last, found.settled_last), found["last"])
    halfway = (found.verdict == "unknown") & (found["rank"] == _RANKS["let_go"])
    # What passed is what carried anything.
    second = both & refusal
    return found.select(
        "adapter",
        "hour",
        window=(first.truncate("m").epoch_seconds() // 300).cast("int64"),
        proto=found.proto,
        **{
            f"{side}_{column}": from_two.ifelse(
                found[f"{there}_{column}"], found[f"{here}_{column}"]
            )
            for side, here, there in (("src", "one", "two"), ("dst", "two", "one"))
            for column in END
        },
        src_port=oriented.ifelse(
            from_two.ifelse(found.two_port, found.one_port), ibis.null("int32")
        ).cast("int32"),
        # Of two ends of which nobody knows who opened, neither port is the one to allow.
        port=oriented.ifelse(
            from_two.ifelse(found.one_port, found.two_port), ibis.null("int32")
        ).cast("int32"),
        icmp_type=ibis.null("int32"),
        svc_ns=found.svc_ns,
        svc_name=found.svc_name,
        svc_port=found.svc_port,
        dst_name=found.dst_name,
        verdict=found.verdict,
        initiator=ibis.cases(
            (sure_one | sure_two, "known"), (maybe_one | maybe_two, "inferred"), else_="unknown"
        ),
        count=found["count"],
        halfway=halfway.ifelse(found["count"], 0).cast("int64"),
        refused=second.ifelse(0, found.refused).cast("int64"),
        first=first,
        last=last,
        bytes=second.ifelse(0, found.bytes).cast("int64"),
        sample_rate=found.sample_rate,
        sample=found["sample"],
    )


def _replies(found: Table, side: str, other: str) -> BooleanValue:
    """Return whether what was denied to a side was an answer to what it had been asked.

    A source that forgets connections, or cleans up after them, asks its policies about replies too
    (aws/aws-network-policy-agent#462). Where both ports are the same, either may have asked.
    """
    late = ibis.interval(seconds=_LATE)
    after = found[f"denied_{side}"] + late >= found[f"passed_{other}"]
    here, there = found[f"sure_{side}"], found[f"sure_{other}"]
    weaker = (here < there) | ((here == 0) & (there == 0))
    return after.fill_null(False) & weaker & (found.one_port != found.two_port)
