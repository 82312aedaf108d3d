"""D12: addresses of providers that moved: blocks that their lists hold no more, or newly hold."""

from collections.abc import Iterator, Mapping
from typing import Final

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.nobody import enforced
from cloison.analyses.drift.scene import Scene
from cloison.base import Severity
from cloison.base.words import few, plural
from cloison.ir.peers import BlockMatch, plain_matches
from cloison.ir.policy import Action, Direction

_SHOWN: Final = 5


def ranges(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each external whose provider's list is not what it was."""
    if scene.contract is None:
        return
    before = _before(scene)
    if before is None:
        if scene.published:
            reason = "nobody says what the provider's list was before"
            scene.skip(Code.RANGES, reason, len(scene.published), "external")
        return
    for external in scene.contract.externals:
        now, was = scene.published.get(external.name), before.get(external.name)
        if now is None or was is None or now == was:
            continue
        gone, new = was - now, now - was
        open_ = _permitted(scene)
        dead = [text for text in gone.blocks() if AddressSet.block(text) & open_]
        shut = [text for text in new.blocks() if not AddressSet.block(text) <= open_]
        evidence = []
        if gone:
            evidence.append(Evidence(f"no longer in the list: {few(gone.blocks(), _SHOWN)}"))
        if new:
            evidence.append(Evidence(f"newly in the list: {few(new.blocks(), _SHOWN)}"))
        if dead:
            evidence.append(Evidence(f"rules still let through to {few(dead, _SHOWN)}"))
        if shut:
            evidence.append(Evidence(f"no rule names {few(shut, _SHOWN)}"))
        count = f"{plural(len(list(gone.blocks())), 'block')} gone and "
        count += f"{plural(len(list(new.blocks())), 'block')} new"
        yield Sign(
            key=Key(Code.RANGES, f"external:{external.name}", digest_of(now)),
            severity=Severity.WARNING,
            message=f"the addresses of external {external.name} moved: {count}",
            help="compile or write anew the policies that list its blocks",
            evidence=tuple(evidence),
            atom=Atom(f"external {external.name}", external.ranges_span or external.span),
            allow=Step("let through to the blocks that are new"),
            remove=Step("take out the blocks that are gone"),
        )


def digest_of(addresses: AddressSet) -> str:
    """Return what tells a list of addresses from others, short enough for a key."""
    value = 0
    for low, high in addresses.spans:
        for each in (low, high):
            value = (value * 1_000_003 + each) % ((1 << 61) - 1)
    return f"{value:x}"


def _before(scene: Scene) -> Mapping[str, AddressSet] | None:
    if scene.before is not None:
        return scene.before.published
    if not scene.memory.ran:
        return None
    found: dict[str, AddressSet] = {}
    for name, blocks in scene.memory.ranges.items():
        spans = (span for text in blocks for span in AddressSet.block(text).spans)
        found[name] = AddressSet(spans)
    return found


def _permitted(scene: Scene) -> AddressSet:
    """Return the addresses that rules list by which somebody leaves."""
    found = NO_ADDRESSES
    for policy in enforced(scene.engine):
        for rule in policy.rules_for(Direction.EGRESS):
            if rule.action is Action.ALLOW:
                for peer in rule.peers:
                    for match in plain_matches(peer.match):
                        if isinstance(match, BlockMatch):
                            found |= match.addresses
    return found
