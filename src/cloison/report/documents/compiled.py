"""`contract compile` as published."""

from collections.abc import Iterator, Sequence
from typing import Any

from cloison.analyses.contract.compile.model import File, ReadBack, Result, State
from cloison.report.about import About, Judged
from cloison.report.documents import parts
from cloison.report.documents.judged import Counted, SuppressedFinding, counted, suppressed


class PlatformAdded(parts.Base, frozen=True):
    """What is let through for the platform, besides what the contract lists, and what says so."""

    role: str
    from_: str
    to: str
    ports: list[str]
    why: str
    workloads: int


class FileCompiled(parts.Base, frozen=True):
    """A file of policies; `workloads` is empty for what is about a whole namespace.

    `state` is `shown` where no directory was named, otherwise `new`, `changed` or `same`.
    """

    path: str
    state: State
    namespace: str
    workloads: list[parts.WorkloadEndpoint]
    dependencies: list[str]
    policies: list[Any]


class PoliciesReadBack(parts.Base, frozen=True):
    """What the policies do, asked of the engine as if somebody else had written them.

    `through` of `asked` dependencies are let through in whole, `unsure` of them as far as the
    input shows, which `unsure_of` names. `beyond` counts pairs of the `workloads` between which
    passes what nothing says; `complete` tells whether all pairs were compared.
    """

    asked: int
    through: int
    unsure: int
    unsure_of: list[str]
    workloads: int
    complete: bool
    beyond: int
    guardrails: int
    holding: int


class CompiledContract(parts.Envelope, frozen=True):
    """A contract as policies of a language, and what could not be said.

    `left` has files that were written before and are not any more; `refused` the dependencies of
    which something is not let through.
    """

    contracts: list[str]
    target: str
    directory: str | None
    namespaces: list[str]
    files: list[FileCompiled]
    left: list[str]
    added: list[PlatformAdded]
    refused: list[str]
    read_back: PoliciesReadBack | None
    findings: list[parts.Finding]
    suppressed: list[SuppressedFinding]
    summary: Counted


DOCUMENT = CompiledContract


def document(result: Judged[Result], about: About) -> CompiledContract:
    """Return a compiled contract as published."""
    found = result.answer
    return CompiledContract(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        contracts=list(found.names),
        target=found.target,
        directory=found.directory,
        namespaces=list(found.compiled.namespaces),
        files=[_file(each) for each in found.files],
        left=list(found.left),
        added=[
            PlatformAdded(
                role=each.role,
                from_=each.source,
                to=each.destination,
                ports=list(each.ports),
                why=each.why,
                workloads=each.workloads,
            )
            for each in found.compiled.added
        ],
        refused=sorted(found.compiled.refused),
        read_back=_read_back(found.read_back),
        findings=[parts.finding(each) for each in result.findings],
        suppressed=suppressed(result.suppressed),
        summary=counted(result),
    )


def _read_back(found: ReadBack | None) -> PoliciesReadBack | None:
    if found is None:
        return None
    return PoliciesReadBack(
        asked=found.asked,
        through=found.through,
        unsure=len(found.unsure),
        unsure_of=list(found.unsure),
        workloads=found.workloads,
        complete=found.complete,
        beyond=found.more,
        guardrails=found.guardrails,
        holding=found.holding,
    )


def _file(file: File) -> FileCompiled:
    return FileCompiled(
        path=file.path,
        state=file.state,
        namespace=file.sheet.namespace,
        workloads=[
            parts.WorkloadEndpoint(namespace=each.namespace, name=each.name, type=each.kind)
            for each in file.sheet.workloads
        ],
        dependencies=list(file.sheet.entries),
        policies=list(file.objects),
    )


HEADER = ("path", "state", "namespace", "workloads", "policies", "dependencies")


def rows(result: Judged[Result]) -> Iterator[Sequence[object]]:
    """Iterate over the files as rows."""
    for each in result.answer.files:
        yield (
            each.path,
            str(each.state),
            each.sheet.namespace,
            " ".join(map(str, each.sheet.workloads)),
            len(each.objects),
            " ".join(each.sheet.entries),
        )
