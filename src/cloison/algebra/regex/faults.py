"""What is raised for regular expressions that are none."""


class PatternError(ValueError):
    """A text is no regular expression to Go and RE2.

    Args:
        reason: What is wrong, in a few words.
        column: Where, counted from 1.
    """

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"{reason}, at column {column}")
        self.reason = reason
        self.column = column
