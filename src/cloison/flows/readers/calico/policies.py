"""Policies that a flow of Calico's met, in the order it met them, each with what it did."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

import msgspec

from cloison.flows.reader import BadRecordError
from cloison.flows.readers.calico.wire import Hit, Trace
from cloison.flows.schema import Decision, Direction, Observer, Verdict

END_OF_TIER: Final = "end-of-tier"
"""The rule of a decision that no rule made: the named policy selects the end, and its tier ends."""

_SOURCE: Final[tuple[Observer, Direction | None]] = ("src", "egress")
_DEST: Final[tuple[Observer, Direction | None]] = ("dst", "ingress")
BETWEEN: Final[tuple[Observer, Direction | None]] = ("node", None)
"""A node in between, or nobody that is told."""
REPORTERS: Final = {1: _SOURCE, "src": _SOURCE, 2: _DEST, "dst": _DEST}
"""Who saw a flow, and for which direction the policies it lists were asked."""

KINDS: Final = dict(
    enumerate(
        (
            "",
            "CalicoNetworkPolicy",
            "GlobalNetworkPolicy",
            "StagedNetworkPolicy",
            "StagedGlobalNetworkPolicy",
            "StagedKubernetesNetworkPolicy",
            "NetworkPolicy",
        )
    )
) | {9: "Profile", 10: "EndOfTier"}
"""Kinds by number. Seven and eight have meant two things: Kubernetes' admin policies, and those
that came after them."""

_ACTIONS: Final[dict[int | str, str]] = {1: "allow", 2: "deny", 3: "pass"}
_VERDICTS: Final[dict[str, Verdict]] = {"allow": "allowed", "deny": "denied"}
_KUBERNETES: Final = (
    ("knp.default.", "NetworkPolicy"),
    ("kanp.adminnetworkpolicy.", "AdminNetworkPolicy"),
    ("kbanp.baselineadminnetworkpolicy.", "BaselineAdminNetworkPolicy"),
    ("kcnp.", "ClusterNetworkPolicy"),
)
_PROFILE: Final = "__PROFILE__"
_PARTS: Final = 5
_DECODER: Final = msgspec.json.Decoder(Trace | None)


def action(said: int | str | None) -> str:
    """Return `allow`, `deny`, `pass`, or nothing, for a word or number of Calico's."""
    if isinstance(said, int):
        return _ACTIONS.get(said, "")
    word = (said or "").lower()
    return word if word in {"allow", "deny", "pass"} else ""


def verdict(effect: str, pending: tuple[Decision, ...]) -> Verdict:
    """Return what became of a flow.

    Args:
        effect: What the policies in force did.
        pending: What policies would do if those that are staged were in force, the last deciding.
    """
    if effect == "allow" and pending and pending[-1].effect == "deny":
        return "audited"
    return _VERDICTS.get(effect, "unknown")


@lru_cache(maxsize=1 << 14)
def traced(raw: bytes, direction: str) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """Return the policies in force that the JSON of a `PolicyTrace` lists, and those pending.

    Raises:
        BadRecordError: it is no such message.
    """
    try:
        told = _DECODER.decode(raw) or Trace()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecordError(str(error)) from None
    return (
        _hits(told.enforced or told.enforced_policies or told.enforcedPolicies, direction),
        _hits(told.pending or told.pending_policies or told.pendingPolicies, direction),
    )


def _hits(told: Iterable[Hit | None] | None, direction: str) -> tuple[Decision, ...]:
    return tuple(
        [
            _hit(hit, direction)
            for hit in told or ()
            # Whisker's page knows entries of empty texts.
            if hit is not None and (hit.kind or hit.name or hit.tier)
        ]
    )


def _hit(hit: Hit, direction: str) -> Decision:
    kind, named = _kind(hit), hit
    rule = str(hit.rule_index or hit.ruleIndex)
    if kind == "EndOfTier":
        rule = END_OF_TIER
        if hit.trigger is not None:
            named, kind = hit.trigger, _kind(hit.trigger)
    elif rule.startswith("-"):
        rule = ""
    return Decision(
        kind=kind,
        namespace=named.namespace,
        name=_plain(named.name, hit.tier or named.tier),
        direction=direction,
        effect=action(hit.action),
        tier=hit.tier or named.tier,
        rule=rule,
    )


def _kind(hit: Hit) -> str:
    return hit.kind if isinstance(hit.kind, str) else KINDS.get(hit.kind, str(hit.kind))


Which = Literal["enforced", "staged", "every"]


@lru_cache(maxsize=1 << 14)
def entries(told: tuple[str, ...], direction: str, which: Which = "every") -> tuple[Decision, ...]:
    """Return the policies that a flow log of Enterprise lists.

    Args:
        told: Entries `index|tier|policy|action|rule`; the first number orders them.
        direction: What they decided about.
        which: Those in force, those that are staged, or every entry.

    Raises:
        BadRecordError: an entry is of another form.
    """
    found = sorted([_entry(text, direction) for text in told], key=lambda each: each[0])
    return tuple(
        [each for _, staged, each in found if which == "every" or staged == (which == "staged")]
    )


@lru_cache(maxsize=1 << 14)
def _entry(text: str, direction: str) -> tuple[int, bool, Decision]:
    parts = text.split("|")
    if len(parts) < _PARTS or not (parts[0].isascii() and parts[0].isdigit()):
        raise BadRecordError(f"{text[:64]!r} is no index|tier|policy|action|rule")
    index, tier, policy, effect, rule = parts[:_PARTS]
    namespace, _, name = policy.rpartition("/")
    staged = name.startswith("staged:")
    name = name.removeprefix("staged:")
    kind = "CalicoNetworkPolicy" if namespace else "GlobalNetworkPolicy"
    if staged:
        kind = "StagedNetworkPolicy" if namespace else "StagedGlobalNetworkPolicy"
    if tier == _PROFILE:
        kind, name = "Profile", name.removeprefix(f"{_PROFILE}.")
    for prefix, meant in _KUBERNETES:
        if name.startswith(prefix):
            kind = "StagedKubernetesNetworkPolicy" if staged else meant
            name = name.removeprefix(prefix)
    return (
        int(index[:9]),
        staged,
        Decision(
            kind=kind,
            namespace=namespace,
            name=_plain(name, tier),
            direction=direction,
            effect=action(effect),
            tier=tier,
            # Minus two: the rule is not known any more.
            rule=END_OF_TIER if rule == "-1" else "" if rule.startswith("-") else rule,
        ),
    )


def _plain(name: str, tier: str) -> str:
    """Return a policy's name as people write it: the default tier's is not part of it."""
    return name.removeprefix("default.") if tier == "default" else name
