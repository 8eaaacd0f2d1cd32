"""Who gets in: nobody without an account, no role where it does not belong, no guessing, no sitting there for ever."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import URLPattern, reverse
from django.utils import timezone

from reprieve.web.models import Event, Invitation, Member, Role
from reprieve.web.urls import urlpatterns
from tests.web.conftest import PASSWORD

SAMPLE = {
    "int:pk": "1",
    "int:consent_pk": "1",
    "str:token": "nothing",
    "int:width": "328",
    "slug:look": "light",
    "slug:instrument": "pcl-5",
}
STAFF = [
    re.sub("<(.*?)>", lambda part: SAMPLE[part[1]], str(pattern.pattern))
    for pattern in urlpatterns
    if isinstance(pattern, URLPattern) and str(pattern.pattern).startswith("team/")
]
BEHIND_THE_DOOR = [address for address in STAFF if not address.startswith("team/join/")]
CLINICAL = {"ada", "nia", "cleo"}
EVERYBODY = CLINICAL | {"pia"}
ALLOWED = {
    "inbox": CLINICAL,
    "inbox-news": CLINICAL,
    "card": CLINICAL,
    "log-attempt": CLINICAL,
    "hand-over": CLINICAL,
    "rule-out": {"ada"},
    "refer": CLINICAL,
    "decide": CLINICAL,
    "reopen": CLINICAL,
    "exposure": CLINICAL,
    "today": CLINICAL,
    "calendar": CLINICAL,
    "limits": CLINICAL,
    "courses": CLINICAL,
    "course-new": {"ada"},
    "course": CLINICAL,
    "course-pause": {"ada", "nia"},
    "course-resume": {"ada"},
    "course-end": {"ada"},
    "course-hand-over": {"ada"},
    "session": CLINICAL,
    "session-move": CLINICAL,
    "session-miss": CLINICAL,
    "session-call-off": CLINICAL,
    "session-open": {"ada", "nia"},
    "session-live": CLINICAL,
    "session-chart": CLINICAL,
    "session-gate": {"ada", "nia"},
    "session-discharge": {"ada", "nia"},
    "session-aftercare": {"ada", "nia"},
    "session-weigh": {"ada", "nia"},
    "session-second": {"ada", "nia"},
    "session-entry": {"ada", "nia"},
    "session-entries": {"ada", "nia"},
    "drugs": {"ada", "nia"},
    "drug-delivery": {"ada", "nia"},
    "drug-lot": {"ada", "nia"},
    "drug-draw": {"ada", "nia"},
    "drug-give": {"ada", "nia"},
    "drug-waste": {"ada", "nia"},
    "drug-return": {"ada", "nia"},
    "drug-count": {"ada", "nia"},
    "drug-take-back": {"ada", "nia"},
    "drug-log": {"ada", "nia"},
    "drug-log-pdf": {"ada", "nia"},
    "consultation": CLINICAL,
    "ask-second-form": CLINICAL,
    "baseline": CLINICAL,
    "consent": CLINICAL,
    "consent-withdraw": CLINICAL,
    "consent-pdf": CLINICAL,
    "measures-due": CLINICAL,
    "course-measures": CLINICAL,
    "add-measure": CLINICAL,
    "team-measure": CLINICAL,
    "send-measure": CLINICAL,
    "call-off-measure": CLINICAL,
    "alerts": CLINICAL,
    "alert": CLINICAL,
    "timeline": CLINICAL,
    "timeline-picture": CLINICAL,
    "note-other-treatment": CLINICAL,
    "results": CLINICAL,
    "results-picture": CLINICAL,
    "registry": {"ada", "pia"},
    "promises": EVERYBODY,
    "promises-chart": EVERYBODY,
    "notices": EVERYBODY,
    "members": EVERYBODY,
    "member": {"ada"},
    "stay": EVERYBODY,
    "clinic": {"ada"},
    "checklist": EVERYBODY,
    "erasures": {"pia"},
    "erase": {"pia"},
    "export": {"pia"},
    "audit": {"pia"},
}


def log_in(browser, password=PASSWORD, email="ada@clinic.example"):
    return browser.post(reverse("account_login"), {"login": email, "password": password})


@pytest.mark.parametrize("address", BEHIND_THE_DOOR)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_log_in_and_learns_nothing(bo, enquiry, address, method):
    person = enquiry()
    there = getattr(bo, method)(f"/{address.replace('/1/', f'/{person.pk}/')}")
    not_there = getattr(bo, method)(f"/{address.replace('/1/', '/987654/')}")

    assert there.status_code == not_there.status_code == 302
    assert there.headers["Location"].startswith(reverse("account_login"))
    assert there.content == not_there.content == b""


def test_a_stranger_cannot_make_an_account(bo):
    signed_up = bo.post(
        reverse("account_signup"), {"email": "bo@else.example", "password1": PASSWORD, "password2": PASSWORD}
    )

    assert "Accounts come by invitation" in signed_up.content.decode()
    assert not Member.objects.exists()


def test_every_staff_page_names_who_may_open_it():
    named = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    staff = {
        pattern.name
        for pattern in urlpatterns
        if getattr(pattern, "pattern", "") and str(pattern.pattern).startswith("team/")
    }

    assert ALLOWED.keys() <= named
    assert staff - {"join"} == ALLOWED.keys()


@pytest.mark.parametrize("name", ALLOWED)
def test_the_wrong_role_is_refused(name, ada, nia, cleo, pia, as_, enquiry):
    person = enquiry()
    pk = nia.pk if name == "member" else person.pk
    parts = next(p.pattern.converters for p in urlpatterns if getattr(p, "name", "") == name)
    asked = {"pk": pk, "consent_pk": 1, "width": 328, "look": "light", "instrument": "pcl-5"}
    kwargs = {part: asked[part] for part in parts}
    address = next(str(p.pattern) for p in urlpatterns if getattr(p, "name", "") == name)
    asked = {"pk": pk, "consent_pk": 1, "width": 328, "look": "light", "instrument": "pcl-5"}
    kwargs = {part: asked[part] for part in re.findall(r"<\w+:(\w+)>", address)}

    answers = {who.name.lower(): as_(who).get(reverse(name, kwargs=kwargs)) for who in (ada, nia, cleo, pia)}

    if name == "inbox":  # the address that the start prints: a privacy lead goes on from it to their own page
        assert answers.pop("pia").headers["Location"] == reverse("erasures")
    assert {who for who, answer in answers.items() if answer.status_code != 403} == ALLOWED[name]


def test_a_member_who_left_is_out_at_once(nia, as_):
    browser = as_(nia)
    assert browser.get(reverse("inbox")).status_code == 200

    Member.objects.filter(pk=nia.pk).update(is_active=False)

    assert browser.get(reverse("inbox")).status_code == 302
    assert log_in(browser, email=nia.email).status_code in (200, 302)
    assert browser.get(reverse("inbox")).status_code == 302


def test_eight_wrong_passwords_lock_one_name_and_nobody_else(bo, ada, nia):
    wrong = [log_in(bo, "a wrong guess").status_code for _ in range(8)]

    assert wrong == [200] * 7 + [429]
    assert log_in(bo).status_code == 429
    assert log_in(bo, email=nia.email).status_code == 302


def test_seven_wrong_passwords_then_the_right_one_opens(bo, ada):
    for _ in range(7):
        log_in(bo, "a wrong guess")

    assert log_in(bo).status_code == 302
    assert bo.get(reverse("inbox")).status_code == 200


def test_the_log_in_runs_out_and_polling_does_not_renew_it(nia, as_, settings):
    settings.SESSION_COOKIE_AGE = 60
    browser = as_(nia)
    browser.get(reverse("inbox"))
    session = Session.objects.get()
    ends_soon = timezone.now() + timedelta(seconds=5)
    Session.objects.update(expire_date=ends_soon)

    browser.get(reverse("inbox-news"))
    session.refresh_from_db()
    assert session.expire_date == ends_soon
    assert browser.get(reverse("stay")).status_code == 204
    session.refresh_from_db()
    assert session.expire_date > ends_soon
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert browser.get(reverse("inbox")).status_code == 302


def test_a_clinic_that_requires_a_second_step_shows_nothing_without_one(nia, as_, second_step, settings):
    settings.REQUIRE_SECOND_STEP = True
    browser = as_(nia)

    assert browser.get(reverse("inbox")).headers["Location"] == reverse("mfa_index")
    second_step(nia)
    assert browser.get(reverse("inbox")).status_code == 200


def test_the_secret_of_a_code_app_is_not_stored_in_the_clear(nia, second_step):
    from allauth.mfa.models import Authenticator

    secret = second_step(nia)

    assert secret not in str(Authenticator.objects.get().data)


def test_a_privacy_lead_starts_where_they_may_look(bo, pia):
    assert log_in(bo, email=pia.email).headers["Location"] == reverse("erasures")


def test_the_first_to_join_chooses_a_role_and_manages(bo, clinic):
    token = Invitation.issue()
    said = {"name": "Ada", "email": "Ada@Clinic.example", "role": "prescriber", "password": PASSWORD}

    joined = bo.post(reverse("join", args=[token]), said)

    ada = Member.objects.get()
    assert joined.headers["Location"] == reverse("mfa_index")
    assert (ada.email, ada.role, ada.manages, ada.call_order) == ("ada@clinic.example", Role.PRESCRIBER, True, 1)
    assert bo.get(reverse("inbox")).status_code == 200
    assert [event.verb for event in Event.objects.all()] == ["joined", "logged in"]


def test_an_invitation_gives_its_own_role_whatever_is_sent(bo, ada):
    token = Invitation.issue(Role.COORDINATOR)
    said = {"name": "Cleo", "email": "cleo@clinic.example", "role": "prescriber", "password": PASSWORD, "manages": "on"}

    bo.post(reverse("join", args=[token]), said)

    cleo = Member.objects.get(name="Cleo")
    assert (cleo.role, cleo.manages, cleo.call_order) == (Role.COORDINATOR, False, None)


def test_a_used_old_or_wrong_invitation_says_so_calmly(bo, ada, nia):
    used, old = Invitation.issue(Role.NURSE), Invitation.issue(Role.NURSE)
    first, second = Invitation.objects.order_by("pk")
    Invitation.objects.filter(pk=first.pk).update(used_by=nia)
    Invitation.objects.filter(pk=second.pk).update(expires_at=timezone.now())

    answers = [bo.get(reverse("join", args=[token])) for token in (used, old, "wrong")]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert all("This link has ended" in answer.content.decode() for answer in answers)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("password", "short", "at least 12"),
        ("password", "password1234", "too common"),
        ("email", "ada@clinic.example", "There is an account with this address"),
        ("email", "not an address", "Write an address such as"),
        ("name", "", "Write your name"),
    ],
)
def test_what_is_wrong_when_joining_is_said_and_the_rest_kept(bo, ada, field, value, words):
    said = {"name": "Nia", "email": "nia@clinic.example", "password": PASSWORD} | {field: value}

    page = bo.post(reverse("join", args=[Invitation.issue(Role.NURSE)]), said).content.decode()

    assert words in page
    assert PASSWORD not in page
    assert Member.objects.count() == 1
