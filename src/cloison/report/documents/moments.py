"""Times as published: RFC 3339, UTC."""

from datetime import UTC, datetime


def moment(time: datetime | None) -> str | None:
    """Return a time as published; one without a zone is of UTC.

    >>> moment(datetime(2026, 1, 2, 3, 4, 5))
    '2026-01-02T03:04:05Z'
    """
    if time is None:
        return None
    return time.replace(tzinfo=time.tzinfo or UTC).isoformat().replace("+00:00", "Z")
