"""`cloison flows query`."""

import sys
from typing import TYPE_CHECKING

import click

from cloison.base import QuestionError
from cloison.cli import run
from cloison.cli.commands.flows import Asked, asked, show
from cloison.cli.commands.flows_top import VERDICTS
from cloison.cli.options import Example

if TYPE_CHECKING:
    import pyarrow as pa


@click.command(
    cls=Example,
    examples=(
        "cloison flows query --to payments/ledger --port 5432",
        "cloison flows query --from 10.0.3.7 --verdict denied -o jsonl",
        "cloison flows query --since 24h -n 0 -o parquet > day.parquet",
    ),
)
@click.option(
    "--from", "src", metavar="END", help="Sender: NAMESPACE[/NAME], an address or a block."
)
@click.option("--to", "dst", metavar="END", help="Receiver, likewise.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the receiver.")
@click.option("--protocol", metavar="NAME", help="TCP, UDP, SCTP, ICMP, ICMPv6 or a number.")
@click.option("--verdict", type=click.Choice(VERDICTS), multiple=True, help="Only these.")
@click.option(
    "-n", "number", type=click.IntRange(0), default=100, help="How many; 0 for all.  [default: 100]"
)
@asked("jsonl", "parquet", times=True)
def query(
    said: Asked,
    src: str | None,
    dst: str | None,
    port: int | None,
    protocol: str | None,
    verdict: tuple[str, ...],
    number: int,
) -> int:
    """Flows one by one, as they were recorded, the first in time first.

    Exit code 1 when there are none.
    """
    from cloison.flows.answers import Recorded
    from cloison.flows.engines.choose import choose
    from cloison.flows.query import Filters
    from cloison.flows.query import query as picked

    limit = number + 1 if number else None
    wanted = Filters(src, dst, port, protocol, verdict, said.since, said.until, limit)
    worker = choose(said.engine, said.store)
    try:
        found = picked(said.store, wanted, engine=worker)
    finally:
        worker.close()
    more = bool(number) and found.num_rows > number
    found = found.slice(0, number or None)
    code = run.OK if found.num_rows else run.FOUND
    if said.output == "parquet":
        _parquet(found)
    elif said.output == "jsonl":
        from msgspec import json

        from cloison.report.documents.recorded import row

        run.write(json.encode(row(each)).decode() + "\n" for each in found.to_pylist())
    else:
        result = Recorded(tuple(found.column_names), found.to_pylist(), more)
        show("recorded", result, said)
    return code


def _parquet(found: "pa.Table") -> None:
    """Write flows to standard output as a Parquet file.

    Raises:
        QuestionError: that is a terminal.
    """
    if sys.stdout.isatty():
        msg = "a Parquet file is nothing to read on a terminal"
        raise QuestionError(msg, "send it somewhere: > flows.parquet")
    import io

    import pyarrow.parquet as pq

    written = io.BytesIO()
    pq.write_table(found, written, compression="zstd")
    sys.stdout.flush()
    sys.stdout.buffer.write(written.getvalue())
    sys.stdout.buffer.flush()
