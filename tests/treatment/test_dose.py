"""A dose is never above weight, ceiling or step, and a slip of the hand does not pass in silence."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reprieve.treatment.dose import (
    HEAVIEST_KG,
    LIGHTEST_KG,
    DoseError,
    dose,
    doubts,
    strength_doubts,
    strengths,
)
from reprieve.treatment.limits import Limits

LIMITS = Limits()
WEIGHTS = st.integers(300, 2500).map(lambda tenths: tenths / 10)


@pytest.mark.parametrize(
    ("weight_kg", "mg", "ml", "capped"),
    [
        (30, 15, 1.5, False),
        (82, 41, 4.1, False),
        (81.9, 40, 4.0, False),  # 40.95 mg
        (119.9, 59, 5.9, False),  # 59.95 mg
        (120, 60, 6, False),  # at the ceiling
        (120.1, 60, 6, True),
        (250, 60, 6, True),
    ],
)
def test_doses_by_hand(weight_kg, mg, ml, capped):
    found = dose(weight_kg, 0.5, 10, LIMITS)

    assert (found.mg, found.ml, found.capped) == (mg, ml, capped)


@pytest.mark.parametrize(
    ("weight_kg", "mg_per_ml", "words"),
    [
        (71.3, 10, "71.3 kg x 0.5 mg/kg = 35.65 mg, rounded down to 35 mg, which is 3.5 mL of 10 mg/mL"),
        (
            140,
            7,
            "140 kg x 0.5 mg/kg = 70 mg, lowered to the ceiling: 60 mg, rounded down to 59.5 mg, "
            "which is 8.5 mL of 7 mg/mL",
        ),
    ],
)
def test_the_words_tell_each_step(weight_kg, mg_per_ml, words):
    assert dose(weight_kg, 0.5, mg_per_ml, LIMITS).words == words


@given(
    WEIGHTS,
    st.floats(0.01, 1),
    st.sampled_from([*strengths(), 1.0, 7.0]),
    st.floats(20, 120),
    st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2, 0.5]),
)
def test_a_dose_is_what_is_allowed_to_the_step_below(weight_kg, mg_per_kg, mg_per_ml, most_mg, step_ml):
    numbers = Limits({"most_mg_per_kg": 1, "most_mg": most_mg, "syringe_step_ml": step_ml})
    allowed = min(weight_kg * mg_per_kg, most_mg)
    try:
        found = dose(weight_kg, mg_per_kg, mg_per_ml, numbers)
    except DoseError:
        assert allowed < step_ml * mg_per_ml * (1 + 1e-6)
        return

    assert 0 < found.mg <= allowed + 2e-6
    assert found.mg > allowed - step_ml * mg_per_ml - 2e-6
    assert found.mg == pytest.approx(found.ml * mg_per_ml)
    assert found.ml / step_ml == pytest.approx(round(found.ml / step_ml))
    assert found.capped == (found.allowed_mg < found.wanted_mg)


@given(WEIGHTS, st.integers(1, 600))
def test_the_pump_gives_all_of_it_in_the_time(weight_kg, minutes):
    found = dose(weight_kg, 0.5, 10, LIMITS)

    assert found.rate_ml_per_h(minutes) * minutes / 60 == pytest.approx(found.ml)


def test_more_weight_never_gives_less():
    doses = [dose(tenths / 10, 0.5, 10, LIMITS).mg for tenths in range(300, 2501)]

    assert doses == sorted(doses)


@pytest.mark.parametrize(
    ("weight_kg", "mg_per_kg", "mg_per_ml", "says"),
    [
        (LIGHTEST_KG - 0.1, 0.5, 10, "29.9 kg"),
        (HEAVIEST_KG + 0.1, 0.5, 10, "250.1 kg"),
        (float("nan"), 0.5, 10, "nan kg"),
        (82, 0, 10, "0 mg/kg"),
        (82, 0.501, 10, "the signed limit is 0.5"),
        (82, float("nan"), 10, "nan mg/kg"),
        (82, 0.5, 0, "0 mg/mL"),
        (82, 0.5, -10, "-10 mg/mL"),
        (82, 0.5, float("inf"), "inf mg/mL"),
        (82, 0.5, float("nan"), "nan mg/mL"),
        (82, 0.05, 100, "the syringe's step is 0.1 mL"),  # 4.1 mg is 0.041 mL, which would be drawn up as nothing
    ],
)
def test_what_cannot_be_is_refused(weight_kg, mg_per_kg, mg_per_ml, says):
    with pytest.raises(DoseError, match=says):
        dose(weight_kg, mg_per_kg, mg_per_ml, LIMITS)


@pytest.mark.parametrize("minutes", [0, -40, float("nan")])
def test_no_time_is_no_infusion(minutes):
    with pytest.raises(DoseError, match="longer than none"):
        dose(82, 0.5, 10, LIMITS).rate_ml_per_h(minutes)


# Slips


@pytest.mark.parametrize(
    ("weight_kg", "known_kg", "asks"),
    [
        (88, 80, False),  # 10 % is not more than 10 %
        (88.1, 80, True),
        (72, 80, False),
        (71.9, 80, True),
        (80, None, False),  # nothing is known
        (80, 0, True),
        (80, float("nan"), True),
    ],
)
def test_a_changed_weight_at_the_limit(weight_kg, known_kg, asks):
    assert bool(doubts(weight_kg, known_kg, LIMITS)) == asks


@given(WEIGHTS)
def test_pounds_for_kilograms_and_the_other_way_round_are_named(known_kg):
    assert "was it read in pounds?" in doubts(known_kg * 2.2046, known_kg, LIMITS)[0]
    assert "taken for pounds?" in doubts(known_kg * 0.4536, known_kg, LIMITS)[0]


@given(WEIGHTS, st.sampled_from([10, 0.1]), st.floats(3, 20))
def test_a_slipped_point_in_the_weight_is_refused_or_doubted(known_kg, slip, percent):
    numbers = Limits({"weight_change_percent": percent})
    assume(doubts(known_kg, known_kg, numbers) == ())

    typed = known_kg * slip
    if not doubts(typed, known_kg, numbers):
        with pytest.raises(DoseError):
            dose(typed, 0.5, 10, numbers)


@pytest.mark.parametrize("strength", strengths())
@pytest.mark.parametrize("slip", [10, 0.1])
def test_a_slipped_point_in_the_strength_is_doubted(strength, slip):
    assert strength_doubts(strength, known=[strength]) == ()
    assert strength_doubts(strength * slip, known=[strength])
    assert strength_doubts(strength * slip)


def test_a_strength_without_a_ten_fold_twin_is_not_asked_for_again():
    assert strength_doubts(50) == ()
