"""Peers and subjects of the IR in Cilium's words.

Every key says its source, `k8s:`, so that nothing else can carry it. Namespaces are named where a
selector does not have to stay in its policy's own, and a selector that only says what namespaces
must not be says, too, that there is one: nodes and the world have none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.base import Span
from cloison.dialects.writing import At, Tree, WriteContext
from cloison.dialects.writing.blocks import cidrs, masked
from cloison.dialects.writing.errors import GROUPS, NO_PEER, UnsayableError
from cloison.dialects.writing.labels import plain_selector, requirements_tree
from cloison.ir.peers import (
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    PeerMatch,
    PodsMatch,
)
from cloison.ir.policy import Direction, Peer
from cloison.ir.profile import LabelFilter
from cloison.resources.objects import ACCOUNT_NAME_LABEL, NAMESPACE_NAME_LABEL

NAMESPACE = "k8s:io.kubernetes.pod.namespace"
OF_NAMESPACE = "k8s:io.cilium.k8s.namespace.labels."
ACCOUNT = "k8s:io.cilium.k8s.policy.serviceaccount"
_SOURCE = "k8s:"
_POSITIVE = (Operator.IN, Operator.EXISTS)
_IN_PLACE = Requirement(NAMESPACE, Operator.EXISTS)

Members = dict[str, Sequence[Tree]]
"""Peers of one element, by the field that holds them."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Writes peers of one policy.

    Args:
        home: Its namespace; None for a policy of all namespaces.
        context: What is around.
    """

    home: str | None
    context: WriteContext

    def elements(self, peers: Sequence[Peer], direction: Direction) -> Iterator[Members]:
        """Yield the peers of a rule, those of one kind together: an element has one kind.

        Nothing where they are nobody.

        Raises:
            UnsayableError: One cannot be written.
        """
        way = "from" if direction is Direction.INGRESS else "to"
        if any(isinstance(match, AnyMatch) for p in peers for match in _flat(p.match)):
            yield {f"{way}Entities": ["all"]}
            return
        endpoints: list[Tree] = []
        blocks: list[Tree] = []
        for peer in peers:
            for match in _flat(peer.match):
                if isinstance(match, PodsMatch):
                    endpoints += _placed(self.selector(match), peer.span)
                else:
                    blocks += [At(block, peer.span) for block in self._blocks(match)]
        if endpoints:
            yield {f"{way}Endpoints": endpoints}
        if blocks:
            yield {f"{way}CIDRSet": blocks}

    def selector(self, match: PodsMatch, *, subject: bool = False) -> Mapping[str, Tree] | None:
        """Return a selector of endpoints; None where there is nobody, today.

        Args:
            match: Whom it finds.
            subject: Whether it is the policy's own, which never leaves the policy's namespace.

        Raises:
            UnsayableError: It cannot be written.
        """
        if match.nodes is not None:
            raise UnsayableError("pods cannot be told by the node they run on", "spec")
        where = self._where(match, subject=subject)
        pods = plain_selector(match.pods, self.context)
        if where is None or pods is None:
            return None
        self._check(pods)
        found = [Requirement(_SOURCE + r.key, r.operator, r.values) for r in pods.requirements]
        return requirements_tree((*found, *where, *_accounts(match.accounts)))

    def _where(self, match: PodsMatch, *, subject: bool) -> Sequence[Requirement] | None:
        if match.namespace is not None:
            if match.namespace == self.home:
                return ()
            return (Requirement(NAMESPACE, Operator.IN, (match.namespace,)),)
        if subject and self.home is not None:
            return ()
        namespaces = plain_selector(match.namespaces, self.context, namespaces=True)
        if namespaces is None:
            return None
        self._check(namespaces, of_namespace=True)
        found = [
            Requirement(
                NAMESPACE if r.key == NAMESPACE_NAME_LABEL else OF_NAMESPACE + r.key,
                r.operator,
                r.values,
            )
            for r in namespaces.requirements
        ]
        known = any(r.operator in _POSITIVE for r in found)
        return found if known else (*found, _IN_PLACE)

    def _check(self, selector: LabelSelector, *, of_namespace: bool = False) -> None:
        """Check that whoever enforces sees the labels, or that nobody did before.

        Raises:
            UnsayableError: One is not seen.
        """
        for each in selector.requirements:
            before, after = self.context.source.visible, self.context.profile.visible
            if not _sees(after, each.key, of_namespace=of_namespace) and _sees(
                before, each.key, of_namespace=of_namespace
            ):
                raise UnsayableError(
                    f"policies do not see the label {each.key} there",
                    "matchLabels",
                    "matchExpressions",
                    "podSelector",
                    "selector",
                    help_="let the agent's `labels` setting include it, or select another label",
                )

    def _blocks(self, match: PeerMatch) -> Iterator[Mapping[str, Tree]]:
        match match:
            case BlockMatch():
                if match.addresses:
                    yield _block(match)
            case GroupsMatch():
                yield from self._groups(match)
            case NodesMatch():
                raise UnsayableError(
                    "nodes by label need the setting enable-node-selector-labels, and a pod's own "
                    "node is never among them",
                    "nodes",
                )
            case NamesMatch():
                raise UnsayableError(
                    "names are known there only from lookups that a rule about DNS lets through",
                    "domainNames",
                    "domains",
                    help_="write `toFQDNs` by hand, beside a rule with `rules.dns`",
                )
            case _:
                raise UnsayableError(*NO_PEER)

    def _groups(self, match: GroupsMatch) -> Iterator[Mapping[str, Tree]]:
        for group in self.context.groups:
            if match.labels.matches(group.labels) and group.addresses:
                if not self.context.snapshot:
                    raise UnsayableError(*GROUPS, choose=True)
                yield from ({"cidr": cidr} for cidr in cidrs(group.addresses))


def _flat(match: PeerMatch) -> Iterator[PeerMatch]:
    if isinstance(match, AnyOf):
        for each in match.matches:
            yield from _flat(each)
    else:
        yield match


def _placed(tree: Mapping[str, Tree] | None, span: Span | None) -> list[Tree]:
    return [] if tree is None else [At(tree, span)]


def _block(match: BlockMatch) -> Mapping[str, Tree]:
    found: dict[str, Tree] = {"cidr": masked(match.cidr)}
    holes = [masked(hole) for hole in match.holes]
    if holes:
        found["except"] = holes
    return found


def _accounts(selector: LabelSelector) -> Iterator[Requirement]:
    for each in selector.requirements:
        if each.key != ACCOUNT_NAME_LABEL:
            raise UnsayableError(
                "service accounts can be told by their names only",
                "serviceAccounts",
                "serviceAccountSelector",
            )
        yield Requirement(ACCOUNT, each.operator, each.values)


def _sees(seen: LabelFilter | None, key: str, *, of_namespace: bool) -> bool:
    if seen is None:
        return True
    return seen.keeps_of_namespace(key) if of_namespace else seen.keeps(key)
