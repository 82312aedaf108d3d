"""How much random tests try: enough on every change, and more in `make nightly`."""

import os


def tries(every_change: int, nightly: int) -> int:
    """Return how many of something a random test tries in this run.

    Args:
        every_change: How many by default: as many as what the test asks of its cases needs.
        nightly: How many where `make nightly` has set `CLOISON_FLOWS`.
    """
    return nightly if os.environ.get("CLOISON_FLOWS") else every_change
