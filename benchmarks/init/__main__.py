"""`python -m benchmarks.init [FOLDER]`: the folder with `apps` and `flows`."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.init.score import rows

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def main(data: Path) -> int:
    """Print the table; 2 where the data is not there."""
    if not (data / "apps").is_dir():
        sys.stderr.write(f"error: no applications below {data}\n")
        return 2
    headings, *found = rows(data)
    table = Table(*headings)
    for row in found:
        table.add_row(*row)
    Console(width=160).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE))
