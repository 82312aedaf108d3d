"""Connections of rows that tell less than both addresses and ports, summed."""

from typing import Final

import ibis
from ibis.expr.types import BooleanValue, Table, Value

from cloison.flows.expressions.sides import END, any_of, carried, common, sided, where, words

_WHO: Final = ("cluster", "ns", "name", "at", "sort", "unnamed")
"""What an end is, whoever tells of it: columns without their side."""

_VERDICTS: Final = ("denied", "audited", "allowed", "error", "unknown")


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
        "observer",
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
        here=flows.observer.isin(("src", "proxy")) & ~turned,
        proxied=flows.observer == "proxy",
        **words(flows),
    )
    key = ["adapter", "hour", "window", "proto", "initiator", "icmp"]
    key += [f"{side}_{column}" for side in ("one", "two") for column in _WHO]
    rows = rows.mutate(**_who(rows, "one"), **_who(rows, "two"))
    known = rows.initiator != "unknown"
    rows = rows.mutate(port=known.ifelse(rows.two_port, ibis.null("int32")))
    key.append("port")
    number = rows["count"]

    def total(word: str, *, here: bool | None = None, proxied: bool | None = None) -> Value:
        where = rows[word]
        if proxied is not None:
            where = where & (rows.proxied if proxied else ~rows.proxied)
        if here is not None:
            where = where & (rows.here if here else ~rows.here)
        return where.ifelse(number, 0).sum().cast("int64")

    found = rows.group_by(key).agg(
        denied=total("denied"),
        denied_there=total("denied", here=False),
        audited_here=total("audited", here=True),
        audited_there=total("audited", here=False),
        error_here=total("error", here=True),
        error_there=total("error", here=False),
        settled=total("settled"),
        let_go=total("let_go", proxied=False),
        passed_on=total("let_go", proxied=True),
        mute=total("mute"),
        sent=total("sent"),
        refused=total("refused"),
        **{
            f"{side}_{column}": any_of(rows, f"{side}_{column}", column)
            for side in ("one", "two")
            for column in END
            if column not in _WHO
        },
        **common(rows),
        **{
            f"{verdict}_{column}": pick(where(where, rows[of]))
            for verdict, where in _meant(rows).items()
            for column, of, pick in (("first", "time", _least), ("last", "last", _most))
        },
    )
    # A proxy lets the same ones go that the source's side did.
    let_go = ibis.greatest(found.let_go, found.passed_on)
    ended = found.settled + found.denied_there + found.audited_there + found.error_there
    found = found.mutate(
        halfway=ibis.greatest(let_go - ended, 0).cast("int64"),
        denied=((found.denied + let_go + found.settled) == 0).ifelse(found.refused, found.denied),
        verdict=ibis.literal(list(_VERDICTS), "array<string>").unnest(),
    )
    number = found.verdict.cases(
        ("denied", found.denied),
        ("audited", ibis.greatest(found.audited_here, found.audited_there)),
        ("allowed", found.settled),
        ("error", ibis.greatest(found.error_here, found.error_there)),
        else_=found.halfway + found.mute + ibis.greatest(found.sent - ended, 0),
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


def _meant(rows: Table) -> dict[str, BooleanValue]:
    """Return which rows of those that are summed up speak of connections of each verdict."""
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


def _whole(flows: Table) -> BooleanValue:
    found: BooleanValue = flows.src_ip.notnull()
    for column in ("src_port", "dst_ip", "dst_port", "proto"):
        found = found & flows[column].notnull()
    return found


def _words(flows: Table) -> dict[str, BooleanValue]:
    """Return what a row says about its connection. A reply that was let through is an answer."""
    asks = ~flows.turned
    proxied = flows.observer == "proxy"
    last = flows.observer.isin(_LAST)
    allowed, denied = flows.verdict == "allowed", flows.verdict == "denied"
    carried = _carried(flows)
    return {
        "denied": asks & denied & ~proxied,
        "refused": asks & denied & proxied,
        "audited": asks & (flows.verdict == "audited"),
        # A reply is no request: no policy was asked about it.
        "error": (flows.verdict == "error") | (flows.turned & denied),
        "settled": (allowed & (flows.turned | last)) | (carried & flows.turned),
        "let_go": allowed & asks & ~last,
    }


def _carried(flows: Table) -> BooleanValue:
    """Return which rows say of packets that they were on their way, and nothing of a decision."""
    found: BooleanValue = (
        (flows.verdict == "unknown") & (flows.observer == "node") & (flows.event == "connection")
    )
    return found


def _paired(flows: Table) -> Table:
    """Return connections of rows that tell both addresses and ports."""
    flip = (flows.src_ip > flows.dst_ip) | (
        (flows.src_ip == flows.dst_ip) & (flows.src_port > flows.dst_port)
    )
    by_one = flip == flows.turned  # the end that sorts first has opened
    asked = ~flows.turned
    words = _words(flows)
    words["undated"] = words["denied"] & flows.time.isnull()
    denied, settled = words["denied"], words["settled"]
    sure = ibis.cases(
        *(
            (flows.initiator == how, denied.ifelse(weight - 1, weight))
            for how, weight in _SURE.items()
        ),
        else_=0,
    ).cast("int8")
    nobody = ibis.literal(0, "int8")
    ranks = sorted(_RANKS.items(), key=itemgetter(1), reverse=True)
    rank = ibis.cases(*((words[word], number) for word, number in ranks), else_=0)
    passed = flows.verdict == "allowed"
    # Where nobody knows who asks, the way back is not turned.
    either = (flows.initiator == "unknown").ifelse(_EITHER, 1)
    went = (passed | _carried(flows)).ifelse(either, 0).cast("int8")
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
        *_sided(flows, lambda end, other: flip.ifelse(other, end)),
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
        refused=words["refused"],
        svc_ns=asked.ifelse(flows.svc_ns, ibis.null("string")),
        svc_name=asked.ifelse(flows.svc_name, ibis.null("string")),
        svc_port=asked.ifelse(flows.svc_port, ibis.null("int32")),
        name=asked.ifelse(flows["name"], ibis.null("string")),
    )
    key = ["adapter", "hour", "proto", "one_ip", "one_port", "two_ip", "two_port"]
    found = rows.group_by(key).agg(
        **{
            f"{side}_{column}": _any_of(rows, f"{side}_{column}", column)
            for side in ("one", "two")
            for column in END
            if column != "ip"
        },
        **{
            word: _where(rows[word], rows["time"]).min()
            for word in ("denied_one", "denied_two", "passed_one", "passed_two")
        },
        denied_last=_where(rows.denied, rows["last"]).max(),
        settled_first=_where(rows.settled, rows["time"]).min(),
        settled_last=_where(rows.settled, rows["last"]).max(),
        sure_one=rows.sure_one.max(),
        sure_two=rows.sure_two.max(),
        went_one=rows.went_one.max(),
        went_two=rows.went_two.max(),
        rank=rows["rank"].max(),
        count=rows["count"].max(),
        refused=rows.refused.sum().cast("int64"),
        **_common(rows),
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


def _summed(flows: Table) -> Table:
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
        "observer",
        "bytes",
        "count",
        "sample_rate",
        "obs_id",
        "name",
        *_sided(flows, lambda end, other: turned.ifelse(other, end)),
        icmp=turned.ifelse(echo, flows.icmp_type).cast("int32"),
        svc_ns=turned.ifelse(ibis.null("string"), flows.svc_ns),
        svc_name=turned.ifelse(ibis.null("string"), flows.svc_name),
        svc_port=turned.ifelse(ibis.null("int32"), flows.svc_port),
        mute=(flows.verdict == "unknown") & ~_carried(flows),
        sent=_carried(flows) & ~turned,
        here=flows.observer.isin(("src", "proxy")) & ~turned,
        proxied=flows.observer == "proxy",
        **_words(flows),
    )
    key = ["adapter", "hour", "window", "proto", "initiator", "icmp"]
    key += [f"{side}_{column}" for side in ("one", "two") for column in _WHO]
    rows = rows.mutate(**_who(rows, "one"), **_who(rows, "two"))
    known = rows.initiator != "unknown"
    rows = rows.mutate(port=known.ifelse(rows.two_port, ibis.null("int32")))
    key.append("port")
    number = rows["count"]

    def total(word: str, *, here: bool | None = None, proxied: bool | None = None) -> Value:
        where = rows[word]
        if proxied is not None:
            where = where & (rows.proxied if proxied else ~rows.proxied)
        if here is not None:
            where = where & (rows.here if here else ~rows.here)
        return where.ifelse(number, 0).sum().cast("int64")

    found = rows.group_by(key).agg(
        denied=total("denied"),
        denied_there=total("denied", here=False),
        audited_here=total("audited", here=True),
        audited_there=total("audited", here=False),
        error_here=total("error", here=True),
        error_there=total("error", here=False),
        settled=total("settled"),
        let_go=total("let_go", proxied=False),
        passed_on=total("let_go", proxied=True),
        mute=total("mute"),
        sent=total("sent"),
        refused=total("refused"),
        **{
            f"{side}_{column}": _any_of(rows, f"{side}_{column}", column)
            for side in ("one", "two")
            for column in END
            if column not in _WHO
        },
        **_common(rows),
        **{
            f"{verdict}_{column}": pick(_where(where, rows[of]))
            for verdict, where in _meant(rows).items()
            for column, of, pick in (("first", "time", _least), ("last", "last", _most))
        },
    )
    # A proxy lets the same ones go that the source's side did.
    let_go = ibis.greatest(found.let_go, found.passed_on)
    ended = found.settled + found.denied_there + found.audited_there + found.error_there
    found = found.mutate(
        halfway=ibis.greatest(let_go - ended, 0).cast("int64"),
        denied=((found.denied + let_go + found.settled) == 0).ifelse(found.refused, found.denied),
        verdict=ibis.literal(list(_VERDICTS), "array<string>").unnest(),
    )
    number = found.verdict.cases(
        ("denied", found.denied),
        ("audited", ibis.greatest(found.audited_here, found.audited_there)),
        ("allowed", found.settled),
        ("error", ibis.greatest(found.error_here, found.error_there)),
        else_=found.halfway + found.mute + ibis.greatest(found.sent - ended, 0),
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


def _meant(rows: Table) -> dict[str, BooleanValue]:
    """Return which rows of those that are summed up speak of connections of each verdict."""
    return {
        "denied": rows.denied,
        "audited": rows.audited,
        "allowed": rows.settled,
        "error": rows.error,
        "unknown": rows.let_go | rows.mute | rows.sent,
    }


def _where(these: BooleanValue, values: Value) -> Value:
    """Return values of some rows, and null of others: faster than the filter of an aggregate."""
    return these.ifelse(values, ibis.null(values.type()))


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
