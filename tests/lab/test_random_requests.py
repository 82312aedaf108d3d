"""On random worlds of Cilium a proxy and a packet filter do together what the engine says.

Seeds are fixed, so a run is the same everywhere. `CLOISON_WORLDS` asks for more worlds.
"""

import json
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloison.analyses.application import Application
from cloison.analyses.matrix import Row
from cloison.analyses.measured import Agreement
from cloison.app import Session, load_objects
from cloison.app.lab import blueprint
from cloison.app.measure import measured
from tests.support.chances import chance
from tests.support.ciliumpolicies import cilium_world
from tests.support.ciliumwords import HEADERS, HOSTS, HTTP_PORTS, METHODS, PATHS
from tests.support.worlds import random_world

AT_ONCE = 5
"""Labs that run at the same time: most of it is waiting for silence."""
WORLDS = 14
MORE = max(int(os.environ.get("CLOISON_WORLDS", "0")), 100)
ROWS = 60


def world(seed: int) -> Session:
    rng = random.Random(f"requests {seed}")
    made = cilium_world(rng, random_world(rng, (5, 8), (0, 2)), 3)
    return load_objects(made.objects, profile=made.profile, cilium=made.switches, names=made.names)


def asked(rng: random.Random) -> str:
    """A request, which says all that a policy can ask for."""
    name = rng.choice(sorted(HEADERS))
    headers = {name: rng.choice(HEADERS[name])} if chance(rng, 0.5) else {}
    every = dict.fromkeys(sorted(HEADERS)) | headers
    said = {"method": rng.choice(METHODS), "path": rng.choice(PATHS), "host": rng.choice(HOSTS)}
    return json.dumps({**said, "headers": every})


def rows(session: Session, rng: random.Random) -> list[Row]:
    """Rows between pods, each with a request."""
    names = [
        f"{w.id.namespace}/{w.id.kind.lower()}/{w.id.name}"
        for w in session.world.workloads.values()
        if w.endpoints and not w.endpoints[0].finished
    ]
    found = []
    for number in range(ROWS):
        source, target = rng.sample(names, 2)
        application = Application(asked(rng))
        port = str(rng.choice(HTTP_PORTS))
        found.append(Row(str(number), source, target, None, port, application=application))
    return found


def agree(seeds: range) -> Counter[str]:
    """Measure the rows of worlds, see that all is as predicted, and count what came of them."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(_came, seeds), Counter())


def _came(seed: int) -> Counter[str]:
    session = world(seed)
    wanted = rows(session, random.Random(f"rows {seed}"))
    found = measured(blueprint(session, wanted), wanted)
    wrong = [c for c in found.cells if c.agreement is Agreement.DIFFERS]
    assert not wrong, "\n".join(
        f"seed {seed}: {c.flow}: {c.arrival} {c.reason}, predicted {c.predicted}" for c in wrong
    )
    return Counter(str(cell.arrival) for cell in found.cells)


@pytest.mark.usefixtures("machine")
def test_a_proxy_does_what_the_engine_says() -> None:
    came = agree(range(WORLDS))
    assert min(came[outcome] for outcome in ("open", "forbidden", "dropped")) >= ROWS


@pytest.mark.nightly
@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("first", range(WORLDS, WORLDS + MORE, 10))
def test_a_proxy_does_what_the_engine_says_on_more_worlds(first: int) -> None:
    agree(range(first, first + 10))
