"""Everything the readers have to say about their input: one function per code of the family SRC."""

from cloison.base import Diagnostic, Severity, Span

YAML_SPEC = "YAML 1.1 specification"
JSON_SPEC = "RFC 8259, The JavaScript Object Notation Data Interchange Format"
KUBECTL = "sigs.k8s.io/yaml, which kubectl reads manifests with"

_NOT_READ = "this document is not read, so every answer lacks what it declares"


def broken_yaml(span: Span, message: str, advice: str | None) -> Diagnostic:
    """SRC001: a YAML document does not parse."""
    return Diagnostic(
        "SRC001", Severity.ERROR, message, span, effect=_NOT_READ, help=advice, source=YAML_SPEC
    )


def template(span: Span) -> Diagnostic:
    """SRC002: a file holds an unrendered Helm or Go template. Said once per file."""
    return Diagnostic(
        "SRC002",
        Severity.ERROR,
        "this looks like a Helm template, not a manifest",
        span,
        effect="the documents of this file that hold template actions are not read",
        help="render it first with `helm template` and read the output",
        source="Helm documentation, Chart Template Guide",
    )


def unreadable_text(span: Span, what: str) -> Diagnostic:
    """SRC003: bytes that are no text of the format: wrong encoding, control characters."""
    return Diagnostic(
        "SRC003",
        Severity.ERROR,
        what,
        span,
        effect=_NOT_READ,
        help="save the file as UTF-8 text without control characters",
        source=YAML_SPEC + ", character set",
    )


def duplicate_key(span: Span, key: str, first: Span) -> Diagnostic:
    """SRC004: a mapping repeats a key; the last one wins, as with `kubectl --local`."""
    return Diagnostic(
        "SRC004",
        Severity.WARNING,
        f"key `{_short(key)}` is already set at line {first.line}, column {first.column}",
        span,
        effect="the last value counts; an API server with strict validation refuses the object",
        help="keep one of the two",
        source="Kubernetes API concepts, Field validation",
    )


def too_deep(span: Span, limit: int) -> Diagnostic:
    """SRC005: nesting beyond any real object."""
    return Diagnostic(
        "SRC005",
        Severity.ERROR,
        f"nested more than {limit} levels deep",
        span,
        effect=_NOT_READ,
        help="no Kubernetes object nests that deep; check where the file comes from",
    )


def alias_refused(span: Span, what: str) -> Diagnostic:
    """SRC006: an alias that leads nowhere, into itself, or expands without measure."""
    return Diagnostic(
        "SRC006",
        Severity.ERROR,
        what,
        span,
        effect=_NOT_READ,
        help="write the value out in full",
        source=YAML_SPEC + ", alias nodes",
    )


def tag_refused(span: Span, tag: str) -> Diagnostic:
    """SRC007: a tag outside YAML's own: it would name a type that only some program knows."""
    return Diagnostic(
        "SRC007",
        Severity.ERROR,
        f"tag `{_short(tag)}` is not one of YAML's own",
        span,
        effect=_NOT_READ,
        help="remove the tag; Kubernetes objects need none",
        source=YAML_SPEC + ", tags",
    )


def unusable_value(span: Span, what: str) -> Diagnostic:
    """SRC008: a value `kubectl` cannot turn into JSON, so it refuses the document."""
    return Diagnostic(
        "SRC008",
        Severity.ERROR,
        what,
        span,
        effect=_NOT_READ,
        help="quote the value if text is meant",
        source=KUBECTL,
    )


def unusable_key(span: Span, what: str) -> Diagnostic:
    """SRC009: a mapping key that no JSON object can have."""
    return Diagnostic(
        "SRC009",
        Severity.ERROR,
        what,
        span,
        effect=_NOT_READ,
        help="use a plain word or a quoted text as the key",
        source=KUBECTL,
    )


def broken_json(span: Span, message: str) -> Diagnostic:
    """SRC010: JSON that does not parse. Nothing after it in the same file can be trusted."""
    return Diagnostic(
        "SRC010",
        Severity.ERROR,
        message,
        span,
        effect="nothing from here to the end of the file is read, so every answer lacks it",
        help="check that the file was written completely",
        source=JSON_SPEC,
    )


def not_an_object(span: Span, what: str) -> Diagnostic:
    """SRC011: among Kubernetes objects, a document that is none."""
    return Diagnostic(
        "SRC011",
        Severity.WARNING,
        f"this document is not a Kubernetes object: {what}",
        span,
        effect="it is left out",
        help="give it `apiVersion` and `kind`, or move it out of this file",
        source="Kubernetes API conventions, Types (Kinds)",
    )


def no_objects(span: Span, what: str) -> Diagnostic:
    """SRC012: a file without a single Kubernetes object, such as a values file."""
    return Diagnostic(
        "SRC012",
        Severity.INFO,
        f"this file holds no Kubernetes object: {what}",
        span,
        effect="it is left out",
    )


def no_manifests(span: Span, suffixes: str) -> Diagnostic:
    """SRC013: a directory in which there is nothing to read."""
    return Diagnostic(
        "SRC013",
        Severity.WARNING,
        f"no manifest in this directory: no file ends in {suffixes}",
        span,
        effect="it adds nothing to the answer",
        help="name the directory that holds the manifests",
    )


def link_not_followed(span: Span, why: str) -> Diagnostic:
    """SRC014: a symbolic link that is not followed."""
    return Diagnostic(
        "SRC014",
        Severity.WARNING,
        f"symbolic link not followed: it {why}",
        span,
        effect="what it points to is not read",
        help="name its target as a source of its own, if it belongs to the input",
    )


def unreadable_file(span: Span, why: str) -> Diagnostic:
    """SRC015: a file or directory met on the way that cannot be opened or is no plain file."""
    return Diagnostic(
        "SRC015",
        Severity.ERROR,
        f"cannot read: {why}",
        span,
        effect="every answer lacks what it declares",
        help="make it readable, or leave it out of the sources",
    )


def list_item(span: Span, what: str) -> Diagnostic:
    """SRC016: an item of a List that is no object."""
    return Diagnostic(
        "SRC016",
        Severity.ERROR,
        f"this item of a List is not a Kubernetes object: {what}",
        span,
        effect="the item is left out; the other items are read",
        help="give it `apiVersion` and `kind`, or remove it",
        source="Kubernetes API conventions, Lists",
    )


def lists_too_deep(span: Span, limit: int) -> Diagnostic:
    """SRC017: Lists inside Lists beyond reason."""
    return Diagnostic(
        "SRC017",
        Severity.ERROR,
        f"Lists inside Lists, more than {limit} levels deep",
        span,
        effect="the innermost Lists are left out",
        help="write the objects into one List",
    )


def half_an_object(span: Span, has: str, lacks: str) -> Diagnostic:
    """SRC018: a document with one of `apiVersion` and `kind` and not the other."""
    return Diagnostic(
        "SRC018",
        Severity.WARNING,
        f"this document has `{has}` but no `{lacks}`, so it is not read as a Kubernetes object",
        span,
        effect="it is left out",
        help=f"add `{lacks}` if an object is meant",
        source="Kubernetes API conventions, Types (Kinds)",
    )


def too_large(span: Span, what: str, limit: int) -> Diagnostic:
    """SRC019: a large JSON input that cannot be read item by item."""
    return Diagnostic(
        "SRC019",
        Severity.ERROR,
        f"JSON of more than {limit >> 20} MiB can only be read as one List: {what}",
        span,
        effect="it is not read, so every answer lacks what it declares",
        help="write it as one List, the way `kubectl get -o json` does",
    )


def _short(text: str, limit: int = 60) -> str:
    """Return `text` fit for one line of a message."""
    shown = text if len(text) <= limit else text[:limit] + "..."
    return shown.encode("unicode_escape").decode("ascii") if not shown.isprintable() else shown
