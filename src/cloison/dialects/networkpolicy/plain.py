"""Policies that a program hands over as plain values, when there is nothing to say of them.

Such objects stand nowhere, so equal specifications are one value: each is read and validated
once, however many namespaces have it. A policy with anything remarkable about it comes to
nothing here and is read by `decode`, which says what.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from cloison.base import Span
from cloison.dialects.networkpolicy.decode import API_VERSION, KIND, unplaced
from cloison.dialects.networkpolicy.model import NetworkPolicy
from cloison.resources.build import Builder
from cloison.resources.documents import PlainObject
from cloison.resources.kinds import KINDS
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.typed import read_strictly

_INFO = KINDS[API_VERSION, KIND]
_NONE: Mapping[str, str] = {}


def read_plain(item: PlainObject, options: ReadOptions, pool: Pool) -> NetworkPolicy | None:
    """Return a policy of which nothing is to be said; None for any other object.

    Args:
        item: One NetworkPolicy.
        options: Target version and the namespace of objects that name none.
        pool: Where specifications are kept; pass the same one for a whole load.
    """
    if item.api_version != API_VERSION:
        return None
    # A field that nobody knows is mentioned, whoever printed it: it may restrict.
    found: Any = read_strictly(item, KIND)
    meta = found.metadata if found is not None else None
    if meta is None or not meta.name:
        return None
    # Validation lets a stored object keep values that a new one may not have.
    spec = (KIND, bool(meta.uid), msgspec.json.encode(item.value.get("spec")))
    like = pool.once(spec, lambda: unplaced(item.locate(), options, pool))
    if like is None:
        return None
    span = Span(item.file, item.line, item.column)
    builder = Builder(item.api_version, item.kind, _INFO, span, options, pool)
    policy = NetworkPolicy(
        builder.namespace(meta),
        builder.name(meta),
        like.pod_selector,
        like.policy_types,
        like.ingress,
        like.egress,
        builder.labels(meta),
        pool.mapping(_written(meta.annotations)) if meta.annotations else _NONE,
        span,
        like.policy_types_span and span,
        like.ingress_span and span,
        like.egress_span and span,
        meta.creationTimestamp,
    )
    return None if builder.faults else policy


def _written(texts: Mapping[str, str | None]) -> dict[str, str]:
    """Return texts by key, where the server reads null as empty."""
    return {key: value or "" for key, value in texts.items()}
