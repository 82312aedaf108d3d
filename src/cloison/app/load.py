"""From sources to a session: read, decode, compile."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, TypeAlias

from cloison.app.arrange import arranged, unrepeated
from cloison.app.installed import DAEMON_SET, PATCH, Installation, Installed, together
from cloison.app.installed import read as installation
from cloison.app.masked import masked
from cloison.app.origins import Origins
from cloison.app.session import Session
from cloison.app.settings import DEFAULT_CHOSEN, Settings
from cloison.base import (
    Diagnostic,
    QuestionError,
    Severity,
    Span,
    sort_diagnostics,
    unhurried,
)
from cloison.dialects import Compilation, Dialect, always_asked, completed, dialect_for, told
from cloison.ir.policy import PolicySet
from cloison.ir.profile import Profile
from cloison.platform import DEFAULT_PROFILE, configured, detect
from cloison.platform import profile as find_profile
from cloison.platform.cluster import platform_of
from cloison.platform.enforcers import enforcers
from cloison.platform.names import domains
from cloison.resources.declared import declared
from cloison.resources.decode import Decoded, decode, decode_raw
from cloison.resources.documents import Document, PlainObject, RawObject
from cloison.resources.faults import UNREADABLE
from cloison.resources.inventory import Built, Inventory, unused_kinds
from cloison.resources.kinds import group_of
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.world import World
from cloison.sources import Progress, read
from cloison.sources import objects as plain_objects

OWN_GROUP = "cloison.dev/"
"""API group of Cloison's own kinds; in a source they are never reported as unknown."""

Read = Document | RawObject | Diagnostic
Item = Read | PlainObject
Name: TypeAlias = "str | os.PathLike[str]"
"""What names a source."""


def load(
    *names: Name,
    settings: Settings | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
    **said: Any,
) -> "Session":
    """Read sources and return a session to ask.

    Args:
        names: Files, directories, revisions (`git:REV[:PATH]`) or `-`; the current directory
            when none is given.
        settings: How to read and judge.
        stdin: What `-` reads.
        progress: Told how many bytes have been consumed.
        said: Single settings by name, over `settings`: `profile="calico@3.32"`.

    Raises:
        SourceError: a name does not exist or cannot be read.
        QuestionError: a setting has no such value.

    >>> import cloison
    >>> session = cloison.load("examples/case-management")
    >>> print(session.why("web/case-portal", "evidence/evidence-api:8080").verdict)
    denied
    """
    chosen = (settings or Settings()).but(**said)
    with unhurried():
        named = paths(names) or chosen.sources or (".",)
        rendering = chosen.rendering()
        items = read(named, stdin=stdin, progress=progress, rendering=rendering)
        return _session(items, chosen)


def paths(names: Sequence[object]) -> tuple[str, ...]:
    """Return the names of sources as text.

    Raises:
        QuestionError: one is neither text nor a path.
    """
    found: list[str] = []
    for name in names:
        if isinstance(name, str):
            found.append(name)
        elif isinstance(name, os.PathLike):
            found.append(os.fspath(name))
        else:
            msg = f"{name!r} names no source"
            raise QuestionError(msg, "give a path, git:REVISION or -, as text or as a Path")
    return tuple(found)


def load_texts(texts: Mapping[str, str], **said: Any) -> "Session":
    """Return a session over manifests given as text, by the name they are shown under."""
    items = [
        named_item(item, name)
        for name, text in texts.items()
        for item in read(["-"], stdin=io.BytesIO(text.encode()))
    ]
    return _session(items, Settings().but(**said))


def load_objects(objects: Sequence[Mapping[str, Any]], **said: Any) -> "Session":
    """Return a session over manifests given as plain values.

    Messages call them `<objects>`, with the place of the one that is meant as its line.

    Args:
        objects: As `json.loads` gives them. They are read, and never changed or kept.
        said: Single settings by name: `profile="calico@3.32"`.

    Raises:
        QuestionError: A setting has no such value.
        TypeError: An object holds something that no manifest could.
    """
    return session_of(plain_objects(objects), Settings().but(**said))


def taker(settings: Settings) -> Callable[[Item], bool]:
    """Return what tells whether the API server would take what an item describes."""
    return loader_of(settings).take


def session_of(items: Iterable[Item], settings: Settings) -> "Session":
    """Return a session over what was read."""
    with unhurried():
        return _session(items, settings)


def named_item(item: Item, name: str) -> Item:
    """Return what was read under another name than standard input's."""
    if isinstance(item, Document):
        return Document(name, item.root)
    if isinstance(item, Diagnostic) and item.span is not None:
        return replace(item, span=Span(name, item.span.line, item.span.column))
    return item


@dataclass
class Loader:
    """Sorts what is read; lives for one load."""

    options: ReadOptions
    profile: Profile
    inventory: Inventory = field(default_factory=Inventory)
    pool: Pool = field(default_factory=Pool)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    objects: dict[str, tuple[Dialect[Any], list[Any]]] = field(default_factory=dict)
    own: list[Document] = field(default_factory=list)
    installed: list[Installed] = field(default_factory=list)
    built: Built | None = None
    broken: int = 0

    def take(self, item: Item) -> bool:
        """Sort an item; return whether the API server would take what it describes."""
        if isinstance(item, Diagnostic):
            self.diagnostics.append(item)
            self.broken += item.severity is Severity.ERROR
            return False
        told = installation(item)
        if told is not None:
            self.installed.append(told)
        if isinstance(item, PlainObject):
            found = self._plain(item)
            if found is not None:
                return found
            document = item.locate()
        elif isinstance(item, RawObject):
            if dialect_for(item.api_version, item.kind) is None:
                return self._world(decode_raw(item, self.options, self.pool))
            document = completed(item.locate(), item.api_version, item.kind)
        else:
            document = item
        return self._document(document)

    def _plain(self, item: PlainObject) -> bool | None:
        """Sort plain values; None where they have to be read as a document."""
        dialect = dialect_for(item.api_version, item.kind)
        if dialect is None:
            if item.api_version.startswith(OWN_GROUP):
                return None
            return self._world(decode_raw(item, self.options, self.pool))
        found = dialect.plain(item, self.options, self.pool) if dialect.plain else None
        if found is None:
            return None
        self.inventory.count(item.api_version, item.kind, understood=True)
        self._keep(dialect, found)
        return True

    def _document(self, document: Document) -> bool:
        api_version = _text(document, "apiVersion")
        kind = _text(document, "kind")
        if api_version.startswith(OWN_GROUP):
            self.own.append(document)
            return True
        dialect = dialect_for(api_version, kind)
        if dialect is None:
            return self._world(decode(document, self.options, self.pool))
        self.inventory.count(api_version, kind, document.root.span(document.file), understood=True)
        found, diagnostics = dialect.read(document, self.options, self.pool)
        self.diagnostics += diagnostics
        if found is not None:
            self._keep(dialect, found)
            kept = declared(document, api_version, kind, self.options.namespace)
            if kept is not None:
                self.inventory.add(kept)  # it leads traffic besides
        return found is not None or not _refuses(diagnostics)

    def _keep(self, dialect: Dialect[Any], found: object) -> None:
        self.objects.setdefault(dialect.name, (dialect, []))[1].append(found)
        namespace = getattr(found, "namespace", None)
        if namespace:
            self.inventory.mention(namespace)

    def finish(self) -> Built:
        """Build the world once, and let go of everything that was needed only until then."""
        if self.built is None:
            self.pool = Pool()
            self.built = self.inventory.build()
            self.diagnostics += unused_kinds(self.inventory.tallies())
            self.inventory = Inventory()
        return self.built

    def _world(self, decoded: Decoded) -> bool:
        self.diagnostics += decoded.diagnostics
        self.inventory.take(decoded)
        return decoded.resource is not None or not _refuses(decoded.diagnostics)


def _refuses(said: Iterable[Diagnostic]) -> bool:
    """Return whether something is wrong with an object that came to nothing."""
    return any(each.severity is Severity.ERROR for each in said)


def _text(document: Document, key: str) -> str:
    node = document.root.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _session(items: Iterable[Item], settings: Settings) -> "Session":
    loader = loader_of(settings)
    for item in items:
        loader.take(item)
    return finished(loader, detected(settings, loader))


def loader_of(settings: Settings) -> Loader:
    """Return what sorts what is read, for one load.

    Raises:
        QuestionError: A setting has no such value.
    """
    profile = settings.profile
    if isinstance(profile, str):
        profile = find_profile(profile)
    return Loader(settings.read_options(), profile)


def detected(settings: Settings, *loaders: Loader) -> Settings:
    """Return settings with the profile that the input gives away, where nobody has said one."""
    if settings.profile_chosen != DEFAULT_CHOSEN or settings.profile != DEFAULT_PROFILE:
        return settings
    worlds = [loader.finish().world for loader in loaders]
    named = {name for world in worlds for name in world.kinds}
    kinds = {(group_of(each), kind) for each, _, kind in (n.rpartition("/") for n in named)}
    said = together(each for loader in loaders for each in loader.installed)
    # Of what only one side has, as of two versions, the later side counts.
    agents = {
        one.id: one
        for world in worlds
        for one in enforcers(world, platform_of(world, settings.platform))
    }
    found = detect(kinds, said.evidence, tuple(agents[name] for name in sorted(agents)))
    if found is None:
        return settings
    for loader in loaders:
        loader.profile = found.profile
    return replace(settings, profile=found.profile, profile_chosen=found.chosen)


def _cluster(
    settings: Settings, said: Installation, profile: Profile
) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """Return settings with what the installation says, where nobody says otherwise.

    A patch release belongs to the version it is one of: with another it means nothing.
    """
    told = dict(said.settings)
    if said.origins.get(PATCH) == DAEMON_SET and profile.name.partition("@")[2] != said.version:
        del told[PATCH]
    unread = tuple(name for name in said.unread if name not in settings.cilium)
    settings = replace(settings, cilium_unread=unread)
    if not told:
        return settings, said.diagnostics
    mine = {name: said.origins[name] for name in told if name not in settings.cilium}
    merged = replace(
        settings,
        cilium={**told, **settings.cilium},
        cilium_from={**mine, **settings.cilium_from},
    )
    return merged, said.diagnostics


def finished(loader: Loader, settings: Settings) -> "Session":
    """Return the session that what was read adds up to.

    Args:
        loader: What has sorted it.
        settings: How it was read, and how to judge it: with the profile that was detected.
    """
    settings, here = _cluster(settings, together(loader.installed), loader.profile)
    profile = configured(loader.profile, settings.cilium, settings.cilium_unread)
    built = loader.finish()
    world = replace(built.world, domains=domains(built.world, settings.cluster_domain))
    built = replace(built, world=world)
    settings = _placed(settings, world, loader.profile)
    diagnostics = [*loader.diagnostics, *built.diagnostics, *here]
    if built.world.declared:
        # Whoever reads these is not needed for policies and pods alone.
        from cloison.platform.unread import unread

        diagnostics += [odd for _, odd in unread(built.world)]
    diagnostics += [*_contradicted(settings, built.world), *masked(settings)]
    for dialect, objects in loader.objects.values():
        kept, repeated = unrepeated(objects)
        diagnostics += repeated
        diagnostics += dialect.notices(kept)
        objects[:] = kept
    policies, origins, said = _compiled(loader.objects.values(), profile, built.world)
    return Session(
        world=built.world,
        policies=policies,
        profile=profile,
        settings=settings,
        read_diagnostics=sort_diagnostics([*diagnostics, *said]),
        objects={n: (d, tuple(o)) for n, (d, o) in sorted(loader.objects.items())},
        origins=origins,
        own=tuple(loader.own),
        broken=loader.broken + sum(map(_unreadable, diagnostics)),
    )


def _placed(settings: Settings, world: World, profile: Profile) -> Settings:
    """Return settings with what the input says of where pods are, where nobody says it."""
    if settings.pod_cidrs or not (world.nodes or world.declared):
        return settings
    # Whoever reads these is not needed for policies and pods alone.
    from cloison.platform.podranges import pod_ranges

    platform = platform_of(world, settings.platform)
    plugins = {profile.name.partition("@")[0], *(e.id for e in enforcers(world, platform))}
    found = pod_ranges(world, platform, plugins)
    return replace(
        settings, pod_cidrs=found.known, pod_cidrs_from=found.why, likely_pods=found.likely
    )


def _contradicted(settings: Settings, world: World) -> Iterator[Diagnostic]:
    """Yield that the input is from another cloud than the settings say."""
    if settings.platform is None:
        return
    platform = platform_of(world, settings.platform)
    other = platform.against
    if other is not None:
        yield Diagnostic(
            "CFG003",
            Severity.WARNING,
            f"the platform is said to be {platform.name}, and {other.shown} speaks for {other.of}",
            settings.file.places.get("platform") if settings.file is not None else None,
            effect=f"answers are those of {platform.name}: its resolvers, load balancers and "
            "metadata",
            help="name the platform of this input, or leave it to what the input says",
        )


def _unreadable(said: Diagnostic) -> bool:
    """Return whether an object could not be read because of something."""
    return said.severity is Severity.ERROR and said.code in UNREADABLE


def _compiled(
    objects: Iterable[tuple[Dialect[Any], Sequence[Any]]],
    profile: Profile,
    world: World,
    *,
    seen: bool = False,
) -> tuple[PolicySet, Origins, list[Diagnostic]]:
    """Return what objects mean under a profile, where it came from, and what came to light."""
    compiled: list[Compilation] = []
    origins = Origins()
    said: list[Diagnostic] = []
    held = tuple(objects)
    names = {dialect.name for dialect, _ in held}
    more = always_asked(profile.name)
    held = (*held, *((dialect, ()) for dialect in more if dialect.name not in names))
    if not seen:
        world = told(held, profile, world)
    alone = {
        place: dialect.compile(mine, profile, world)
        for place, (dialect, mine) in enumerate(held)
        if dialect.compile_among is None
    }
    others = tuple(policy for found in alone.values() for policy in found.policies)
    for place, (dialect, mine) in enumerate(held):
        among = dialect.compile_among
        found = alone[place] if among is None else among(mine, profile, world, others)
        compiled.append(found)
        said += found.diagnostics
        origins.add(dialect, found, mine)
    for place, (dialect, _) in enumerate(held):
        if dialect.beside is not None:
            own = compiled[place].policies
            for other, found in enumerate(compiled):
                if other != place:
                    policies = tuple(dialect.beside(own, found.policies, profile, world))
                    compiled[other] = replace(found, policies=policies)
            around = tuple(dialect.beside(own, profile.around, profile, world))
            profile = replace(profile, around=around)
    return arranged(profile, compiled), origins, said


def meant(
    objects: Iterable[tuple[Dialect[Any], Sequence[Any]]],
    profile: Profile,
    world: World,
    *,
    seen: bool = False,
) -> PolicySet:
    """Return what objects mean together.

    Args:
        objects: By dialect.
        profile: Who enforces.
        world: The inventory.
        seen: Whether that is the inventory as the enforcer sees it already.
    """
    return _compiled(objects, profile, world, seen=seen)[0]


def alike(before: "Session", after: "Session") -> "tuple[Session, Session]":
    """Return two sessions under one profile, where the input of one gave it away.

    What only one side has must not make the other one's answers those of another enforcer. The
    later side counts where both give one away.
    """
    if before.profile == after.profile:
        return before, after
    for giver, other in ((after, before), (before, after)):
        settings = giver.settings
        if settings.detected and (other.settings.detected or other.settings.by_default):
            changed = under(other, giver.profile, settings.profile_chosen)
            return (changed, giver) if giver is after else (giver, changed)
    return before, after


def under(session: "Session", profile: Profile, chosen: str) -> "Session":
    """Return a session as another enforcer would have it.

    Args:
        session: The session.
        profile: The other profile.
        chosen: How that was chosen.
    """
    settings = session.settings
    profile = configured(profile, settings.cilium, settings.cilium_unread)
    objects = (session.objects or {}).values()
    *_, before = _compiled(objects, session.profile, session.world)
    policies, origins, said = _compiled(objects, profile, session.world)
    kept = set(session.read_diagnostics) - set(before)
    return replace(
        session,
        policies=policies,
        profile=profile,
        settings=replace(session.settings, profile=profile, profile_chosen=chosen),
        read_diagnostics=sort_diagnostics([*kept, *said]),
        origins=origins,
    )


def over(session: "Session", world: World) -> "Session":
    """Return a session whose policies are judged over another inventory.

    Args:
        session: The session.
        world: The other inventory.
    """
    policies, origins, _ = _compiled((session.objects or {}).values(), session.profile, world)
    return replace(session, world=world, policies=policies, origins=origins)
