"""The exposure page: typed, answered, not kept; calm about every slip; readable on a tablet, a phone and a desk."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from playwright.sync_api import Page, expect

from reprieve.pharmacology.forecast import forecast
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Regimen
from reprieve.web import exposure as exposures
from reprieve.web.forms_exposure import ROWS, ExposureForm
from reprieve.web.logs import NoHealthContent
from reprieve.web.models import Enquiry, Event
from tests.web.conftest_browser import (
    DESKTOP,
    PHONE,
    ZOOMED,
    axe,
    bytes_transferred,
    complaints,
    other_hosts,
    screenshot,
    scrolls_sideways,
    small_targets,
)
from tests.web.test_team_in_chromium import ADA, log_in

TABLET = (1024, 768)
PLAN = {
    "weight_kg": "81.7",
    "dose_mg_per_kg": "0.5",
    "duration_min": "40",
    "days": "0, 2, 4, 7, 9, 11",
    "session": "1",
}
READ = PLAN | {
    "rest_systolic": "124",
    "rest_diastolic": "78",
    "minute_1": "20",
    "systolic_1": "146",
    "diastolic_1": "88",
    "minute_2": "40",
    "systolic_2": "149",
    "cadss_2": "30",
    "minute_4": "80",
    "systolic_4": "131",
    "cadss_4": "2",
    "ketamine_4": "61,5",
}


@pytest.fixture
def there(clinic, enquiry) -> str:
    """The address of one person's page."""
    return reverse("exposure", args=[enquiry().pk])


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


# The answer


def test_before_anything_is_typed_there_is_a_form_with_the_usual_course(nia, as_, there):
    page = as_(nia).get(there).content.decode()

    assert "Research only" in page
    assert "Nothing on this page is saved." in page
    for name, value in (("dose_mg_per_kg", "0.5"), ("duration_min", "40"), ("days", "0, 2, 4, 7, 9, 11")):
        assert re.search(rf'name="{name}" value="{value}"', page), name
    assert "Below a threshold by" not in page


def test_age_and_weight_that_are_known_already_are_filled_in(nia, as_, enquiry):
    known = enquiry(birth_date="1986-03-01", weight_kg=91.5, sex_for_cutoffs="female")

    page = as_(nia).get(reverse("exposure", args=[known.pk])).content.decode()

    assert 'name="weight_kg" value="91.5"' in page
    assert re.search(r'name="age_years" value="\d\d"', page)
    assert '<option value="female" selected>' in page


def test_the_answer_says_what_the_model_says(nia, as_, there):
    page = as_(nia).post(there, PLAN).content.decode()
    course = Regimen.repeated(0.5 * 81.7, 40 / 60, [0, 2, 4, 7, 9, 11])
    expected = forecast(Person(81.7), course, times_min=[42], site="venous").before["ketamine_plasma_ng_per_ml"]

    assert f"42 min after the start: {expected.middle[0]:.0f} (" in page
    assert "Research only" in page
    assert "Bowdle 1998" in page
    assert "Our choice" in page
    assert page.count("<svg") == 2
    assert "Before the readings" not in text(page)


def test_readings_change_what_is_expected_and_are_shown(nia, as_, there):
    page = text(as_(nia).post(there, READ).content.decode())

    assert "Before the readings: " in page
    assert "Systolic rise 22 mmHg at 20 min" in page
    assert "Ketamine, venous 61.5 ng/mL at 80 min" in page
    assert re.search(r"What the readings tell: largest systolic rise \(\d\d % of its spread is gone\)", page)
    assert re.search(r"What they do not tell: [^.]*potency at the receptor", page)
    assert re.search(r"mmHg above rest, so about 14\d \(1\d\d to 1\d\d\)\. Before the readings", page)
    assert "does not fit" not in page


def test_a_reading_that_does_not_fit_is_said(nia, as_, there):
    page = text(as_(nia).post(there, READ | {"ketamine_4": "6150"}).content.decode())

    assert "Ketamine, venous 6150 ng/mL at 80 min" in page
    assert "This reading does not fit. Was it typed as it was read?" in page


def test_a_later_session_counts_its_minutes_from_its_own_start(nia, as_, there):
    page = text(as_(nia).post(there, READ | {"session": "3"}).content.decode())

    assert "Session 3, as the model expects it" in page
    assert "Systolic rise 22 mmHg at 20 min" in page


def test_a_dose_above_the_ceiling_is_computed_with_a_warning(nia, as_, there):
    page = text(as_(nia).post(there, PLAN | {"dose_mg_per_kg": "1.5"}).content.decode())

    assert "Dose: 1.5 mg/kg in one sitting is above 1 mg/kg" in page
    assert "Below a threshold by" in page


def test_no_symptoms_are_forecast(nia, as_, there):
    page = text(as_(nia).post(there, READ).content.decode()).lower()

    assert not re.findall(r"caps-5|pcl-5|symptom|synaps", page)


# Bad input


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"weight_kg": "7"}, "Write the weight as a number, 30 to 250 kg"),
        ({"weight_kg": "700"}, "Write the weight as a number, 30 to 250 kg"),
        ({"weight_kg": ""}, "Write the weight as a number, 30 to 250 kg"),
        ({"weight_kg": "heavy"}, "Write the weight as a number, 30 to 250 kg"),
        ({"weight_kg": "nan"}, "Write the weight as a number, 30 to 250 kg"),
        ({"weight_kg": "1e400"}, "Write the weight as a number, 30 to 250 kg"),
        ({"age_years": "12"}, "Write the age as a number, 18 to 110 years"),
        ({"dose_mg_per_kg": "0"}, "Write the dose as a number, 0.05 to 2 mg/kg"),
        ({"dose_mg_per_kg": "7"}, "Write the dose as a number, 0.05 to 2 mg/kg"),
        ({"dose_mg_per_kg": "-0.5"}, "Write the dose as a number, 0.05 to 2 mg/kg"),
        ({"duration_min": "0"}, "Write the length as a number, 2 to 600 minutes"),
        ({"days": "Monday"}, "Write the days as whole numbers with commas between, such as 0, 2, 4"),
        ({"days": ""}, "Write the days of the infusions, such as 0, 2, 4"),
        ({"days": "2, 2"}, "Write 1 to 20 different days, from 0 to 365"),
        ({"days": "0, 366"}, "Write 1 to 20 different days, from 0 to 365"),
        ({"days": ","}, "Write 1 to 20 different days, from 0 to 365"),
        ({"session": "7"}, "Write which session: the course has 6"),
        ({"session": "1.5"}, "Write which session as a whole number, 1 for the first"),
        ({"minute_1": "0"}, "Reading 1: write a minute after the infusion starts."),
        ({"minute_1": "-5"}, "Reading 1: write a minute after the infusion starts."),
        ({"minute_1": ""}, "Write the minute of reading 1"),
        ({"minute_1": "soon"}, "Write the minute of reading 1 as a number, at most 1440 after the start"),
        ({"minute_3": "50"}, "Reading 3: write what was read, or take the minute away"),
        ({"minute_6": "9999", "cadss_6": "3"}, "Write the minute of reading 6 as a number"),
        ({"systolic_1": "1460"}, "Write the upper pressure of reading 1 as a number, 60 to 300"),
        ({"diastolic_1": "150"}, "Reading 1: the lower pressure must be below the upper"),
        ({"cadss_2": "93"}, "Write the CADSS of reading 2 as a number, 0 to 92"),
        ({"cadss_2": "2.5"}, "Write the CADSS of reading 2 as a whole number"),
        ({"ketamine_4": "0"}, "Write the ketamine level of reading 4 as a number, 0.1 to 20000"),
        ({"rest_systolic": ""}, "Write the upper pressure at rest too: a rise is counted from it"),
        ({"rest_diastolic": "x"}, "Write the lower pressure at rest as a number, 30 to 150 mmHg"),
        ({"systolic_1": "290"}, "Reading 1: +166 mmHg from rest cannot be right, look at both again"),
        ({"sex": "other"}, "Choose female, male or not said"),
    ],
)
def test_a_slip_is_said_calmly_and_every_value_is_kept(nia, as_, there, typed, words):
    answer = as_(nia).post(there, READ | typed)
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "Below a threshold by" not in page
    assert "needs a look" in page or "missing" in page or "need a look" in page
    link = re.search(rf'<a href="#(id_\w+)">{re.escape(words)}', page)
    assert link
    assert f'id="{link[1]}"' in page
    for name, value in (READ | typed).items():
        if value and name != "sex":
            assert re.search(rf'name="{name}" value="{re.escape(value)}"', page), name


def test_the_words_of_an_error_stand_at_the_readings_too(nia, as_, there):
    page = as_(nia).post(there, READ | {"minute_1": "", "cadss_2": "93"}).content.decode()

    assert "2 answers need a look" in page
    assert page.count("Write the minute of reading 1") == 2
    assert page.count("Write the CADSS of reading 2 as a number, 0 to 92") == 2


def test_extreme_values_are_answered(nia, as_, there):
    least = dict.fromkeys(READ, "") | {
        "weight_kg": "30", "dose_mg_per_kg": "0.05", "duration_min": "600", "days": "0", "session": "1",
    }  # fmt: skip
    most = READ | {f"minute_{row}": "1440" for row in range(1, ROWS + 1)}
    most |= {f"{name}_{row}": "270" for row in range(1, ROWS + 1) for name in ("systolic", "ketamine")}
    most |= {f"cadss_{row}": "92" for row in range(1, ROWS + 1)} | {"weight_kg": "250", "dose_mg_per_kg": "2"}

    for typed in (least, most):
        assert "Below a threshold by" in as_(nia).post(there, typed).content.decode()


def test_days_in_any_order_with_commas_or_semicolons():
    form = ExposureForm(PLAN | {"days": "4; 0 ,2", "weight_kg": "72,5"})

    assert form.is_valid()
    assert form.cleaned_data["days"] == (0, 2, 4)
    assert form.person.weight_kg == 72.5


# Nothing is kept


def rows() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in apps.get_models() if model._meta.managed}


def test_nothing_is_saved_but_that_somebody_looked(nia, as_, there):
    browser = as_(nia)
    browser.get(there)
    before, enquiries = rows(), list(Enquiry.objects.values())

    browser.post(there, READ)

    assert rows() == before | {"Event": before["Event"] + 1}
    assert list(Enquiry.objects.values()) == enquiries
    last = Event.objects.order_by("-pk").first()
    assert (last.verb, last.actor) == ("opened", nia.actor)
    assert "81" not in str(last.detail)


def test_nothing_of_it_is_in_the_logs_even_when_it_breaks(nia, as_, there, caplog, monkeypatch):
    def broken(*_: Any) -> None:
        raise ValueError("weight 81.7 kg, CADSS 30")

    monkeypatch.setattr(exposures.Shown, "of", broken)
    browser = as_(nia)
    browser.raise_request_exception = False
    with caplog.at_level(logging.DEBUG):
        for handler in logging.getLogger().handlers:
            handler.addFilter(NoHealthContent())
        answer = browser.post(there, READ)

    assert answer.status_code == 500
    said = "\n".join((NoHealthContent().filter(record) and record.getMessage()) or "" for record in caplog.records)
    assert "500 at exposure" in said
    assert "81.7" not in said
    assert "CADSS" not in said


def test_what_is_typed_is_in_no_address_and_no_cache(nia, as_, there):
    answer = as_(nia).post(there, READ)
    page = answer.content.decode()

    assert answer.headers["Cache-Control"] == "no-store, private"
    assert re.search(r'<form method="post" action="/team/enquiry/\d+/exposure/" novalidate autocomplete="off"', page)
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', page)
    assert {address for address in addresses if "?" in address} == {f"{reverse('account_login')}?next={there}"}


def test_an_erased_record_has_no_such_page(ada, as_, enquiry):
    gone = enquiry()
    gone.erase(ada, gone.received_at)

    assert as_(ada).get(reverse("exposure", args=[gone.pk])).headers["Location"] == reverse("card", args=[gone.pk])
    assert "exposure/" not in as_(ada).get(reverse("card", args=[gone.pk])).content.decode()


def test_the_card_leads_there(nia, as_, there):
    assert f'href="{there}"' in as_(nia).get(there.replace("exposure/", "")).content.decode()


def test_the_page_is_light_and_draws_itself(nia, as_, there):
    page = as_(nia).post(there, READ).content

    assert len(page) < 250_000
    assert b"style=" not in page
    assert b"<style" not in page
    assert not re.findall(rb'(?:fill|stroke)="#(?:0a4c86|1b2426|ffffff|4b585b|d8d4c9)"', page)  # the page's own colours


# In a real browser

LOOKS = {
    "tablet": {"size": TABLET},
    "phone": {"size": PHONE},
    "desktop": {"size": DESKTOP},
    "tablet-dark": {"size": TABLET, "dark": True},
    "phone-dark": {"size": PHONE, "dark": True},
    "forced": {"size": TABLET, "forced_colours": True},
    "zoomed": {"size": ZOOMED},
    "phone-no-script": {"size": PHONE, "java_script": False},
}


def fill(page: Page, typed: dict[str, str]) -> None:
    for name, value in typed.items():
        page.locator(f"[name={name}]").fill(value)


@pytest.mark.django_db(transaction=True)
@pytest.mark.flaky(reruns=2)
@pytest.mark.parametrize("look", LOOKS)
def test_it_reads_well(live_server, ada, enquiry, desktop, look):
    there = live_server.url + reverse("exposure", args=[enquiry(name="Casey Full").pk])
    page = desktop(**LOOKS[look])
    script = LOOKS[look].get("java_script", True)
    log_in(page, live_server)
    wrong = []

    def judge(name: str) -> None:
        screenshot(page, f"exposure-{name}-{look}")
        if script:
            wrong.extend(f"{name}: {finding}" for finding in axe(page))
            wrong.extend([f"{name} scrolls sideways"] * scrolls_sideways(page))
            wrong.extend(f"{name}: small {target}" for target in small_targets(page))

    page.goto(there)
    judge("empty")
    fill(page, PLAN)
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_role("heading", name="Session 1, as the model expects it")).to_be_visible()
    judge("planned")
    fill(page, READ)
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_text("What the readings tell")).to_be_visible()
    seen = [name for name in ("slim", "broad") if page.locator(f".{name} svg").is_visible()]
    assert seen == (["slim"] if LOOKS[look]["size"][0] < 704 else ["broad"])
    page.get_by_text("The numbers", exact=True).click()
    judge("read")
    fill(page, {"weight_kg": "7", "minute_1": ""})
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("#error-summary")).to_contain_text("2 answers need a look")
    judge("wrong")
    assert page.locator("[name=systolic_1]").input_value() == "146"
    assert page.url == there
    assert complaints(page) == []
    assert other_hosts(page) == set()
    assert wrong == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.flaky(reruns=2)
def test_the_picture_takes_the_colours_of_the_page(live_server, ada, enquiry, desktop):
    there = live_server.url + reverse("exposure", args=[enquiry().pk])
    painted = {}
    for dark in (False, True):
        page = desktop(dark=dark)
        log_in(page, live_server, ADA)
        page.goto(there)
        fill(page, READ)
        before = bytes_transferred(page)
        page.get_by_role("button", name="Compute").click()
        expect(page.get_by_text("What the readings tell")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert bytes_transferred(page) - before < 250_000
        painted[dark] = page.locator(".broad svg > rect").evaluate("e => getComputedStyle(e).fill")
    assert painted == {False: "rgb(255, 255, 255)", True: "rgb(27, 36, 38)"}
