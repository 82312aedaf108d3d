"""Blocks of addresses in rules, and the address families a rule is there for.

Calico programs each family by itself. A list of blocks that holds none of a family takes the
whole rule out of that family, lists of exceptions included.

Source: projectcalico/calico felix/rules/policy.go, FilterRuleToIPVersion.
"""

from collections.abc import Iterator

from cloison.algebra import FAMILY, AddressSet, family_of
from cloison.dialects.calico.model import EntityRule, Rule
from cloison.dialects.reading.blocks import block
from cloison.ir.peers import BlockMatch

WHOLE = {
    4: BlockMatch(FAMILY[4], "0.0.0.0/0", whole=True),
    6: BlockMatch(FAMILY[6], "::/0", whole=True),
}
"""Everybody of an address family."""
BOTH = frozenset(FAMILY)


def families(rule: Rule) -> frozenset[int]:
    """Return the address families a rule is there for."""
    found = BOTH if rule.ip_version is None else BOTH & {rule.ip_version}
    for entity in (rule.source, rule.destination):
        for texts in (entity.nets, entity.not_nets):
            listed = [each for each in map(block, texts) if each]
            if listed:
                found &= {family_of(each.spans[0][0]) for each in listed}
        if any(block(text) in FAMILY.values() for text in entity.not_nets):
            return frozenset()
    return found


def blocks(entity: EntityRule, present: frozenset[int]) -> tuple[BlockMatch, ...] | None:
    """Return the addresses an entity asks for, any of these; None when it asks for none.

    Args:
        entity: A source or destination.
        present: Families the rule is there for.
    """
    if not entity.nets and not entity.not_nets:
        return None
    holes = [(text, block(text)) for text in entity.not_nets]
    found = []
    for base in _bases(entity, present):
        inside = [(text, each) for text, each in holes if not each.isdisjoint(base.addresses)]
        left = base.addresses - AddressSet(span for _, each in inside for span in each.spans)
        found.append(BlockMatch(left, base.cidr, tuple(text for text, _ in inside), base.whole))
    return tuple(found)


def _bases(entity: EntityRule, present: frozenset[int]) -> Iterator[BlockMatch]:
    """Yield the blocks an entity lists, or whole families for one that lists exceptions only."""
    if not entity.nets:
        yield from (WHOLE[family] for family in sorted(present))
        return
    for text in entity.nets:
        addresses = block(text)
        if addresses and family_of(addresses.spans[0][0]) in present:
            yield BlockMatch(addresses, text, whole=addresses in FAMILY.values())
