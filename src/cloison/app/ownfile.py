"""Files that are written for Cloison itself: they are small, or not what they are taken for."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from cloison.base import SourceError


def read_whole(
    path: Path, shown: str, most: int, *, named_by: str, smaller: str, regular: bool = False
) -> bytes:
    """Return what a file holds.

    Args:
        path: The file.
        shown: What it is called in messages.
        most: Bytes it may have.
        named_by: How such a file is named, for whoever named one that cannot be read.
        smaller: What to do about one that is too large.
        regular: Whether what is no regular file is refused, as nobody who runs this named it:
            a pipe may have no end, and a device no bounds.

    Raises:
        SourceError: it cannot be read, or is too large.
    """
    try:
        with _opened(path, regular=regular) as handle:
            data = handle.read(most + 1)
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "the name is not valid"
        raise SourceError(f"cannot read {shown}: {why}", named_by) from None
    if len(data) > most:
        msg = f"{shown} is larger than {most >> 20} MiB"
        raise SourceError(msg, smaller)
    return data


def _opened(path: Path, *, regular: bool) -> BinaryIO:
    """Return a file to read.

    Raises:
        OSError: It cannot be opened, or is no regular file though it has to be.
    """
    if not regular:
        return path.open("rb")
    # Opening a pipe waits for whoever writes, unless it is asked not to.
    handle = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise OSError(0, "it is no regular file")
    return handle
