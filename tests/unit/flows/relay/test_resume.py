"""Where a stream that broke goes on, whatever came when and however much of it."""

from hypothesis import given
from hypothesis import strategies as st

from cloison.flows.relay.resume import NODES, OVERLAP, Resume

SECOND = 1_000_000_000


def test_nothing_was_told() -> None:
    assert Resume().broken() is None


def test_it_begins_before_the_node_that_is_furthest_behind() -> None:
    resume = Resume()
    resume.flow("a", 100 * SECOND, b"1")
    resume.flow("b", 500 * SECOND, b"2")
    resume.notice(5 * SECOND, b"lost")
    assert resume.broken() == 100 * SECOND - OVERLAP
    # Of the node that is ahead, what is older was told before, though nobody remembers it.
    assert resume.flow("b", 500 * SECOND - OVERLAP - 1, b"0") == (False, None)
    assert resume.flow("b", 500 * SECOND, b"2") == (False, None)
    assert not resume.notice(5 * SECOND, b"lost")
    assert resume.notice(6 * SECOND, b"lost")
    assert resume.flow("b", 501 * SECOND, b"3") == (True, None)


def test_memory_is_bounded_and_forgets_nothing_that_it_asks_for() -> None:
    resume = Resume(most=3)
    for number in range(10):
        resume.flow("a", SECOND + number, str(number).encode())
    assert len(resume.recent) == 3
    assert resume.broken() == SECOND + 7
    told = [resume.flow("a", SECOND + number, str(number).encode())[0] for number in range(7, 12)]
    assert told == [False, False, False, True, True]


def test_nodes_are_bounded() -> None:
    resume = Resume()
    for number in range(NODES + 50):
        resume.flow(f"n{number}", SECOND, str(number).encode())
    assert len(resume.newest) == NODES + 1


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8)), max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_every_flow_once_however_often_it_breaks(
    told: list[tuple[str, int]], breaks: list[int]
) -> None:
    """Nodes tell in order, each by its own clock; some flows look alike.

    Every node was seen once: one that was not, with a clock that is behind, is asked too late.
    """
    clocks = {"a": 1000, "b": 2000, "c": 5000}
    ring: list[tuple[str, int, bytes]] = []
    for node, wait in [("a", 0), ("b", 0), ("c", 0), *told]:
        clocks[node] += wait
        ring.append((node, clocks[node] * SECOND, f"{node}{clocks[node]}".encode()))
    resume, found, since = Resume(), [], 0
    for cut in [3, *breaks, len(ring)]:
        # What is asked for since a time begins where that time is reached first.
        held = [one for one in ring if one[1] >= since]
        for one in held[:cut]:
            new, gap = resume.flow(*one)
            found += [one] if new else []
            assert gap is None or not new or gap.since < one[1] // 1000
        again = resume.broken()
        since = since if again is None else again
    assert sorted(found) == sorted(ring)


def test_a_run_goes_on_where_an_earlier_one_was() -> None:
    """Names that a store holds are without the cluster's; what was dropped meanwhile is told."""
    earlier = {"a": (100 * SECOND, (b"1", b"2")), "b": (200 * SECOND, (b"9",))}
    resume = Resume(earlier=earlier)
    assert resume.flow("east/a", 100 * SECOND - OVERLAP - 1, b"0") == (False, None)
    assert resume.flow("east/a", 100 * SECOND, b"2") == (False, None)
    assert resume.flow("east/a", 101 * SECOND, b"3") == (True, None)
    new, gap = resume.flow("east/b", 260 * SECOND, b"10")
    assert new
    assert gap is not None
    assert (gap.node, gap.since, gap.until) == ("b", 200_000_000, 260_000_000)
    # One that nobody knew has dropped nothing that anybody could know of.
    assert resume.flow("east/c", 300 * SECOND, b"20") == (True, None)
    assert resume.broken() == 100 * SECOND + SECOND - OVERLAP


def test_a_clock_that_was_ahead_holds_nothing_back() -> None:
    """Else all that the node tells would be left out until that time has come."""
    resume = Resume()
    resume.flow("a", 100 * SECOND, b"1")
    resume.flow("ahead", 10**19, b"2")
    assert resume.broken() == 100 * SECOND - OVERLAP
    assert resume.flow("ahead", 10**19, b"2") == (False, None)
    assert resume.flow("ahead", 101 * SECOND, b"3") == (True, None)


def test_a_node_that_was_not_known_when_a_stream_began_is_asked_for_all_it_holds() -> None:
    before = {"n": (100 * SECOND, (b"1",)), "away": (20 * SECOND, ())}
    resume = Resume(earlier=before, whole=True, since=100 * SECOND - OVERLAP)
    assert resume.flow("c/n", 100 * SECOND, b"1") == (False, None)
    asked = [resume.back]
    for node in ("c/away", "c/new"):
        assert resume.flow(node, 200 * SECOND, node.encode()) == (False, None)
        asked.append(resume.back)
    assert asked == [None, 20 * SECOND - OVERLAP, 0]
    assert resume.broken() == 0
    assert resume.flow("c/new", 5 * SECOND, b"4") == (True, None)
    assert resume.flow("c/new", 200 * SECOND, b"c/new") == (True, None)
    assert resume.broken() == 100 * SECOND - OVERLAP
