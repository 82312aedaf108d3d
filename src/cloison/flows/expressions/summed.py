"""Connections of rows that tell less than both addresses and ports, summed.

Either end sees requests, and the answers to them: these are the same connections four times over,
and some records are of the way in and out of one node. So they are counted apart by who saw which,
and come to as many as whoever saw most of them.
"""

from typing import Final

import ibis
from ibis.expr.types import BooleanValue, Table, Value

from cloison.flows.expressions.sides import END, any_of, carried, common, sided, where, words

_WHO: Final = ("cluster", "ns", "name", "at", "sort", "unnamed")
"""What an end is, whoever tells of it: columns without their side."""

_SEEN: Final = ("observer", "direction", "turned")
"""By whom a connection is seen once."""

_VERDICTS: Final = ("denied", "audited", "allowed", "error", "unknown")
_COUNTED: Final = (
    "denied",
    "refused",
    "audited",
    "error",
    "settled",
    "let_go",
    "mute",
    "sent",
)


def summed(flows: Table) -> Table:
    """Return connections of rows that tell less: as many as the side that saw more of them says."""
    turned = flows.turned
    echo = flows.icmp_type.cases((0, 8), (129, 128), else_=flows.icmp_type).cast("int32")
    rows = flows.select(
        "adapter",
        "hour",
        "window",
        "proto",
        "initiator",
        "time",
        "last",
        *_SEEN,
        "bytes",
        "count",
        "sample_rate",
        "obs_id",
        "name",
        *sided(flows, lambda end, other: turned.ifelse(other, end)),
        icmp=turned.ifelse(echo, flows.icmp_type).cast("int32"),
        svc_ns=turned.ifelse(ibis.null("string"), flows.svc_ns),
        svc_name=turned.ifelse(ibis.null("string"), flows.svc_name),
        svc_port=turned.ifelse(ibis.null("int32"), flows.svc_port),
        mute=(flows.verdict == "unknown") & ~carried(flows),
        sent=carried(flows) & ~turned,
        **words(flows),
    )
    key = ["adapter", "hour", "window", "proto", "initiator", "icmp"]
    key += [f"{side}_{column}" for side in ("one", "two") for column in _WHO]
    rows = rows.mutate(**_who(rows, "one"), **_who(rows, "two"))
    known = rows.initiator != "unknown"
    rows = rows.mutate(port=known.ifelse(rows.two_port, ibis.null("int32")))
    key.append("port")
    found = _counted(_by_whom(rows, key), key)
    number = found.verdict.cases(
        *((verdict, found[f"{verdict}_number"]) for verdict in _VERDICTS), else_=0
    )
    return found.filter(number > 0).select(
        "adapter",
        "hour",
        "window",
        "proto",
        **{
            f"{side}_{column}": found[f"{here}_{column}"]
            for side, here in (("src", "one"), ("dst", "two"))
            for column in END
        },
        src_port=ibis.null("int32"),
        port=found.port.cast("int32"),
        icmp_type=found.icmp.cast("int32"),
        svc_ns=found.svc_ns,
        svc_name=found.svc_name,
        svc_port=found.svc_port,
        dst_name=found.dst_name,
        verdict=found.verdict,
        initiator=found.initiator,
        count=number.cast("int64"),
        halfway=(found.verdict == "unknown").ifelse(found.halfway, 0).cast("int64"),
        refused=found.refused,
        **{
            column: ibis.coalesce(
                found.verdict.cases(*((each, found[f"{each}_{column}"]) for each in _VERDICTS)),
                found[column],
            )
            for column in ("first", "last")
        },
        bytes=found.bytes,
        sample_rate=found.sample_rate,
        sample=found["sample"],
    )


def _by_whom(rows: Table, key: list[str]) -> Table:
    """Return rows summed by who saw them, in the columns of rows."""
    examples = ("last", "sample_rate", "obs_id", "svc_ns", "svc_name", "svc_port")
    return rows.group_by([*key, *_SEEN]).agg(
        **{word: rows[word].ifelse(rows["count"], 0).sum().cast("int64") for word in _COUNTED},
        **_ends(rows),
        time=rows["time"].min(),
        name=rows["name"].min(),
        bytes=rows.bytes.sum().cast("int64"),
        **{column: rows[column].max() for column in examples},
        **{
            f"{verdict}_{column}": pick(where(these, rows[of]))
            for verdict, these in _meant(rows).items()
            for column, of, pick in (("first", "time", _least), ("last", "last", _most))
        },
    )


def _counted(seen: Table, key: list[str]) -> Table:
    """Return a row for each verdict, with how many connections have it."""
    asks = ~seen.turned
    here = seen.observer.isin(("src", "proxy")) & asks

    def total(word: str, these: BooleanValue) -> Value:
        return these.ifelse(seen[word], 0).sum().cast("int64")

    def most(word: str, these: BooleanValue) -> Value:
        return these.ifelse(seen[word], 0).max()

    anyone = ibis.literal(True)
    found = seen.group_by(key).agg(
        denied=total("denied", anyone),
        denied_there=total("denied", ~here),
        audited_here=total("audited", here),
        audited_there=total("audited", ~here),
        error_here=total("error", here),
        error_there=total("error", ~here & asks),
        error_back=total("error", seen.turned),
        asked=most("settled", asks),
        answered=most("settled", seen.turned),
        # A proxy lets the same ones go that the source's side did.
        let_go=most("let_go", anyone),
        mute=most("mute", anyone),
        sent=most("sent", anyone),
        refused=total("refused", anyone),
        **_ends(seen),
        **common(seen),
        **{
            f"{verdict}_{column}": pick(seen[f"{verdict}_{column}"])
            for verdict in _VERDICTS
            for column, pick in (("first", _least), ("last", _most))
        },
    )
    audited = ibis.greatest(found.audited_here, found.audited_there)
    # What policies would have denied is answered, too.
    settled = ibis.greatest(found.asked, found.answered - audited)
    # An answer that was lost is one to a request that got through.
    lost = found.error_there + ibis.greatest(found.error_back - settled, 0)
    ended = settled + found.denied_there + found.audited_there + lost
    nothing = (found.denied + found.let_go + settled) == 0
    unknown = ibis.greatest(found.let_go, found.mute, found.sent)
    return found.mutate(
        halfway=ibis.greatest(found.let_go - ended, 0).cast("int64"),
        denied_number=nothing.ifelse(found.refused, found.denied),
        audited_number=audited,
        allowed_number=settled,
        error_number=ibis.greatest(found.error_here, lost),
        unknown_number=ibis.greatest(unknown - ended, 0),
        verdict=ibis.literal(list(_VERDICTS), "array<string>").unnest(),
    )


def _ends(rows: Table) -> dict[str, Value]:
    """Return what is told of ends, but for what they are joined by."""
    return {
        f"{side}_{column}": any_of(rows, f"{side}_{column}", column)
        for side in ("one", "two")
        for column in END
        if column not in _WHO
    }


def _meant(rows: Table) -> dict[str, BooleanValue]:
    """Return which rows speak of connections of each verdict."""
    return {
        "denied": rows.denied,
        "audited": rows.audited,
        "allowed": rows.settled,
        "error": rows.error,
        "unknown": rows.let_go | rows.mute | rows.sent,
    }


def _least(values: Value) -> Value:
    return values.min()


def _most(values: Value) -> Value:
    return values.max()


def _who(rows: Table, side: str) -> dict[str, Value]:
    """Return columns by which an end is the same, whatever else its two observers tell of it."""
    entity, ip = rows[f"{side}_entity"], rows[f"{side}_ip"]
    name = ibis.coalesce(rows[f"{side}_workload"], rows[f"{side}_pod"])
    named, placed = name.notnull(), ip.notnull()
    sort = entity.isin(("pod", "unknown")).ifelse("pod", entity)
    return {
        f"{side}_name": name,
        f"{side}_at": named.ifelse(ibis.null("string"), ip),
        # A Service may be called as its workload is. An address is whatever anyone knows it is.
        f"{side}_sort": ibis.cases((named, sort), (placed, ibis.null("string")), else_=entity),
        f"{side}_unnamed": (named | placed).ifelse(ibis.null("int64"), rows[f"{side}_labels"]),
    }
