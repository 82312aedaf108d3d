"""What a contract comes to as policies, before any language says it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from cloison.algebra import LabelSelector
from cloison.analyses.ends import End, PodsEnd
from cloison.base import Diagnostic, Severity, Span
from cloison.base.words import few
from cloison.intent import Dependency
from cloison.ir.allowlist import Allowlist, Asked, PeerOf, PortRange
from cloison.resources.names import printable
from cloison.resources.world import WorkloadId

UNSAID: Final = "CON201"
"""Something of the contract that the language has no words for."""
UNSELECTED: Final = "CON202"
"""A workload that labels do not tell from others."""
EXPIRED: Final = "CON203"
"""A dependency that counts no more."""
UNMET: Final = "CON204"
"""A dependency that means nothing here."""
WIDENED: Final = "CON205"
"""What is opened for want of words, beyond what the contract says."""
ONE_SIDED: Final = "CON206"
"""A dependency to be enforced at one end, of which the other end is closed too."""
UNRESOLVED: Final = "CON207"
"""Names that pods look up where nobody can say which address to open."""
UNWRITTEN: Final = "CON208"
"""A part of the platform that nothing is written for."""
TODAY: Final = "CON209"
"""What is right only as long as the inventory stays as it is."""
UNGOVERNED: Final = "CON210"
"""A namespace that the contract does not speak of, or that was left out."""
OPEN: Final = "CON211"
"""What stays open because the language cannot close it."""
LEFT: Final = "CON212"
"""A file that was written before and is not any more."""
DIFFERS: Final = "CON213"
"""Policies that, read back, do not do what is wanted."""
UNGUARDED: Final = "CON214"
"""A guardrail that does not hold with the policies that were written."""

SOURCE: Final = "Cloison contract: compile"

SHUT: Final = "nothing is written for it, and the default deny keeps it shut"
"""What becomes of a dependency of which nothing is written."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Edge:
    """One call to be let through, as enforcement points see it.

    Args:
        source: Who calls.
        destination: Who is called.
        ports: With what, at the destination; empty for everything.
        http: With which requests only.
        reason: Why, in a line.
        entry: The dependency; None for what is added for the platform.
        out: Whether the source's end is written.
        into: Whether the destination's end is written.
        source_peer: Whom the destination's end names, where the contract says it by labels.
        destination_peer: Whom the source's end names, likewise.
        dialled: The ports as the source's end names them, where that is not `ports`.
        role: What of the platform it is for; empty where it is for a dependency.
    """

    source: End
    destination: End
    ports: tuple[PortRange, ...] = ()
    http: Asked | None = None
    reason: str = ""
    entry: Dependency | None = None
    out: bool = True
    into: bool = True
    source_peer: PeerOf | None = None
    destination_peer: PeerOf | None = None
    dialled: tuple[PortRange, ...] | None = None
    role: str = ""

    @property
    def text(self) -> str:
        """As people read it: `web/portal to api/server on 8080/TCP`."""
        ports = ", ".join(each.text for each in self.ports) or "every port"
        return f"{self.source.text} to {self.destination.text} on {ports}"

    def asks(self) -> Iterator[tuple[object, PodsEnd]]:
        """Yield what is written of it for pods at its ends, in a form that can be compared."""
        ports = frozenset(self.ports)
        for end, other, here in (
            (self.source, self.destination, self.out),
            (self.destination, self.source, self.into),
        ):
            if isinstance(end, PodsEnd) and here:
                yield (end is self.source, other.text, ports, self.http), end


@dataclass(frozen=True, slots=True)
class Added:
    """What is opened for the platform, besides what the contract lists as dependencies.

    Args:
        role: What for: `dns`, `probes`, `metrics`, `telemetry`.
        source: Who calls.
        destination: Who is called.
        ports: With what.
        why: What says so.
        workloads: How many workloads it is written for.
    """

    role: str
    source: str
    destination: str
    ports: tuple[str, ...]
    why: str
    workloads: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """All policies of one file.

    Args:
        namespace: The namespace.
        workloads: Whom it is for; empty for all of the namespace.
        lists: The policies.
        entries: Names of the dependencies in it, sorted.
    """

    namespace: str
    workloads: tuple[WorkloadId, ...]
    lists: tuple[Allowlist, ...]
    entries: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What to call it: by its first workload, or the namespace."""
        return str(self.workloads[0]) if self.workloads else f"{self.namespace}, every pod"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a contract comes to.

    Args:
        sheets: The files to be, sorted.
        edges: The edges that they let through.
        added: What of that is for the platform.
        findings: What cannot be said, and what else there is to know.
        namespaces: The namespaces that policies are written for.
        refused: Dependencies of which something is not let through, by name.
        asked: Dependencies of which something is to be let through, by name.
        shut: Workloads that no labels select, so that no policy is written for them.
    """

    sheets: tuple[Sheet, ...] = ()
    edges: tuple[Edge, ...] = ()
    added: tuple[Added, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    namespaces: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    shut: frozenset[WorkloadId] = frozenset()


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What policies that were written do, asked of the engine.

    Args:
        through: How many dependencies are let through in whole.
        asked: How many are to be.
        unsure: Of which nobody can say for certain, because of what the input lacks; by name.
        workloads: Between how many workloads everything that passes was compared.
        complete: Whether all pairs of them were.
        more: Between how many pairs of them passes what nothing says.
        holding: How many guardrails hold.
        guardrails: How many were asked about.
        differences: What is not as it should be.
    """

    through: int
    asked: int
    unsure: tuple[str, ...]
    workloads: int
    complete: bool
    more: int
    holding: int
    guardrails: int
    differences: tuple[Diagnostic, ...] = ()


class State(StrEnum):
    """What became of a file."""

    SHOWN = "shown"
    """No directory was named."""
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class File:
    """A file of policies.

    Args:
        path: Where it belongs, below the directory of all: `NAMESPACE/WORKLOAD.yaml`.
        sheet: What is in it.
        text: The policies as YAML, with the first line that says who wrote it.
        objects: The policies as plain values.
        state: What became of it.
    """

    path: str
    sheet: Sheet
    text: str
    objects: tuple[object, ...]
    state: State = State.SHOWN


@dataclass(frozen=True, slots=True)
class Result:
    """A contract written in a language.

    Args:
        names: Names of the contract documents.
        target: The language.
        compiled: What the contract comes to.
        files: The files, sorted by path.
        findings: What reading the contract brought to light, and what cannot be said of it.
        directory: Where the files are; None where they were only shown.
        left: Files there that were written before, and would not be any more.
        read_back: What the policies do, asked of the engine; None where they were not asked.
    """

    names: tuple[str, ...]
    target: str
    compiled: Compiled
    files: tuple[File, ...]
    findings: tuple[Diagnostic, ...]
    directory: str | None = None
    left: tuple[str, ...] = ()
    read_back: ReadBack | None = None

    @property
    def policies(self) -> int:
        """How many policies there are."""
        return sum(len(each.objects) for each in self.files)


@dataclass(slots=True)
class Notes:
    """Collects what there is to say; lives for one compilation."""

    said: dict[tuple[str, str], Diagnostic] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    whose: str = ""
    """What to say first of what is no dependency's."""
    parts: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """What of a dependency each of some findings is about."""
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    """Whose part is shut that a finding is about, by the dependency's name."""

    def say(
        self,
        code: str,
        severity: Severity,
        message: str,
        effect: str,
        help_: str | None = None,
        *,
        span: Span | None = None,
        about: str | None = None,
        again: bool = False,
    ) -> None:
        """Note something, once; what was noted with other words for its effect, where `again`."""
        message = printable(message)
        advice = printable(help_) if help_ else None
        found = Diagnostic(code, severity, message, span, about, printable(effect), advice, SOURCE)
        if again:
            self.said[code, message] = found
        self.said.setdefault((code, message), found)

    def of(
        self,
        entry: Dependency | None,
        code: str,
        message: str,
        effect: str,
        help_: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note something about a dependency, which is not let through if that is an error."""
        if entry is None:
            self.say(code, Severity.WARNING, f"{self.whose}{message}", effect, help_)
            return
        if severity is Severity.ERROR:
            self.refused.add(entry.name)
        text = f"dependency {entry.name!r}: {message}"
        self.say(code, severity, text, effect, help_, span=entry.span)

    def shut(
        self,
        entry: Dependency | None,
        code: str,
        message: str,
        part: str,
        help_: str | None = None,
    ) -> None:
        """Note that a part of a dependency is not written; `settle` says what of it is."""
        self.of(entry, code, message, SHUT if entry is not None else _not(part), help_)
        if entry is not None:
            key = (code, printable(f"dependency {entry.name!r}: {message}"))
            self.parts[key].append(printable(part))
            self.owners[key] = entry.name

    def lacks(self, entry: Dependency, message: str, help_: str | None) -> None:
        """Note that a dependency, or a part of it, means nothing here."""
        self.of(entry, UNMET, message, "nothing is written for it", help_)
        self.owners[UNMET, printable(f"dependency {entry.name!r}: {message}")] = entry.name

    def wide(
        self, entry: Dependency | None, message: str, what: str, part: str, help_: str | None
    ) -> None:
        """Note a part of a dependency of which more is let through than the contract says.

        Args:
            entry: The dependency.
            message: What cannot be said.
            what: What is let through instead.
            part: Between whom, on which ports.
            help_: What to do.
        """
        whose = f"dependency {entry.name!r}: " if entry is not None else self.whose
        key = (WIDENED, printable(f"{whose}{message}"))
        self.parts[key].append(printable(part))
        told = f"{what} is let through instead: {few(self.parts[key], _SHOWN)}"
        self.said.pop(key, None)
        self.of(entry, WIDENED, message, told, help_)

    def settle(self, written: Iterable[Edge]) -> None:
        """Say of each dependency that is shut in part what is open of it.

        Args:
            written: What is let through.
        """
        open_: dict[str, list[str]] = defaultdict(list)
        for each in written:
            if each.entry is not None:
                open_[each.entry.name].append(printable(each.text))
        for key, name in self.owners.items():
            if name in open_:
                parts = self.parts.get(key)
                lost = _not(few(parts, _SHOWN)) if parts else "nothing is written for that part"
                told = f"{lost}; let through: {few(open_[name], _SHOWN)}"
                self.said[key] = replace(self.said[key], effect=told)


def _not(part: str) -> str:
    return f"not let through: {part}"


Chosen = Mapping[WorkloadId, "Subject"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Pods that labels select, and no others of their namespace.

    Args:
        namespace: Their namespace.
        pods: The labels.
        workloads: Whose pods they are; several where labels do not tell them apart, and the
            contract says the same of all.
    """

    namespace: str
    pods: LabelSelector
    workloads: tuple[WorkloadId, ...]


def joined(texts: Sequence[str]) -> str:
    """Return texts as one, each once, in order."""
    return "; ".join(dict.fromkeys(each for each in texts if each))
