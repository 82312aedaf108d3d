"""What surrounds a result when it is rendered."""

import os
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Generic, TypeVar

from cloison.base import Diagnostic, Span
from cloison.ir.profile import Profile

if TYPE_CHECKING:
    from cloison.analyses.doctor.finding import Finding

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class About:
    """What every output says besides its result.

    Args:
        version: Version of the program.
        profile: Who enforces.
        chosen: How the profile was chosen.
        diagnostics: What reading brought to light, sorted.
        sides: Which of it belongs to the one side, and which to the other, of a difference.
    """

    version: str
    profile: Profile
    chosen: str
    diagnostics: tuple[Diagnostic, ...] = ()
    sides: tuple[frozenset[Diagnostic], frozenset[Diagnostic]] | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that the settings file accepts.

    Args:
        diagnostic: The finding.
        reason: Why it is accepted.
        expires: The last day on which it is.
    """

    diagnostic: Diagnostic
    reason: str
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """The answer to `doctor`.

    Args:
        findings: What was found, the worst first.
        checks: Names of the checks that were made.
        suppressed: What the settings file accepts of what was found.
        show_suppressed: Whether text prints that, and not only how much it is.
        empty: Whether no workload was read, so that finding nothing says nothing.
    """

    findings: "tuple[Finding, ...]"
    checks: tuple[str, ...]
    suppressed: tuple[Accepted, ...] = ()
    show_suppressed: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Judged(Generic[T_co]):
    """An answer with findings of its own: that to `cni` or `egress`.

    Args:
        answer: The answer; all its findings are there.
        findings: Those that count, the worst first.
        suppressed: What the settings file accepts of them.
        show_suppressed: Whether text prints that, and not only how much it is.
    """

    answer: T_co
    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Accepted, ...] = ()
    show_suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """The answer to `validate`.

    Args:
        diagnostics: What was found, sorted.
        files: How many files were read.
        suppressed: What was found and is accepted, sorted.
        show_suppressed: Whether text prints that, and not only how much it is.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: int
    suppressed: tuple[Accepted, ...] = ()
    show_suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it holds.

    Args:
        name: Its name in the settings file.
        value: Its value.
        kind: Where that comes from: `flag`, `environment`, `file`, `detected` or `default`.
        by: The flag or variable, or what was detected from what.
        span: The place in the settings file.
    """

    name: str
    value: str | bool | tuple[str, ...]
    kind: str
    by: str | None = None
    span: Span | None = None

    @property
    def said(self) -> str:
        """The value as a word, a list set apart by spaces."""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return self.value if isinstance(self.value, str) else " ".join(self.value)


@dataclass(frozen=True, slots=True)
class Effective:
    """The answer to `config show`.

    Args:
        settings: Every setting.
        file: The settings file, if one is read.
        suppressions: How many findings it accepts, as entries.
    """

    settings: tuple[Setting, ...]
    file: str | None = None
    suppressions: int = 0


_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_OURS = os.urandom(8).hex()
"""What our colours carry until a line is printed: nobody who writes a file can know it."""
_PAINT = re.compile(rf"\x1b\[(0|1|2|31|32|33|36);{_OURS}m")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Look:
    """How text for people is laid out.

    Args:
        color: Whether colours may be used. They never say what words do not.
        width: Columns there are.
        verbose: Whether to print what is usually summed up.
        simple: Whether only ASCII may be drawn with.
    """

    color: bool = False
    width: int = 100
    verbose: bool = False
    simple: bool = False

    def paint(self, text: str, *styles: str) -> str:
        """Return `text` in the given styles, or as it is where there are no colours.

        >>> Look().paint("denied", "red")
        'denied'
        """
        if not self.color or not text or not styles:
            return text
        codes = (*(_STYLES[each] for each in styles), "0")
        *first, last = (f"\x1b[{code};{_OURS}m" for code in codes)
        return f"{''.join(first)}{text}{last}"

    def safe(self, line: str) -> str:
        r"""Return a line with everything a terminal might obey made visible, save our colours.

        Names come from files anybody may have written, and hold colours, too. What ends a line is
        made visible as well: else a name could hold lines that look like ours.

        >>> Look().safe("a\x1b[2Jb")
        'a\\x1b[2Jb'
        """
        if line.isascii() and line.isprintable():
            return line
        if not self.color:
            return _UNSAFE.sub(_visible, line)
        # Between two pieces of text is the number of a colour.
        pieces = _PAINT.split(line)
        return "".join(
            f"\x1b[{piece}m" if number % 2 else _UNSAFE.sub(_visible, piece)
            for number, piece in enumerate(pieces)
        )


def unpainted(text: str) -> str:
    """Return text without our colours: what takes up room."""
    return _PAINT.sub("", text)


def _visible(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


PLAIN = Look()
"""No colours, a hundred columns: what a file or pipe gets."""
