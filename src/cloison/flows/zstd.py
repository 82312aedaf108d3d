"""Files compressed with Zstandard, by the codec that Arrow brings."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STEP: Final = 1 << 20


class Zstd(io.RawIOBase):
    """The bytes of such a file, decompressed. Going back begins anew, as with gzip.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)
        self._stream = pa.CompressedInputStream(self._path, "zstd")
        self._at = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that one can go back."""
        return True

    def readinto(self, into: "Buffer") -> int:
        """Read some bytes, and return how many."""
        room = memoryview(into).cast("B")
        data = self._stream.read(len(room))
        room[: len(data)] = data
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, to: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, from the beginning or from here."""
        place = to + (self._at if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the size is known only at the end")
        if place < self._at:
            self._stream.close()
            self._stream = pa.CompressedInputStream(self._path, "zstd")
            self._at = 0
        while self._at < place and (data := self._stream.read(min(place - self._at, _STEP))):
            self._at += len(data)
        return self._at

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()
        super().close()
