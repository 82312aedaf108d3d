"""Processes: one for each measurement, so that none owes anything to another."""

import multiprocessing
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from benchmarks.faults import DisagreementError, NotSupportedError
from benchmarks.measured import Measured
from benchmarks.measures import MEASURES

Arguments: TypeAlias = Mapping[str, Any]


def measured(name: str, arguments: Arguments, limit: float) -> Measured:
    """Return what a measurement finds in a process of its own.

    Args:
        name: The measurement.
        arguments: What it is given.
        limit: Seconds after which it is given up.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_take, args=(theirs, name, dict(arguments)))
    process.start()
    theirs.close()
    try:
        if not ours.poll(limit):
            return Measured(failed=f"given up after {limit:.0f} s")
        found: Measured = ours.recv()
    except EOFError:
        process.join()
        return Measured(failed=f"ended with code {process.exitcode}")
    else:
        return found
    finally:
        process.kill()
        process.join()
        ours.close()


def _take(found: Connection, name: str, arguments: dict[str, Any]) -> None:
    """Measure, in the new process."""
    try:
        found.send(MEASURES[name](**arguments))
    except DisagreementError as error:
        found.send(Measured(failed=str(error)))
    except NotSupportedError as error:
        found.send(Measured(skipped=f"it does not know {error}"))
    finally:
        found.close()
