"""Sets of labels obey the laws of sets, and agree with the selectors they are made of."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from cloison.algebra import ALL_LABELS, LabelSelector, LabelSet, Operator, Requirement
from cloison.analyses.exposure.regions import EVERY_POD, Homes, Region, not_named
from cloison.ir.peers import PodsMatch
from cloison.resources.objects import NAMESPACE_NAME_LABEL

KEYS = ("app", "tier")
VALUES = ("a", "b", "ab", "")
OTHER = "something-else"


@st.composite
def requirements(
    draw: st.DrawFn, keys: tuple[str, ...] = KEYS, *, textual: bool = False
) -> Requirement:
    operator = draw(st.sampled_from([o for o in Operator if textual or not o.textual]))
    if operator.textual:
        text = draw(st.sampled_from(("a", "ab", "")))
        return Requirement(draw(st.sampled_from(keys)), operator, (text,))
    listed = operator in (Operator.IN, Operator.NOT_IN)
    values = draw(st.lists(st.sampled_from(VALUES), min_size=1, unique=True)) if listed else []
    return Requirement(draw(st.sampled_from(keys)), operator, tuple(sorted(values)))


selectors = st.lists(requirements(), max_size=3).map(lambda r: LabelSelector.of({}, r))
textual = st.lists(requirements(textual=True), max_size=4).map(lambda r: LabelSelector.of({}, r))
labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from((*VALUES, OTHER)))


@given(selectors, labels)
def test_a_selector_and_its_set_match_the_same(
    selector: LabelSelector, held: dict[str, str]
) -> None:
    found = LabelSet.of(selector)
    assert found.matches(held) is selector.matches(held)
    assert bool(found) is selector.satisfiable()
    assert any(s.matches(held) for s in found.selectors()) is selector.matches(held)


@given(textual, labels)
def test_a_selector_that_looks_into_values_is_within_its_set(
    selector: LabelSelector, held: dict[str, str]
) -> None:
    found = LabelSet.of(selector)
    if LabelSet.says(selector):
        assert found.matches(held) is selector.matches(held)
    else:
        assert found.matches(held) or not selector.matches(held)
    assert bool(found) is selector.satisfiable()
    assert selector.satisfiable() or not selector.matches(held)


@given(textual)
def test_what_can_match_does_match_something(selector: LabelSelector) -> None:
    # Long enough to hold every text that is asked for, with something else between.
    texts = ["-".join(parts) for n in range(5) for parts in product(("", "a", "ab"), repeat=n)]
    values = [None, "b", *texts, *(f"{text}-{text}z" for text in texts)]
    by_key = {
        key: LabelSelector(tuple(r for r in selector.requirements if r.key == key)) for key in KEYS
    }
    found = all(
        any(part.matches({} if v is None else {key: v}) for v in values)
        for key, part in by_key.items()
    )
    assert found is selector.satisfiable()


@given(selectors, selectors, labels)
def test_sets_meet_and_part(one: LabelSelector, other: LabelSelector, held: dict[str, str]) -> None:
    a, b = LabelSet.of(one), LabelSet.of(other)
    assert (a & b).matches(held) is (one.matches(held) and other.matches(held))
    left = a.minus(b)
    assert any(part.matches(held) for part in left) is (
        one.matches(held) and not other.matches(held)
    )
    assert all(part and part <= a and not part & b for part in left)
    assert (a <= b) is (not left)
    said = [s for part in left for s in part.selectors()]
    assert any(s.matches(held) for s in said) is any(part.matches(held) for part in left)


@given(selectors)
def test_an_example_is_one(selector: LabelSelector) -> None:
    found = LabelSet.of(selector)
    if found:
        assert selector.matches(found.example())


HOMES = Homes(
    {
        "x": {NAMESPACE_NAME_LABEL: "x", "app": "a"},
        "y": {NAMESPACE_NAME_LABEL: "y"},
    }
)
homes = st.one_of(
    st.sampled_from([HOMES.labels["x"], HOMES.labels["y"]]),
    labels.map(lambda held: {**held, NAMESPACE_NAME_LABEL: "new"}),
)
names = st.sampled_from((None, "x", "y", "new"))


@st.composite
def regions(draw: st.DrawFn) -> Region:
    match = PodsMatch(draw(names), draw(selectors), draw(selectors))
    region = Region.of(match)
    but = draw(st.lists(selectors, max_size=3))
    gone = draw(st.lists(st.sampled_from(("x", "y", "new")), max_size=2))
    kept = Region(region.namespaces & not_named(gone), region.pods)
    return Region(kept.namespaces, kept.pods, tuple(LabelSet.of(s) for s in but))


@given(regions(), homes, labels)
def test_settling_changes_nobody(
    region: Region, home: dict[str, str], held: dict[str, str]
) -> None:
    settled = HOMES.settle(region)
    assert (settled is not None and settled.matches(home, held)) is region.matches(home, held)
    if settled is not None:
        assert HOMES.settle(settled) == settled
        assert settled.pods.matches(settled.example())
        assert not any(each.matches(settled.example()) for each in settled.but)


@given(regions(), regions(), homes, labels)
def test_regions_meet_and_part(
    one: Region, other: Region, home: dict[str, str], held: dict[str, str]
) -> None:
    a, b = one.matches(home, held), other.matches(home, held)
    assert (one & other).matches(home, held) is (a and b)
    assert any(r.matches(home, held) for r in HOMES.minus([one], other)) is (a and not b)
    wide, narrow = HOMES.settle(one), HOMES.settle(other)
    if wide is not None and narrow is not None and HOMES.covers(wide, narrow) and b:
        assert a


@given(regions())
def test_a_region_holds_itself_and_is_held_by_everything(region: Region) -> None:
    settled = HOMES.settle(region)
    if settled is not None:
        assert HOMES.covers(settled, settled)
        assert HOMES.covers(EVERY_POD, settled)
        assert not HOMES.minus([settled], EVERY_POD)
        assert not HOMES.minus([settled], settled)


def test_a_name_of_the_input_has_the_labels_it_has() -> None:
    red = PodsMatch(None, LabelSelector.of({NAMESPACE_NAME_LABEL: "y", "app": "a"}))
    assert HOMES.settle(Region.of(red)) is None
    new = PodsMatch(None, LabelSelector.of({NAMESPACE_NAME_LABEL: "z", "app": "a"}))
    assert HOMES.settle(Region.of(new)) is not None
    absent = Requirement(NAMESPACE_NAME_LABEL, Operator.DOES_NOT_EXIST)
    assert HOMES.settle(Region.of(PodsMatch(None, LabelSelector((absent,))))) is None
    exists = Requirement(NAMESPACE_NAME_LABEL, Operator.EXISTS)
    assert HOMES.settle(Region.of(PodsMatch(None, LabelSelector((exists,))))) == EVERY_POD
    assert ALL_LABELS
