"""Questions that `cloison` asks about files, asked about texts."""

from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloison.analyses.portable import Portability
from cloison.app import Session
from cloison.app.convert import Conversion, convert
from cloison.app.portability import portability


@contextmanager
def files(texts: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Give texts as files of the current directory, as long as the context lasts."""
    with TemporaryDirectory() as directory, chdir(directory):
        for name, text in texts.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8", newline="")
        yield tuple(texts)


def convert_texts(texts: Mapping[str, str], *, to: str, **said: Any) -> Conversion:
    """Write policies given as text, by the name they are shown under, in another language."""
    with files(texts) as names:
        return convert(*names, to=to, **said)


def portability_texts(texts: Mapping[str, str], **said: Any) -> tuple[Session, Portability]:
    """Return which policies of texts bind a cluster to one enforcer."""
    with files(texts) as names:
        return portability(*names, **said)
