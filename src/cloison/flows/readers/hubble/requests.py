"""What a proxy saw of a request: of HTTP, and of DNS."""

from typing import Final
from urllib.parse import urlsplit

from cloison.flows.readers.hubble.wire import Application, Http

_LONGEST: Final = 1024


def path(url: str) -> str | None:
    """Return the path of a URL without its query, which may hold what nobody should keep."""
    try:
        return urlsplit(url).path[:_LONGEST] or None
    except ValueError:
        return None


def host(l7: Application) -> str | None:
    """Return the host that was asked, or the name that was asked for."""
    if l7.dns is not None:
        return l7.dns.query.rstrip(".") or None
    return None if l7.http is None else _authority(l7.http)


def _authority(http: Http) -> str | None:
    for header in http.headers or ():
        if header.key.lower() in {"host", ":authority"}:
            return header.value[:_LONGEST] or None
    try:
        return urlsplit(http.url).netloc.rpartition("@")[2][:_LONGEST] or None
    except ValueError:
        return None
