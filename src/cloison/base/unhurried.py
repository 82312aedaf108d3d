"""The collector out of the way of work that makes a great many objects."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unhurried() -> Iterator[None]:
    """Pause the collector: for bulk work, which makes millions of objects and no cycles.

    What was made counts as old afterwards. Otherwise the collector would look through all of it
    at once, when it is let go on.
    """
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            # Frozen objects of a process that uses that itself are left alone.
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()
