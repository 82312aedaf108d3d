"""`python -m benchmarks.flows`."""

import sys

if __name__ == "__main__":
    from benchmarks.flows.cli import main

    sys.exit(main())
