"""Run the planted faults: `python -m tests.mutation [TEXT]`, those whose name has TEXT."""

import sys

from tests.mutation.faults import FAULTS
from tests.mutation.plant import NOTICED, planted, run_tests


def main(wanted: str = "") -> int:
    """Return 0 when the sources pass and every fault is noticed."""
    with planted(None) as source:
        result = run_tests(source)
    if result.returncode:
        print("the tests fail without any fault:", result.stdout, result.stderr, sep="\n")
        return 2
    missed = 0
    for fault in FAULTS:
        if wanted not in fault.name:
            continue
        with planted(fault) as source:
            result = run_tests(source, fault.tests)
        noticed = result.returncode == NOTICED
        missed += not noticed
        by = next((line for line in result.stdout.splitlines() if line.startswith("FAILED")), "")
        print(f"{'noticed' if noticed else 'MISSED '}  {fault.name}  {by[:100]}", flush=True)
        if result.returncode not in (0, NOTICED):
            print(result.stdout[-2000:], result.stderr[-2000:], sep="\n")
    print(f"{missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
