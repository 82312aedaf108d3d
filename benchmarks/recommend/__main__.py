"""`python -m benchmarks.recommend [FOLDER]`: the folder with `apps` and `flows`."""

import sys

if __name__ == "__main__":
    from benchmarks.recommend.cli import main

    sys.exit(main())
