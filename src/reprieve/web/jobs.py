"""What happens without anybody at the screen: telling the team, chasing late calls, forgetting what is old.

Jobs lie in the database and run in the jobs worker (`reprieve jobs`). Each may run twice without harm: it looks
at the rows first. A worker that was killed finds its unfinished jobs again when it starts.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.management import call_command
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from reprieve.web import notices
from reprieve.web.models import Clinic, Draft, Enquiry, Event, Hit, Member, Notice, Role
from reprieve.web.models.enquiry import DRAFT_DAYS, SYSTEM

LATE_AGAIN = timedelta(minutes=15)


@task()
def tell_team(enquiry_id: int) -> None:
    """Tell the first member on call of a new enquiry, and come back when its call is due."""
    enquiry = Enquiry.objects.filter(pk=enquiry_id, is_open=True).first()
    if enquiry is None or enquiry.due_at is None:
        return
    on_call = Member.objects.on_call()
    _tell(enquiry, Notice.Kind.NEW, list(on_call) if enquiry.urgency == 0 else list(on_call[:1]))
    chase.using(run_after=enquiry.due_at).enqueue(enquiry_id)


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
def chase(enquiry_id: int) -> None:
    """If a promised call has not been made, tell the next person, and look again later."""
    now = timezone.now()
    with transaction.atomic():
        enquiry = Enquiry.objects.select_for_update().filter(pk=enquiry_id, is_open=True).first()
        if enquiry is None or enquiry.due_at is None:
            return
        if enquiry.due_at > now:
            chase.using(run_after=enquiry.due_at).enqueue(enquiry_id)
            return
        on_call = list(Member.objects.on_call())
        step = min(enquiry.escalations + 1, max(len(on_call) - 1, 0))
        Enquiry.objects.filter(pk=enquiry_id).update(escalations=enquiry.escalations + 1)
        Event.record(SYSTEM, "call late", enquiry.subject, step=enquiry.escalations + 1)
    _tell(enquiry, Notice.Kind.LATE, [*on_call[step : step + 1], *([enquiry.owner] if enquiry.owner else [])])
    clinic = Clinic.current()
    chase.using(run_after=clinic.hours.next_opening(now + LATE_AGAIN)).enqueue(enquiry_id)


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
def forget() -> None:
    """Every day: delete old drafts and counts, and erase enquiries that were closed long ago."""
    now = timezone.now()
    forget.using(run_after=now + timedelta(days=1)).enqueue()
    Hit.forget(now)
    Draft.objects.filter(updated_at__lt=now - timedelta(days=DRAFT_DAYS)).delete()
    closed_before = now - timedelta(days=Clinic.current().keep_closed_days)
    old = Enquiry.objects.filter(is_open=False, closed_at__lt=closed_before).exclude(state=Enquiry.State.ERASED)
    for enquiry in old.iterator():
        enquiry.erase(None, now)
    call_command("prune_db_task_results", verbosity=0, min_age_days=14)
    call_command("clearsessions", verbosity=0)


def recover() -> None:
    """Put back what a killed worker left half done, and make sure that the daily job is there."""
    DBTaskResult.objects.filter(status="RUNNING").update(status="READY", started_at=None)
    waiting = DBTaskResult.objects.filter(status="READY")
    for pk in Notice.objects.filter(state=Notice.State.WAITING).values_list("pk", flat=True):
        if not waiting.filter(task_path=send.module_path, args_kwargs__args=[pk]).exists():
            send.enqueue(pk)
    if not waiting.filter(task_path=forget.module_path).exists():
        forget.enqueue()
    told = Q(notices__isnull=False)
    for pk in Enquiry.objects.filter(is_open=True).exclude(told).values_list("pk", flat=True)[:1000]:
        if not waiting.filter(task_path=tell_team.module_path, args_kwargs__args=[pk]).exists():
            tell_team.enqueue(pk)


def _tell(enquiry: Enquiry, kind: Notice.Kind, members: list[Member]) -> None:
    for member in dict.fromkeys(members):
        channels = [Notice.Channel.EMAIL] + ([Notice.Channel.APPRISE] if member.notice_url else [])
        for channel in channels:
            with transaction.atomic():
                if kind == Notice.Kind.NEW:
                    known = Notice.objects.filter(enquiry=enquiry, member=member, kind=kind, channel=channel)
                    if known.exists():
                        continue
                notice = Notice.objects.create(enquiry=enquiry, member=member, kind=kind, channel=channel)
                send.enqueue(notice.pk)
