"""The controlled-drug log: what is in the safe, what happened to it, and what does not add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from reprieve import paper
from reprieve.treatment import stock
from reprieve.treatment.stock import StockError
from reprieve.web import drug_log
from reprieve.web.context import clinic_of
from reprieve.web.door import needs
from reprieve.web.forms_drugs import DeliveryForm, PeriodForm, RowForm, TakeBackForm, sentence
from reprieve.web.models import Event, Lot, Member, StockEntry, TreatmentSession

LOTS: Any = Lot.objects


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of row: the words of its page."""

    kind: str
    heading: str
    button: str
    none: str = ""


NONE_LEFT = "Nothing of this lot is drawn up and waiting. Write down first what was drawn."
TASKS = {
    task.kind: task
    for task in (
        Task("drawn", "Draw up", "Write down what was drawn"),
        Task("given", "Given", "Write down what was given", NONE_LEFT),
        Task("wasted", "Wasted", "Write down what was wasted", NONE_LEFT),
        Task("returned", "Return to the supplier", "Write down what goes back"),
        Task("inventory", "Count", "Write down the count"),
    )
}


@needs("keep the drug log")
@require_safe
def drugs(request: HttpRequest) -> HttpResponse:
    """What does not add up first, then every lot with what is left of it."""
    lots = list(LOTS.with_rows())
    due = min((lot.inventory_due_on for lot in lots if lot.inventory_due_on), default=None)
    context = {
        "left": [lot for lot in lots if lot.balance_ml > 0],
        "empty": [lot for lot in lots if lot.balance_ml <= 0],
        "wrong": [(lot, one) for lot in lots for one in lot.discrepancies],
        "rule": stock.rules()["inventory"],
        "due": due,
        "is_late": due is not None and due < timezone.localdate(),
        "session": _session(request),
    }
    return render(request, "drugs/drugs.html", context)


@needs("keep the drug log")
def delivery(request: HttpRequest) -> HttpResponse:
    """Vials that came."""
    form = DeliveryForm(request.POST or None, initial=_of_known_lot(request))
    if form.is_valid():
        try:
            with transaction.atomic():
                lot = Lot.add(_member(request), **form.lot)
                row = {"uid": form.cleaned_data["uid"], "note": form.cleaned_data["note"]}
                entry = StockEntry.keep(_member(request), lot, StockEntry.Kind.RECEIPT, form.ml, **row)
        except StockError as refused:
            form.add_error("number", sentence(refused))
        else:
            messages.success(request, f"Received: {entry.amount}.")
            return redirect("drug-lot", lot.pk)
    return render(request, "drugs/delivery.html", {"form": form})


@needs("keep the drug log")
@require_safe
def lot(request: HttpRequest, pk: int) -> HttpResponse:
    """One lot: what its vials say, and every row with the running balance, the newest first."""
    found = get_object_or_404(LOTS.with_rows(), pk=pk)
    lines = list(reversed(drug_log.lines_of(found)))
    return render(request, "drugs/lot.html", {"lot": found, "lines": lines, "session": _session(request)})


@needs("keep the drug log")
@sensitive_post_parameters("password")
def write(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """One row about a lot."""
    found = get_object_or_404(LOTS.with_rows(), pk=pk)
    form = RowForm(request, found, kind, timezone.now(), request.POST or None)
    if form.is_valid():
        try:
            entry = StockEntry.keep(_member(request), found, kind, **form.row)
        except StockError as refused:
            form.add_error("ml", sentence(refused))
        else:
            messages.success(request, f"{entry.get_kind_display()}: {entry.amount}.")
            again = f"?session={entry.session_id}" if entry.session_id else ""
            return redirect(reverse("drug-lot", args=[pk]) + again)
    return render(request, "drugs/write.html", {"form": form, "lot": found, "task": TASKS[kind]})


@needs("keep the drug log")
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a wrong row back with a row that undoes it."""
    entry = get_object_or_404(StockEntry.objects.select_related("lot", "session", "by"), pk=pk)
    form = TakeBackForm(request.POST or None)
    if form.is_valid():
        try:
            entry.reverse(_member(request), form.cleaned_data["why"], uid=form.cleaned_data["uid"])
        except StockError as refused:
            form.add_error("why", sentence(refused))
        else:
            messages.success(request, f"Row {entry.pk} is taken back. Write the right one now, if there is one.")
            return redirect("drug-lot", entry.lot_id)
    return render(request, "drugs/take_back.html", {"form": form, "entry": entry})


@needs("keep the drug log")
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """The log of a period, to read or print. It names people, so opening it is noted."""
    form = PeriodForm(request.GET, timezone.localdate())
    shown = _shown(request, form, "opened the drug log") if form.is_valid() else []
    context = {"form": form, "sections": shown, "rule": stock.rules()["records"]}
    return render(request, "drugs/log.html", context)


@needs("keep the drug log")
@require_safe
def log_pdf(request: HttpRequest) -> HttpResponse:
    """The same as a PDF."""
    form = PeriodForm(request.GET, timezone.localdate())
    if not form.is_valid():
        return redirect(f"{reverse('drug-log')}?{request.GET.urlencode()}")
    shown = _shown(request, form, "printed the drug log")
    first, last = _period(form)
    made = paper.pdf(drug_log.document(clinic_of(request), shown, first, last, timezone.now()))
    name = f"drug-log-{first.isoformat()}-{last.isoformat()}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def _shown(request: HttpRequest, form: PeriodForm, verb: str) -> list[drug_log.Section]:
    first, last = _period(form)
    with transaction.atomic():
        Event.record(_member(request).actor, verb, "drug log", since=first.isoformat(), until=last.isoformat())
    return drug_log.sections(LOTS.with_rows(), first, last)


def _period(form: PeriodForm) -> tuple[date, date]:
    return form.cleaned_data["from"], form.cleaned_data["until"]


def _of_known_lot(request: HttpRequest) -> dict[str, Any]:
    """What another delivery of a lot has in common with the first; nothing for a new lot."""
    key = request.GET.get("lot", "")
    columns = ("number", "product", "mg_per_ml", "vial_ml", "expires_on")
    return LOTS.filter(pk=key).values(*columns).first() or {} if key.isdecimal() else {}


def _session(request: HttpRequest) -> TreatmentSession | None:
    """The session that the page was opened for."""
    key = request.GET.get("session", "")
    return TreatmentSession.objects.filter(pk=key).first() if key.isdecimal() else None


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user
