"""Which hours are rolled up together."""

from cloison.flows.store.manifest import Part
from cloison.flows.store.rolling import Hour, batches


def _parts(hour: Hour, *rows: int) -> tuple[Part, ...]:
    source, of = hour
    return tuple(
        Part("flows", f"flows/{source}/{of}-{number}", each, 1, 1, source, of)
        for number, each in enumerate(rows)
    )


STALE = {
    hour: _parts(hour, *rows)
    for hour, rows in {
        ("hubble", 11): (40,),
        ("hubble", 10): (30, 30),
        ("csv", 10): (10,),
        ("csv", None): (5,),
        ("hubble", 12): (500,),
        ("hubble", 13): (1,),
    }.items()
}


def _sizes(rows: int) -> list[int]:
    return [sum(part.rows for part in batch) for batch in batches(STALE, rows)]


def test_hours_are_taken_together_while_they_fit() -> None:
    assert _sizes(75) == [75, 40, 500, 1]
    assert _sizes(74) == [15, 60, 40, 500, 1]
    assert _sizes(1000) == [616]


def test_an_hour_is_never_cut() -> None:
    for rows in (1, 50, 100, 1000):
        found = [{(part.source, part.hour) for part in batch} for batch in batches(STALE, rows)]
        assert sum(map(len, found)) == len(STALE)
        assert set().union(*found) == set(STALE)
