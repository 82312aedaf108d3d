"""Doubts about names: Cilium only knows addresses that it saw DNS answer."""

from collections.abc import Iterable, Iterator

from cloison.base import Diagnostic, Severity
from cloison.dialects.cilium.item import Item, Known
from cloison.dialects.cilium.model_rules import Fqdn
from cloison.dialects.cilium.names import pattern
from cloison.ir.names import NamePattern

_DNS = "Cilium documentation, Layer 3 policies, DNS based"
_PATTERNS = "cilium/cilium pkg/fqdn/matchpattern/matchpattern.go"
_DEEP = (1, 19)


def _learned(item: Item, known: Known) -> Iterator[Diagnostic]:
    """A name that only other pods may look up; one that nobody may is told where it is compiled."""
    if item.ingress or not item.element.fqdns:
        return
    mine = _lookups(item, known)
    for each in item.element.fqdns:
        wanted = pattern(each, known.cluster)
        if _meets(wanted, mine) or not _meets(wanted, known.resolved):
            continue
        yield item.doubt(
            "CIL240",
            each.span,
            f"`{wanted}` in {item.label} is a name that these pods may not look up themselves",
            effect="its addresses are let through only once another pod of the same node has "
            "looked it up",
            help_="let them ask the resolver, port 53, with `rules: {dns: [...]}`",
            source=_DNS,
        )


def _meets(wanted: NamePattern, found: Iterable[NamePattern]) -> bool:
    return any(wanted.meets(each) is not False for each in found)


def _lookups(item: Item, known: Known) -> set[NamePattern]:
    """Return the names that every pod of a rule may look up; of its namespace if none is known."""
    mine = known.subjects(item)
    missing = set(map(id, mine))
    found: set[NamePattern] = set()
    own = item.policy.namespace
    about = dict.fromkeys((None, own)) if own is not None else known.resolving
    for namespace in about:
        for other, names in known.resolving.get(namespace, ()):
            if mine:
                missing -= set(map(id, known.subjects(other)))
            found |= names
    return set() if missing else found


def _stars(item: Item, known: Known) -> Iterator[Diagnostic]:
    """Patterns that mean something else than they seem to."""
    for each, what in _patterns(item):
        text = each.pattern or ""
        first, dot, rest = text.partition(".")
        if text.startswith("**.") and known.cluster.switches.version < _DEEP:
            yield item.doubt(
                "CIL242",
                each.span,
                f"`{text}` in {what} of {item.label} is only one label deep before Cilium 1.19",
                effect=f"it means the same as `{text[1:]}`",
                help_="name each depth: `*.example.com`, `*.*.example.com`",
                source=_PATTERNS,
            )
        elif "**" in (text if first.strip("*") else rest):
            yield item.doubt(
                "CIL243",
                each.span,
                f"`**` in `{text}` in {what} of {item.label} is no label of its own at the start",
                effect="it means the same as `*`: no more than one label",
                help_="write `**.` at the start, or `*`",
                source=_PATTERNS,
            )
        elif dot and first.startswith("*") and first.strip("*") and "." not in rest.rstrip("."):
            shorter = text.lstrip("*")
            yield item.doubt(
                "CIL244",
                each.span,
                f"`{text}` in {what} of {item.label} also means names such as `evil{shorter}`",
                effect=f"who owns such a name is let through, too; names below {shorter} are not",
                help_=f"write `*.{shorter}`, and `matchName: {shorter}` for the name itself",
                source=_PATTERNS,
                severity=Severity.INFO if what == "`dns`" else Severity.WARNING,
            )


def _patterns(item: Item) -> Iterator[tuple[Fqdn, str]]:
    for each in item.element.fqdns or ():
        if each.pattern is not None:
            yield each, "`toFQDNs`"
    for rule in item.element.ports or ():
        for each in (rule.rules.dns if rule.rules else None) or ():
            if each.pattern is not None:
                yield each, "`dns`"


NAME_CHECKS = (_learned, _stars)
