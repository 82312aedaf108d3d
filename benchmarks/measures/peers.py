"""What others take for everybody to everybody, from files to their answer."""

import shutil
from pathlib import Path

import cloison
from benchmarks.baselines.peers import PEERS, allows, listed
from benchmarks.faults import DisagreementError
from benchmarks.measured import Measured, Phase
from benchmarks.worlds.disk import write_company

_SAMPLED = 200
_PORT = 8080


def peer(who: str, size: int, folder: str) -> Measured:
    """Measure one of them, if it is installed.

    Args:
        who: Its name.
        size: How many workloads the company has that it is asked about.
        folder: Where files may be written.

    Raises:
        DisagreementError: It does not say what Cloison says.
    """
    asked = next(each for each in PEERS if each.name == who)
    program = asked.found()
    if program is None:
        return Measured(skipped="it is not installed")
    manifests = Path(folder, f"company-{size}")
    output = Path(folder, f"{who}-{size}.txt")
    shutil.rmtree(manifests, ignore_errors=True)
    objects = write_company(manifests, size)
    ran = asked.run(program, manifests, output)
    if ran.code:
        return Measured(failed=f"it ended with code {ran.code}")
    facts: dict[str, float] = {"objects": objects, "workloads": size}
    if asked.answers:
        facts["sampled pairs"] = _compared(manifests, output)
    return Measured({"list": Phase(ran.cpu, ran.wall)}, facts)


def _compared(manifests: Path, output: Path) -> int:
    """Hold what it listed against the engine, and return how many pairs that was."""
    session = cloison.load(manifests)
    connections = listed(output)
    names = [str(one) for one in session.world.workloads]
    pairs = [*connections, *((one, other) for one in names for other in names if one != other)]
    asked = [(one, other) for one, other in pairs if one in names and other in names][:_SAMPLED]
    for source, destination in asked:
        said = str(session.verdict(source, f"{destination}:{_PORT}"))
        other = allows(connections.get((source, destination), "TCP 0"), "TCP", _PORT)
        if (said == "allowed") != other:
            msg = f"{source} to {destination} on TCP/{_PORT}: {said} here, and not so there"
            raise DisagreementError(msg)
    return len(asked)
