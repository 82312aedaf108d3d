"""`config show` as published."""

from collections.abc import Iterator, Sequence

from cloison.report.about import About, Effective, Setting
from cloison.report.documents import parts


class Origin(parts.Base, frozen=True):
    """Where a value comes from: `flag`, `environment`, `file`, `detected` or `default`.

    `name` is the flag or the variable, or what was detected from what. `file` and `line` are a
    place in the settings file.
    """

    kind: str
    name: str | None
    file: str | None
    line: int | None


class EffectiveSetting(parts.Base, frozen=True):
    """A setting as it holds here, by its name in the settings file."""

    name: str
    value: bool | str | list[str]
    origin: Origin


class Config(parts.Envelope, frozen=True):
    """Every setting as it holds here, and where it comes from."""

    file: str | None
    settings: list[EffectiveSetting]
    suppressions: int


DOCUMENT = Config


def document(result: Effective, about: About) -> Config:
    """Return the settings as published."""
    return Config(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=[],
        file=result.file,
        settings=[_setting(each) for each in result.settings],
        suppressions=result.suppressions,
    )


def _setting(each: Setting) -> EffectiveSetting:
    value = list(each.value) if isinstance(each.value, tuple) else each.value
    span = each.span
    origin = Origin(
        kind=each.kind,
        name=each.by,
        file=span.file if span else None,
        line=span.line if span else None,
    )
    return EffectiveSetting(name=each.name, value=value, origin=origin)


HEADER = ("name", "value", "origin", "by", "file", "line")


def rows(result: Effective) -> Iterator[Sequence[object]]:
    """Iterate over the settings, one row each."""
    for each in result.settings:
        span = each.span
        yield (
            each.name,
            each.said,
            each.kind,
            each.by or "",
            span.file if span else "",
            span.line if span else "",
        )
