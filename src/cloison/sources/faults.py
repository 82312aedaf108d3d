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
        help="name the chart's directory, the one with Chart.yaml, and it is rendered; or render "
        "it with `helm template` and read the output",
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


DUPLICATE_KEY = "SRC004"


def duplicate_key(span: Span, key: str, first: Span) -> Diagnostic:
    """SRC004: a mapping repeats a key; the last one wins, as with `kubectl --local`."""
    return Diagnostic(
        DUPLICATE_KEY,
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
        help="put quotes around it if text is meant, as for a selector that begins with `!`; "
        "Kubernetes objects need no tags",
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


def list_without_items(span: Span, found: str) -> Diagnostic:
    """SRC034: a List whose objects stand under a key that is not quite `items`."""
    return Diagnostic(
        "SRC034",
        Severity.ERROR,
        f"this List has `{found}` and no `items`: keys are told apart by case",
        span,
        effect="nothing in it is read, and whatever its objects allow or deny is not known",
        help="write `items`",
        source="Kubernetes API conventions, Lists",
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


def tool_missing(span: Span, what: str, tools: str, instead: str) -> Diagnostic:
    """SRC020: a directory that has to be rendered, and nothing installed that can."""
    return Diagnostic(
        "SRC020",
        Severity.ERROR,
        f"{span.file} is {what}, and rendering it needs {tools}, which is not installed",
        span,
        effect=_NOTHING_OF_IT,
        help=f"install {tools}; or render it where that is installed and read the output: "
        f"`{instead}`",
    )


def not_rendered(span: Span, what: str, why: str, advice: str) -> Diagnostic:
    """SRC021: a directory that its tool could not render."""
    return Diagnostic(
        "SRC021",
        Severity.ERROR,
        f"{span.file} is {what}, and {why}",
        span,
        effect=_NOTHING_OF_IT,
        help=advice,
    )


def rendering_off(span: Span, what: str) -> Diagnostic:
    """SRC022: a directory that would be rendered, had the user not said no."""
    return Diagnostic(
        "SRC022",
        Severity.WARNING,
        f"{span.file} is {what}, and rendering is switched off",
        span,
        effect=_NOTHING_OF_IT,
        help="leave out `--render never`, or read its rendered form",
    )


def renderer_said(span: Span, tool: str, said: str) -> Diagnostic:
    """SRC023: what a renderer wrote on standard error though it went well."""
    return Diagnostic("SRC023", Severity.INFO, f"{tool} says: {said}", span)


def remote(span: Span, directory: str, what: str) -> Diagnostic:
    """SRC024: a kustomization that would fetch from the network."""
    return Diagnostic(
        "SRC024",
        Severity.ERROR,
        f"{directory} builds on {_short(what)}, which is not in these files, "
        "and nothing is fetched from the network",
        span,
        effect=_NOTHING_OF_IT,
        help="copy what it refers to beside it (`kustomize localize` does), or render it where "
        f"the network may be used: `kustomize build {directory} | cloison ... -f -`",
    )


def shared_base(span: Span, overlays: str) -> Diagnostic:
    """SRC025: several overlays of the same base, without a namespace or prefix to tell apart."""
    return Diagnostic(
        "SRC025",
        Severity.WARNING,
        f"several kustomizations build on {span.file}: {overlays}",
        span,
        effect="all of them are read, so objects of the same name are defined more than once",
        help="name the one you mean with -f",
    )


def not_part(span: Span, count: int, noun: str, names: str) -> Diagnostic:
    """SRC026: what lies in a rendered directory and does not belong to what it renders to."""
    which = f"this {noun} is" if count == 1 else f"{count} of these ({noun}) are"
    return Diagnostic(
        "SRC026",
        Severity.INFO,
        f"{which} no part of what {span.file} renders to: {names}",
        span,
        effect="left out, as its tool leaves it out",
        help="name what you want to be read with -f",
    )


def library(span: Span) -> Diagnostic:
    """SRC027: a library chart, which renders to nothing."""
    return Diagnostic(
        "SRC027",
        Severity.INFO,
        f"{span.file} is a library chart: it only helps other charts",
        span,
        effect="there is nothing to render in it",
    )


def charts_wanted(span: Span, directory: str) -> Diagnostic:
    """SRC028: a kustomization that has charts fetched and rendered, which it may not by default."""
    return Diagnostic(
        "SRC028",
        Severity.ERROR,
        f"{directory} is a kustomization that runs Helm, which is not switched on for it",
        span,
        effect=_NOTHING_OF_IT,
        help=f"render it yourself: `kustomize build --enable-helm {directory} | cloison ... -f -`",
    )


def submodule(span: Span) -> Diagnostic:
    """SRC029: a submodule of a revision, which is another repository."""
    return Diagnostic(
        "SRC029",
        Severity.WARNING,
        "this is a submodule: its files are in another repository",
        span,
        effect="nothing in it is read",
        help="check it out and name its directory as a source of its own, if it belongs "
        "to the input",
    )


def stored_elsewhere(span: Span) -> Diagnostic:
    """SRC030: a Git LFS pointer in place of a file."""
    return Diagnostic(
        "SRC030",
        Severity.ERROR,
        "this file is kept in Git LFS: the revision holds only a pointer to it",
        span,
        effect="every answer lacks what it declares",
        help="check the revision out with `git worktree add`, which fetches it, and name that",
    )


def two_kinds(span: Span) -> Diagnostic:
    """SRC031: a directory with both a chart and a kustomization."""
    return Diagnostic(
        "SRC031",
        Severity.WARNING,
        f"{span.file} holds a Helm chart and a kustomization",
        span,
        effect="it is rendered as a chart; what the kustomization says is left out",
        help=f"read the other form instead: `kustomize build {span.file} | cloison ... -f -`",
    )


def values_unused(files: str, sources: str) -> Diagnostic:
    """SRC032: values files, and no chart to use them."""
    return Diagnostic(
        "SRC032",
        Severity.WARNING,
        f"there is no chart in {sources}, so nothing of it uses the values files given: {files}",
        help="name the directory with the Chart.yaml, or leave out --values",
    )


def too_many_to_render(span: Span, count: int, limit: int) -> Diagnostic:
    """SRC033: more charts and kustomizations in a directory than are rendered."""
    return Diagnostic(
        "SRC033",
        Severity.ERROR,
        f"{count} charts and kustomizations below this directory stand by themselves, and the "
        f"first {limit} are rendered",
        span,
        effect="nothing in the others is read, so every answer lacks what they declare",
        help="name the directories you mean with -f",
    )


INSTEAD_OF_CHARTS = frozenset({"SRC020", "SRC021", "SRC022", "SRC033"})
"""Codes of what stands in the place of a chart, or of something else, that is not rendered."""
_NOTHING_OF_IT = "nothing in it is read, so every answer lacks what it declares"


def _short(text: str, limit: int = 60) -> str:
    """Return `text` fit for one line of a message."""
    shown = text if len(text) <= limit else text[:limit] + "..."
    return shown.encode("unicode_escape").decode("ascii") if not shown.isprintable() else shown
