"""Errors for callers' mistakes and broken I/O; faults in input are diagnostics."""


class CloisonError(Exception):
    """The base of every error Cloison raises on purpose.

    Args:
        message: What is wrong, in one line.
        help: What to do about it, where there is something to do.
    """

    def __init__(self, message: str, help: str | None = None) -> None:  # noqa: A002 - the diagnostic's own word
        super().__init__(message)
        self.message = message
        self.help = help


class SourceError(CloisonError):
    """A source named by the caller cannot be read at all."""


class QuestionError(CloisonError):
    """A question is not well formed: a bad port, protocol, address or name."""


class UnknownEndpointError(QuestionError):
    """A question names something that is not in the world."""
