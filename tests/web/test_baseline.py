"""The baseline checklist of a course: what is open and why, added to and never changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from reprieve.treatment.checklist import AT_LEAST, AT_MOST, asked_items
from reprieve.treatment.limits import Limits
from reprieve.web.models import BaselineItem, Event, LimitSet
from reprieve.web.readiness import facts_of, open_baseline
from tests.web.before import HOSTILE


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def signed(ada):
    """The clinic's limits, signed by Ada."""
    return LimitSet.sign(ada, dict(Limits()))


def complete(course: Any) -> dict[str, Any]:
    """Every answer that the checklist of this course wants."""
    facts = facts_of(course.enquiry)
    said = {}
    for item in asked_items("baseline", facts):
        limit = facts.limits[item.limit_ids[0]] if item.complete_when in (AT_MOST, AT_LEAST) else None
        said[item.id] = item.good[0] if item.good else limit or item.low or "Sam Escort"
    return said


def test_what_is_missing_is_listed_with_its_reason(ada, as_, course, signed):
    planned = course()
    address = reverse("baseline", args=[planned.pk])

    as_(ada).post(address, {"seen": 0, "first_systolic": "150", "controlled_drugs": "found"})

    page = words(as_(ada).get(address))
    assert "150 mmHg; the limit is at most 140. Treat it, and delay." in page
    assert "Something found. Talk about it and write it down." in page
    assert f"Baseline: {len(open_baseline(planned))} still open" in page


def test_it_is_complete_when_everything_is_answered(ada, as_, course, signed):
    planned = course()

    as_(ada).post(reverse("baseline", args=[planned.pk]), complete(planned) | {"seen": 0})

    assert open_baseline(planned) == ()
    assert "Baseline: complete" in words(as_(ada).get(reverse("baseline", args=[planned.pk])))


def test_nothing_is_judged_before_the_limits_are_signed(ada, as_, course):
    planned = course()

    as_(ada).post(reverse("baseline", args=[planned.pk]), {"seen": 0, "first_systolic": "110"})

    page = words(as_(ada).get(reverse("baseline", args=[planned.pk])))
    assert "Nobody has signed the clinic's safety limits." in page
    assert "The clinic&#x27;s limits are not signed yet" in page


@pytest.mark.parametrize(
    ("answers", "item", "asked"),
    [
        ({"pregnancy_status": ["could_become"]}, "pregnancy_test", True),
        ({"pregnancy_status": ["none"]}, "pregnancy_test", False),
        ({"pregnancy_status": None}, "pregnancy_test", True),
        ({"conditions": ["stent_bypass_valve"]}, "ecg", True),
        ({"conditions": ["liver_mild"]}, "liver", True),
        ({"conditions": ["none"]}, "liver", False),
        ({"substances": ["stimulants_month"]}, "drug_screen", True),
    ],
)
def test_a_test_is_asked_for_by_what_the_person_said(course, enquiry, signed, answers, item, asked):
    planned = course(enquiry(**answers))

    assert (item in [one.id for one in open_baseline(planned)]) is asked


def test_an_older_answer_stays_and_the_last_one_counts(ada, nia, as_, course, signed):
    planned = course()
    address = reverse("baseline", args=[planned.pk])
    as_(nia).post(address, {"seen": 0, "weight_kg": "81"})
    newest = BaselineItem.last_of(planned)[1]

    as_(ada).post(address, {"seen": newest, "weight_kg": "80.5"})

    assert [(row.answer, row.by) for row in BaselineItem.objects.filter(item="weight_kg")] == [(81.0, nia), (80.5, ada)]
    assert "80.5 kg" in words(as_(ada).get(address))


def test_sent_twice_it_is_kept_once(nia, as_, course):
    address = reverse("baseline", args=[course().pk])

    answers = [as_(nia).post(address, {"seen": 0, "weight_kg": "81", "pcl5": "done"}).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert BaselineItem.objects.count() == 2
    assert Event.objects.filter(verb="answered the baseline checklist").count() == 1


def test_two_people_at_once_lose_nothing(ada, nia, as_, course):
    address = reverse("baseline", args=[course().pk])
    as_(nia).post(address, {"seen": 0, "weight_kg": "81"})

    other_item = as_(ada).post(address, {"seen": 0, "pcl5": "done"})
    same_item = as_(ada).post(address, {"seen": 0, "weight_kg": "180", "phq9": "done"})

    assert other_item.status_code == 302
    assert same_item.status_code == 409
    assert "Somebody answered one of these items after you opened this page." in words(same_item)
    assert 'value="180"' in same_item.content.decode()
    assert sorted(BaselineItem.objects.values_list("item", flat=True)) == ["pcl5", "weight_kg"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"weight_kg": "400"}, "must be a number from 30 to 250 kg"),
        ({"weight_kg": "nan"}, "must be a number from 30 to 250 kg"),
        ({"weight_kg": "heavy"}, "must be a number from 30 to 250 kg"),
        ({"first_systolic": "1400"}, "must be a number from 60 to 260 mmHg"),
        ({"pcl5": "perhaps"}, "PCL-5: choose from the list"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_kept(nia, as_, course, typed, said):
    answer = as_(nia).post(reverse("baseline", args=[course().pk]), {"seen": 0, "phq9": "done"} | typed)

    assert said in words(answer)
    assert not BaselineItem.objects.exists()


def test_medicines_that_matter_stand_beside_the_checklist(nia, as_, course, enquiry):
    person = enquiry(medicine_list=["diazepam 10 mg", "xyzzyol"])

    page = words(as_(nia).get(reverse("baseline", args=[course(person).pk])))

    assert "diazepam" in page.lower()
    assert "Do:" in page
    assert "“xyzzyol”" in page


def test_hostile_words_stay_words(nia, as_, course):
    address = reverse("baseline", args=[course().pk])

    as_(nia).post(address, {"seen": 0, "escort_name": HOSTILE})

    page = as_(nia).get(address).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_coordinator_reads_it_and_does_not_fill_it_in(cleo, as_, course):
    address = reverse("baseline", args=[course().pk])

    assert "A nurse or a prescriber fills this in." in words(as_(cleo).get(address))
    assert as_(cleo).post(address, {"seen": 0, "pcl5": "done"}).status_code == 403
