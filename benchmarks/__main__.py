"""`python -m benchmarks`."""

import sys

if __name__ == "__main__":
    from benchmarks.cli import main

    sys.exit(main(prog_name="python -m benchmarks"))
