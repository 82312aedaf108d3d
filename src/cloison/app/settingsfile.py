"""The settings file: what it may say, where it is found, and what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from io import BytesIO
from os.path import relpath
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from cloison.algebra import AddressSet
from cloison.app.ciliumfile import SHORT, CiliumSettings
from cloison.app.ciliumfile import texts as in_its_words
from cloison.app.componentsfile import faults as component_faults
from cloison.app.componentsfile import placed
from cloison.app.ownfile import read_whole
from cloison.app.settings import AUTO
from cloison.app.settingsdocument import SettingsDocument, Suppression
from cloison.base import Diagnostic, QuestionError, SourceError, Span
from cloison.dialects.cilium.switches import PREFIX, find
from cloison.dialects.cilium.switches import value as read_value
from cloison.platform import profile
from cloison.platform.cluster import platform_of
from cloison.resources import wrongtype
from cloison.resources.documents import Node
from cloison.resources.world import World
from cloison.sources.inputs import GIT, SETTINGS_FILE, STDIN, repository
from cloison.sources.yaml import documents

LARGEST: Final = 1 << 20
"""Bytes of a settings file."""
RESERVED: Final = ("lint", "zones")
"""Keys that nothing reads yet. They are refused, so that nobody relies on what has no effect."""


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file, read.

    Args:
        path: Where it is.
        shown: Its path as people are to see it.
        values: What it says, by key; only what it does say. Paths are as they are written.
        places: Where it says so, by key.
        suppressions: Findings it accepts, each with its place.
    """

    path: Path
    shown: str
    values: Mapping[str, Any]
    places: Mapping[str, Span]
    suppressions: tuple[tuple[Suppression, Span], ...] = ()

    def resolved(self, key: str) -> Any:  # noqa: ANN401 - as many types as there are settings
        """Return a value with its paths as they are from here."""
        value = self.values[key]
        if key == "flows":
            return _from_here(self.path.parent, value.store)
        if key not in ("sources", "values", "dnsTables"):
            return value
        return [_from_here(self.path.parent, name) for name in value]


def read(path: Path, *, found: bool = False) -> SettingsFile:
    """Return what a settings file says.

    Args:
        path: The file.
        found: Whether it was found rather than named. Such a file may come from anybody whose
            repository is looked at, so it may only have files read that are in there.

    Raises:
        SourceError: it cannot be read, or says something that has no meaning.
    """
    shown = relpath(path)
    data = read_whole(
        path,
        shown,
        LARGEST,
        named_by="--config names a settings file; `--config none` reads none",
        smaller="a settings file is small; check what it is",
    )
    root = _root(shown, list(documents(BytesIO(data), shown)))
    if root is None:
        return SettingsFile(path, shown, {}, {})
    _check_keys(root, SettingsDocument, shown, ())
    try:
        document = msgspec.convert(root.plain(), SettingsDocument)
    except msgspec.ValidationError as error:
        raise _misfit(root, shown, str(error)) from None
    given = root.value if isinstance(root.value, dict) else {}
    _check_values(document, root, shown)
    _check_paths(document, root, path, shown, found=found)
    plain = msgspec.structs.asdict(document)
    plain["components"] = placed(document.components, root.get("components"), shown)
    if document.cilium is not None:
        plain["cilium"] = _cilium(document.cilium, root, shown)
    names = {f.encode_name: f.name for f in msgspec.structs.fields(SettingsDocument)}
    listed = root.get("suppressions")
    nodes = listed.value if listed is not None and isinstance(listed.value, list) else []
    return SettingsFile(
        path,
        shown,
        {key: plain[names[key]] for key in given},
        _places(given, shown),
        tuple(
            (one, node.span(shown)) for one, node in zip(document.suppressions, nodes, strict=True)
        ),
    )


def _places(given: Mapping[str, Node], shown: str) -> dict[str, Span]:
    """Return where each key stands, and below `cilium` each setting."""
    found = {key: node.key_span(shown) for key, node in given.items()}
    switches = given["cilium"].value if "cilium" in given else None
    for name, node in switches.items() if isinstance(switches, dict) else ():
        found[f"cilium.{name.removeprefix(PREFIX)}"] = node.key_span(shown)
    return found


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a settings file."""
    (_,), parts = msgspec.json.schema_components([SettingsDocument], ref_template="#/$defs/{name}")
    body = parts.pop(SettingsDocument.__name__)
    body.pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SETTINGS_FILE,
        **body,
        "$defs": parts,
    }


def _from_here(directory: Path, name: str) -> str:
    if name == STDIN or name.startswith(GIT) or Path(name).is_absolute():
        return name
    return relpath(directory / name)


def _root(shown: str, found: list[Node | Diagnostic]) -> Node | None:
    """Return the one document of a file, None when it is empty.

    Raises:
        SourceError: there is another number of them, or something is wrong with it.
    """
    for each in found:
        if isinstance(each, Diagnostic):
            msg = f"{each.span or shown}: {each.message}"
            raise SourceError(msg, each.help)
    roots = [each for each in found if isinstance(each, Node)]
    if not roots:
        return None
    if len(roots) > 1:
        raise _wrong(roots[1].span(shown), "a settings file holds one document", "merge them")
    if not isinstance(roots[0].value, dict):
        raise _wrong(roots[0].span(shown), "settings are a mapping", "write `key: value`")
    return roots[0]


def _check_keys(node: Node, type_: type[Struct], shown: str, path: tuple[str | int, ...]) -> None:
    """Refuse keys that have no meaning, with the one that was probably meant.

    Raises:
        SourceError: there is such a key.
    """
    known = [each.encode_name for each in msgspec.structs.fields(type_)]
    for key, value in node.value.items() if isinstance(node.value, dict) else ():
        at = value.key_span(shown)
        if not path and key in RESERVED:
            what = f"`{key}` is reserved: nothing in this version reads it"
            raise _wrong(at, what, "remove it; it would have no effect")
        if key not in known:
            squeezed = {re.sub("[-_]", "", k).lower(): k for k in known}
            wanted = re.sub("[-_]", "", key).lower()
            close = get_close_matches(wanted, squeezed, 1, 0.6)
            where = "a suppression" if path else "the settings"
            advice = f"did you mean `{squeezed[close[0]]}`?" if close else None
            raise _wrong(
                at,
                f"{where} have no key `{key}`" if not path else f"{where} has no key `{key}`",
                advice or f"keys are {', '.join(sorted(known))}",
            )
    if not path:
        switches = node.get("cilium")
        if switches is not None and isinstance(switches.value, dict):
            _check_switches(switches.value, shown)
        components = node.get("components")
        for at, what, advice in component_faults(components, shown) if components else ():
            raise _wrong(at, what, advice)
        listed = node.get("suppressions")
        if listed is not None and isinstance(listed.value, list):
            for number, each in enumerate(listed.value):
                _check_keys(each, Suppression, shown, ("suppressions", number))


def _check_switches(given: Mapping[str, Node], shown: str) -> None:
    """Refuse settings that Cilium does not have.

    Raises:
        SourceError: there is one.
    """
    for name, node in given.items():
        at = node.key_span(shown)
        try:
            short = find(name).name.removeprefix(PREFIX)
        except QuestionError as error:
            raise _wrong(at, error.message, error.help) from None
        if name != short:
            raise _wrong(at, f"`{name}` goes by `{short}` here", f"write `{short}`")


def _check_values(document: SettingsDocument, root: Node, shown: str) -> None:
    """Refuse values that have the right form and no meaning.

    Raises:
        SourceError: there is one.
    """
    cidrs = {
        "podCidrs": document.pod_cidrs,
        "nodeCidrs": document.node_cidrs,
        "serviceCidrs": document.service_cidrs,
    }
    for key, texts in cidrs.items():
        _check_blocks(texts, root, (key,), shown)
    for name, texts in document.names.items():
        if name.startswith("*"):
            what = f"{name!r} is a pattern; addresses belong to a name"
            raise _wrong(_span(root, ("names", name), shown), what, "write out the name")
        _check_blocks(texts, root, ("names", name), shown)
    if "cni" in (root.value if isinstance(root.value, dict) else {}):
        try:
            if document.cni != AUTO:
                profile(document.cni)
        except QuestionError as error:
            raise _wrong(_span(root, ("cni",), shown), error.message, error.help) from None
    if document.platform is not None:
        try:
            platform_of(World(), document.platform)
        except QuestionError as error:
            raise _wrong(_span(root, ("platform",), shown), error.message, error.help) from None


def _cilium(said: CiliumSettings, root: Node, shown: str) -> dict[str, str]:
    """Return the settings of Cilium as it writes them.

    Raises:
        SourceError: a value has the right form and no meaning.
    """
    found: dict[str, str] = {}
    for switch, text in in_its_words(said):
        try:
            read_value(switch, text)
        except QuestionError as error:
            at = _span(root, ("cilium", SHORT[switch.attribute]), shown)
            raise _wrong(at, error.message, error.help) from None
        found[switch.name] = text
    return found


def _check_blocks(texts: list[str], root: Node, path: tuple[str, ...], shown: str) -> None:
    """Refuse texts that are neither address blocks nor addresses.

    Raises:
        SourceError: there is one.
    """
    for number, text in enumerate(texts):
        try:
            AddressSet.block(text)
        except ValueError:
            at = _span(root, (*path, number), shown)
            advice = "write it as 203.0.113.10" if path[0] == "names" else "write it as 10.2.0.0/16"
            raise _wrong(at, f"{text!r} is not an address block", advice) from None


def _check_paths(
    document: SettingsDocument, root: Node, path: Path, shown: str, *, found: bool
) -> None:
    """Refuse texts that can be no path, and in a file that was found what nobody should follow.

    That are paths that lead out of the repository around it, and pipes and devices.

    Raises:
        SourceError: there is one.
    """
    top = repository(path.parent)
    for key, names in (
        ("sources", document.sources),
        ("values", document.values),
        ("dnsTables", document.dns_tables),
        ("flows", [document.flows.store] if document.flows is not None else []),
    ):
        for number, name in enumerate(names):
            # What is written like a revision may be a file here, by that name.
            at = Path(name) if name.startswith(GIT) else path.parent / name
            place = _span(root, (key, "store" if key == "flows" else number), shown)
            if "\0" in name:
                raise _wrong(place, f"{name!r} can be no path", "write a path of this machine")
            if not found:
                continue
            try:
                file = name != STDIN and (not name.startswith(GIT) or at.exists())
                outside = file and not at.resolve().is_relative_to(top)
                odd = file and at.exists() and not (at.is_file() or at.is_dir())
            except (OSError, RuntimeError, ValueError):
                continue  # it names nothing, and whoever reads it says so
            if odd:
                what = f"{name} is neither a regular file nor a directory"
                advice = f"if you trust this file, name it: --config {shown}"
                raise _wrong(place, what, advice)
            if outside:
                what = f"{name} leads out of the directory {top.name}"
                advice = f"if you trust this file, name it: --config {shown}"
                raise _wrong(place, what, advice)


def _misfit(root: Node, shown: str, said: str) -> SourceError:
    """Return the error for a value of the wrong form, with its place."""
    words, _, at = said.partition(" - at `$")
    path: list[str | int] = []
    for name, number in re.findall(r"\.([A-Za-z0-9-]+)|\[(\d+)\]", at):
        path.append(name or int(number))
    label = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
    what = f"`{label}`: {words[:1].lower()}{words[1:]}" if label else words
    advice = None
    if path == ["kubernetesVersion"]:
        advice = 'write it in quotes, as "1.35": a bare 1.30 is the number 1.3'
    elif path[-1:] == ["expires"]:
        advice = "write a day, as 2027-03-31"
    elif path[-1:] == ["code"]:
        advice = "write a code as findings show it, as NPL003"
    elif path[:1] == ["cilium"] and path[1:]:
        advice = f"it is {find(str(path[1])).says}"
    elif words.startswith("Invalid enum value"):
        field = next(
            f for f in msgspec.structs.fields(SettingsDocument) if f.encode_name == path[0]
        )
        advice = f"say {' or '.join(_choices(field.type))}"
    elif "reason" in words:
        advice = "say why these findings are accepted"
    elif (wanted := wrongtype.wanted(words)) is not None:
        advice = f"write {wanted}"
    return _wrong(_span(root, path, shown), what, advice)


def _choices(type_: object) -> list[str]:
    """Return the words a field may be."""
    if isinstance(type_, str):
        return [type_]
    return [word for each in get_args(type_) for word in _choices(each)]


def _span(root: Node, path: "tuple[str | int, ...] | list[str | int]", shown: str) -> Span:
    node = root.get(*path)
    return (node or root).span(shown)


def _wrong(span: Span, what: str, advice: str | None) -> SourceError:
    return SourceError(f"{span}: {what}", advice)
