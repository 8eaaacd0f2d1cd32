"""What happens without anybody at the screen: telling the team, chasing late calls, forgetting what is old.

All of it happens in the jobs worker (`reprieve jobs`). It looks at the enquiries every few seconds, so nothing depends
on a message that could get lost. Sending a notice is a job in the database. Everything here may run twice without
harm: it looks at the rows first. A worker that was killed finds its unfinished jobs again when it starts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from reprieve.web import notices
from reprieve.web.deadlines import Urgency
from reprieve.web.models import Clinic, Draft, Enquiry, Event, Hit, Member, Notice, PreConsultation, Role
from reprieve.web.models.enquiry import DRAFT_DAYS
from reprieve.web.models.versioned import SYSTEM

WATCH_SECONDS = 3
AT_ONCE = 100
LATE_AGAIN = {  # how long after one notice of a late call the next one comes, in staffed hours
    Urgency.IMMEDIATE: timedelta(minutes=15),
    Urgency.SAME_DAY: timedelta(hours=1),
    Urgency.NEXT_BUSINESS_DAY: timedelta(days=1),
    Urgency.ROUTINE: timedelta(days=1),
}


def watch() -> None:
    """Tell the team of enquiries that just arrived, and the next person of calls that are late. Every few seconds."""
    on_call = list(Member.objects.on_call())
    if on_call:
        for enquiry in Enquiry.objects.filter(is_open=True, told_at__isnull=True)[:AT_ONCE]:
            tell_team(enquiry, on_call)
    now = timezone.now()
    Hit.forget(now)
    for enquiry in Enquiry.objects.late(now).filter(_not_chased_lately(now))[:AT_ONCE]:
        chase(enquiry, on_call, now)


def _not_chased_lately(now: datetime) -> Q:
    due = Q(chased_at__isnull=True)
    if Clinic.current().is_staffed(now):
        for urgency, pause in LATE_AGAIN.items():
            due |= Q(urgency=urgency, chased_at__lt=now - pause)
    return due


@transaction.atomic
def tell_team(enquiry: Enquiry, on_call: list[Member]) -> None:
    """Tell the first member on call that somebody waits; everybody, when it is urgent."""
    if Enquiry.objects.filter(pk=enquiry.pk, told_at__isnull=True).update(told_at=timezone.now()):
        _tell(enquiry, Notice.Kind.NEW, on_call if enquiry.urgency == Urgency.IMMEDIATE else on_call[:1])


@transaction.atomic
def chase(enquiry: Enquiry, on_call: list[Member], now: datetime) -> None:
    """A promised call has not been made: tell the next person on call, and the owner."""
    seen = {"pk": enquiry.pk, "escalations": enquiry.escalations}
    step = enquiry.escalations + 1
    if not Enquiry.objects.filter(**seen).update(escalations=step, chased_at=now):
        return
    Event.record(SYSTEM, "call late", enquiry.subject, step=step)
    next_person = on_call[min(step, len(on_call) - 1)] if on_call else None
    _tell(enquiry, Notice.Kind.LATE, [member for member in (next_person, enquiry.owner) if member and member.is_active])


@task()
def tell_owner(enquiry_id: int, member_id: int) -> None:
    """Tell a member that an enquiry was handed to them."""
    _tell(Enquiry.objects.get(pk=enquiry_id), Notice.Kind.YOURS, [Member.objects.get(pk=member_id)])


@task()
def tell_privacy_lead(enquiry_id: int) -> None:
    """Tell the privacy leads that a person asked to be erased."""
    leads = list(Member.objects.filter(role=Role.PRIVACY_LEAD, is_active=True))
    _tell(Enquiry.objects.get(pk=enquiry_id), Notice.Kind.ERASURE, leads)


@task()
def send(notice_id: int) -> None:
    """Send a notice; when the channel fails, keep it waiting and try again, each time a little later."""
    notice = Notice.objects.select_related("enquiry", "member").filter(pk=notice_id).first()
    if notice is None or notice.state != Notice.State.WAITING:
        return
    notice.tries += 1
    try:
        notices.deliver(notice, Clinic.current())
    except Exception as problem:  # whatever it was, the notice stays and is tried again
        notice.problem = type(problem).__name__
        if notice.tries >= notices.MAX_TRIES:
            notice.state = Notice.State.GIVEN_UP
        else:
            later = timezone.now() + timedelta(seconds=min(15 * 2**notice.tries, 3600))
            send.using(run_after=later).enqueue(notice_id)
    notice.save(update_fields=["state", "tries", "problem", "sent_at"])


@task()
def send_pre_consultation(form_id: int, tries: int = 0) -> None:
    """Send the link to the second form; when mail fails, try again, each time a little later."""
    form = PreConsultation.objects.select_related("enquiry").filter(pk=form_id).first()
    now = timezone.now()
    if form is None or form.sent_at is not None or not form.is_open(now):
        return
    address = (form.enquiry.contact or {}).get("email")
    if not address:
        return
    try:
        notices.send_form_link(address, f"{settings.BASE_URL}{reverse('before', args=[form.token])}")
    except Exception as problem:  # whatever it was, the team sees it on the card and can read the link out
        PreConsultation.objects.filter(pk=form_id).update(problem=type(problem).__name__)
        if tries < notices.MAX_TRIES:
            later = now + timedelta(seconds=min(15 * 2**tries, 3600))
            send_pre_consultation.using(run_after=later).enqueue(form_id, tries + 1)
        return
    PreConsultation.objects.filter(pk=form_id).update(sent_at=now, problem="")


@task()
def forget() -> None:
    """Every day: delete old drafts, and erase enquiries that were closed long ago."""
    now = timezone.now()
    forget.using(run_after=now + timedelta(days=1)).enqueue()
    Draft.objects.filter(updated_at__lt=now - timedelta(days=DRAFT_DAYS)).delete()
    closed_before = now - timedelta(days=Clinic.current().keep_closed_days)
    AccessAttempt.objects.filter(attempt_time__lt=now - timedelta(days=1)).delete()
    old = Enquiry.objects.filter(is_open=False, closed_at__lt=closed_before).exclude(state=Enquiry.State.ERASED)
    for enquiry in old.only("version", "draft_key", "closed_at"):
        enquiry.erase(SYSTEM, now)
    call_command("prune_db_task_results", verbosity=0, min_age_days=14)
    call_command("clearsessions", verbosity=0)


def recover() -> None:
    """Put back what a killed worker left half done, and make sure that the daily job and every notice have a job."""
    DBTaskResult.objects.filter(status="RUNNING").update(status="READY", started_at=None)
    waiting = DBTaskResult.objects.filter(status="READY")
    if not waiting.filter(task_path=forget.module_path).exists():
        forget.enqueue()
    for pk in Notice.objects.filter(state=Notice.State.WAITING).values_list("pk", flat=True):
        if not waiting.filter(task_path=send.module_path, args_kwargs__args=[pk]).exists():
            send.enqueue(pk)


def _tell(enquiry: Enquiry, kind: Notice.Kind, members: list[Member]) -> None:
    for member in dict.fromkeys(members):
        for channel in [Notice.Channel.EMAIL] + ([Notice.Channel.APPRISE] if member.notice_url else []):
            with transaction.atomic():
                notice = Notice.objects.create(enquiry=enquiry, member=member, kind=kind, channel=channel)
                send.enqueue(notice.pk)
