"""Where something was written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A position in an input.

    Args:
        file: Path as the user gave it, with forward slashes; `<stdin>` for standard input.
        line: 1-based line.
        column: 1-based column, in characters.

    >>> str(Span("policies/web.yaml", 12, 10))
    'policies/web.yaml:12:10'
    """

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        """Render as `file:line:column`, the form editors and terminals link."""
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def place(self) -> str:
        """The position as `file:line`, for lists where the column is noise."""
        return f"{self.file}:{self.line}"
