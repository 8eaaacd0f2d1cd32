"""What holds for any answers to any instrument."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reprieve.instruments import INSTRUMENTS, Instrument, score

instruments = st.sampled_from(list(INSTRUMENTS.values()))


@st.composite
def answered(draw):
    """An instrument and answers to its required items by number, some of them blank."""
    instrument = draw(instruments)
    answers = {item.number: draw(st.none() | st.integers(item.lowest, item.highest)) for item in instrument.required}
    return instrument, answers


def contradicts(instrument: Instrument, answers: dict[str, int | None]) -> bool:
    """Whether an item is answered that its gate says does not apply."""
    return any("ask again" in note and "apply" in note for note in score(instrument, answers).notes)


@given(answered(), st.data())
def test_completing_a_blank_lands_inside_the_range(case, data):
    instrument, answers = case
    before = score(instrument, answers)
    filled = answers | {
        item.number: data.draw(st.integers(item.lowest, item.highest))
        for item in instrument.required
        if answers[item.number] is None
    }
    after = score(instrument, filled)

    if before.total_range is None or contradicts(instrument, filled):
        return
    low, high = before.total_range
    assert low <= after.total <= high
    for name, bounds in before.subscales.items():
        assert bounds[0] <= after.subscales[name][0] <= after.subscales[name][1] <= bounds[1]
    if before.band != "undetermined":
        assert after.band == before.band
    for name, verdict in before.cut_points.items():
        assert verdict.result in ("undetermined", after.cut_points[name].result)
    if before.results.get("provisional_ptsd", "undetermined") != "undetermined":
        assert after.results["provisional_ptsd"] == before.results["provisional_ptsd"]


@given(answered(), st.data())
def test_a_blank_never_narrows_the_range(case, data):
    instrument, answers = case
    blanked = answers | {data.draw(st.sampled_from(sorted(answers))): None}
    known, less = score(instrument, answers), score(instrument, blanked)

    if known.total_range is None or contradicts(instrument, answers):
        return
    assert less.total_range[0] <= known.total_range[0] <= known.total_range[1] <= less.total_range[1]


@given(answered(), st.randoms())
def test_the_order_of_a_mapping_does_not_matter(case, random):
    instrument, answers = case
    pairs = list(answers.items())
    random.shuffle(pairs)

    assert score(instrument, dict(pairs)) == score(instrument, answers)
    assert score(instrument, list(answers.values())) == score(instrument, answers)


def test_a_higher_total_never_has_a_lower_band():
    for instrument in INSTRUMENTS.values():
        order = [band.label for band in instrument.bands]
        if order:
            low, high = instrument.total_bounds
            places = [order.index(instrument.band_of(total)) for total in range(low, high + 1)]
            assert places == sorted(places)
            assert set(places) == set(range(len(order)))


@given(answered())
def test_a_score_stays_the_same_under_other_wording(case):
    instrument, answers = case
    renamed = replace(instrument, items=tuple(replace(item, prompt="worded otherwise") for item in instrument.items))

    assert score(renamed, answers).total_range == score(instrument, answers).total_range
