"""`cloison convert`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from cloison.base import SourceError
from cloison.cli import run
from cloison.cli.options import Common, Example, common

if TYPE_CHECKING:
    from cloison.app.compared import Compared
    from cloison.app.convert import Conversion
    from cloison.base import Diagnostic


def _language(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Return the name of a language if it is one: the table of dialects is read only then."""
    from cloison.dialects import targets

    if value not in targets():
        msg = f"{value!r} is not one of {', '.join(targets())}"
        raise click.BadParameter(msg)
    return value


def _languages(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the languages that begin like this."""
    from cloison.dialects import targets

    return [CompletionItem(name) for name in targets() if name.startswith(incomplete)]


@click.command(
    cls=Example,
    examples=(
        "cloison convert --to calico -f policies/",
        "cloison convert --to cilium -f policies/ --target-cni cilium@1.19 --check",
        "cloison convert --to clusternetworkpolicy -f anp.yaml --check > cnp.yaml",
        "cloison convert --to clusternetworkpolicy --kind AdminNetworkPolicy -f all.json --check",
        "kubectl get anp,banp -o json | cloison convert --to clusternetworkpolicy -f -",
    ),
)
@click.option(
    "--to",
    required=True,
    metavar="LANGUAGE",
    callback=_language,
    shell_complete=_languages,
    help="The language to write: networkpolicy, clusternetworkpolicy, calico or cilium.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="Convert only objects of this kind, and leave the others as they are; repeatable.",
)
@click.option(
    "--target-cni",
    envvar="CLOISON_TARGET_CNI",
    metavar="PROFILE",
    help="Who will enforce what is written.  [default: who enforces the source, if that knows the "
    "language]",
)
@click.option(
    "--snapshot",
    is_flag=True,
    help="Also write what is right only as long as the inventory stays as it is: one copy for "
    "each namespace of today, the addresses of today.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Compare who may talk to whom before and after, and exit with 1 if that differs.",
)
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a file for each object here; files that exist are left alone, and said.",
)
@common(usual=("yaml", "json"))
def convert(
    asked: Common,
    to: str,
    kinds: tuple[str, ...],
    target_cni: str | None,
    output_dir: Path | None,
    *,
    snapshot: bool,
    check: bool,
) -> int:
    """Write policies in another language: what can be said exactly, and why the rest cannot.

    Documents go to standard output, ready for kubectl; what cannot be said is refused, object by
    object, on standard error. The source is not changed.
    """
    done = run.convert(asked, to, kinds, target_cni, snapshot=snapshot)
    if output_dir is not None:
        _to_files(done, output_dir, asked.output)
    else:
        run.write(_pages(done, asked.output))
    code = run.FOUND if done.refused else run.OK
    if not asked.quiet:
        _explain(asked, done, to)
    if check:
        code = max(code, _check(asked, done))
    if not asked.quiet:
        run.complain(asked, done.before)
    return run.UNANSWERED if asked.strict and done.before.broken else code


def _pages(done: "Conversion", output: str) -> Iterator[str]:
    """Iterate over the documents as one stream, or as one list in JSON."""
    if output == "json":
        yield _json({"apiVersion": "v1", "kind": "List", "items": done.objects})
        return
    for number, text in enumerate(done.texts):
        yield f"---\n{text}" if number else text


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _to_files(done: "Conversion", directory: Path, output: str) -> None:
    """Write each document to a file of its own.

    Raises:
        SourceError: A file is there already, or cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text, value in zip(done.file_names, done.texts, done.objects, strict=True):
            path = directory / f"{name}.{output}"
            with path.open("x", encoding="utf-8", newline="\n") as handle:
                handle.write(text if output == "yaml" else _json(value))
    except FileExistsError as error:
        msg = f"{error.filename} is there already"
        raise SourceError(msg, "nothing is overwritten: name an empty directory") from None
    except OSError as error:
        msg = f"{error.filename} cannot be written: {error.strerror}"
        raise SourceError(msg, "name a directory that can be written to") from None


def _explain(asked: Common, done: "Conversion", to: str) -> None:
    """Say on standard error what was written, what was not, and why."""
    from cloison.report.text.layout import count
    from cloison.report.text.validate import Quotes, message

    look = run.look_err(asked)
    quotes = Quotes()
    for group in _alike(done.written.refusals):
        for line in message(group[0], look, quotes):
            sys.stderr.write(look.safe(line) + "\n")
        for other in group[1:]:
            line = f"  also {other.span}  {other.object}"
            sys.stderr.write(look.safe(line) + "\n")
        sys.stderr.write("\n")
    parts = [f"{count(done.sources, 'object')} written as {count(len(done.texts), f'{to} object')}"]
    if done.left:
        parts.append(f"{done.left} refused")
    if done.already:
        parts.append(f"{done.already} already {to}")
    sys.stderr.write(f"{', '.join(parts)}\n")


def _alike(found: Sequence["Diagnostic"]) -> "list[list[Diagnostic]]":
    """Return diagnostics that say the same of several objects together, the worst first."""
    groups: dict[tuple[str, str, str | None], list[Diagnostic]] = {}
    for each in sorted(found, key=lambda d: -d.severity.rank):
        _, _, what = each.message.rpartition("`: ")
        groups.setdefault((each.code, what, each.effect), []).append(each)
    return list(groups.values())


def _check(asked: Common, done: "Conversion") -> int:
    """Say on standard error what is different with what was written; return the exit code."""
    from cloison.algebra import ANY
    from cloison.base import Severity

    if not done.before.world.workloads:
        sys.stderr.write(
            "check: there is no workload in the source to compare anything for; name the "
            "workloads, too\n"
        )
        return run.UNANSWERED
    faults = [d for d in done.after.read_diagnostics if d.severity is Severity.ERROR]
    every = (done.across, *done.within)
    codes = [_say_different(asked, each) for each in every]
    if not any(codes) and not faults:
        scope = "" if done.across.scope == ANY else f" of {done.across.scope}"
        both = ", ".join(each.after.profile.name for each in done.within)
        sys.stderr.write(
            f"check: the same flows{scope} are allowed {_sides(done.across)}"
            f"{both and f', and before and after under {both} alone'}\n"
        )
    for fault in faults:
        sys.stderr.write(f"check: what is written is not accepted: {fault.message}\n")
    return max(*codes, run.FOUND if faults else run.OK)


def _sides(compared: "Compared") -> str:
    """Return who enforces the two sides of a comparison."""
    return f"before ({compared.before.profile.name}) and after ({compared.after.profile.name})"


def _say_different(asked: Common, compared: "Compared") -> int:
    """Say on standard error what differs between two sides; return the exit code."""
    from cloison.report import render

    before, after = compared.before.profile.name, compared.after.profile.name
    decided = (
        f"what policies of equal priority that disagree leave open before ({before}) is decided "
        f"after ({after})"
    )
    said = ((f"different {_sides(compared)}", compared.different), (decided, compared.settled))
    for what, found in said:
        if not found:
            continue
        sys.stderr.write(f"check: {what}\n")
        about = run.about(compared.after)
        for piece in render("diff", found, about, "text", run.look_err(asked)):
            sys.stderr.write(piece)
    return run.FOUND if any(found for _, found in said) else run.OK
