"""Who enforces policies in the cluster of a session, and what to know of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cloison.analyses.enforcement import Asked, Enforcement, Written, enforcement
from cloison.dialects import TABLE
from cloison.platform.enforcers import Enforcer, enforcing
from cloison.platform.evidence import Evidence
from cloison.platform.readers import besides, reads
from cloison.platform.together import together
from cloison.platform.traits import Topic, Trait, known, traits

if TYPE_CHECKING:
    from cloison.app.session import Session

_OWN_GROUPS = frozenset(("networking.k8s.io", "extensions", "policy.networking.k8s.io"))
"""Groups of Kubernetes itself: profiles call their kinds by the kind alone."""


def cni(session: "Session") -> Enforcement:
    """Return who enforces policies in the cluster of a session, and what to know of it.

    Args:
        session: What was read, with how pods are run.
    """
    settings = session.settings
    installed = session.enforcers
    written = tuple(_written(session))
    return enforcement(
        Asked(
            session.world,
            session.policies.policies,
            written,
            session.profile,
            settings.profile_chosen,
            not settings.detected and not settings.by_default,
            settings.by_default,
            installed,
            together(installed, session.world),
            _traits(session),
            (*_grounds(session, written), *_settings(session)),
        )
    )


def _grounds(session: "Session", written: tuple[Written, ...]) -> Iterator[Evidence]:
    """Yield what gave the profile away, where no agent did: objects of one product's own kinds."""
    if not session.settings.detected:
        return
    if not any(one.enforces and not one.assumed for one in session.enforcers):
        yield from session.platform.evidence
    chosen = session.settings.profile_chosen
    own = [each for each in written if each.group and each.reads and each.kind in chosen]
    for each in sorted(own, key=lambda w: w.name)[:_SHOWN]:
        yield Evidence(session.profile.name, f"{each.kind} {each.name}", each.span)
    if "cilium-config" in chosen:
        for item in session.world.declared.get(("", "ConfigMap"), ()):
            if item.name == "cilium-config":
                yield Evidence(session.profile.name, item.shown, item.span)


def _settings(session: "Session") -> Iterator[Evidence]:
    """Yield the settings of the enforcer that somebody or something says."""
    for name, value in sorted(session.settings.cilium.items()):
        origin = session.settings.cilium_from.get(name)
        said = f"{name}: {value}" + (f", from {origin}" if origin else "")
        yield Evidence(session.profile.name, said)


_SHOWN = 3
"""Objects that are shown where many say the same."""


def trait_of(session: "Session", topic: Topic) -> Trait | None:
    """Return what the enforcer of a session does, of one topic; None where it has none known."""
    return next((each for each in _traits(session) if each.topic is topic), None)


def _traits(session: "Session") -> tuple[Trait, ...]:
    """Return what the enforcer does: the one that is installed, else that of the profile."""
    one = _chosen(session)
    if one is not None:
        return traits(one.id, session.world, session.settings.cilium, one)
    product = session.profile.name.partition("@")[0]
    name = product if product in known() else ""
    return traits(name, session.world, session.settings.cilium) if name else ()


def _chosen(session: "Session") -> Enforcer | None:
    """Return the installed agent that the profile is that of."""
    product = session.profile.name.partition("@")[0]
    running = enforcing(session.enforcers)
    mine = [one for one in running if (one.profile or one.id).partition("@")[0] == product]
    if len(mine) == 1:
        return mine[0]
    return running[0] if len(running) == 1 and session.settings.detected else None


def _written(session: "Session") -> Iterator[Written]:
    """Yield the policy objects of a session."""
    for dialect, objects in (session.objects or {}).values():
        row = next((each for each in TABLE if each.name == dialect.name), None)
        for each in objects:
            kind = getattr(each, "kind", "") or type(each).__name__
            if not _is_policy(kind):
                continue
            group = getattr(each, "group", None)
            if group is None:
                groups = sorted(g for g, k in row.kinds if k == kind) if row is not None else []
                group = groups[-1] if groups else ""
            if row is not None:
                group = row.stored.get(group, group)
            if besides(group):
                continue
            group = "" if group in _OWN_GROUPS else group
            space = getattr(each, "namespace", None)
            name = f"{space}/{each.name}" if space else each.name
            yield Written(group, kind, name, each.span, reads(session.profile, group, kind))


def _is_policy(kind: str) -> bool:
    """Return whether objects of a kind are enforced policies, and not what those speak of."""
    if kind.startswith("Staged") or "Redirect" in kind or "Gateway" in kind:
        return False
    return kind.endswith(("Policy", "Firewall"))
