"""Files that are written for Cloison itself: they are small, or not what they are taken for."""

from pathlib import Path

from cloison.base import SourceError


def read_whole(path: Path, shown: str, most: int, *, named_by: str, smaller: str) -> bytes:
    """Return what a file holds.

    Args:
        path: The file.
        shown: What it is called in messages.
        most: Bytes it may have.
        named_by: How such a file is named, for whoever named one that cannot be read.
        smaller: What to do about one that is too large.

    Raises:
        SourceError: it cannot be read, or is too large.
    """
    try:
        with path.open("rb") as handle:
            data = handle.read(most + 1)
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "the name is not valid"
        raise SourceError(f"cannot read {shown}: {why}", named_by) from None
    if len(data) > most:
        msg = f"{shown} is larger than {most >> 20} MiB"
        raise SourceError(msg, smaller)
    return data
