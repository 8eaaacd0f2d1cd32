"""When a call is due. Fernhill is open Monday to Friday, 9 to 17, New York time, and closed at Christmas."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from reprieve.web.deadlines import Limits, StaffedHours, Urgency

NEW_YORK = ZoneInfo("America/New_York")
NINE_TO_FIVE = (time(9), time(17))
FERNHILL = StaffedHours((NINE_TO_FIVE,) * 5 + (None, None), frozenset({date(2026, 12, 25)}), NEW_YORK)


def local(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("urgency", "received", "due"),
    [
        (Urgency.IMMEDIATE, local(23, 10), local(23, 10, 15)),  # Monday
        (Urgency.IMMEDIATE, local(23, 16, 50), local(24, 9, 5)),  # ten minutes tonight, five tomorrow
        (Urgency.IMMEDIATE, local(23, 17), local(24, 9, 15)),
        (Urgency.IMMEDIATE, local(22, 3), local(23, 9, 15)),  # Sunday, three in the morning
        (Urgency.IMMEDIATE, local(23, 8, 59), local(23, 9, 15)),
        (Urgency.SAME_DAY, local(23, 10), local(23, 17)),
        (Urgency.SAME_DAY, local(23, 15), local(23, 17)),
        (Urgency.SAME_DAY, local(23, 16), local(24, 10)),  # an hour tonight, an hour tomorrow
        (Urgency.SAME_DAY, local(23, 20), local(24, 11)),
        (Urgency.SAME_DAY, local(23, 2), local(23, 17)),
        (Urgency.NEXT_BUSINESS_DAY, local(23, 10), local(24, 17)),
        (Urgency.NEXT_BUSINESS_DAY, local(27, 10), local(30, 17)),  # Friday to Monday
        (Urgency.NEXT_BUSINESS_DAY, local(22, 10), local(23, 17)),
        (Urgency.NEXT_BUSINESS_DAY, local(23, 18), local(24, 17)),
        (Urgency.ROUTINE, local(23, 10), local(25, 17)),
        (Urgency.ROUTINE, local(26, 10), local(30, 17)),
        (Urgency.ROUTINE, local(22, 10), local(24, 17)),
        (Urgency.ROUTINE, local(24, 10, month=12), datetime(2026, 12, 29, 17, tzinfo=NEW_YORK)),  # over Christmas
    ],
)
def test_a_call_is_due_in_staffed_time(urgency, received, due):
    assert FERNHILL.due(received, urgency, Limits()) == due


def test_hours_follow_the_clock_when_summer_time_ends():
    saturday_night = datetime(2026, 10, 31, 23, tzinfo=NEW_YORK)  # clocks go back at two

    due = FERNHILL.due(saturday_night, Urgency.IMMEDIATE, Limits())

    assert due == datetime(2026, 11, 2, 14, 15, tzinfo=UTC)  # 9:15 is UTC-5 now


def test_a_night_shift_over_the_change_to_summer_time_counts_real_minutes():
    always = StaffedHours(((time(0), time(23, 59)),) * 7, frozenset(), NEW_YORK)
    before_the_gap = datetime(2026, 3, 8, 1, 50, tzinfo=NEW_YORK)  # 2:00 becomes 3:00

    assert always.after_minutes(before_the_gap, 15) == datetime(2026, 3, 8, 3, 5, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (local(23, 9), True),
        (local(23, 16, 59), True),
        (local(23, 17), False),
        (local(22, 12), False),
        (local(23, 8, 59), False),
    ],
)
def test_somebody_is_on_duty_in_opening_hours_only(moment, expected):
    assert FERNHILL.is_open(moment) is expected


def test_a_clinic_that_never_opens_is_refused():
    with pytest.raises(ValueError, match="no day of the week is staffed"):
        StaffedHours((None,) * 7, frozenset(), NEW_YORK)


def test_a_day_that_closes_before_it_opens_is_refused():
    with pytest.raises(ValueError, match=r"opens at 17:00 and closes at 09:00"):
        StaffedHours(((time(17), time(9)),) + (None,) * 6, frozenset(), NEW_YORK)
