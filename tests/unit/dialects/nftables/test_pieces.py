"""Scripts that are too long for one transaction of a user's own namespace."""

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cloison.dialects.nftables import TABLE, loading, write
from cloison.dialects.nftables.pieces import MOST
from cloison.dialects.nftables.write import BESIDE
from cloison.ir.enforcement import Ruleset
from cloison.probe.lab.start import surroundings
from tests.support.filtering import in_private
from tests.support.machine import need_users
from tests.unit.dialects.nftables.rulesets import (
    NODE,
    B,
    D,
    addresses,
    also,
    layer,
    policy,
    rule,
    ruleset,
    tier,
)


def _large(peers: int, rules: int) -> Ruleset:
    """Return one set of many addresses, one policy of many rules, and several subjects."""
    far = addresses(*(f"10.{n >> 8 & 255}.{n & 255}.{(n >> 16) * 2}" for n in range(peers)))
    many = policy("many", *(rule(f"r {n}", peers=addresses(B, D)) for n in range(rules)))
    told = layer(tier(policy("far", rule("far", peers=far)), many))
    return also(ruleset(told), ruleset(layer(tier(policy("q", rule("q")))), subject=B))


@cache
def large() -> str:
    """Return a script that is too long; to make it takes a second."""
    return write(_large(4000, 900), NODE)


SMALL = write(ruleset(layer(tier())), NODE)


def _loaded(
    scripts: Sequence[str], place: Path, start: Sequence[str] = (), query: str = "ruleset"
) -> str:
    """Load scripts one after the other, and return what the kernel then holds."""
    files = []
    for number, script in enumerate(scripts):
        files.append(str(place / f"{number}.nft"))
        Path(files[-1]).write_text(script, encoding="ascii")
    command = f'for f in "$@"; do nft -f "$f" || exit 1; done; nft -s list {query}'
    if not start:
        return in_private("sh", "-c", command, "sh", *files)
    done = subprocess.run(
        [*start, "sh", "-c", command, "sh", *files],
        env=surroundings(),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_short_is_loaded_whole() -> None:
    found = loading(SMALL, "")
    assert (found.before, found.last, found.undo) == ((), SMALL, "")


def test_what_is_not_from_here_is_loaded_whole() -> None:
    script = "table inet other {\n" + "\tchain x { }\n" * MOST + "}\n"
    assert loading(script, "").last == script


def test_pieces_are_short_and_only_the_last_one_enforces() -> None:
    found = loading(large(), "")
    assert len(found.before) > 3
    assert max(map(len, (*found.before, found.last))) < 1.2 * MOST
    assert not [each for each in found.before if "hook" in each]
    assert found.last.count("hook") == large().count("hook")


def test_pieces_are_put_beside_what_is_enforced() -> None:
    for held, made, gone in (
        ("", BESIDE, TABLE),
        (f"table {TABLE}\ntable ip other\n", BESIDE, TABLE),
        (f"table {BESIDE}\n", TABLE, BESIDE),
    ):
        found = loading(large(), held)
        assert found.before[0].startswith(f"add table {made}\ndelete table {made}\n")
        assert found.last.endswith(f"add table {gone}\ndelete table {gone}\n")
        assert found.undo == f"add table {made}\ndelete table {made}\n"
        assert not [each for each in found.before if f"table {gone}\n" in each]


def test_in_pieces_or_whole_the_kernel_holds_the_same(tmp_path: Path) -> None:
    found = loading(large(), "")
    apart = _loaded([*found.before, found.last], tmp_path)
    whole = _loaded([large()], tmp_path)
    assert apart.replace(f"table {BESIDE} ", f"table {TABLE} ") == whole
    assert len(set(re.findall(r"10\.\d+\.\d+\.\d+", apart))) > 4000


def test_one_table_is_left_whatever_came_before(tmp_path: Path) -> None:
    first = loading(large(), "")
    again = loading(large(), f"table {BESIDE}\n")
    scripts: list[str] = []
    for each, left in (
        ((first.before, first.last), BESIDE),
        ((again.before, again.last), TABLE),
        ((first.before, first.undo), TABLE),
        ((first.before, first.last), BESIDE),
        (((), SMALL), TABLE),
    ):
        scripts += [*each[0], each[1]]
        assert _loaded(scripts, tmp_path, query="tables") == f"table {left}\n"


def test_a_user_may_load_them(tmp_path: Path) -> None:
    """In a namespace of one's own, where a socket sends no more than anybody's."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    need_users(alone)
    found = loading(large(), "")
    assert _loaded([*found.before, found.last], tmp_path, alone, "tables") == f"table {BESIDE}\n"
