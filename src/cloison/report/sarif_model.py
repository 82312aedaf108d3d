"""SARIF 2.1.0: what Cloison writes of it, as types. Made by `tools/make_sarif.py`; do not edit."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field


class ArtifactLocation(Struct):
    """Specifies the location of an artifact."""

    uri: str | UnsetType = UNSET


class LogicalLocation(Struct):
    """A logical location of a construct that produced a result."""

    fully_qualified_name: str | UnsetType = field(name="fullyQualifiedName", default=UNSET)
    kind: str | UnsetType = UNSET


class Message(Struct):
    """Encapsulates a message intended to be read by the end user."""

    text: str | UnsetType = UNSET


class MultiformatMessageString(Struct):
    """A message string or message format string rendered in multiple formats."""

    text: str


class Region(Struct):
    """A region within an artifact where a result was detected."""

    start_line: int | UnsetType = field(name="startLine", default=UNSET)
    start_column: int | UnsetType = field(name="startColumn", default=UNSET)


class ReportingConfiguration(Struct):
    """Information about a rule or notification that can be configured at runtime."""

    level: Literal["none", "note", "warning", "error"] | UnsetType = UNSET


class ReportingDescriptor(Struct):
    """Metadata that describes a specific report produced by the tool."""

    id: str
    short_description: MultiformatMessageString | UnsetType = field(
        name="shortDescription", default=UNSET
    )
    help: MultiformatMessageString | UnsetType = UNSET
    help_uri: str | UnsetType = field(name="helpUri", default=UNSET)
    default_configuration: ReportingConfiguration | UnsetType = field(
        name="defaultConfiguration", default=UNSET
    )


class Suppression(Struct):
    """A suppression that is relevant to a result."""

    kind: Literal["inSource", "external"]
    status: Literal["accepted", "underReview", "rejected"] | UnsetType = UNSET
    justification: str | UnsetType = UNSET


class ToolComponent(Struct):
    """A component, such as a plug-in or the driver, of the analysis tool that was run."""

    name: str
    version: str | UnsetType = UNSET
    information_uri: str | UnsetType = field(name="informationUri", default=UNSET)
    rules: list[ReportingDescriptor] | UnsetType = UNSET


class PhysicalLocation(Struct):
    """A physical location relevant to a result."""

    artifact_location: ArtifactLocation | UnsetType = field(name="artifactLocation", default=UNSET)
    region: Region | UnsetType = UNSET


class Tool(Struct):
    """The analysis tool that was run."""

    driver: ToolComponent


class Location(Struct):
    """A location within a programming artifact."""

    physical_location: PhysicalLocation | UnsetType = field(name="physicalLocation", default=UNSET)
    logical_locations: list[LogicalLocation] | UnsetType = field(
        name="logicalLocations", default=UNSET
    )


class Result(Struct):
    """A result produced by an analysis tool."""

    message: Message
    rule_id: str | UnsetType = field(name="ruleId", default=UNSET)
    rule_index: int | UnsetType = field(name="ruleIndex", default=UNSET)
    level: Literal["none", "note", "warning", "error"] | UnsetType = UNSET
    locations: list[Location] | UnsetType = UNSET
    partial_fingerprints: dict[str, str] | UnsetType = field(
        name="partialFingerprints", default=UNSET
    )
    suppressions: list[Suppression] | UnsetType = UNSET


class Run(Struct):
    """Describes a single run of an analysis tool."""

    tool: Tool
    column_kind: Literal["utf16CodeUnits", "unicodeCodePoints"] | UnsetType = field(
        name="columnKind", default=UNSET
    )
    results: list[Result] | UnsetType = UNSET


class SarifLog(Struct):
    """A log of static analysis."""

    version: Literal["2.1.0"]
    runs: list[Run]
    field_schema: str | UnsetType = field(name="$schema", default=UNSET)
