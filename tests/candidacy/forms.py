"""Filled-in forms for the tests: a clear one to start from, and what fired."""

from datetime import date

from reprieve.candidacy import assess

TODAY = date(2026, 11, 22)

CLEAR_BRIEF = {
    "country_region": "US-CT",
    "birth_date": "1986-03-01",
    "urgent_now": ["none"],
    "suicidal_thoughts_month": "none",
    "suicidal_behaviour": "never",
    "trauma_exposure": "yes",
    **{f"pcptsd5_{number}": "yes" for number in range(1, 6)},
    "conditions": ["none"],
    "mind_recent": ["none"],
    "medicines": ["antidepressant"],
    "treatments_tried": ["trauma_therapy", "ptsd_medicine", "antidepressant_1"],
    "substances": ["none"],
    "pregnancy_status": ["none"],
    "escort_available": "yes",
    "wants_contact": "yes",
    "contact_details": {"name": "Bo", "phone": "555-0100", "safe_to_leave_message": "no", "best_time": "evening"},
}
LATER = {
    "sex_for_cutoffs": "female",
    "veteran_status": "no",
    "phq9": [1, 1, 1, 1, 1, 1, 1, 1, 0],
    "cssrs": ["no", "no", None, None, None, "no", None],
    "pcl5": [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
    "auditc": [0, 0, 0],
    "dast10": ["no", "no", "yes", "no", "no", "no", "no", "no", "no", "no"],
    "trauma_kind": ["death_or_threat"],
    "systolic_last": 122,
    "diastolic_last": 78,
    "bp_reading_date": "2026-11-01",
    "weight_kg": 72,
    "height_cm": 168,
    "medicine_list": ["sertraline 50 mg once daily"],
}


def form(*without, **answers):
    """The clear brief form with some answers changed and others left out."""
    return {name: value for name, value in {**CLEAR_BRIEF, **answers}.items() if name not in without}


def fired(answers, today=TODAY):
    """Ids of the criteria that fire, without those that support."""
    return {finding.criterion_id for finding in assess(answers, today).findings if finding.category != "supports"}


def unknown(answers, today=TODAY):
    """Ids of the criteria left open, asked already or not."""
    result = assess(answers, today)
    return {row.criterion_id for row in (*result.unknown, *result.not_asked_yet)}
