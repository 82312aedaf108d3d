"""`config show` for people."""

from collections.abc import Iterator

from cloison.report.about import About, Effective, Look, Setting
from cloison.report.text.layout import count, table


def lines(result: Effective, _about: About, look: Look) -> Iterator[str]:
    """Iterate over the settings, one line each, and the file they come from."""
    rows = [(each.name, each.said or "-", _from(each)) for each in result.settings]
    head, *rest = table([("SETTING", "VALUE", "FROM"), *rows])
    yield look.paint(head, "bold")
    yield from rest
    yield ""
    if result.file is None:
        yield "no settings file is read"
        return
    accepts = f", with {count(result.suppressions, 'suppression')}" if result.suppressions else ""
    yield f"settings file {result.file}{accepts}"


def _from(each: Setting) -> str:
    if each.span is not None:
        return each.span.place
    return each.by or each.kind
