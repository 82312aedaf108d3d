"""`cloison flows generate`."""

import click

from cloison.base import QuestionError
from cloison.cli import run
from cloison.cli.commands.contract import named
from cloison.cli.options import Common, Example, common

FORMS = (
    "hubble",
    "antrea",
    "aws-agent",
    "aws-vpc",
    "calico-enterprise",
    "csv",
    "envoy",
    "gke",
    "netobserv",
    "ovn-acl",
)
"""Sources whose records can be made up; the default first."""


SCENARIOS = ("usual", "weeks")
"""What goes on; the default first."""


@click.command(
    cls=Example,
    examples=(
        "cloison flows generate -f manifests/ > flows.jsonl",
        "cloison flows generate -f manifests/ --days 30 --loss 0.1 --without nightly-report",
        "cloison flows generate -f manifests/ --days 35 --scenario weeks > flows.jsonl",
        "cloison flows generate -f manifests/ --also 'web/portal data/db:5432' -o netobserv",
    ),
)
@click.option(
    "--days", type=click.FloatRange(0.01, 400), default=7.0, help="How many.  [default: 7]"
)
@click.option("--seed", type=int, default=0, help="Another makes other traffic.  [default: 0]")
@click.option(
    "--loss", type=click.FloatRange(0, 1), default=0.0, help="Share of records lost.  [default: 0]"
)
@click.option(
    "--without",
    multiple=True,
    metavar="ENTRY",
    help="A dependency that never happens; repeatable.",
)
@click.option(
    "--also",
    multiple=True,
    metavar="'SRC DST:PORT'",
    help="What happens besides, whether anybody means it or not; repeatable.",
)
@click.option(
    "--scenario",
    type=click.Choice(SCENARIOS),
    default=SCENARIOS[0],
    help="weeks: rare, weekly and month-end calls, rolling updates that reuse addresses, NAT,"
    " swapped replies, an attacker, and a person with curl.  [default: usual]",
)
@named
@common(usual=FORMS)
def generate(
    asked: Common,
    contracts: tuple[str, ...],
    days: float,
    seed: int,
    loss: float,
    without: tuple[str, ...],
    also: tuple[str, ...],
    scenario: str,
) -> int:
    """Make up flow logs of a cluster: what its contract means happens, as its policies let it.

    For tests and demonstrations. The same options make the same records.
    """
    session = run.load(asked, runtime=True)
    from cloison.app.traffic import Wanted, plan
    from cloison.flows.generator.export import exporter
    from cloison.flows.generator.make import connections

    pairs = tuple(map(_pair, also))
    found = plan(session, contracts, Wanted(days, seed, loss, without, pairs, scenario))
    lines = exporter(asked.output)(found, connections(found))
    run.write(f"{line}\n" for line in lines)
    return run.OK


def _pair(text: str) -> tuple[str, str]:
    """Return a call that is told in words.

    Raises:
        QuestionError: It is not two words.
    """
    source, _, destination = text.strip().partition(" ")
    if not source or not destination.strip() or " " in destination.strip():
        msg = f"--also takes a source and a destination with its port, and not {text!r}"
        raise QuestionError(msg, "write them in one argument: 'web/portal data/db:5432'")
    return source, destination.strip()
