"""Tables of anybody's: CSV, TSV or Parquet, whose columns the user maps to ours.

A column with the name of one of ours needs no mapping. Everything else is kept out.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, get_args

from cloison.flows.reader import BadRecordError, Decode, Head, Options
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import (
    address,
    direction,
    moment,
    number,
    port,
    protocol,
    separated,
    text,
)
from cloison.flows.schema import (
    Entity,
    Event,
    Flow,
    Initiator,
    Labels,
    Match,
    Observer,
    Record,
    Verdict,
)

_VERDICTS: Final[dict[str, Verdict]] = {
    **dict.fromkeys(("allowed", "allow", "accept", "accepted", "forwarded", "pass"), "allowed"),
    **dict.fromkeys(("denied", "deny", "drop", "dropped", "reject", "rejected"), "denied"),
    **dict.fromkeys(("audited", "audit"), "audited"),
    **dict.fromkeys(("error", "failed"), "error"),
    **dict.fromkeys(("unknown", "", "-"), "unknown"),
}
_NUMBER: Final = re.compile(r"^\d+(?:\.\d+)?$")
# Seconds, milliseconds, microseconds and nanoseconds since 1970 of the years 1973 to 2200 differ by
# their size.
_UNITS: Final = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (1e20, 1e-3))

_TOLD: Final[dict[str, object]] = {
    "observer": Observer,
    "initiator": Initiator,
    "event": Event,
    "match": Match,
    "src_entity": Entity,
    "dst_entity": Entity,
}
"""Columns with one of some words; where they are empty, it is as if there were none."""

SURE: Final = ("time", "proto", "dst_port")
"""Columns of ours by which a table is recognised."""


def columns(names: Iterable[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return our column for each column of a table that has one.

    Args:
        names: Columns of the table.
        mapping: The table's column for one of ours, as the user says it.
    """
    known = set(names)
    found = {theirs: ours for ours, theirs in mapping.items() if theirs in known}
    for name in known:
        if name in _CONVERT and name not in mapping:
            found.setdefault(name, name)
    return found


def row_flow(row: Mapping[str, object], mapped: Mapping[str, str], cluster: str | None) -> Flow:
    """Return the flow of one row.

    Raises:
        BadRecordError: a value is not what its column holds, or the time is missing.
    """
    said: dict[str, Any] = {"verdict": "unknown", "observer": "node"}
    for theirs, ours in mapped.items():
        try:
            value = _CONVERT[ours](row.get(theirs))
        except BadRecordError as error:
            raise BadRecordError(f"{theirs}: {error}") from None
        if value is not None or ours not in _TOLD:
            said[ours] = value
    if said.get("time") is None:
        raise BadRecordError("the row has no time")
    for side in ("src_cluster", "dst_cluster"):
        said.setdefault(side, cluster)
    said["count"] = said.get("count") or 1
    said["sample_rate"] = said.get("sample_rate") or 1
    for side in ("src", "dst"):
        if said.get(f"{side}_pod") or said.get(f"{side}_workload"):
            said.setdefault(f"{side}_entity", "pod")
    return Flow(**said)


def suits(head: Head, separator: str) -> float:
    """Return how sure one can be that a file is a table with that separator between columns."""
    if not head.lines:
        return 0.0
    names = _names(head, separator)
    known = sum(name in _CONVERT for name in names)
    if "time" in names and known >= len(SURE):
        return 0.8
    # A header of words and a mapping is all that is left to go by.
    words = all(re.fullmatch(r"[A-Za-z_][\w .\-/]*", name) for name in names)
    return 0.1 if len(names) > len(SURE) and words else 0.0


def opened(head: Head, options: Options, separator: str) -> Decode:
    """Return the decoder of a table with a header."""
    names = _names(head, separator)
    mapped = columns(names, options.mapping)
    first = head.lines[0].strip() if head.lines else b""

    def decode(line: bytes) -> Iterator[Record]:
        if line.strip() == first:
            return
        fields = separated(_line(line), separator)
        if len(fields) != len(names):
            raise BadRecordError(f"the line has {len(fields)} columns, its header {len(names)}")
        if "time" not in mapped.values():
            msg = "no column is known to be the time; --map time=COLUMN tells which is"
            raise BadRecordError(msg)
        yield row_flow(dict(zip(names, fields, strict=True)), mapped, options.cluster)

    return decode


def _names(head: Head, separator: str) -> list[str]:
    try:
        return separated(_line(head.lines[0]), separator)
    except (BadRecordError, IndexError):
        return []


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadRecordError("the line is no UTF-8") from None


def _time(said: object) -> int | None:
    if said is None or said == "":
        return None
    if isinstance(said, datetime):
        read = said if said.tzinfo else said.replace(tzinfo=UTC)
        return moment(int(read.timestamp() * 1_000_000), 1)
    written = str(said).strip()
    if _NUMBER.match(written):
        value = float(written)
        for limit, unit in _UNITS:
            if value < limit:
                return moment(int(value * unit), 1)
    return microseconds(written)


def _verdict(said: object) -> Verdict:
    word = str("" if said is None else said).strip().lower()
    if word not in _VERDICTS:
        raise BadRecordError(f"{word[:64]!r} is no verdict")
    return _VERDICTS[word]


def _address(said: object) -> str | None:
    return None if said is None or said in ("", "-") else address(str(said).strip())


def _flag(said: object) -> bool | None:
    if said is None or said in ("", "-"):
        return None
    return str(said).strip().lower() in {"1", "true", "t", "yes"}


def _names_of(said: object) -> tuple[str, ...]:
    parts = said if isinstance(said, list) else str(said or "").replace(";", " ").split()
    return tuple(str(part) for part in parts)


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str | None]:
    """Return what takes one of some words; nothing where none is told."""

    def convert(said: object) -> str | None:
        word = str("" if said is None else said).strip().lower()
        if word in ("", "-"):
            return None
        if word not in words:
            raise BadRecordError(f"{word[:64]!r} is none of {', '.join(words)}")
        return word

    return convert


def _labels(said: object) -> Labels | None:
    if said is None or said == "":
        return None
    parts = said if isinstance(said, list) else re.split(r"[,;\s]+", str(said))
    read = (text(part) for part in parts)
    return tuple(sorted({part for part in read if part is not None}))


def _ends(side: str) -> dict[str, Callable[[Any], object]]:
    named = ("cluster", "ns", "workload", "kind", "pod")
    return {
        **{f"{side}_{name}": text for name in named},
        f"{side}_labels": _labels,
        f"{side}_ip": _address,
        f"{side}_port": port,
    }


_CONVERT: Final[dict[str, Callable[[Any], object]]] = {
    "time": _time,
    "end_time": _time,
    "verdict": _verdict,
    "proto": lambda said: protocol(said if said is not None else "-"),
    "count": number,
    "sample_rate": number,
    **_ends("src"),
    **_ends("dst"),
    "svc_ns": text,
    "svc_name": text,
    "svc_port": port,
    "icmp_type": lambda said: number(said, most=255),
    "icmp_code": lambda said: number(said, most=255),
    "names": _names_of,
    "node": text,
    "direction": lambda said: direction(None if said is None else str(said)),
    "is_reply": _flag,
    "opens": _flag,
    **{name: _one_of(get_args(words)) for name, words in _TOLD.items()},
    "deny_reason": text,
    "http_method": text,
    "http_path": text,
    "http_host": text,
    "http_code": lambda said: number(said, most=999),
    "bytes": number,
    "packets": number,
    "obs_id": text,
}
