"""A fictional clinic's words."""

from __future__ import annotations

import pytest

from reprieve.treatment.told import ClinicWords


@pytest.fixture
def words() -> ClinicWords:
    """What a fictional clinic says of itself."""
    return ClinicWords(
        phone="555-0100",
        night_phone="555-0111",
        costs="One drip costs 400 dollars. You pay it.",
        crisis="call or text 988",
        emergency="call 911",
    )
