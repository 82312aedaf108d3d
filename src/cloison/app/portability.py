"""`portability`: which policies bind a cluster to one enforcer, by the objects as written."""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from cloison.analyses.portable import Portability, Portable, enforces
from cloison.app.load import Name, paths, session_of
from cloison.app.noted import noted
from cloison.app.session import Session
from cloison.app.settings import Settings
from cloison.base import Span
from cloison.dialects import TABLE, Row, features_of, row_for, targets
from cloison.dialects.writing.features import uses
from cloison.ir.policy import PolicyId
from cloison.platform import profile, profile_names
from cloison.resources.documents import Document
from cloison.resources.kinds import group_of
from cloison.sources import Progress, read

_OWN_GROUPS = frozenset(("networking.k8s.io", "extensions", "policy.networking.k8s.io"))
"""Groups of Kubernetes itself: profiles call their kinds by the kind alone."""


def portability(
    *names: Name,
    settings: Settings | None = None,
    namespace: str | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
    **said: Any,
) -> tuple[Session, Portability]:
    """Read sources, and return with them which policies bind the cluster to one enforcer.

    Args:
        names: Files, directories, revisions (`git:REV[:PATH]`) or `-`; the current directory
            when none is given.
        settings: How to read and judge.
        namespace: Only policies of this namespace.
        stdin: What `-` reads.
        progress: Told how many bytes have been consumed.
        said: Single settings by name, over `settings`.

    Raises:
        SourceError: A name does not exist or cannot be read.
        QuestionError: A setting has no such value.
    """
    chosen = (settings or Settings()).but(**said)
    kept: dict[Span, Document] = {}
    named = paths(names) or chosen.sources or (".",)
    items = read(named, stdin=stdin, progress=progress, rendering=chosen.rendering())
    session = session_of(noted(items, kept), chosen)
    return session, of_session(session, kept, namespace)


def of_session(
    session: Session, kept: Mapping[Span, Document], namespace: str | None = None
) -> Portability:
    """Return which policies of a session bind a cluster to one enforcer.

    Args:
        session: What was read.
        kept: Documents of its policy objects, by their place.
        namespace: Only policies of this namespace.
    """
    profiles = tuple(profile(name) for name in profile_names())
    found = []
    for _, objects in (session.objects or {}).values():
        for each in objects:
            document = kept.get(each.span)
            if document is None or (namespace is not None and each.namespace != namespace):
                continue
            api_version, kind = (_text(document, key) for key in ("apiVersion", "kind"))
            row = row_for(api_version, kind)
            if row is None or row.writes is None or not _is_policy(kind):
                continue
            group = _group(row, api_version)
            found.append(
                Portable(
                    PolicyId(kind, each.namespace, each.name),
                    each.span,
                    row.writes,
                    tuple(name for name in targets() if name != row.writes),
                    tuple(p.name for p in profiles if enforces(p, group, kind)),
                    tuple(uses(document, features_of(row, kind))),
                )
            )
    return Portability(tuple(sorted(found, key=_key)), profiles)


def _key(each: Portable) -> tuple[int, str, str, str]:
    order: Sequence[str | None] = [row.writes for row in TABLE]
    return order.index(each.language), each.id.kind, each.id.namespace or "", each.id.name


def _group(row: Row, api_version: str) -> str:
    """Return the group that profiles know a kind by."""
    group = group_of(api_version)
    group = row.stored.get(group, group)
    return "" if group in _OWN_GROUPS else group


def _is_policy(kind: str) -> bool:
    """Return whether objects of a kind are policies, and not what policies speak of."""
    return kind.endswith("Policy") and "Redirect" not in kind and "Gateway" not in kind


def _text(document: Document, key: str) -> str:
    node = document.root.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""
