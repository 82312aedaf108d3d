"""Options that ask for a part of a map, or of what changes in one."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cloison.analyses.connectivity import MapOptions
    from cloison.cli.options import Common

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Filters:
    """What part is asked for.

    Args:
        focus: Ends, one of which an edge must have.
        sources_: Ends that edges start from.
        destinations: Ends that edges lead to.
        all_namespaces: Whether every namespace counts, whatever the common options say.
        port: The one port asked about.
        pods: Whether pods are told instead of workloads.
        nodes: Whether nodes are told too.
    """

    focus: tuple[str, ...]
    sources_: tuple[str, ...]
    destinations: tuple[str, ...]
    all_namespaces: bool
    port: str | None
    pods: bool
    nodes: bool

    def options(self, asked: "Common", *, self_edges: bool = False) -> "MapOptions":
        """Return what an analysis takes."""
        from cloison.analyses.connectivity import MapOptions

        return MapOptions(
            focus=self.focus,
            sources=self.sources_,
            destinations=self.destinations,
            namespace=None if self.all_namespaces else asked.namespace,
            port=self.port,
            pods=self.pods,
            self_edges=self_edges,
            nodes=self.nodes,
        )


def filters(function: Function) -> Function:
    """Add the options, and pass them on as `only`."""

    @functools.wraps(function)
    def call(**given: Any) -> int:
        taken = {name: given.pop(name) for name in Filters.__dataclass_fields__}
        code: int = function(only=Filters(**taken), **given)
        return code

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


_OPTIONS = (
    click.option("--focus", multiple=True, metavar="END", help="Only edges with END; repeatable."),
    click.option("--from", "sources_", multiple=True, metavar="END", help="Only edges from END."),
    click.option("--to", "destinations", multiple=True, metavar="END", help="Only edges to END."),
    click.option(
        "-A",
        "--all-namespaces",
        is_flag=True,
        help="Every namespace, whatever -n or the settings say.",
    ),
    click.option("--port", metavar="PORT[/PROTO]", help="Only traffic of this port."),
    click.option("--pods", is_flag=True, help="Pods instead of workloads."),
    click.option("--nodes", is_flag=True, help="Also nodes."),
)
