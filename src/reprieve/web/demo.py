"""A fictional clinic to look at: nobody in it exists, and every page says so."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from reprieve.web import demo_courses
from reprieve.web.models import Attempt, Clinic, Draft, Enquiry, Event, Member, Referral, Review, Role
from reprieve.web.models.versioned import SYSTEM

TEAM = (
    ("Ada Prescriber", "ada@clinic.example", Role.PRESCRIBER, True, 2),
    ("Nia Nurse", "nia@clinic.example", Role.NURSE, False, 1),
    ("Cleo Coordinator", "cleo@clinic.example", Role.COORDINATOR, False, 3),
    ("Pia Privacy", "pia@clinic.example", Role.PRIVACY_LEAD, False, None),
)
FIRST_NAMES = "Alder Birch Cedar Damson Elder Fern Gorse Hazel Iris Juniper Laurel Maple Nettle Olive Poppy".split()
LAST_NAMES = "Fable Fiction Legend Myth Novel Parable Saga Story Tale Yarn".split()

NOTHING_ELSE: dict[str, Any] = {
    "country_region": "US-CT",
    "birth_date": "1986-03-01",
    "urgent_now": ["none"],
    "suicidal_thoughts_month": "none",
    "suicidal_behaviour": "never",
    "trauma_exposure": "yes",
    "pcptsd5_1": "yes",
    "pcptsd5_2": "yes",
    "pcptsd5_3": "yes",
    "pcptsd5_4": "yes",
    "pcptsd5_5": "no",
    "conditions": ["none"],
    "mind_recent": ["none"],
    "medicines": ["antidepressant"],
    "treatments_tried": ["trauma_therapy", "ptsd_medicine"],
    "substances": ["none"],
    "pregnancy_status": ["none"],
    "escort_available": "yes",
    "wants_contact": "yes",
}
CASES: tuple[dict[str, Any], ...] = (
    {},
    {
        "conditions": ["bp_high_or_unknown"],
        "medicines": ["blood_pressure"],
        "medicine_list": ["Zestril 10 mg", "Xanax"],
    },
    {"suicidal_thoughts_month": "thoughts"},
    {"treatments_tried": ["none"], "medicines": ["none"]},
    {
        "conditions": ["sleep_apnoea"],
        "medicines": ["opioid", "sleep_or_nerve"],
        "medicine_list": ["oxycodon 5mg", "zolpidem"],
    },
    {"pregnancy_status": ["could_become"], "birth_date": "2002-11-30"},
    {"mind_recent": ["loses_time"], "conditions": ["not_sure"]},
    {"pcptsd5_1": "no", "pcptsd5_2": "no", "pcptsd5_3": "no", "pcptsd5_4": "no"},
    {"suicidal_behaviour": "over_3_months", "substances": ["cannabis_weekly"]},
    {"suicidal_thoughts_month": "prefer_not_to_say"},
    {
        "conditions": ["bipolar", "thyroid_over"],
        "medicines": ["not_sure"],
        "medicine_list": ["lithium", "blue tablets"],
    },
    {"wants_contact": "no"},
    {"urgent_now": ["danger_from_others"]},
    {"suicidal_thoughts_month": "plan"},
    {"escort_available": "not_sure", "birth_date": "1955-07-14", "conditions": ["diabetes", "none"]},
)


DECISIONS = {
    Enquiry.Decision.CONSULT: "Thank you for talking with us. We would like to meet you and go through it all.",
    Enquiry.Decision.NOT_NOW: "The drip is not the right step now. Please see your doctor about your blood pressure.",
    Enquiry.Decision.REFERRED: "Talk therapy made for trauma is the best first step. Riverside will call you.",
    Enquiry.Decision.DECLINED: "You told us that you do not want to go on. You can come back at any time.",
}


class NotEmptyError(Exception):
    """Real enquiries or a real team are in the database."""


def fill(enquiries: int, now: datetime | None = None, seed: int = 20) -> list[tuple[str, str, str]]:
    """Make the fictional clinic, or give its team new passwords if it is there already.

    Returns
    -------
    (role, e-mail address, password) of each fictional member

    Raises
    ------
    NotEmptyError : if a real enquiry, or a real team, is in the database
    """
    real = Enquiry.objects.filter(fictional=False).exists()
    if real or (Member.objects.exists() and not Clinic.current().fictional):
        raise NotEmptyError("the database holds a real clinic; set REPRIEVE_DATA_DIR to an empty folder for the demo")
    with transaction.atomic():
        clinic, _ = Clinic.objects.update_or_create(
            pk=1,
            defaults={
                "name": "Fernhill Clinic",
                "phone": "+1 860 555 0100",
                "country": "US",
                "region": "US-CT",
                "fictional": True,
            },
        )
        logins = list(_team())
        if not Enquiry.objects.exists():
            now, chance = now or timezone.now(), random.Random(seed)  # noqa: S311
            _enquiries(clinic, enquiries, now, chance)
            _courses(clinic, now, chance)
    return logins


def _team() -> Iterator[tuple[str, str, str]]:
    for name, email, role, manages, call_order in TEAM:
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        member = Member.objects.filter(email=email).first()
        fields = {"name": name, "role": role, "manages": manages, "call_order": call_order}
        if member is None:
            Member.objects.create_user(email, password, **fields)
        else:
            member.set_password(password)
            member.save()
        yield Role(role).label, email, password


def _enquiries(clinic: Clinic, count: int, now: datetime, chance: random.Random) -> None:
    nurse, prescriber = (Member.objects.get(email=email) for email in ("nia@clinic.example", "ada@clinic.example"))
    for number in range(count):
        still_open = number < count / 2
        days = 5 if number % 6 == 4 else 0 if still_open else chance.randint(6, 70)
        received_at = now - timedelta(days=days, minutes=chance.randint(5, 900))
        enquiry = _received(clinic, number, CASES[number % len(CASES)], received_at, chance)
        if enquiry.is_open and not (still_open and number % 3):
            _story(enquiry, number, still_open, nurse, prescriber, chance)


def _courses(clinic: Clinic, now: datetime, chance: random.Random) -> None:
    nurse, prescriber = (Member.objects.get(email=email) for email in ("nia@clinic.example", "ada@clinic.example"))
    people = list(Enquiry.objects.filter(decision=Enquiry.Decision.CONSULT).exclude(answers={}).order_by("pk"))
    with timezone.override(clinic.zone):
        demo_courses.fill(clinic, people, prescriber, nurse, now, chance)


def _received(clinic: Clinic, number: int, case: dict[str, Any], at: datetime, chance: random.Random) -> Enquiry:
    name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {chance.choice(LAST_NAMES)}"
    contact = {
        "name": name,
        "phone": f"+1 860 555 01{number % 100:02}",
        "email": f"{name.lower().replace(' ', '.')}@person.example" if number % 4 == 0 else "",
        "safe_to_leave_message": chance.choice(["yes", "no"]),
        "best_time": chance.choice(["mornings", "after 15:00", "any time", ""]),
    }
    answers = NOTHING_ELSE | case | {"contact_details": contact}
    enquiry = Enquiry.drawn_up(Draft.new_token(), answers, at, clinic)
    enquiry.save(force_insert=True)
    Event.record(SYSTEM, "made for the demo", enquiry.subject)
    return enquiry


def _story(
    enquiry: Enquiry, number: int, still_open: bool, nurse: Member, prescriber: Member, chance: random.Random
) -> None:
    """Give an enquiry a past: tried, spoken with, decided, stopped or erased."""
    promised_at = enquiry.promised_at or enquiry.received_at
    called_at = promised_at + timedelta(minutes=chance.choice([-30, -12, -5, 25]))
    called_at = min(max(called_at, enquiry.received_at + timedelta(minutes=4)), timezone.now())
    no_answer = number % 4 == 2
    outcome = Attempt.Outcome.NO_ANSWER if no_answer else Attempt.Outcome.REACHED
    next_try = timezone.now() + timedelta(hours=3) if still_open else None
    enquiry.log_attempt(nurse, enquiry.version, Attempt.Channel.PHONE, outcome, "Fictional note.", next_try)
    enquiry.attempts.update(at=called_at)
    Enquiry.objects.filter(pk=enquiry.pk).update(first_called_at=called_at)
    if still_open:
        enquiry.hand_over(nurse, enquiry.version, prescriber)
        return
    if number % 9 == 8:
        enquiry.stop_contact(called_at + timedelta(days=1))
        return
    ending = list(Enquiry.Decision)[number % 4]
    if ending == Enquiry.Decision.REFERRED:
        to = "Riverside trauma therapy service (fictional)"
        Referral.objects.create(enquiry=enquiry, to=to, by=prescriber, follow_up_on=timezone.localdate())
    findings = [f["criterion_id"] for f in enquiry.assessment["findings"] if f["category"] == "caution"]
    if findings:
        Review.objects.create(enquiry=enquiry, criterion_id=findings[0], reason="Fictional reason.", by=prescriber)
    words = DECISIONS[ending]
    enquiry.decide(prescriber, enquiry.version, ending, words, called_at + timedelta(hours=2))
    if number % 13 == 12:
        enquiry.erase(prescriber, called_at + timedelta(days=2))
