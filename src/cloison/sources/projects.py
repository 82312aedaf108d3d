"""Directories that are rendered rather than read: which of them, and how."""

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cloison.base import Diagnostic, Span
from cloison.sources import faults, tools
from cloison.sources.charts import Chart, chart
from cloison.sources.inputs import OWN_GROUP, Deferred, Files, Input, Rendering
from cloison.sources.kustomize import Kustomization, Kustomizations, kustomization
from cloison.sources.render import HELM, KUSTOMIZE, WHAT, Render, insist

_TOLD: Final = 5
_MOST: Final = 500
"""Directories that are rendered for one name: each takes a tool, which takes up to two minutes."""

Extractor = Callable[[Sequence[str], Path], None]
"""Puts the files below some directories of a revision below a directory on disk."""


@dataclass(slots=True, eq=False)
class Project:
    """A directory with a chart or a kustomization, as a walk finds it.

    Args:
        directory: Its path, for `files`.
        files: What it is part of.
        chart: The chart, if it is one.
        kustomization: The kustomization, if it is one.
        named: Whether the user named the directory itself.
        root: The directory the user named, resolved, where it is on disk.
        beside: Manifests below it that its tool may leave out, with their paths for `files`.
        place: What is equal for two ways to write the directory.
    """

    directory: str
    files: Files
    chart: Chart | None
    kustomization: Kustomization | None
    named: bool
    root: Path | None = None
    beside: list[tuple[str, Input]] = field(default_factory=list)
    place: str = field(init=False)

    def __post_init__(self) -> None:
        """Look the place up, once: it is asked for often."""
        self.place = self.files.identity(self.directory)

    @property
    def shown(self) -> str:
        """The directory as people are to see it."""
        return self.files.shown(self.directory) or "."

    @property
    def how(self) -> str:
        """What renders it."""
        return HELM if self.chart is not None else KUSTOMIZE

    @property
    def span(self) -> Span:
        """The directory as a place."""
        return Span(self.shown, 1)


Found = Input | Diagnostic | Deferred
Walked = Input | Diagnostic | Project


def project(
    files: Files, directory: str, *, named: bool, root: Path | None = None
) -> Project | None:
    """Return what is to be rendered in a directory, None where it holds plain files."""
    helm = chart(files, directory)
    kustomized = kustomization(files, directory)
    if helm is None and kustomized is None:
        return None
    return Project(directory, files, helm, kustomized, named, root)


def settle(
    walked: Sequence[Walked], rendering: Rendering, extract: Extractor | None = None
) -> Iterator[Found]:
    """Yield what a walk comes to: of several kustomizations, those that stand on top of the others.

    Args:
        walked: What one name of the user stands for.
        rendering: What the user says about rendering.
        extract: Puts files on disk, where they are part of a revision.

    Raises:
        SourceError: a directory the user named cannot be rendered.
    """
    projects = [each for each in walked if isinstance(each, Project)]
    if not projects:
        yield from (each for each in walked if not isinstance(each, Project))
        return
    named = next((each for each in projects if each.named), None)
    plan = _Plan(projects, rendering, extract, Kustomizations(projects[0].files))
    tops = list(plan.tops()) if named is None else [named]
    if named is None:
        yield from plan.shared(tops)
    if len(tops) > _MOST:
        place = posixpath.commonpath([each.shown for each in tops]) or os.curdir
        yield faults.too_many_to_render(Span(place, 1), len(tops), _MOST)
    rendered, left = set(tops[:_MOST]), set(tops[_MOST:])
    for each in walked:
        if not isinstance(each, Project):
            yield each
        elif each in rendered:
            yield from plan.one(each)
        elif each in left:
            continue
        elif each.chart is not None and each.chart.library and named is None:
            yield faults.library(each.span)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do with the projects of one walk."""

    projects: list[Project]
    rendering: Rendering
    extract: Extractor | None
    kustomizations: Kustomizations
    given: set[str] = field(default_factory=set)

    def tops(self) -> Iterable[Project]:
        """Return the projects that no other refers to, in order."""
        inner = {
            each.files.identity(path)
            for each in self.projects
            for path in _paths(each)
            if each.files.identity(path) != each.place
        }
        able = [each for each in self.projects if _stands_alone(each)]
        free = (each for each in able if each.place not in inner)
        tops = dict.fromkeys(free)
        covered = {place for each in tops for place in self._built_on(each)}
        # Kustomizations in a circle are all referred to: one of them gets kustomize to say so.
        for each in able:
            if each.place not in covered and each.chart is None:
                tops[each] = None
                covered |= self._built_on(each)
        return tops

    def shared(self, tops: Iterable[Project]) -> Iterator[Diagnostic]:
        """Yield what is to be said of overlays that would define the same objects twice."""
        users: dict[str, tuple[str, list[Project]]] = {}
        for each in tops:
            for base in self._bases(each):
                if not base.component:
                    place = each.files.identity(base.directory)
                    users.setdefault(place, (base.directory, []))[1].append(each)
        said: set[tuple[str, ...]] = set()
        for _, (base_directory, over) in sorted(users.items()):
            renames = [k.renames for each in over if (k := each.kustomization) is not None]
            shown = tuple(sorted(each.shown for each in over))
            if len(set(renames)) == len(renames) or shown in said:
                continue
            said.add(shown)
            yield faults.shared_base(Span(over[0].files.shown(base_directory), 1), _some(shown))

    def one(self, each: Project) -> Iterator[Found]:
        """Yield what rendering a directory comes to, and what lies beside it."""
        if each.chart is not None and each.kustomization is not None:
            yield faults.two_kinds(each.span)
        job = self._job(each)
        yield (
            job
            if isinstance(job, Render)
            else insist(job, named=each.named and self.rendering.mode != "never")
        )
        yield from self._beside(each)

    def _job(self, each: Project) -> Render | Diagnostic:
        if self.rendering.mode == "never":
            return faults.rendering_off(each.span, WHAT[each.how])
        helm = each.chart is not None
        for one in self._built(each):
            if one.unread:
                why = f"it cannot be looked into before it is rendered: {one.unread}"
                advice = "`kustomize build` may say more; what it prints can be read with -f -"
                return faults.not_rendered(each.span, WHAT[each.how], why, advice)
            if one.remote:
                what, span = one.remote[0]
                return faults.remote(span, each.shown, what)
            if one.charts is not None:
                return faults.charts_wanted(one.charts, each.shown)
        program = tools.find(HELM) if helm else tools.find(KUSTOMIZE, "kubectl")
        if program is None:
            names = HELM if helm else "kustomize or kubectl"
            command = "helm template" if helm else "kustomize build"
            return faults.tool_missing(
                each.span, WHAT[each.how], names, f"{command} {each.shown} | cloison ... -f -"
            )
        return Render(
            each.how,
            each.shown,
            program,
            self._arguments(each, program),
            each.directory or ".",
            each.named,
            None if self.extract is None else self._extraction(each, self.extract),
            each.root,
        )

    def _arguments(self, each: Project, program: str) -> tuple[str, ...]:
        if each.chart is None:
            return ("build",) if Path(program).stem == KUSTOMIZE else (KUSTOMIZE,)
        major, minor = self.rendering.kubernetes
        values = (f"--values={_quoted(Path(name).resolve())}" for name in self.rendering.values)
        return (
            "template",
            f"--namespace={self.rendering.namespace}",
            f"--kube-version={major}.{minor}",
            "--skip-tests",
            *values,
            each.chart.release,
        )

    def _extraction(self, each: Project, extract: Extractor) -> Callable[[Path], None]:
        """Return what puts on disk all that the tool may want to read."""
        built = self._built(each)
        needed = [path for one in built for path in (one.file, *one.paths)]
        # Files of such a directory may name others, in ways that only kustomize knows. The top is
        # left to what is named, for it would be the whole repository.
        needed += [one.directory for one in built if one.directory]
        return lambda top: extract(needed if built else [each.directory], top)

    def _beside(self, each: Project) -> Iterator[Input | Diagnostic]:
        """Yield what there is to read and to say of manifests that the tool leaves out."""
        inside = self._built_on(each)
        parts = [o for o in self.projects if o.place in inside]
        built = self._built(each)
        used = {each.files.identity(path) for one in built for path in (one.file, *one.paths)}
        left = []
        for path, one in ((path, one) for part in parts for path, one in part.beside):
            if each.files.identity(path) in used or one.shown in self.given:
                continue
            self.given.add(one.shown)
            if OWN_GROUP.encode() in (each.files.read(path) or b""):
                yield one
            elif each.chart is None:
                left.append(one.shown)
        if left:
            yield faults.not_part(each.span, len(left), "manifest", _some(left))
        others = [o for o in self.projects if each.named and o not in parts]
        if others:
            names = _some([one.shown for one in others])
            yield faults.not_part(each.span, len(others), "chart or kustomization", names)

    def _built(self, each: Project) -> tuple[Kustomization, ...]:
        """Return the kustomizations a project is made of, its own first; none for a chart."""
        if each.kustomization is None or each.chart is not None:
            return ()
        return self.kustomizations.closure(each.kustomization)

    def _bases(self, each: Project) -> tuple[Kustomization, ...]:
        return self._built(each)[1:]

    def _built_on(self, each: Project) -> set[str]:
        """Return the directories a project is made of, its own among them."""
        inside = (each.files.identity(base.directory) for base in self._bases(each))
        return {each.place, *inside}


def _stands_alone(each: Project) -> bool:
    if each.chart is not None:
        return not each.chart.library
    return each.kustomization is not None and not each.kustomization.component


def _paths(each: Project) -> tuple[str, ...]:
    if each.chart is not None:
        return each.chart.paths
    return each.kustomization.paths if each.kustomization is not None else ()


def _quoted(path: Path) -> str:
    """Return a path for a flag of Helm that takes several, set apart by commas."""
    escaped = str(path).replace('"', '""')
    return f'"{escaped}"'


def _some(names: Sequence[str]) -> str:
    """Return some names and how many more there are."""
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more
