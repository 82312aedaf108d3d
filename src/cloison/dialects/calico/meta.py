"""Whose object it is: group, and the name and labels that a stored object hides in annotations."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cloison.base import Span
from cloison.dialects.calico.model import DEFAULT_TIER, STORED_GROUP
from cloison.dialects.calico.reader import Reader
from cloison.dialects.calico.say import STORE

METADATA = "projectcalico.org/metadata"
"""Annotation of a stored object that holds what its metadata really is, as JSON."""
_MAX_JSON = 1 << 18


@dataclass(frozen=True, slots=True)
class Meta:
    """Metadata, once everything is where it belongs."""

    group: str
    name: str
    namespace: str | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    span: Span | None
    created: str | None = None
    hidden: bool = False
    """Whether the name comes from the annotation, and is the true one as it stands."""


def read_meta(reader: Reader, group: str, *, namespaced: bool) -> Meta:
    """Return an object's metadata; a stored object's annotation wins over what it stands on.

    Source: projectcalico/calico libcalico-go/lib/backend/k8s/resources/resources.go.
    """
    root = reader.document.root
    found = reader.mapping(root.get("metadata"), "metadata")
    namespace = reader.text(found.get("namespace"), "metadata.namespace")
    meta = Meta(
        group,
        reader.object_name(),
        (namespace or reader.options.namespace) if namespaced else None,
        reader.strings(found.get("labels"), "metadata.labels"),
        reader.strings(found.get("annotations"), "metadata.annotations"),
        reader.span(root),
        reader.text(found.get("creationTimestamp"), "metadata.creationTimestamp"),
    )
    hidden = meta.annotations.get(METADATA) if group == STORED_GROUP else None
    if hidden is None:
        return meta
    said = _hidden(hidden)
    if said is None:
        reader.refuse(
            "CAL002",
            root.get("metadata", "annotations", METADATA),
            f"the annotation `{METADATA}` is no JSON object of metadata",
            "write the object through the API, which makes the annotation",
            source=STORE,
        )
        return meta
    others = {key: text for key, text in meta.annotations.items() if key != METADATA}
    name, labels, annotations, created = (
        said.get(key) for key in ("name", "labels", "annotations", "creationTimestamp")
    )
    return replace(
        meta,
        name=name if isinstance(name, str) and name else meta.name,
        hidden=isinstance(name, str) and bool(name),
        labels=reader.pool.mapping({**meta.labels, **_texts(labels)}),
        annotations=reader.pool.mapping({**others, **_texts(annotations)}),
        created=created if isinstance(created, str) else meta.created,
    )


def policy_name(meta: Meta, tier: str) -> str:
    """Return the name of a policy: the store puts `default.` before those of that tier."""
    if meta.group != STORED_GROUP or tier != DEFAULT_TIER or meta.hidden:
        return meta.name
    return meta.name.removeprefix(f"{DEFAULT_TIER}.")


def _hidden(text: str) -> dict[str, object] | None:
    if len(text) > _MAX_JSON:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}
