"""Every conformance case, written in every other language: the same flows, or a refusal."""

import pytest

from cloison.base import Severity
from cloison.dialects import targets
from cloison.ir.peers import NodesMatch, plain_matches
from tests.conformance.cases import BASE, Case, cases
from tests.support.apart import alike
from tests.support.texts import convert_texts

PROFILES = {
    "adminpolicy": "generic",
    "adminpolicy-v1alpha1": "generic",
    "calico": "calico@3.32",
    "networkpolicy": "calico@3.32",
}
"""Who enforces the cases of a file."""
EVERY = 12
"""Of so many cases one is tried on every change, the others every night."""
CASES = [
    pytest.param(
        case, profile, id=case.id, marks=[] if number % EVERY == 0 else [pytest.mark.nightly]
    )
    for name, profile in PROFILES.items()
    for number, case in enumerate(cases(name))
]


@pytest.mark.parametrize(("case", "profile"), CASES)
def test_means_the_same_or_is_refused(case: Case, profile: str) -> None:
    for step in case.steps or [BASE]:
        for to in targets():
            for snapshot in (False, True):
                found = convert_texts(case.texts(step), to=to, profile=profile, snapshot=snapshot)
                policies = found.before.policies.policies
                peers = [peer for p in policies for r in p.rules for peer in r.peers]
                nodes = any(
                    isinstance(match, NodesMatch)
                    for peer in peers
                    for match in plain_matches(peer.match)
                )
                # What another enforcer makes of what stays, and of nodes, is not the language's.
                if not found.texts or (found.profile.name != profile and (found.left or nodes)):
                    continue
                said = [d for d in found.after.diagnostics if d.severity is Severity.ERROR]
                assert not said, (to, snapshot)
                if to == "cilium":
                    # Blocks match nobody in the cluster there, and more that no policy can say;
                    # what is asked of hosts stays, and is nothing to Cilium.
                    hosts = any(policy.nodes for policy in policies)
                    assert hosts or not alike(found), (to, snapshot)
                    continue
                assert not found.difference, (to, snapshot)
