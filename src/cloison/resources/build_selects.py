"""By which labels controllers find their pods, where that cannot change."""

from typing import Final

_KINDS: Final = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
_NONE: Final[frozenset[str]] = frozenset()


def selects(api_version: str, kind: str, selector: object) -> frozenset[str]:
    """Return the keys of a selector that cannot change once its object is there.

    Source: kubernetes/kubernetes pkg/apis/apps/validation (`spec.selector` is immutable).
    """
    if api_version != "apps/v1" or kind not in _KINDS or not isinstance(selector, dict):
        return _NONE
    labels = selector.get("matchLabels")
    return frozenset(filter(_is_text, labels)) if isinstance(labels, dict) else _NONE


def _is_text(key: object) -> bool:
    return isinstance(key, str)
