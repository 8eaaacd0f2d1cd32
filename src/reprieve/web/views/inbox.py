"""The inbox, gravest and nearest first, and the candidacy card where a call is logged and a decision made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from reprieve.web import card as cards
from reprieve.web import public_words
from reprieve.web.context import clinic_of
from reprieve.web.deadlines import Urgency
from reprieve.web.door import leave_the_log_in_as_it_is, may, needs
from reprieve.web.forms_team import (
    AttemptForm,
    DecisionForm,
    FilterForm,
    HandOverForm,
    ReferralForm,
    ReopenForm,
    RuleOutForm,
    SearchForm,
    Versioned,
    as_reference,
)
from reprieve.web.models import Attempt, ChangedMeanwhileError, Clinic, Enquiry, Event, Member, Signature
from reprieve.web.readiness import before_a_course

ON_A_PAGE = 50
MOST_PAGES = 10_000
COLUMNS = (
    "reference", "contact", "why", "urgency", "due_at", "state", "received_at", "closed_at", "decision", "owner__name",
    "owner__is_active",
)  # fmt: skip


def inbox(request: HttpRequest) -> HttpResponse:
    """The team's first page. It is the list; a privacy lead, who sees no enquiries, goes on to their own page."""
    if request.method == "GET" and may(request.user, "look after privacy"):
        return redirect("erasures")
    return _inbox(request)


@needs("see enquiries")
def _inbox(request: HttpRequest) -> HttpResponse:
    """The list. A POST looks for one person, so that no name stands in an address."""
    if request.method == "POST":
        return _search(request)
    chosen = _chosen(request)
    rows = _filtered(chosen, _member(request)).select_related("owner").only(*COLUMNS)
    page = _page_number(request)
    shown = list(rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE + 1])
    context = _counts() | {
        "rows": shown[:ON_A_PAGE],
        "page": page,
        "newer": _address(chosen, page - 1) if page > 1 else "",
        "older": _address(chosen, page + 1) if len(shown) > ON_A_PAGE else "",
        "filter": FilterForm(chosen),
        "filter_words": _in_words(chosen),
        "narrowed": bool(chosen),
        "search": SearchForm(auto_id="search-%s"),
        "last_call": None if shown else cards.last_call(),
        "now": timezone.now(),
        "last_pk": Enquiry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
    }
    return render(request, "inbox/inbox.html", context)


@needs("see enquiries")
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """How many open enquiries arrived after the one that the list ended with. Asking does not renew the log-in."""
    leave_the_log_in_as_it_is(request)
    after = request.GET.get("after", "")
    arrived = Enquiry.objects.filter(pk__gt=int(after) if after.isdecimal() and len(after) < 18 else 0)
    return JsonResponse({"new": sum(arrived.order_by("pk").values_list("is_open", flat=True)[:100])})


def _chosen(request: HttpRequest) -> dict[str, str]:
    """The filter in the address, without anything that is none of its choices."""
    form = FilterForm(request.GET)
    form.is_valid()
    return {name: value for name, value in form.cleaned_data.items() if value}


def _filtered(chosen: dict[str, str], member: Member) -> Any:
    objects: Any = Enquiry.objects
    rows = objects.closed() if chosen.get("state") == "closed" else objects.waiting()
    if "urgency" in chosen:
        rows = rows.filter(urgency=chosen["urgency"])
    if "owner" in chosen:
        nobody = Q(owner=None) | Q(owner__is_active=False)
        rows = rows.filter(Q(owner=member) if chosen["owner"] == "me" else nobody)
    if "late" in chosen:
        rows = rows.filter(due_at__lt=timezone.now())
    return rows


def _in_words(chosen: dict[str, str]) -> str:
    parts = ["closed" if chosen.get("state") == "closed" else "open"]
    if "urgency" in chosen:
        parts.append(Urgency(int(chosen["urgency"])).label.lower())
    parts += [{"me": "yours", "none": "nobody's yet"}[chosen["owner"]]] if "owner" in chosen else []
    parts += ["late only"] if "late" in chosen else []
    return ", ".join(parts)


def _counts() -> dict[str, int]:
    """How many wait and how many of them are late, from one index alone."""
    late = Count("pk", filter=Q(due_at__lt=timezone.now()))
    return Enquiry.objects.filter(is_open=True).aggregate(waiting=Count("pk"), late=late)


def _page_number(request: HttpRequest) -> int:
    asked = request.GET.get("page", "")
    return min(max(int(asked), 1), MOST_PAGES) if asked.isdecimal() and len(asked) < 9 else 1


def _address(chosen: dict[str, str], page: int) -> str:
    return "?" + urlencode(chosen | {"page": page})


def _search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.POST, auto_id="search-%s")
    found: list[Enquiry] = []
    if form.is_valid():
        words = form.cleaned_data["find"].strip()
        by_reference = Enquiry.objects.filter(reference=as_reference(words)).values_list("pk", flat=True).first()
        with transaction.atomic():
            Event.record(_member(request).actor, "searched", "enquiries", by="reference" if by_reference else "name")
        if by_reference:
            return redirect("card", pk=by_reference)
        named: Any = Enquiry.objects
        found = list(named.named(words).select_related("owner").only(*COLUMNS).order_by("-pk")[:ON_A_PAGE])
    context = _counts() | {"rows": found, "search": form, "searched": form.is_valid(), "form": form, "page": 1}
    return render(request, "inbox/inbox.html", context)


@needs("see enquiries")
@require_safe
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """One enquiry: answers, findings, contact, decision. Opening it is noted."""
    enquiry = _enquiry(pk)
    with transaction.atomic():
        Event.record(_member(request).actor, "opened", enquiry.subject)
    return _card(request, enquiry)


@needs("log calls")
@require_POST
def log_attempt(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a call in the contact log."""
    clinic = clinic_of(request)

    def act(enquiry: Enquiry, member: Member, seen: int, said: dict[str, Any]) -> str:
        next_step = said["next_try_at"] or _next_step(enquiry, said["outcome"], clinic)
        enquiry.log_attempt(member, seen, said["channel"], said["outcome"], said["note"], next_step)
        return "Logged."

    return _change(request, pk, "call", AttemptForm(request.POST, prefix="call"), act)


def _next_step(enquiry: Enquiry, outcome: str, clinic: Clinic) -> Any:
    """By when something happens next, so that no open enquiry is ever without a date."""
    if not enquiry.is_open:
        return None
    reached = outcome == Attempt.Outcome.REACHED
    return clinic.call_due(timezone.now(), Urgency.ROUTINE if reached else Urgency(enquiry.urgency))


@needs("hand over")
@require_POST
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the enquiry to a named owner."""

    def act(enquiry: Enquiry, member: Member, seen: int, said: dict[str, Any]) -> str:
        enquiry.hand_over(member, seen, said["to"])
        return "It is yours now." if said["to"] == member else f"Handed over to {said['to'].name}, who is told."

    return _change(request, pk, "hand", HandOverForm(request.POST, prefix="hand"), act)


@needs("rule out findings")
@require_POST
def rule_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Note why a finding does not stand. An urgent one cannot be ruled out."""
    criterion = request.POST.get("criterion", "")[:10]

    def act(enquiry: Enquiry, member: Member, seen: int, said: dict[str, Any]) -> str:
        enquiry.rule_out(member, seen, criterion, said["reason"])
        return f"{criterion} is marked as reviewed. It stays on the card, with your reason."

    form = RuleOutForm(request.POST, criterion=criterion, allowed=_may_be_ruled_out(_enquiry(pk)))
    return _change(request, pk, "out", form, act)


def _may_be_ruled_out(enquiry: Enquiry) -> set[str]:
    groups = cards.groups_of(enquiry.assessment, enquiry.reviews.all()) if enquiry.assessment else []
    return {found["criterion_id"] for group in groups for found in group.findings if found["may_rule_out"]}


@needs("log calls")
@require_POST
def refer(request: HttpRequest, pk: int) -> HttpResponse:
    """Note where else the person was sent."""

    def act(enquiry: Enquiry, member: Member, seen: int, said: dict[str, Any]) -> str:
        enquiry.refer(member, seen, said["to"], said["follow_up_on"])
        return "Referral noted."

    return _change(request, pk, "refer", ReferralForm(request.POST, prefix="refer"), act)


@needs("log calls")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Close with a decision. A coordinator may only note that the person declined."""

    def act(enquiry: Enquiry, member: Member, seen: int, said: dict[str, Any]) -> str:
        enquiry.decide(member, seen, said["decision"], said["words"], timezone.now())
        return "Decided. The person can read your words now."

    only_declined = not may(request.user, "decide")
    form = DecisionForm(request.POST, prefix="decide", only_declined=only_declined)
    return _change(request, pk, "decide", form, act)


@needs("log calls")
@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a closed enquiry up again."""

    def act(enquiry: Enquiry, member: Member, seen: int, said: dict[str, Any]) -> str:
        enquiry.reopen(member, seen, said["due_at"])
        return "Open again."

    return _change(request, pk, "reopen", ReopenForm(request.POST, prefix="reopen"), act)


Act = Callable[[Enquiry, Member, int, dict[str, Any]], str]


def _change(request: HttpRequest, pk: int, name: str, form: Versioned, act: Act) -> HttpResponse:
    """Do ``act`` and go back to the card; show the card with what was typed when it cannot be done."""
    enquiry = _enquiry(pk)
    if enquiry.is_open == (name == "reopen") or enquiry.state == Enquiry.State.ERASED:
        return _card(request, enquiry, name, form, enquiry.version)
    if not form.is_valid():
        return _card(request, enquiry, name, form)
    seen = form.cleaned_data["version"]
    try:
        said = act(enquiry, _member(request), seen, form.cleaned_data)
    except ChangedMeanwhileError:
        enquiry = _enquiry(pk)
        form.data = {**form.data.dict(), form.add_prefix("version"): enquiry.version}  # type: ignore[attr-defined]
        return _card(request, enquiry, name, form, seen)
    messages.success(request, said)
    return redirect("card", pk=pk)


def _enquiry(pk: int) -> Enquiry:
    rows = Enquiry.objects.select_related("owner", "decided_by", "changed_by")
    return get_object_or_404(rows.prefetch_related("attempts__by", "reviews__by", "referrals__by"), pk=pk)


def _card(
    request: HttpRequest, enquiry: Enquiry, name: str = "", form: Form | None = None, seen: int | None = None
) -> HttpResponse:
    """The card; ``form`` is what was typed into the form ``name``, ``seen`` the version it was typed against."""
    member, names = _member(request), cards.names_of_members()
    events = list(Event.objects.filter(subject=enquiry.subject).exclude(verb__in=cards.ONLY_LOOKED))
    erased = enquiry.state == Enquiry.State.ERASED
    context: dict[str, Any] = {
        "enquiry": enquiry,
        "erased": erased,
        "timeline": cards.timeline_of(enquiry, events, names),
        "forms": {} if erased else _forms(enquiry, member) | ({name: form} if form else {}),
        "form": form if seen is None else None,
        "which": name,
    }
    if seen is not None:
        writes = [event for event in events if event.verb not in ("call late", "sent the form")]
        newer = writes[-(enquiry.version - seen) :] if enquiry.version > seen else []
        context["meanwhile"] = [cards.said_of(event, names) for event in newer]
        context["changed"] = True
    if not erased:
        context |= _findings(enquiry, form)
    return render(request, "inbox/card.html", context, status=200 if seen is None else 409)


def _forms(enquiry: Enquiry, member: Member) -> dict[str, Form]:
    version = {"version": enquiry.version}
    if not enquiry.is_open:
        return {"reopen": ReopenForm(prefix="reopen", initial=version)}
    return {
        "call": AttemptForm(prefix="call", initial=version),
        "hand": HandOverForm(prefix="hand", initial=version),
        "refer": ReferralForm(prefix="refer", initial=version),
        "decide": DecisionForm(prefix="decide", initial=version, only_declined=not may(member, "decide")),
    }


def _findings(enquiry: Enquiry, form: Form | None) -> dict[str, Any]:
    assessment, reviews = enquiry.assessment, list(enquiry.reviews.all())
    groups = cards.groups_of(assessment, reviews)
    for finding in (found for group in groups for found in group.findings if found["may_rule_out"]):
        criterion = finding["criterion_id"]
        finding["form"] = RuleOutForm(criterion=criterion, initial={"version": enquiry.version})
        if isinstance(form, RuleOutForm) and form.criterion == criterion:
            finding["form"], finding["typed"] = form, True
    then = cards.after_reviews(enquiry, reviews)
    evidence = public_words.statements
    signed = Signature.objects.filter(item=f"rules {assessment['rule_set_version']}").select_related("by").first()
    return {
        "answers": cards.answers_of(enquiry),
        "groups": groups,
        "act_first": [f for group in groups[:1] for f in group.findings if f["category"] == "urgent"],
        "disposition": cards.DISPOSITIONS[assessment["disposition"]],
        "disposition_now": cards.DISPOSITIONS[then] if then else "",
        "blanks": [cards.wording(question) for question in assessment["blanks"]],
        "unsure": [cards.wording(question) for question in assessment["unsure"]],
        "contradictions": assessment["contradictions"],
        "unknown": cards.unknown_of(assessment["unknown"]),
        "unknown_count": len(assessment["unknown"]),
        "later": cards.unknown_of(assessment["not_asked_yet"]),
        "later_count": len(assessment["not_asked_yet"]),
        "interactions": cards.interactions_of(assessment),
        "unrecognised": assessment["unrecognised_medicines"],
        "unclear": assessment["unclear_medicines"],
        "screen": cards.screen_of(assessment),
        "rule_set_version": assessment["rule_set_version"],
        "assessed_on": date.fromisoformat(assessment["today"]),
        "signed": signed,
        "short": evidence("short-answer", "uncounted"),
        "first_line": evidence("guideline-therapy", "guideline-sertraline", "guideline-venlafaxine"),
        "found": evidence("small-trial", "pooled"),
        "not_found": evidence("largest-trial", "fades", "no-contest", "guideline-ketamine", "off-label", "long-term"),
        **before_a_course(enquiry),
        "harms": evidence("feel-strange", "common-harms", "spray-numbers", "grave-harms", "no-driving"),
    }


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user
