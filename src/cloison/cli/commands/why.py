"""`cloison why`."""

from typing import TYPE_CHECKING, Literal, cast

import click

from cloison.cli import run
from cloison.cli.options import Common, Question, common, is_path, path_given, staged

if TYPE_CHECKING:
    from cloison.analyses.application import Said


@click.command(
    cls=Question,
    examples=(
        "cloison why web/portal evidence/api:8080 -f manifests/",
        "cloison why web/portal 192.0.2.7:443",
        "cloison why 203.0.113.9 svc:web/portal:80 -f cluster.json",
        "cloison why web/portal evidence/api:8080 --http 'GET /v1/cases'",
    ),
)
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST[:PORT[/PROTO]]")
@click.option("--exit-code", is_flag=True, help="Exit with 1 unless the verdict is allowed.")
@click.option(
    "--state",
    type=click.Choice(("new", "reply", "established")),
    default="new",
    help="What the packet is to its connection. A reply shares the fate of the connection, whose "
    "opener is SRC.  [default: new]",
)
@click.option(
    "--http",
    metavar="REQUEST",
    help="The HTTP request that is made, as in 'GET /pub/x', for policies that look at it. As JSON "
    "it may say host and headers, too.",
)
@click.option("--grpc", metavar="SERVICE/METHOD", help="The gRPC method that is called.")
@click.option("--sni", metavar="NAME", help="The name that TLS is opened with.")
@click.option("--dns", metavar="NAME", help="The name that is looked up.")
@click.option("--family", type=click.Choice(("4", "6")), help="Ask about IPv4 or IPv6 only.")
@staged
@common()
def why(
    asked: Common,
    source: str,
    destination: str,
    state: str,
    family: str | None,
    *,
    exit_code: bool,
    staged: bool,
    **application: str | None,
) -> int:
    """Whether one end may reach another, and why.

    The verdict, the line of the policy that decides, how near every other policy came, and the
    smallest change that would let it pass.
    """
    for end in (source, destination):
        if is_path(end) and not (end.count("/") == 1 and end[0] not in "./~"):
            raise path_given(end, click.get_current_context())
    session = run.load(asked, staged=staged, runtime=_leads_on(source, destination))
    from cloison.base import UnknownEndpointError
    from cloison.ir.fidelity import Verdict

    try:
        result = session.why(
            source,
            destination,
            state=state,
            family=cast("Literal[4, 6] | None", int(family) if family else None),
            namespace=asked.namespace,
            **cast("Said", application),
        )
    except UnknownEndpointError:
        for end in (source, destination):
            if is_path(end):
                raise path_given(end, click.get_current_context()) from None
        raise
    found = exit_code and result.verdict is not Verdict.ALLOWED
    return run.answer(asked, session, "why", result, run.FOUND if found else run.OK)


def _leads_on(*ends: str) -> bool:
    """Return whether an end is a name or an address, behind which a Service or gateway may be.

    Where those lead takes more than policies see; reading it in vain does no harm.
    """
    return any(
        end.startswith(("svc:", "dns:", "gw:", "[")) or end[:1].isdigit() or end.count(":") > 1
        for end in ends
    )
