"""What is typed before a course, as a prescriber types it. The people are made up."""

from __future__ import annotations

from typing import Any

from reprieve.treatment.consent import teach_back
from reprieve.web.models import Clinic

HOSTILE = "<script>alert(1)</script> {{ 7|add:7 }} '; DROP TABLE x; -- \u202e\U0001f600"

CONSULTATION: dict[str, Any] = {
    "seen": 0,
    "caps_B": 12,
    "caps_C": 5,
    "caps_D": 14,
    "caps_E": 10,
    "diagnosis": "ptsd",
    "decision": "course",
    "offered_trauma_therapy": "on",
    "said_trauma_therapy": "Had it twice, helped a little.",
    "offered_nothing": "on",
    "said_nothing": "",
    "reasons": "Two courses of therapy and sertraline did not do enough.",
}


def speaks(clinic: Clinic) -> Clinic:
    """The clinic says what only it can say."""
    clinic.night_phone, clinic.costs = "555-0199", "A course costs 100 made-up dollars. You pay it yourself."
    clinic.save()
    return clinic


def consent_answers(version: str, **more: Any) -> dict[str, Any]:
    """A consent as it is posted, both names typed."""
    return {
        "seen": 0,
        "text_version": version,
        "questions": "Will I dream? We said: perhaps.",
        "capacity": "Understood it, weighed it up, said it back.",
        "interpreter": "",
        "person_name": "Robin Sample",
        "person_typed": "Robin Sample",
        "clinician_typed": "Ada",
        **{one.id: f"In my words: {number}." for number, one in enumerate(teach_back())},
    } | more
