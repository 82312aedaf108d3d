"""Policy sets whose rules ask for requests, out of a few that are told apart one by one."""

import random
from dataclasses import dataclass, replace
from itertools import product

from cloison.algebra import NO_REQUESTS, Request, RequestSet, StringSet
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Policy, Rule
from cloison.ir.requests import RequestMatch
from tests.support.chances import chance
from tests.support.policies import Snapshot

METHODS = ("GET", "POST")
PATHS = ("/a", "/b", "/c")
PAIRS = tuple(product(METHODS, PATHS))
ELSE = tuple(product((*METHODS, "PUT"), ("/else",)))
"""Of requests that no rule tells apart, one of each kind."""
REQUESTS = tuple(Request(method=m, path=p) for m, p in (*PAIRS, *ELSE, *product(("PUT",), PATHS)))
DOUBT = Caveat("MADE_UP_REQUEST", "Some request may be meant or not.")
Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A condition as two lists of requests.

    Args:
        must: Methods and paths that are meant.
        may: Those of which nobody can say.
    """

    must: Pairs
    may: Pairs = frozenset()
    doubt: Caveat | None = DOUBT

    def matches(self, request: Request) -> bool | None:
        """Look a request up; what is not known of it may be anything."""
        like = [
            (m, p)
            for m, p in (*PAIRS, *ELSE, *product(("PUT",), PATHS))
            if request.method in (None, m) and request.path in (None, p)
        ]
        found = {True if p in self.must else None if p in self.may else False for p in like}
        return found.pop() if len(found) == 1 else None

    def given(self, request: Request) -> RequestMatch:
        """Return what is left to ask of a request."""
        return self.requests().given(request)

    def requests(self) -> RequestMatch:
        """Return the same as sets."""
        return RequestMatch(made(self.must), made(self.may) if self.may else None, self.doubt)

    def __str__(self) -> str:
        """Render the lists."""
        return f"{sorted(self.must)} or perhaps {sorted(self.may)}"


def made(pairs: Pairs) -> RequestSet:
    """Return the requests of some methods and paths."""
    found = NO_REQUESTS
    for method, path in pairs:
        found |= RequestSet.http(StringSet.of(method), StringSet.of(path))
    return found


def asking(rng: random.Random, snapshot: Snapshot) -> Snapshot:
    """Return a snapshot in which many rules ask for requests."""
    policies = tuple(_policy(rng, policy) for policy in snapshot.policies.policies)
    return replace(snapshot, policies=replace(snapshot.policies, policies=policies))


def _policy(rng: random.Random, policy: Policy) -> Policy:
    return replace(policy, rules=tuple(_rule(rng, rule) for rule in policy.rules))


def _rule(rng: random.Random, rule: Rule) -> Rule:
    if chance(rng, 0.4):
        return rule
    must = frozenset(pair for pair in PAIRS if chance(rng, 0.5))
    rest = [pair for pair in PAIRS if pair not in must]
    may = frozenset(pair for pair in rest if chance(rng, 0.4)) if chance(rng, 0.25) else frozenset()
    return replace(rule, request=Listed(must, may))
