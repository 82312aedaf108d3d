"""Worlds that others have published figures about.

Both follow the scale tests of a CNI's controller: Antrea, "TestInitXLargeScaleWithSmallNamespaces"
and "TestInitXLargeScaleWithOneNamespace" of its NetworkPolicy controller. Labels, selectors and
numbers are theirs; names and addresses are not drawn by lot, so that every run has the same.
"""

from collections.abc import Iterator

from benchmarks.worlds.manifests import Manifest, labelled, namespace, pod, policy

PODS = 4
"""Pods of a namespace, in the published world."""
POLICIES = 3
"""Policies of a namespace, in the published world: a default deny, and two of apps."""


def indexed(namespaces: int, pods: int = PODS, policies: int = POLICIES) -> Iterator[Manifest]:
    """Return many small namespaces: a default deny, and apps that talk within themselves.

    Args:
        namespaces: How many; 25 000 are published.
        pods: Pods of each.
        policies: Policies of each. All but the first are those of an app, whose pods have a
            label of their own. Pods take turns in being of an app.
    """
    apps = max(1, policies - 1)
    for number in range(namespaces):
        home = f"ns-{number:05d}"
        yield namespace(home, {"app": home})
        if policies:
            yield policy(home, "default-deny-all", {})
        for app in range(1, policies):
            yield _within(home, f"np-{app}", f"app-{app}", f"scale-{app}")
        for place in range(pods):
            app = place * apps // pods + 1
            labels = {f"app-{app}": f"scale-{app}"}
            yield pod(home, f"pod{place + 1}", labels, number * pods + place)


def crowded(pods: int, policies: int | None = None) -> Iterator[Manifest]:
    """Return one namespace in which every policy selects every pod, and names it as its peer.

    10 000 of each are published.

    Args:
        pods: How many pods.
        policies: How many policies; as many as pods when not given.
    """
    yield namespace("crowded", {"app": "crowded"})
    for number in range(pods if policies is None else policies):
        yield _within("crowded", f"np-{number:05d}", "app-1", "scale-1")
    for number in range(pods):
        yield pod("crowded", f"pod-{number:05d}", {"app-1": "scale-1"}, number)


def dense(pods: int) -> Iterator[Manifest]:
    """Return one namespace in which each pod has a policy of its own, towards its neighbours.

    Args:
        pods: How many pods, and policies.
    """
    yield namespace("dense", {"app": "dense"})
    for number in range(pods):
        callers = [{"podSelector": labelled(app=f"app-{number - back}")} for back in (1, 2)]
        callees = [{"podSelector": labelled(app=f"app-{number + on}")} for on in (1, 2)]
        port = [{"protocol": "TCP", "port": 8080 + number % 10}]
        yield policy(
            "dense",
            f"np-{number:05d}",
            labelled(app=f"app-{number}"),
            [{"from": callers, "ports": port}],
            [{"to": callees}],
        )
    for number in range(pods):
        labels = {"app": f"app-{number}", "tier": ("web", "api", "db")[number % 3]}
        yield pod("dense", f"pod-{number:05d}", labels, number)


def _within(home: str, name: str, key: str, value: str) -> Manifest:
    """Return a policy that lets those with a label talk to one another."""
    chosen = {"matchLabels": {key: value}}
    peers = [{"podSelector": chosen}]
    return policy(home, name, chosen, [{"from": peers}], [{"to": peers}])
