"""What ConfigMaps say."""

from cloison.resources.world import World


def setting(world: World, namespace: str, config: str, key: str) -> str | None:
    """Return what a ConfigMap says by a key, None where it is not there or says nothing.

    Args:
        world: What the cluster holds.
        namespace: Where the ConfigMap lives.
        config: Its name.
        key: The key.
    """
    for each in world.declared.get(("", "ConfigMap"), ()):
        if (each.namespace, each.name) == (namespace, config):
            node = each.document.root.get("data", key)
            return node.value if node is not None and isinstance(node.value, str) else None
    return None
