"""Options that every question takes, and what they come to."""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from cloison.cli import settings

Function = Callable[..., Any]

FORMATS = ("text", "json", "yaml", "csv")

PICTURES = ("md", "svg", "html", "dot", "mermaid")
"""Formats besides, of answers that can be looked at."""


@dataclass(frozen=True, slots=True)
class Common:
    """What every question is asked with.

    Args:
        sources: Files, directories, revisions or `-`.
        namespace: Namespace of names and objects that say none.
        output: The output format.
        cni: The profile, or None for the default.
        kubernetes: The target version as (major, minor).
        field_validation: `strict` or `warn`.
        pod_cidrs: Where pod addresses come from.
        node_cidrs: Where node addresses come from.
        service_cidrs: Where Service addresses come from.
        cilium: Settings of Cilium in the cluster, `NAME=VALUE`.
        dns_names: Addresses that DNS names stand for, `NAME=ADDRESS`.
        dns_tables: Files that say which addresses DNS names stand for.
        values: Values files for charts.
        render: `auto` or `never`.
        strict: Whether an unreadable document fails the run.
        color: `auto`, `always` or `never`.
        quiet: Whether to keep quiet on standard error about what does not stop the run.
    """

    sources: tuple[str, ...]
    namespace: str | None
    output: str
    cni: str | None
    kubernetes: tuple[int, int]
    field_validation: str
    pod_cidrs: tuple[str, ...]
    node_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    cilium: tuple[str, ...]
    dns_names: tuple[str, ...]
    dns_tables: tuple[str, ...]
    values: tuple[str, ...]
    render: str
    strict: bool
    color: str
    quiet: bool


class Example(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: Command lines.
        given: What any command takes.
    """

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **given: Any) -> None:
        super().__init__(*args, **given)
        self.examples = examples

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")


class Question(Example):
    """A command whose arguments are names of ends, never paths, and which says so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            UsageError: They do not fit; with advice where a path stands among them.
        """
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            path = next((a for a in given if is_path(a) and f"({a})" in error.message), None)
            if path is not None:
                raise path_given(path, ctx) from None
            raise


def is_path(text: str) -> bool:
    """Return whether an argument is a path rather than a name, beyond doubt or by the looks."""
    if text.startswith("-"):
        return False
    starts, ends = (".", "/", "~", "git:"), (".yaml", ".yml", ".json", "/")
    looks = text.startswith(starts) or text.endswith(ends)
    return looks or os.path.isdir(text)  # noqa: PTH112 - pathlib costs start-up time


class AdvisedError(click.UsageError):
    """A usage error that knows what to do about it.

    Args:
        message: What does not fit.
        help_: What to type instead.
        ctx: The command; its help is what is advised otherwise.
    """

    def __init__(self, message: str, help_: str, ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.help = help_


def path_given(text: str, ctx: click.Context | None = None) -> click.UsageError:
    """Return the error for a path where a name belongs."""
    return AdvisedError(
        f"{text!r} is a path, and arguments name ends", f"did you mean -f {text}?", ctx
    )


def _profile(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Return the profile that is named, None for what the input gives away."""
    return None if value == "auto" else value


def _version(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, int]:
    major, dot, minor = value.removeprefix("v").partition(".")
    minor = minor.partition(".")[0]
    if not (dot and major.isdecimal() and minor.isdecimal()):
        msg = f"{value!r} is not a version; write 1.35"
        raise click.BadParameter(msg)
    return int(major), int(minor)


def common(*extra_formats: str, usual: tuple[str, ...] = FORMATS) -> Callable[[Function], Function]:
    """Return a decorator that adds the common options and passes them on as `Common`.

    Args:
        extra_formats: Output formats besides the usual ones.
        usual: The usual ones, the default first.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(**given: Any) -> int:
            taken = {name: given.pop(name) for name in Common.__dataclass_fields__}
            code: int = function(Common(**taken), **given)
            return code

        for option in reversed(_options((*usual, *extra_formats))):
            call = option(call)
        return call

    return decorate


def _options(formats: tuple[str, ...]) -> list[Callable[[Any], Any]]:
    return [
        click.option(
            "-f",
            "--filename",
            "sources",
            multiple=True,
            metavar="SOURCE",
            help="File, directory (read recursively; charts and kustomizations are rendered), "
            "git:REVISION[:PATH] or - for standard input; repeatable. The current directory when "
            "not given.",
        ),
        click.option(
            "-n",
            "--namespace",
            envvar="CLOISON_NAMESPACE",
            metavar="NAMESPACE",
            help="Namespace of names and objects that say none.",
        ),
        output(formats),
        click.option(
            "--cni",
            envvar="CLOISON_CNI",
            metavar="PROFILE",
            callback=_profile,
            help="Who enforces: generic, calico@3.32, cilium@1.19, aws-vpc-cni, ...; auto is what "
            "the objects give away, else generic.  [default: auto]",
        ),
        click.option(
            "--kubernetes-version",
            "kubernetes",
            default="1.35",
            callback=_version,
            envvar="CLOISON_KUBERNETES_VERSION",
            metavar="VERSION",
            help="Version whose API server would read the objects.  [default: 1.35]",
        ),
        click.option(
            "--field-validation",
            type=click.Choice(("strict", "warn")),
            default="warn",
            envvar="CLOISON_FIELD_VALIDATION",
            help="What an unknown field does: refuse its object, or be dropped.  [default: warn]",
        ),
        click.option(
            "--pod-cidr",
            "pod_cidrs",
            multiple=True,
            envvar="CLOISON_POD_CIDR",
            metavar="CIDR",
            help="Where pod addresses come from; repeatable.",
        ),
        click.option(
            "--node-cidr",
            "node_cidrs",
            multiple=True,
            envvar="CLOISON_NODE_CIDR",
            metavar="CIDR",
            help="Where node addresses come from; repeatable.",
        ),
        click.option(
            "--service-cidr",
            "service_cidrs",
            multiple=True,
            envvar="CLOISON_SERVICE_CIDR",
            metavar="CIDR",
            help="Where Service addresses come from; repeatable.",
        ),
        click.option(
            "--cilium",
            "cilium",
            multiple=True,
            envvar="CLOISON_CILIUM",
            metavar="NAME=VALUE",
            help="How Cilium is set in the cluster, as its ConfigMap says it: "
            "enable-policy=always; repeatable.  [default: cilium-config among the objects]",
        ),
        click.option(
            "--dns-name",
            "dns_names",
            multiple=True,
            envvar="CLOISON_DNS_NAME",
            metavar="NAME=ADDRESS",
            help="An address, or block of them, that a DNS name stands for: "
            "api.example.com=203.0.113.10; repeatable.",
        ),
        click.option(
            "--dns-table",
            "dns_tables",
            multiple=True,
            envvar="CLOISON_DNS_TABLE",
            metavar="FILE",
            help="Which addresses DNS names stand for, as YAML or JSON: "
            "api.example.com: [203.0.113.10]; repeatable.",
        ),
        click.option(
            "--values",
            multiple=True,
            envvar="CLOISON_VALUES",
            metavar="FILE",
            help="Values file for the Helm charts among the sources; repeatable.",
        ),
        click.option(
            "--render",
            type=click.Choice(("auto", "never")),
            default="auto",
            envvar="CLOISON_RENDER",
            help="Whether to render charts and kustomizations, with the helm, kustomize or kubectl "
            "installed here.  [default: auto]",
        ),
        settings.option(),
        click.option(
            "--strict",
            is_flag=True,
            envvar="CLOISON_STRICT",
            help="Exit with 2 when a document could not be read.",
        ),
        color,
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            envvar="CLOISON_QUIET",
            help="Nothing on standard error but what stops the run.",
        ),
        debug,
    ]


def output(formats: tuple[str, ...]) -> Callable[[Function], Function]:
    """Return the option of how an answer is printed.

    Args:
        formats: The formats, the default first.
    """
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        envvar="CLOISON_OUTPUT",
        help=f"Output format.  [default: {formats[0]}]",
    )


color = click.option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    envvar="CLOISON_COLOR",
    help="Colours in text; auto asks the terminal and NO_COLOR.  [default: auto]",
)
"""Option of whatever prints in colour."""


debug = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show where an error was raised."
)
"""Option of whatever may fail."""


staged = click.option(
    "--staged", is_flag=True, help="Show the cluster as if staged policies were enforced."
)
"""Option of the questions whose answer staged policies would change."""


def colored(choice: str) -> bool:
    """Return whether to print colours on standard output."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()
