"""What every question does around its answer: load, say what was wrong, print."""

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from cloison.base import SourceError
from cloison.cli.options import Common, colored
from cloison.cli.settings import FILE
from cloison.cli.settings import file as settings_file

if TYPE_CHECKING:
    from cloison.analyses.portable import Portability
    from cloison.app import Session, Settings
    from cloison.app.convert import Conversion
    from cloison.app.snapshot import Snapshot
    from cloison.base import Diagnostic
    from cloison.cli.complaint import Sides
    from cloison.cli.progress import Bar
    from cloison.report import About, Look

OK, FOUND, UNANSWERED = 0, 1, 2
"""Exit codes: nothing wrong; something found; not answered as asked."""


def load(common: Common, *, staged: bool = False, runtime: bool = False) -> "Session":
    """Read the sources.

    Args:
        common: The common options.
        staged: Whether staged policies are taken to be enforced.
        runtime: Whether the answer asks how pods are run, and not only what policies see.

    Raises:
        SourceError: A source cannot be read at all.
        QuestionError: A setting has no such value.
    """
    from cloison.app import load as read

    settings = _settings(common).but(runtime=runtime)
    session = read(*sources(common), settings=settings, progress=_bar(common))
    return as_staged(common, session)[0] if staged else session


def snapshot(common: Common) -> "tuple[Session, Snapshot]":
    """Read the sources, and return what there is to put by besides.

    Args:
        common: The common options.

    Raises:
        SourceError: A source cannot be read at all.
        QuestionError: A setting has no such value.
    """
    from cloison.app.snapshot import take

    return take(sources(common), _settings(common))


def as_staged(common: Common, *sessions: "Session") -> "tuple[Session, ...]":
    """Return sessions as if their staged policies were enforced; say so if there are none."""
    shown = tuple(session.staged() for session in sessions)
    if not common.quiet and all(a is b for a, b in zip(sessions, shown, strict=True)):
        sys.stderr.write("nothing is staged here; the answer is the same without --staged\n")
    return shown


def what_if(
    common: Common,
    apply: tuple[str, ...],
    delete: tuple[str, ...],
    *,
    runtime: bool = False,
    whole: bool = False,
) -> "tuple[Session, Session]":
    """Read the sources as they are, and as a change would leave them.

    Args:
        common: The common options.
        apply: Sources of the objects to replace or add.
        delete: Objects to delete.
        runtime: Whether the answer asks how pods are run, and not only what policies see.
        whole: Whether the change holds all policies there will be.

    Raises:
        SourceError: A source cannot be read at all.
        QuestionError: A setting has no such value, or something to delete is not there.
    """
    from cloison.app.change import what_if as read

    settings = _settings(common).but(runtime=runtime)
    return read(
        *sources(common),
        apply=apply,
        delete=delete,
        settings=settings,
        progress=_bar(common),
        whole=whole,
    )


def convert(
    common: Common, to: str, kinds: tuple[str, ...], target_cni: str | None, *, snapshot: bool
) -> "Conversion":
    """Read the sources and write their policies in another language.

    Args:
        common: The common options.
        to: The language.
        kinds: Kinds to write anew; all when none is given.
        target_cni: Profile of who will enforce what is written; None for the default.
        snapshot: Whether to write what is right for today's inventory only.

    Raises:
        SourceError: A source cannot be read at all.
        QuestionError: A setting has no such value, or no object is of a kind.
    """
    from cloison.app.convert import convert as written

    return written(
        *sources(common),
        to=to,
        settings=_settings(common),
        kinds=kinds,
        target_cni=target_cni,
        snapshot=snapshot,
    )


def portability(common: Common, *, all_namespaces: bool) -> "tuple[Session, Portability]":
    """Read the sources, and return with them which policies bind the cluster to one enforcer.

    Args:
        common: The common options.
        all_namespaces: Whether every namespace counts, whatever the common options say.

    Raises:
        SourceError: A source cannot be read at all.
        QuestionError: A setting has no such value.
    """
    from cloison.app.portability import portability as found

    namespace = None if all_namespaces else common.namespace
    settings = _settings(common)
    return found(*sources(common), settings=settings, namespace=namespace, progress=_bar(common))


def _bar(common: Common) -> "Bar | None":
    """Return a progress bar where somebody would see it."""
    from cloison.cli.progress import Bar

    drawn = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not common.quiet
    return Bar(sys.stderr) if drawn else None


def _settings(common: Common) -> "Settings":
    """Return what the options come to.

    Raises:
        QuestionError: A setting has no such value.
    """
    from cloison.app import Settings
    from cloison.app.settings import ANNOTATIONS
    from cloison.platform import profile

    file = settings_file()
    said = file.values if file is not None else {}
    switches, origins = cilium(common)
    settings = Settings(
        profile=profile(common.cni) if common.cni else "generic",
        profile_chosen=chosen(common),
        kubernetes=common.kubernetes,
        field_validation=common.field_validation,
        pod_cidrs=common.pod_cidrs,
        node_cidrs=common.node_cidrs,
        service_cidrs=common.service_cidrs,
        namespace=common.namespace or "default",
        values=common.values,
        render=common.render,
        names=names(common),
        dns_tables=common.dns_tables,
        cilium=switches,
        cilium_from=origins,
        cluster_domain=said.get("clusterDomain"),
        platform=said.get("platform"),
        components=said.get("components", {}),
        policy_channel=said.get("policyChannel", "any"),
        annotation_prefix=said.get("annotationPrefix", ANNOTATIONS),
        file=file,
    )
    settings.networks()
    return settings


def names(common: Common) -> dict[str, tuple[str, ...]]:
    """Return the addresses that DNS names stand for, of those that somebody wrote out.

    Raises:
        QuestionError: What stands before the address is no name.
    """
    from cloison.base import QuestionError
    from cloison.ir.names import host_name, is_host_name

    file = settings_file()
    written: dict[str, list[str]] = file.values.get("names", {}) if file is not None else {}
    found = {name: tuple(texts) for name, texts in written.items()}
    for said in common.dns_names:
        name, equals, address = said.partition("=")
        if not equals or not is_host_name(host_name(name)):
            msg = f"{said!r} does not say what address a DNS name stands for"
            raise QuestionError(msg, "write --dns-name api.example.com=203.0.113.10")
        found[name] = (*found.get(name, ()), address)
    return found


def cilium(common: Common) -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings of Cilium that somebody said, and by what.

    Raises:
        QuestionError: There is no such setting, or it has no such value.
    """
    found = settings_file()
    written: dict[str, str] = found.values.get("cilium", {}) if found is not None else {}
    if not common.cilium:
        return written, dict.fromkeys(written, FILE)
    from cloison.app.ciliumfile import pairs

    given = pairs(common.cilium)
    source = click.get_current_context().get_parameter_source("cilium")
    environment = source is click.core.ParameterSource.ENVIRONMENT
    by = "CLOISON_CILIUM" if environment else "--cilium"
    return {**written, **given}, {**dict.fromkeys(written, FILE), **dict.fromkeys(given, by)}


def chosen(common: Common) -> str:
    """Return who chose the profile: the flag, the variable in the environment or the file."""
    if not common.cni:
        return "default"
    source = click.get_current_context().get_parameter_source("cni")
    if source is click.core.ParameterSource.ENVIRONMENT:
        return "CLOISON_CNI"
    return FILE if source is click.core.ParameterSource.DEFAULT_MAP else "--cni"


def today() -> date:
    """Return the day it is here, for suppressions that expire."""
    return datetime.now().astimezone().date()


def files(common: Common) -> int:
    """Return how many files the sources come to."""
    from cloison.sources.walk import inputs

    return inputs(sources(common) or (".",), _settings(common).rendering()).files


def sources(common: Common) -> tuple[str, ...]:
    """Return the sources that are named: by -f, or else in the settings file."""
    found = settings_file()
    if common.sources or found is None or "sources" not in found.values:
        return common.sources
    return tuple(found.resolved("sources"))


def about(session: "Session", sides: "Sides | None" = None) -> "About":
    """Return what surrounds every answer of a session, or of two that are compared."""
    from cloison.base.version import VERSION
    from cloison.report import About

    found = About(VERSION, session.profile, session.settings.profile_chosen, session.diagnostics)
    if sides is None:
        return found
    before, after = (frozenset(side.diagnostics) for side in (sides.before, sides.after))
    return replace(found, sides=(before, after))


def look(common: Common) -> "Look":
    """Return how text is laid out here."""
    from cloison.report import Look

    return Look(
        colored(common.color),
        shutil.get_terminal_size((100, 40)).columns,
        simple=os.environ.get("TERM") == "dumb",
    )


def both(one: "Session", other: "Session") -> "Session":
    """Return a session that lacks what either side lacks, for what is said around an answer."""
    from cloison.base import sort_diagnostics

    said = sort_diagnostics({*one.read_diagnostics, *other.read_diagnostics})
    return replace(other, read_diagnostics=said, broken=max(one.broken, other.broken))


def answer(
    common: Common,
    session: "Session",
    kind: str,
    result: object,
    code: int = OK,
    sides: "Sides | None" = None,
    told: "Iterable[Diagnostic]" = (),
) -> int:
    """Print a result, say on standard error what it lacks, and return the exit code.

    Args:
        common: The common options.
        session: What was asked.
        kind: Which result it is, in the report's words.
        result: The result.
        code: The exit code if nothing else is wrong.
        sides: The two sides of a difference, which `session` joins.
        told: What the result itself tells of the input.
    """
    from cloison.report import render

    write(render(kind, result, about(session, sides), common.output, look(common)))
    if kind != "validate" and not common.quiet:
        complain(common, session, sides, told)
    return UNANSWERED if common.strict and session.broken else code


def write(pieces: Iterable[str]) -> None:
    """Write text to standard output as UTF-8, whatever the locale.

    A reader that leaves early has what it wanted; the exit code stays that of the answer.
    """
    sys.stdout.flush()
    out = sys.stdout.buffer
    encoded = (piece.encode("utf-8", "backslashreplace") for piece in pieces)
    try:
        for piece in encoded:
            out.write(piece)
        out.flush()
    except OSError as error:
        # Python flushes once more at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            msg = f"standard output cannot be written: {error.strerror}"
            raise SourceError(msg, "what was printed is not whole") from None


def look_err(common: Common) -> "Look":
    """Return how text is laid out on standard error: in colours only where that was said."""
    from cloison.report import Look

    return Look(common.color == "always", shutil.get_terminal_size((100, 40)).columns)


def complain(
    common: Common,
    session: "Session",
    sides: "Sides | None" = None,
    told: "Iterable[Diagnostic]" = (),
) -> None:
    """Say on standard error what was wrong with the input.

    What makes an answer incomplete is printed whole, the rest is counted.

    Args:
        common: The common options.
        session: What was read.
        sides: The two sides of a difference.
        told: What the answer has told already.
    """
    from cloison.cli.complaint import Manner, complaint

    plain = look_err(common)
    how = Manner(plain, today(), text=common.output == "text", told=frozenset(told))
    for line in complaint(session, sides, how):
        sys.stderr.write(plain.safe(line) + "\n")
