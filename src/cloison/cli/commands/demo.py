"""`cloison demo`."""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cloison.cli import run
from cloison.cli.options import colored

if TYPE_CHECKING:
    from cloison.app import Session
    from cloison.report import Look

_WHOLE, _BROKEN = "case-management", "case-management-broken"


@click.command()
@click.option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    envvar="CLOISON_COLOR",
    help="Colours; auto asks the terminal and NO_COLOR.  [default: auto]",
)
def demo(color: str) -> int:
    """The bundled example, explained in one screen."""
    from cloison.report import Look

    look = Look(colored(color), shutil.get_terminal_size((100, 40)).columns)
    run.write(look.safe(line) + "\n" for line in _lines(look))
    return run.OK


def _lines(look: "Look") -> Iterator[str]:
    from cloison.app import load
    from cloison.examples import path
    from cloison.report.text.layout import wrapped
    from cloison.report.text.verify import summary
    from cloison.report.text.why import brief

    whole, broken = (_shown(str(path(name))) for name in (_WHOLE, _BROKEN))
    session, other = load(whole), load(broken)
    yield look.paint("A regulated case-management cluster", "bold") + f"  {whole}"
    yield from wrapped(
        f"{_size(session)}. The public reaches a gateway, the gateway a portal, the portal the "
        "case API, and only the case API what lies behind it: evidence, enforcement, payments, "
        "audit, and a database outside the cluster. Namespaces deny by default, and "
        "policies open what is needed.",
        look,
    )
    yield ""
    yield from brief(session.why("case-management/case-api", "evidence/evidence-api:8080"), look)
    yield ""
    yield from brief(session.why("web/case-portal", "evidence/evidence-api:8080"), look)
    yield ""
    yield look.paint("The same cluster with six mistakes", "bold") + f"  {broken}"
    yield "One is a typo in a namespace label. The API server accepts it, and a path is closed:"
    yield ""
    yield from brief(
        other.why("case-management/case-api", "enforcement/enforcement-api:8080"), look
    )
    yield ""
    yield "Both carry the same tests, paths that must be open and paths that must be closed:"
    yield f"  {_WHOLE}: {summary(session.verify())}"
    yield f"  {_BROKEN}: {summary(other.verify())}"
    yield ""
    yield look.paint("Next", "bold")
    yield f"  cloison map -f {whole}"
    yield f"  cloison why web/case-portal evidence/evidence-api:8080 -f {whole}"
    yield f"  cloison effective evidence/evidence-api -f {whole}"
    yield f"  cloison verify -f {broken}"


def _size(session: "Session") -> str:
    from cloison.report.text.layout import count

    world = session.world
    counted = (
        (len(world.namespaces), "namespace"),
        (len(world.workloads), "workload"),
        (len(session.policies.policies), "policy"),
    )
    return ", ".join(count(number, noun) for number, noun in counted)


def _shown(path: str) -> str:
    """Return a path relative to where we are, when it is below."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
