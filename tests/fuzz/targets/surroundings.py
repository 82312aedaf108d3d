"""What stands around manifests: settings, names of revisions, charts, proposed changes."""

import io
import posixpath
from datetime import date
from pathlib import PosixPath
from typing import Any

import cloison
from cloison.app.overlay import Overlay
from cloison.app.settingsfile import SettingsFile, schema
from cloison.app.settingsfile import read as read_settings
from cloison.app.suppress import sort
from cloison.base import CloisonError, Diagnostic, SourceError, Span
from cloison.sources import git, read
from cloison.sources.charts import chart
from cloison.sources.kustomize import Kustomizations, kustomization
from tests.fuzz import seeds
from tests.fuzz.target import Target, sampled, sound


class _InMemory(PosixPath):
    """A settings file that nobody wrote to a disk."""

    data = b""

    def open(self, *_arguments: Any, **_named: Any) -> Any:
        """Return its bytes."""
        return io.BytesIO(self.data)


def _settings(data: bytes) -> None:
    path = _InMemory("cloison.yaml")
    path.data = data
    try:
        found = read_settings(path)
    except SourceError as error:
        _said(error)
        return
    assert isinstance(found, SettingsFile)
    assert found.values.keys() <= schema()["properties"].keys()
    assert found.places.keys() == found.values.keys()
    for key in found.values:
        found.resolved(key)
    finding = Diagnostic("NPL003", _SEVERITY, "odd", Span("a/b.yaml", 1), "NetworkPolicy web/x")
    kept = sort([finding], found, date(2026, 7, 1))
    assert repr(kept) == repr(sort([finding], found, date(2026, 7, 1)))


def _said(error: CloisonError) -> None:
    assert error.message
    (error.message + (error.help or "")).encode("utf-8")


_SEVERITY = cloison.Severity.WARNING
_FULL = (
    b"apiVersion: cloison.dev/v1alpha1\nkind: Settings\nsources: [manifests, 'git:main']\n"
    b"cni: calico\nkubernetesVersion: '1.34'\npodCidrs: [10.2.0.0/16]\nfailOn: warning\n"
    b"suppressions:\n- {code: NPL003, reason: known, object: NetworkPolicy web/*, "
    b"path: 'a/**', expires: 2027-03-31}\n"
)
_SETTINGS = (
    _FULL,
    b"strict: true\nrender: never\nvalues: [a.yaml]\nnamespace: web\nfieldValidation: strict\n",
    b"lint: {}\n",
    b"suppressions: [{code: x}]\n",
)
_SETTINGS_WORDS = (*schema()["properties"], "code", "reason", "object", "path", "expires")


def _names(data: bytes) -> None:
    """Take each line as the name of a revision, and as that of something to delete."""
    lines = data.decode("utf-8", "replace").split("\n")
    for line in lines:
        try:
            revision, path = git.split(f"git:{line}")
        except SourceError as error:
            _said(error)
            continue
        assert revision
        assert not revision.startswith("-"), "git would take it for an option"
        assert revision.isprintable()
        assert f"git:{line}" == f"git:{revision}" + ("" if path is None else f":{path}")
        try:
            found = git.Revision("git", revision, "", "deploy/").locate(path)
        except SourceError as error:
            _said(error)
        else:
            assert ".." not in found.split("/"), "leads out of the repository"
    try:
        Overlay([], lines)
    except CloisonError as error:
        _said(error)


_NAMES = (
    *("HEAD~1:deploy/", "main", "main@{2026-01-31 12:00}:a:b", "-x", ":a", "HEAD:../..", "v1:./x"),
    *("netpol/web/guard", "ns/web", "Deployment.apps/web/portal", "a/b/c/d", "po/x", "HEAD:/../x"),
    *("@{u}", "a^{tree}:b", "a{b:c", "main:", "main:\x00", "deployments/x", "networkpolicies/a/b"),
)


class _Tree:
    """Files cut out of one input, as a chart or kustomization beside its base has them."""

    _paths = ("kustomization.yaml", "Chart.yaml", "base/kustomization.yaml", "base/Chart.yaml")

    def __init__(self, data: bytes) -> None:
        self._files = dict(zip(self._paths, data.split(b"\n---\n"), strict=False))

    def read(self, path: str) -> bytes | None:
        return self._files.get(posixpath.normpath(path))

    def is_file(self, path: str) -> bool:
        return posixpath.normpath(path) in self._files

    def is_directory(self, path: str) -> bool:
        return posixpath.normpath(path) in (".", "base")

    def identity(self, path: str) -> str:
        return posixpath.normpath(path)

    def shown(self, path: str) -> str:
        return path


def _projects(data: bytes) -> None:
    files = _Tree(data)
    for directory in ("", "base"):
        found = chart(files, directory)
        if found is not None:
            assert found.release
            assert found.release.isascii()
            assert not found.release.startswith("-"), "helm would take it for an option"
            for path in found.paths:
                path.encode("utf-8")
        one = kustomization(files, directory)
        if one is None:
            continue
        assert repr(one) == repr(kustomization(files, directory))
        every = Kustomizations(files).closure(one)
        assert len(every) <= 2
        for each in every:
            for text in (*each.paths, *(where for where, _ in each.remote), *each.renames):
                text.encode("utf-8")


_WITH_BASE = (
    b"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [base, a.yaml]\n"
    b"patches: [{path: p.yaml}]\nnamePrefix: x-\n"
    b"---\nname: web\napiVersion: v2\ndependencies: [{name: a, repository: 'file://../base'}]\n"
    b"---\nresources: ['https://example.com/x', 'github.com/a/b?ref=c']\nhelmCharts: [{name: a}]\n"
    b"---\nname: lib\napiVersion: v2\ntype: library\n"
)
_ODD = (
    b"bases: [../x, base/, ./base]\nconfigMapGenerator: [{files: [a=b], envs: [c]}]\n"
    b"---\nname: Web_1\napiVersion: v1\n---\nkind: Component\ncomponents: ['..']\n"
)
_PROJECTS = (_WITH_BASE, _ODD)
_PROJECT_WORDS = (
    "resources",
    "bases",
    "components",
    "patches",
    "namePrefix",
    "repository",
    "file://",
)


def _what_if(data: bytes) -> None:
    """Lay a part of an input over the rest."""
    found = list(read(["-"], stdin=io.BytesIO(data), bulk_from=len(data) % 2 << 40))
    change, base = found[::3], found
    delete = [t for t in ("netpol/web/guard", "ns/web", "po/api/web") if sampled(data, len(t))]
    overlay = Overlay(change, delete)
    kept = [overlay.keeps(one) for one in base]
    back = Overlay(change[::-1], delete)
    assert kept[::-1] == [back.keeps(one) for one in reversed(base)], "reading order shows"
    try:
        overlay.check()
    except CloisonError as error:
        _said(error)
    sound(one for one in found if isinstance(one, Diagnostic))


SETTINGS = Target(
    "settings",
    _settings,
    lambda: _SETTINGS,
    ("cloison.app.settingsfile", "cloison.app.suppress"),
    words=_SETTINGS_WORDS,
)
NAMES = Target(
    "names",
    _names,
    lambda: [name.encode() for name in _NAMES],
    ("cloison.sources.git", "cloison.app.overlay"),
    lines=True,
    words=_NAMES,
)
PROJECTS = Target(
    "projects",
    _projects,
    lambda: _PROJECTS,
    ("cloison.sources.charts", "cloison.sources.kustomize"),
    words=_PROJECT_WORDS,
)
WHAT_IF = Target("what-if", _what_if, seeds.worlds, ("cloison.app.overlay",))
