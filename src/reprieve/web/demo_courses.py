"""Fictional courses for the fictional clinic: one to run today, some that went well, faded, or did not help."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from reprieve.treatment.checklist import items
from reprieve.treatment.consent import teach_back
from reprieve.treatment.limits import Limits
from reprieve.treatment.plan import days_of, templates
from reprieve.web import short_forms
from reprieve.web.consent_paper import text_for
from reprieve.web.forms_course import local
from reprieve.web.models import (
    BaselineItem,
    Clinic,
    Consent,
    Consultation,
    Course,
    Enquiry,
    Entry,
    LimitSet,
    Lot,
    Measure,
    Member,
    OtherTreatment,
    StockEntry,
)
from reprieve.web.models import TreatmentSession as Session

COSTS = (
    "Each visit costs 400 dollars (made up). Insurance does not pay for it. You can stop at any time and pay no more."
)
HOUR = time(10)
Team = tuple[Member, Member]
Chance = random.Random
CAPS5 = {"B": 11, "C": 5, "D": 14, "E": 11}
# PCL-5 totals of a course, from before it on; sessions done; weeks since it began
STORIES: tuple[tuple[str, tuple[int, ...], int, int], ...] = (
    ("today", (54, 43, 36), 3, 1),
    ("faded", (58, 41, 30, 28, 29, 47), 6, 11),
    ("no benefit", (49, 47, 50, 48), 6, 4),
    ("kept", (52, 39, 27, 22, 21, 24), 6, 9),
)


def fill(
    clinic: Clinic, people: Sequence[Enquiry], ada: Member, nia: Member, now: datetime, chance: random.Random
) -> None:
    """Sign the limits, fill the safe, and give each person a story; whoever comes after them waits for consent."""
    Clinic.objects.filter(pk=clinic.pk).update(night_phone="+1 860 555 0111", costs=COSTS)
    clinic.refresh_from_db()
    limits = LimitSet.sign(ada, dict(Limits()))
    vials = Lot.add(
        nia, "DEMO-7", "Ketamine (made up)", Decimal(10), Decimal(20), timezone.localdate() + timedelta(days=300)
    )
    StockEntry.keep(nia, vials, StockEntry.Kind.RECEIPT, Decimal(200), uid=uuid.uuid4())
    for person, story in zip(people, STORIES, strict=False):
        _course(clinic, person, story, (ada, nia), limits, vials, now, chance)
    for person in people[len(STORIES) : len(STORIES) + 1]:
        _consulted(person, ada, now)
        _planned(clinic, person, ada, timezone.localdate() + timedelta(days=2))


def _consulted(person: Enquiry, ada: Member, at: datetime) -> None:
    kept = Consultation.record(
        ada, person, 0, caps5=CAPS5, diagnosis=Consultation.Diagnosis.PTSD, decision=Consultation.Decision.COURSE,
        alternatives={}, reasons="Fictional. Two medicines and a course of talk therapy did not help enough.",
    )  # fmt: skip
    Consultation.objects.filter(pk=kept.pk).update(at=at)


def _planned(clinic: Clinic, person: Enquiry, ada: Member, first: date) -> Course:
    template = templates()["6-in-2-weeks"]
    days = days_of(template, first, bool)  # open every day
    return Course.plan(
        ada,
        person,
        [local(day, HOUR, clinic) for day in days],
        template=template.id,
        dose_mg_per_kg=template.dose_mg_per_kg,
        infusion_min=template.infusion_min,
        owner=ada,
        reason="Fictional reason.",
        review_on=days[-1],
    )


def _course(
    clinic: Clinic, person: Enquiry, story: Any, team: Team, limits: LimitSet, vials: Lot, now: datetime, chance: Chance
) -> None:
    name, totals, done, weeks = story
    ada, nia = team
    today = timezone.localdate(now)
    first = today - timedelta(days=(0, 2, 4, 7, 9, 11)[done] if done < 6 else weeks * 7)
    begun = local(first, HOUR, clinic)
    _consulted(person, ada, begun - timedelta(days=8))
    course = _planned(clinic, person, ada, first)
    _signed(clinic, course, ada, begun - timedelta(days=3))
    _baseline(course, nia)
    _measures(clinic, course, totals[:1], begun - timedelta(days=2))
    for session in course.sessions.all()[:done]:
        _visit(session, team, limits, vials, chance)
    course.refresh_from_db()
    ended = done == len((0, 2, 4, 7, 9, 11))
    Course.objects.filter(pk=course.pk).update(started_on=first, state=Course.State.RUNNING)
    course.refresh_from_db()
    if ended:
        course.end(ada, course.version, "no_benefit" if name == "no benefit" else "as_planned", "Fictional.", today)
        last = course.sessions.latest("planned_at").planned_at
        Course.objects.filter(pk=course.pk).update(ended_on=timezone.localdate(last))
        course.refresh_from_db()
        course.plan_measures()
    _measures(clinic, course, totals[1:], now)
    if name == "faded":
        OtherTreatment.note(
            nia, course, kind="therapy", what="CPT, weekly (made up)", from_on=first + timedelta(days=20)
        )


def _signed(clinic: Clinic, course: Course, ada: Member, at: datetime) -> None:
    text = text_for(course.enquiry, clinic)
    Consent.sign(
        ada, course, 0, at, text_version=text.version, text=[element.as_kept() for element in text.elements],
        teach_back={each.id: "Fictional answer in the person's own words." for each in teach_back()},
        capacity="Fictional: weighed it up well.", person_name=course.enquiry.name,
        person_signature={"typed": course.enquiry.name}, clinician_signature={"typed": ada.name},
    )  # fmt: skip


def _baseline(course: Course, nia: Member) -> None:
    known: dict[str, Any] = {
        "first_systolic": 126.0,
        "first_diastolic": 80.0,
        "second_systolic": 122.0,
        "second_diastolic": 78.0,
    }
    known |= {"spo2": 98.0, "weight_kg": 80.0, "escort_name": "Jo Example", "escort_phone": "+1 860 555 0177"}
    answers = {item.id: item.good[0] if item.good else known.get(item.id, "Fictional") for item in items("baseline")}
    BaselineItem.keep(nia, course, 0, {item: known.get(item, answer) for item, answer in answers.items()})


def _visit(session: Session, team: Team, limits: LimitSet, vials: Lot, chance: Chance) -> None:
    """A session as it may have gone, two hours and a half of it."""
    ada, nia = team
    at = session.planned_at
    session.open(nia, session.version, limits, at)
    rise = chance.randint(8, 24)
    dose: dict[str, Any] = {"weight_kg": 80.0, "mg_per_kg": 0.5, "mg_per_ml": 10.0, "mg": 40.0, "ml": 4.0}
    dose |= {"ml_per_h": 6.0, "words": "80 kg x 0.5 mg/kg = 40 mg, which is 4 mL of 10 mg/mL"}
    story: list[tuple[int, str, dict[str, Any], Member]] = [
        (0, "gate", {"complete": True, "answers": {"escort_name": "Jo Example"}}, nia),
        (1, "vitals", {"systolic": 124.0, "diastolic": 78.0, "pulse": 70.0, "spo2": 98.0}, nia),
        (2, "dose", dose, nia),
        (3, "dose_check", {"mg": 40.0, "ml": 4.0}, ada),
        (5, "start", {}, nia),
    ]
    for minute, share in ((15, 0.5), (25, 0.8), (35, 0.95), (45, 1.0), (60, 0.7), (90, 0.3), (150, 0.1)):
        figures = {"systolic": 124.0 + round(rise * share), "diastolic": 78.0 + round(rise * share * 0.6)}
        figures |= {"pulse": 70.0 + round(10 * share), "spo2": 97.0, "moaas": 5.0}
        story.append((minute + 5, "vitals", figures | ({"cadss6": 7.0} if minute == 45 else {}), nia))
    story.append((50, "stop", {"text": "Empty"}, nia))
    story.append((172, "discharge", {"answers": {}, "override": "", "overridden": []}, nia))
    for minute, kind, data, by in story:
        Entry.keep(
            by, Entry(session=session, uid=uuid.uuid4(), kind=kind, data=data, at=at + timedelta(minutes=minute))
        )
    if chance.random() < 0.6:
        said = {"severity": "mild", "action": "Quiet room", "outcome": "gone"}
        entry = Entry(session=session, uid=uuid.uuid4(), kind="adverse", term="dissociation", data=said)
        entry.at = at + timedelta(minutes=30)
        Entry.keep(nia, entry)
    for kind, ml, witness in (("drawn", 4, None), ("given", 4, None)):
        StockEntry.keep(nia, vials, kind, Decimal(ml), uid=uuid.uuid4(), session=session, witness=witness)
    session.close(nia, session.version, 40.0, at + timedelta(minutes=172), 40.0)


def _measures(clinic: Clinic, course: Course, totals: Sequence[int], until: datetime) -> None:
    """Answers to the PCL-5 of the course that fell due by then, spread over what is due, with these totals."""
    today = timezone.localdate(until)
    others = Measure.objects.filter(course=course, completed_at=None, last_on__lt=today).exclude(instrument="PCL-5")
    for other in others:
        answers: dict[str, Any] = {name: round(points * totals[-1] / 54) for name, points in CAPS5.items()}
        if other.is_for_the_person:
            answers = {asked.id: "none" if asked.id == short_forms.SAFETY else 0 for asked in other.form.questions}
        other.complete(None, answers, local(other.due_on, HOUR, clinic), clinic)
    due = list(Measure.objects.filter(course=course, instrument="PCL-5", completed_at=None, first_on__lte=today))
    due = [measure for measure in due if measure.due_on < today] or due[:1]  # that of today is still to come
    for number, total in enumerate(totals):
        if not due:
            return
        place = round(number * (len(due) - 1) / max(len(totals) - 1, 1))
        measure = due[place]
        base, more = divmod(total, 20)
        said = {str(item): base + (item <= more) for item in range(1, 21)}
        at = local(min(max(measure.due_on, measure.first_on), today), HOUR, clinic)
        measure.complete(None, said, min(at, until), clinic)
