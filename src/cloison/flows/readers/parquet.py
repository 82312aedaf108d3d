"""Parquet files of anybody's: rows come as JSON objects."""

from collections.abc import Iterator

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.table import columns, row_flow
from cloison.flows.schema import Record


def rows(_head: Head, options: Options) -> Decode:
    """Return what reads a row that is a JSON object, with the user's mapping of its keys."""
    decoder = msgspec.json.Decoder(dict[str, object])

    def decode(data: bytes) -> Iterator[Record]:
        try:
            row = decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        mapped = columns(row, options.mapping)
        if "time" not in mapped.values():
            msg = "no column is known to be the time; --map time=COLUMN tells which is"
            raise BadRecordError(msg)
        yield row_flow(row, mapped, options.cluster)

    return decode


READER = Reader(
    "parquet",
    "Parquet",
    lambda head: 0.9 if head.data.startswith(b"PAR1") else 0.0,
    rows,
    "apache/parquet-format; columns in docs/reference/flows.md",
    "parquet",
)
