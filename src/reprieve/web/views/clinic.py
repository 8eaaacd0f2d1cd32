"""The clinic's settings, and what to check before the doors open."""

from __future__ import annotations

from dataclasses import dataclass
from smtplib import SMTPException

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from reprieve.candidacy import RULE_SET_VERSION, crisis
from reprieve.candidacy.crisis import CrisisLine
from reprieve.web.context import clinic_of
from reprieve.web.door import has_second_step, may, needs
from reprieve.web.forms_team import ClinicForm
from reprieve.web.models import Clinic, Event, Member, Signature

RULES_ITEM = f"rules {RULE_SET_VERSION}"
MAIL_ITEM = "mail"


@needs("manage the clinic")
def edit(request: HttpRequest) -> HttpResponse:
    """Who the clinic is, when it is staffed, and how soon it calls."""
    form = ClinicForm(request.POST or None, instance=Clinic.current())
    if form.is_valid():
        with transaction.atomic():
            form.save()
            Event.record(_member(request).actor, "changed the clinic", "clinic", fields=sorted(form.changed_data))
        messages.success(request, "Saved. New enquiries use these settings from now on.")
        return redirect("clinic")
    return render(request, "clinic/edit.html", {"form": form})


@dataclass(slots=True)
class Check:
    """One thing to check, and who last said that it is so."""

    item: str
    signature: Signature | None
    line: CrisisLine | None = None


def lines_of(clinic: Clinic) -> list[CrisisLine]:
    """Every help line that a person of the clinic's country can be shown."""
    code = crisis.OTHER_NAMES.get(clinic.country, clinic.country)
    lines = crisis.COUNTRIES.get(code) or crisis.lines_for(code, True, True, True, True)
    return list(lines)


@needs("see the team")
def checklist(request: HttpRequest) -> HttpResponse:
    """What is checked, by whom and when; a POST signs one item or sends a test mail."""
    clinic = clinic_of(request)
    if request.method == "POST":
        return _check_off(request, clinic)
    signed = {s.item: s for s in Signature.objects.select_related("by").order_by("at")}
    lines = [
        Check(Clinic.help_line_item(line), signed.get(Clinic.help_line_item(line)), line) for line in lines_of(clinic)
    ]
    lines.sort(key=lambda c: (c.signature is not None, c.line is not None and c.line.source.provenance != "recalled"))
    active = Member.objects.filter(is_active=True)
    with_step = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).values("user")
    without_step = list(active.exclude(pk__in=with_step).order_by("name").values_list("name", flat=True))
    context = {
        "lines": lines,
        "unchecked": sum(check.signature is None for check in lines),
        "own_country": crisis.OTHER_NAMES.get(clinic.country, clinic.country) in crisis.COUNTRIES,
        "clinic_saved": Clinic.objects.exists(),
        "on_call": list(Member.objects.on_call()),
        "rules": Check(RULES_ITEM, signed.get(RULES_ITEM)),
        "rule_set_version": RULE_SET_VERSION,
        "mail": Check(MAIL_ITEM, signed.get(MAIL_ITEM)),
        "mail_goes_out": "console" not in settings.EMAIL_BACKEND,
        "without_step": without_step,
        "own_step": has_second_step(request.user),
        "may_sign_rules": may(request.user, "rule out findings"),
    }
    return render(request, "clinic/checklist.html", context)


def _check_off(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    member, item = _member(request), request.POST.get("item", "")
    if item == MAIL_ITEM:
        return _test_mail(request, member, clinic)
    if item == RULES_ITEM:
        if not may(member, "rule out findings"):
            raise PermissionDenied("only a prescriber signs the rules")
    elif not may(member, "manage the clinic") or item not in {Clinic.help_line_item(line) for line in lines_of(clinic)}:
        raise PermissionDenied("not an item of the checklist, or not a manager")
    _sign(member, item)
    messages.success(request, "Checked, in your name.")
    return redirect("checklist")


def _test_mail(request: HttpRequest, member: Member, clinic: Clinic) -> HttpResponse:
    try:
        send_mail(
            f"A test from {clinic.name}",
            "This is a test. If you can read it, notices to the team can reach you.\n",
            settings.DEFAULT_FROM_EMAIL,
            [member.email],
        )
    except (OSError, SMTPException) as problem:
        messages.error(request, f"The mail was not sent ({type(problem).__name__}). Look at REPRIEVE_SMTP_URL.")
    else:
        _sign(member, MAIL_ITEM)
        messages.success(request, f"The mail server took a test mail to {member.email}. Look whether it arrived.")
    return redirect("checklist")


@transaction.atomic
def _sign(member: Member, item: str) -> None:
    Signature.objects.create(item=item, by=member)
    Event.record(member.actor, "checked", "checklist", item=item)


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user
