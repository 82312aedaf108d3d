"""What Cilium's rules ask of requests, and how what nobody knows is guessed.

Sources: cilium/cilium pkg/envoy, pkg/fqdn/matchpattern, pkg/fqdn/dnsproxy.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from tests.oracle.raw import Manifest
from tests.oracle.raw_cilium_rules import Name, Rules, fqdn

Guess: TypeAlias = bool | str


class OpenError(Exception):
    """An answer hangs on something that nobody knows."""

    def __init__(self, key: object, options: Sequence[Guess]) -> None:
        super().__init__(key)
        self.key = key
        self.options = options


class Guesses:
    """What is taken for true of what nobody knows."""

    def __init__(self, known: Mapping[object, Guess]) -> None:
        self.known = known

    def __call__(self, key: object, options: Sequence[Guess] = (True, False)) -> Guess:
        """Return what is taken for true.

        Raises:
            OpenError: nothing is, so far.
        """
        if key not in self.known:
            raise OpenError(key, options)
        return self.known[key]


@dataclass(frozen=True)
class Asked:
    """A request, as far as it is told.

    Args:
        kind: `http` or `dns`.
        method: Of HTTP.
        path: Of HTTP, with its query.
        host: Of HTTP.
        headers: Of HTTP, by name in small letters.
        name: Of DNS, in small letters without the final dot.
        sni: The name that TLS was opened with.
    """

    kind: str = "http"
    method: str | None = None
    path: str | None = None
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    name: str | None = None
    sni: str | None = None


def everyway(decide: Callable[[Guesses], str]) -> set[str]:
    """Return all answers there are, over all ways to guess what nobody knows."""
    found: set[str] = set()
    left: list[dict[object, Guess]] = [{}]
    while left:
        known = left.pop()
        try:
            found.add(decide(Guesses(known)))
        except OpenError as error:
            left += [{**known, error.key: option} for option in error.options]
    return found


def met(rules: Rules, request: Asked | None, guess: Guesses, *, deep: bool) -> bool:
    """Return whether a request is one of those that a port rule lets through.

    Args:
        rules: The rule.
        request: The request; None where nothing is told of one.
        guess: What is taken for true.
        deep: Whether `**.` at the start of a name is several labels.
    """
    if request is None or rules.opaque:
        return bool(guess(("request", repr(rules))))
    if rules.sni is not None and not (
        guess(("sni", rules.sni))
        if request.sni is None
        else any(_server_name(each).fullmatch(request.sni) for each in rules.sni)
    ):
        return False
    if rules.dns is not None:
        return request.kind == "dns" and any(
            name_pattern(fqdn(each), deep=deep).fullmatch(request.name or "") for each in rules.dns
        )
    if rules.http is not None:
        return request.kind == "http" and any(_http(e, request, guess) for e in rules.http)
    return True


@lru_cache(maxsize=4096)
def name_pattern(name: Name, *, deep: bool) -> re.Pattern[str]:
    """Return a DNS name, or a pattern of them, as a regular expression.

    Args:
        name: As written, and whether `*` means anything in it.
        deep: Whether `**.` at the start is several labels.
    """
    text, stars = name
    plain = text.lower().removesuffix(".")
    if not stars:
        return re.compile(re.escape(plain))
    if plain and not plain.strip("*"):
        return re.compile(".*")
    start = ""
    several = re.match(r"\*{2,}\.", plain) if deep else None
    if several:
        start, plain = r"([-a-zA-Z0-9_]+\.)+", plain[several.end() :]
    parts = re.split(r"\*+", plain)
    return re.compile(start + "[-a-zA-Z0-9_]*".join(re.escape(part) for part in parts))


def _server_name(text: str) -> re.Pattern[str]:
    label = "[-a-zA-Z0-9_]+"
    if text.startswith("**."):
        return re.compile(rf"({label}\.)+{re.escape(text[3:])}")
    if text.startswith("*."):
        return re.compile(rf"{label}\.{re.escape(text[2:])}")
    return re.compile(re.escape(text))


def _http(rule: Manifest, request: Asked, guess: Guesses) -> bool:
    for field in ("method", "path", "host"):
        pattern, value = rule.get(field), getattr(request, field)
        if not pattern:
            continue
        if value is None:
            if not guess(("http", field, pattern)):
                return False
        elif not re.fullmatch(pattern, value):
            return False
    wanted: list[tuple[str, str | None]] = []
    for text in rule.get("headers") or ():
        if " " not in text:
            wanted.append((text, None))
            continue
        at = text.index(" ")
        name = text[:at]
        while name.endswith(":"):
            name = name[:-1]
        wanted.append((name, text[at + 1 :]))
    for each in rule.get("headerMatches") or ():
        if each.get("mismatch"):
            continue
        if each.get("secret") and each.get("value") is None:
            return False
        wanted.append((each["name"], each.get("value")))
    return all(_header(name, value, request, guess) for name, value in wanted)


_FIELDS = {":path": "path", ":method": "method", ":authority": "host", "host": "host"}
"""Headers that are other fields of a request."""


def _header(name: str, value: str | None, request: Asked, guess: Guesses) -> bool:
    field = _FIELDS.get(name.lower())
    if field is not None:
        found = getattr(request, field)
    elif re.fullmatch(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+", name):
        found = dict(request.headers).get(name.lower())
    else:
        return False
    if found is None:
        return bool(guess(("header", name.lower(), value)))
    return value is None or found == value
