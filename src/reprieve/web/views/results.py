"""The clinic as a whole: what came of its courses, and the registry export."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from reprieve.charts import LOOKS, svg
from reprieve.treatment import outcome_plot
from reprieve.treatment.outcome import judged_instruments
from reprieve.treatment.registry import LEAST
from reprieve.treatment.results import published_median, summarise
from reprieve.web import results as clinic_results
from reprieve.web import results_tables as shown
from reprieve.web.context import clinic_of
from reprieve.web.door import needs
from reprieve.web.forms_results import PeriodForm
from reprieve.web.models import Member

WIDTHS = (328, 620)


@needs("see results")
@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Contact, consent, sessions, response and its loss, harms; beside them what trials published."""
    form, clinic, now = PeriodForm(request.GET or None), clinic_of(request), timezone.now()
    period = form.period
    summary = summarise(clinic_results.Reading(period, clinic, now).courses(), timezone.localdate(now))
    harms, no_harms = shown.harms(summary)
    contact, still_open = clinic_results.contact(period, clinic, now)
    context = {
        "form": form,
        "least": LEAST,
        "whole_dose": round(100 * clinic_results.WHOLE_DOSE),
        "period": period,
        "summary": summary,
        "as_of": now,
        "not_begun": clinic_results.not_begun(clinic),
        "before": shown.before(summary, contact, still_open),
        "sessions": shown.sessions(summary),
        "endings": shown.endings(summary),
        "responses": shown.responses(summary),
        "rules": shown.rules(),
        "losses": shown.losses(summary, period),
        "harms": harms,
        "no_harms": no_harms,
        "trials": shown.trials(),
    }
    return render(request, "results/results.html", context)


@needs("see results")
@require_safe
def loss_picture(request: HttpRequest, instrument: str, width: int, look: str) -> HttpResponse:
    """How long responses on one instrument lasted, drawn for one width and one look."""
    names = {shown.slug(name): name for name in judged_instruments()}
    if instrument not in names or width not in WIDTHS or look not in LOOKS:
        raise Http404
    name, period = names[instrument], PeriodForm(request.GET or None).period
    curve = clinic_results.Reading(period, clinic_of(request), timezone.now()).totals(name).loss()
    drawn = svg(outcome_plot.survival(curve, published_median(name), width, look), LOOKS[look])
    return HttpResponse(drawn, content_type="image/svg+xml")


@needs("export the registry")
@require_safe
def registry(request: HttpRequest) -> HttpResponse:
    """Counts of all courses that ended, small ones hidden, as a file. The audit trail says that it was taken out."""
    assert isinstance(request.user, Member)
    clinic = clinic_of(request)
    answer = HttpResponse(clinic_results.export(request.user, clinic, timezone.now()), content_type="text/csv")
    name = "registry-made-up.csv" if clinic.fictional else "registry.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
