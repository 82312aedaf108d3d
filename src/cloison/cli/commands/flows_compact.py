"""`cloison flows compact`."""

from pathlib import Path

import click

from cloison.cli import run
from cloison.cli.commands.flows import keeping, store
from cloison.cli.options import Example, debug


@click.command(
    cls=Example, examples=("cloison flows compact", "cloison flows compact --keep-raw 7")
)
@store
@keeping[0]
@keeping[1]
@debug
def compact(store: Path, keep_raw: int | None, keep_rollups: int | None) -> int:
    """Join the small parts of a store, and remove what is too old.

    Nothing that is asked of what stays comes out differently.
    """
    from cloison.flows.engines.choose import choose
    from cloison.flows.store.keep import expire, merge
    from cloison.flows.store.place import check, sweep
    from cloison.flows.store.rolling import refresh
    from cloison.flows.store.writer import writer

    with writer(store) as held:
        check(store, held.manifest)
        before = len(held.manifest.parts)
        worker = choose("duckdb", store)
        try:
            refresh(held, worker)
        finally:
            worker.close()
        expired = expire(held, keep_raw, keep_rollups)
        merge(held)
        sweep(store, held.manifest)
        after = len(held.manifest.parts)
    click.echo(f"{before} parts are {after} now; {expired:,} rows were too old")
    return run.OK
