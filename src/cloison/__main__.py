"""`python -m cloison`."""

import sys

from cloison.cli import main

if __name__ == "__main__":
    sys.exit(main())
