"""What an installation of Cilium says of itself: its ConfigMap, and the image its agents run."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from cloison.base import Diagnostic, QuestionError, Severity, Span
from cloison.dialects.cilium.switches import PREFIX, SWITCHES, find, value
from cloison.platform.agents import nearest_cilium
from cloison.platform.cilium import CLUSTER_POLICIES
from cloison.platform.evidence import Evidence
from cloison.resources.documents import Document, PlainObject, RawObject
from cloison.resources.typed import NOT_SO

NAMESPACE: Final = "kube-system"
CONFIG: Final = "cilium-config"
AGENT: Final = "cilium"
CONFIG_MAP: Final = f"ConfigMap {NAMESPACE}/{CONFIG}"
DAEMON_SET: Final = f"DaemonSet {NAMESPACE}/{AGENT}"
PATCH: Final = f"{PREFIX}patch"
CONTAINER: Final = "cilium-agent"

_LONGEST: Final = 1 << 14
"""Characters of a setting."""
_CONFIG_KEY, _DAEMON_KEY = ("v1", "ConfigMap"), ("apps/v1", "DaemonSet")
_TAG = re.compile(r":v?(\d{1,3}\.\d{1,3}(?:\.\d{1,4})?)(?![\w.])")


class _Meta(msgspec.Struct):
    name: str | None = None
    namespace: str | None = None


class _Config(msgspec.Struct):
    metadata: _Meta | None = None
    data: dict[str, str | None] | None = None


class _Container(msgspec.Struct):
    name: str | None = None
    image: str | None = None


class _PodSpec(msgspec.Struct):
    containers: list[_Container | None] | None = None


class _Template(msgspec.Struct):
    spec: _PodSpec | None = None


class _Spec(msgspec.Struct):
    template: _Template | None = None


class _Daemon(msgspec.Struct):
    metadata: _Meta | None = None
    spec: _Spec | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """What one object says of the installation.

    Args:
        span: Where it stands.
        settings: Settings, by the names Cilium has for them; None for an object without any.
        version: As the image's tag says, perhaps with a patch release; None where it says none.
        diagnostics: Settings that were not understood.
        unread: Those of them that mean something nobody knows.
    """

    span: Span
    settings: Mapping[str, str] | None = None
    version: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Installation:
    """What all objects say of the installation.

    Args:
        settings: Settings, by name.
        origins: What says each of them, for people.
        place: Where they stand; None where no ConfigMap was found.
        version: Of a profile; None where nothing says any.
        image: The version as the image's tag says it.
        diagnostics: Settings that were not understood.
        unread: Those of them that mean something nobody knows.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    place: Span | None = None
    version: str | None = None
    image: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def evidence(self) -> Evidence | None:
        """Who enforces, for this; None where nothing was found."""
        if self.version is not None:
            return Evidence(f"{AGENT}@{self.version}", f"{DAEMON_SET} ({self.image})")
        if self.place is not None:
            return Evidence(AGENT, CONFIG_MAP)
        return None


def read(item: Document | RawObject | PlainObject) -> Installed | None:
    """Return what an object says of the installation; None for one that is about something else."""
    if isinstance(item, Document):
        root = item.root
        kind = tuple(_text(root.get(key)) for key in ("apiVersion", "kind"))
        if kind not in (_CONFIG_KEY, _DAEMON_KEY):
            return None
        called = tuple(_text(root.get("metadata", key)) for key in ("namespace", "name"))
        if called not in ((NAMESPACE, CONFIG), (NAMESPACE, AGENT)):
            return None
        plain, span = root.plain(), root.span(item.file)
        return _config(plain, span) if kind == _CONFIG_KEY else _daemon(plain, span)
    key = (item.api_version, item.kind)
    if key not in (_CONFIG_KEY, _DAEMON_KEY):
        return None
    span = Span(item.file, item.line, item.column)
    try:
        plain = item.decode(_Config if key == _CONFIG_KEY else _Daemon)
    except NOT_SO:
        return None
    return _config(plain, span) if key == _CONFIG_KEY else _daemon(plain, span)


def together(found: Iterable[Installed]) -> Installation:
    """Return what objects say together; of two of one kind the last one by place counts."""
    settings: Mapping[str, str] = {}
    place: Span | None = None
    image: str | None = None
    said: tuple[Diagnostic, ...] = ()
    unread: tuple[str, ...] = ()
    for each in sorted(found, key=lambda each: each.span):
        if each.settings is not None:
            settings, place, said = each.settings, each.span, each.diagnostics
            unread = each.unread
        image = each.version or image
    origins = dict.fromkeys(settings, CONFIG_MAP)
    patch = (image or "").split(".")[2:]
    if image and patch and nearest_cilium(image) == image.rpartition(".")[0]:
        settings = {PATCH: patch[0], **settings}
        origins = {PATCH: DAEMON_SET, **origins}
    version = image and nearest_cilium(image)
    return Installation(settings, origins, place, version, image, said, unread)


def _config(plain: object, span: Span) -> Installed | None:
    """Return the settings of the ConfigMap, those that mean something here."""
    try:
        config = msgspec.convert(plain, _Config, from_attributes=True)
    except msgspec.ValidationError:
        return None
    if not _is(config.metadata, CONFIG):
        return None
    found: dict[str, str] = {}
    said: list[Diagnostic] = []
    unread: list[str] = []
    # What the ConfigMap does not hold, the agent takes to be off.
    given = {CLUSTER_POLICIES: "false", **(config.data or {})}
    for name in (each.name for each in SWITCHES):
        text = given.get(name)
        if text is None:
            continue
        switch = find(name)
        try:
            value(switch, text[:_LONGEST])
        except QuestionError as error:
            said.append(_odd(error, switch.otherwise, span))
            if switch.otherwise is None:
                unread.append(name)
            else:
                found[name] = switch.otherwise
        else:
            found[name] = text
    return Installed(span, found, None, tuple(said), tuple(unread))


def _daemon(plain: object, span: Span) -> Installed | None:
    """Return the version of the agents' image."""
    try:
        daemon = msgspec.convert(plain, _Daemon, from_attributes=True)
    except msgspec.ValidationError:
        return None
    template = daemon.spec.template if daemon.spec else None
    if not _is(daemon.metadata, AGENT) or template is None or template.spec is None:
        return None
    for each in template.spec.containers or ():
        if each is not None and each.name == CONTAINER:
            tag = _TAG.search((each.image or "")[:_LONGEST])
            return Installed(span, version=tag[1]) if tag else None
    return None


def _is(meta: _Meta | None, name: str) -> bool:
    return meta is not None and meta.name == name and meta.namespace == NAMESPACE


def _odd(error: QuestionError, otherwise: str | None, span: Span) -> Diagnostic:
    return Diagnostic(
        "APP003",
        Severity.WARNING,
        error.message,
        span,
        CONFIG_MAP,
        "agents do not start with it, or it means something that is not known here: answers are "
        "undetermined"
        if otherwise is None
        else f"agents take it as `{otherwise}`, and so do answers",
        f"{error.help}; what holds in the cluster can be said with `--cilium`",
        "Cilium documentation, ConfigMap options",
    )


def _text(node: object) -> str:
    said = getattr(node, "value", None)
    return said if isinstance(said, str) else ""
