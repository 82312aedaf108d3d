"""`cloison config`."""

from typing import TYPE_CHECKING

import click

from cloison.base import SourceError
from cloison.cli import run, settings
from cloison.cli.options import Common, Example, common

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloison.app import Session
    from cloison.base import Span
    from cloison.report import Setting

_KINDS = {
    click.core.ParameterSource.COMMANDLINE: "flag",
    click.core.ParameterSource.ENVIRONMENT: "environment",
    click.core.ParameterSource.DEFAULT_MAP: "file",
}


@click.group(invoke_without_command=True)
@click.pass_context
def config(context: click.Context) -> None:
    """The settings that hold here, and what a settings file may say."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@config.command(
    cls=Example,
    examples=("cloison config show", "CLOISON_CNI=calico@3.32 cloison config show -o json"),
)
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "info", "never")),
    default="error",
    envvar="CLOISON_FAIL_ON",
    help="As validate takes it.  [default: error]",
)
@common()
def show(asked: Common, fail_on: str) -> int:
    """Every setting as it holds here, and where it comes from."""
    from cloison.app.settings import ANNOTATIONS
    from cloison.base.version import VERSION
    from cloison.platform import profile
    from cloison.report import About, Effective, Setting, render

    session = None if asked.cni and asked.pod_cidrs else _read(asked)
    detected = _detected(asked, session)
    ranged = session.settings if session is not None and not asked.pod_cidrs else None
    context = click.get_current_context()
    found = settings.file()
    places = found.places if found is not None else {}
    major, minor = asked.kubernetes
    values: dict[str, str | bool | tuple[str, ...]] = {
        "sources": run.sources(asked) or (".",),
        "values": asked.values,
        "render": asked.render,
        "namespace": asked.namespace or "default",
        "cni": asked.cni or (detected.profile.name if detected is not None else "generic"),
        "platform": (found.values.get("platform") if found is not None else None) or "auto",
        "components": tuple(
            f"{name}={'nowhere' if where is None else where.namespace or 'anywhere'}"
            for name, where in (
                found.values.get("components", {}) if found is not None else {}
            ).items()
        ),
        "kubernetesVersion": f"{major}.{minor}",
        "podCidrs": asked.pod_cidrs or (ranged.pod_cidrs if ranged is not None else ()),
        "nodeCidrs": asked.node_cidrs,
        "serviceCidrs": asked.service_cidrs,
        "clusterDomain": (found.values.get("clusterDomain") if found is not None else None)
        or "auto",
        "fieldValidation": asked.field_validation,
        "names": tuple(
            f"{name}={text}" for name, texts in run.names(asked).items() for text in texts
        ),
        "dnsTables": asked.dns_tables,
        "policyChannel": found.values.get("policyChannel", "any") if found is not None else "any",
        "annotationPrefix": (
            found.values.get("annotationPrefix", ANNOTATIONS) if found is not None else ANNOTATIONS
        ),
        "flows": (
            found.values["flows"].store
            if found is not None and "flows" in found.values
            else ".cloison/flows"
        ),
        "strict": asked.strict,
        "failOn": fail_on,
    }
    options = {each.name: each for each in context.command.params}
    listed = []
    for name, value in values.items():
        parameter = "dns_names" if name == "names" else settings.PARAMETERS.get(name, name)
        source = context.get_parameter_source(parameter)
        kind = _KINDS.get(source, "default") if source is not None else "default"
        own = ("sources", "flows", *settings.FILE_ONLY)
        if kind == "default" and name in own and name in places:
            kind = "file"
        option = options.get(parameter)
        by = option.opts[-1] if option is not None and kind == "flag" else None
        by = str(option.envvar) if option is not None and kind == "environment" else by
        if name == "cni" and not asked.cni:
            kind, by = ("default", None)  # whoever says `auto` says what holds anyway
            if detected is not None:
                kind, by = "detected", detected.settings.profile_chosen
        if name == "podCidrs" and ranged is not None and ranged.pod_cidrs:
            kind, by = "detected", f"detected from {ranged.pod_cidrs_from}"
        span = places.get(name) if kind == "file" else None
        listed.append(Setting(name, value, kind, by, span))
    listed += _switches(asked, detected, places)
    result = Effective(
        tuple(listed),
        found.shown if found is not None else None,
        len(found.suppressions) if found is not None else 0,
    )
    if detected is not None:
        about = About(VERSION, detected.profile, detected.settings.profile_chosen)
    else:
        about = About(VERSION, profile(asked.cni or "generic"), run.chosen(asked))
    run.write(render("config", result, about, asked.output, run.look(asked)))
    return run.OK


def _switches(
    asked: Common, detected: "Session | None", places: "Mapping[str, Span]"
) -> "Iterator[Setting]":
    """Yield the settings of Cilium: those somebody said, and all where it enforces."""
    from cloison.dialects.cilium.switches import PREFIX, PRODUCT, SWITCHES, defaults, version_of
    from cloison.report import Setting

    said: Mapping[str, str]
    origins: Mapping[str, str]
    said, origins = run.cilium(asked)
    name = asked.cni or ""
    if detected is not None:
        name, settings = detected.profile.name, detected.settings
        said, origins = settings.cilium, settings.cilium_from
    elif name.startswith(PRODUCT):
        session = _read(asked)
        if session is not None:
            said, origins = session.settings.cilium, session.settings.cilium_from
    if not said and not name.startswith(PRODUCT):
        yield Setting(PRODUCT, (), "default")
        return
    usual = defaults(version_of(name))
    for each in SWITCHES:
        shown = f"{PRODUCT}.{each.name.removeprefix(PREFIX)}"
        if each.name in said:
            by = origins[each.name]
            kind = _BY.get(by, "detected")
            span = places.get(shown) if kind == "file" else None
            yield Setting(shown, said[each.name], kind, None if kind == "file" else by, span)
        elif name.startswith(PRODUCT):
            yield Setting(shown, usual[each.name], "default")


_BY = {"--cilium": "flag", "CLOISON_CILIUM": "environment", settings.FILE: "file"}
"""What kind of source each of those is that are no place in the input."""


def _detected(asked: Common, session: "Session | None") -> "Session | None":
    """Return what was read if that gives the network plugin away, and nobody said another."""
    if asked.cni or session is None:
        return None
    return session if session.settings.detected else None


def _read(asked: Common) -> "Session | None":
    """Return what is read here, if it can be read again."""
    if "-" in run.sources(asked):
        return None
    try:
        return run.load(asked)
    except SourceError:
        return None  # other commands say so; what is set can be shown all the same


@config.command(
    cls=Example,
    examples=(
        "cloison config schema > cloison.schema.json",
        "cloison config schema dns-table",
    ),
)
@click.argument("what", type=click.Choice(("settings", "dns-table")), default="settings")
def schema(what: str) -> int:
    """Print the JSON Schema of a settings file, or of a DNS table."""
    from pkgutil import get_data  # importlib.resources imports ten times as much

    text = get_data("cloison.app", f"schemas/{what}.json") or b""
    click.echo(text.decode(), nl=False)
    return run.OK
