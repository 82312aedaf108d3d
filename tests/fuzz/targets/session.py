"""Everything at once: a source is loaded, asked all there is to ask, and printed in every form."""

import csv
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import yaml

import cloison
from cloison.app import Session
from cloison.base import CloisonError, sort_diagnostics
from cloison.base.version import VERSION
from cloison.platform import profile_names
from cloison.report import About, Findings, Look, formats, render
from tests.fuzz import seeds
from tests.fuzz.target import Target, sound
from tests.support.xml import read_xml

_RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_PAINT = re.compile(r"\x1b\[(?:0|1|2|31|32|33|36)m")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _no_constant(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


def _results(
    session: Session, chosen: int, other: Callable[[], Session]
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield a map, the findings, and one more of what can be asked with the names there are.

    Args:
        session: What is asked.
        chosen: Which one: everything, of every input, would be a slow search.
        other: Returns what it is compared with.
    """
    found = sort_diagnostics([*session.diagnostics, *session.suspicions])
    yield "validate", lambda: Findings(found, 1)
    yield "map", session.map
    workloads = [str(name) for name in session.world.workloads]
    ends = [*workloads[:1], *workloads[-1:], "192.0.2.7"]
    source, to = ends[chosen // 8 % len(ends)], ends[chosen // 64 % len(ends)]
    policies = sorted(session.policies.policies, key=lambda policy: repr(policy.id))
    match chosen % 10:
        case 0:
            yield "grouped", session.map
        case 1:
            yield "verify", session.verify
        case 8:
            yield "exposure", session.exposure
        case 9:
            yield "diff", lambda: session.diff(other())
        case 2 | 3 if workloads:
            yield "effective", lambda: session.effective(workloads[chosen // 8 % len(workloads)])
        case 4 | 5 if policies:
            name = str(policies[chosen // 8 % len(policies)].id)
            yield "policy", lambda: session.describe_policy(name)
        case _:
            yield "why", lambda: session.why(source, to)


def _printed(session: Session, chosen: int, other: Callable[[], Session]) -> list[str]:
    """Return what a session answers, in text, JSON and one more form, each held to its rules."""
    about = About(VERSION, session.profile, session.settings.profile_chosen, session.diagnostics)
    sound(session.diagnostics)
    sound(session.suspicions)
    out = []
    for kind, make in _results(session, chosen, other):
        try:
            result = make()
        except CloisonError as error:
            out.append(error.message)
            continue
        forms: dict[str, str] = {}
        known = formats(kind)
        for form in {"text", "json", known[chosen // 512 % len(known)]} & {*known}:
            pieces = list(render(kind, result, about, form))
            forms[form] = "".join(pieces)
            if form == "text":
                _lines(pieces)
                painted = list(render(kind, result, about, form, Look(color=True)))
                assert _PAINT.sub("", "".join(painted)) == forms[form]
        _agree(forms)
        out += [forms[form] for form in sorted(forms)]
    return out


def _less(data: bytes, session: Session) -> Session:
    """Return what is left of an input without one of its policies."""
    names = sorted(str(policy.id) for policy in session.policies.policies)
    delete = [f"networkpolicy/{name}" for name in names[:1]]
    return cloison.what_if("-", stdin=io.BytesIO(data), delete=delete)[1]


def _lines(pieces: list[str]) -> None:
    """Hold text to lines that can neither drive a terminal nor pretend to be two."""
    for piece in pieces:
        assert piece.endswith("\n"), piece
        assert piece.count("\n") == 1, f"more than one line: {piece!r}"
        assert not _RAW.search(piece), f"raw control characters: {piece!r}"
        piece.encode("utf-8")


def _agree(forms: dict[str, str]) -> None:
    """Hold the forms for programs to their formats, and to each other."""
    if "json" not in forms:
        return
    value = json.loads(forms["json"], parse_constant=_no_constant)
    forms["json"].encode("utf-8")
    if "yaml" in forms and len(forms["yaml"]) < _COMPARED:
        said = _LOADER(forms["yaml"]).get_single_data()
        assert said == value, "yaml says something else than json"
    if "jsonl" in forms:
        lines = [json.loads(line) for line in forms["jsonl"].split("\n")[:-1]]
        edges = [line for line in lines if "src" in line]
        assert edges == value.get("edges", edges), "jsonl says something else than json"
        assert lines[: len(edges)] == edges or "edges" not in value
    for form in ("svg", "junit"):
        if form in forms:
            read_xml(forms[form])
    for form in {"svg", "html", "md", "dot", "mermaid"} & forms.keys():
        assert not _RAW.search(forms[form].replace("\t", "")), f"raw control characters in {form}"
    if "html" in forms:
        _inert(forms["html"])
    if "csv" in forms:
        rows = list(csv.reader(io.StringIO(forms["csv"], newline="")))
        assert len({len(row) for row in rows}) == 1, "rows of different width"


class _Page(HTMLParser):
    """Collects the elements of a page, and what they would do or load."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.alive: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        self.scripts += tag == "script"
        if tag in ("iframe", "object", "embed", "base"):
            self.alive.append(tag)
        for name, value in attrs:
            if name.startswith("on") or "javascript:" in (value or "").lower():
                self.alive.append(f"{tag} {name}")


def _inert(text: str) -> None:
    """Hold a page to what we put there: nothing out of an input may run or load."""
    page = _Page()
    page.feed(text)
    assert not page.alive, page.alive
    assert page.scripts <= _SCRIPTS, "an input brought a script of its own"


_SCRIPTS = 2
"""Script elements of a page of ours: its data, and what shows it."""
_COMPARED = 100_000
"""Characters of YAML that are read back; more takes longer than it tells."""


def _session(data: bytes) -> None:
    names = profile_names()
    chosen = zlib.crc32(data)
    who = names[len(data) % len(names)]
    try:
        session = cloison.load("-", stdin=io.BytesIO(data), profile=who)
        printed = _printed(session, chosen, lambda: _less(data, session))
    except CloisonError:
        return
    if chosen % 9 == 0:
        again = cloison.load("-", stdin=io.BytesIO(data), profile=who)
        assert printed == _printed(again, chosen, lambda: _less(data, again)), "another answer"
    elif chosen % 9 in (1, 2):
        _any_order(data, chosen)


def _any_order(data: bytes, chosen: int) -> None:
    """Cut the input into files, and read those forwards and backwards."""
    try:
        parts = data.decode("utf-8").split("\n---\n")[:40]
    except UnicodeDecodeError:
        return
    files = {f"{index:02}.yaml": part for index, part in enumerate(parts)}
    back = dict(reversed(files.items()))
    try:
        one, other = cloison.load_texts(files), cloison.load_texts(back)
    except CloisonError:
        return
    assert one.diagnostics == other.diagnostics, "reading order shows"
    forwards = _printed(one, chosen, lambda: one)
    assert forwards == _printed(other, chosen, lambda: other), "reading order shows"


SESSION = Target(
    "session",
    _session,
    lambda: [*seeds.worlds(), *seeds.cases(), *seeds.tests()],
    ("cloison.analyses", "cloison.app", "cloison.dialects", "cloison.engine", "cloison.report"),
)
