"""The words of a notice, and sending it. Never health content, never a name, never an answer."""

from __future__ import annotations

import apprise
from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from reprieve.web.models import Clinic, Notice

MAX_TRIES = 12


class NotDeliveredError(Exception):
    """The channel did not take the notice."""


def words(notice: Notice, clinic: Clinic) -> tuple[str, str]:
    """Subject and text of a notice."""
    due_at = notice.enquiry.due_at
    due = f" by {due_at.astimezone(clinic.zone):%H:%M on %a %d %b}" if due_at else ""
    sentence = {
        Notice.Kind.NEW: f"A person waits for a call{due}.",
        Notice.Kind.LATE: f"A call that was promised{due} has not been made.",
        Notice.Kind.YOURS: f"An enquiry is now yours. A call is due{due}." if due else "An enquiry is now yours.",
        Notice.Kind.ERASURE: "A person has asked us to erase their record.",
    }[Notice.Kind(notice.kind)]
    page = reverse("erasures") if notice.kind == Notice.Kind.ERASURE else reverse("inbox")
    return notice.get_kind_display(), f"{sentence}\n\nReference {notice.enquiry.reference}\n{settings.BASE_URL}{page}\n"


def send_form_link(address: str, link: str) -> None:
    """Send a person the link to a form. The message names neither the clinic nor what the form is about."""
    text = f"Your clinic has a form for you. It takes about 15 minutes, and you can stop in between:\n\n{link}\n"
    send_mail("A form from your clinic", text, settings.DEFAULT_FROM_EMAIL, [address])


def deliver(notice: Notice, clinic: Clinic) -> None:
    """Send one notice.

    Raises
    ------
    NotDeliveredError, or the channel's own failure : if it was not taken
    """
    subject, text = words(notice, clinic)
    if notice.channel == Notice.Channel.EMAIL:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [notice.member.email])
    else:
        post = apprise.Apprise()
        if not post.add(notice.member.notice_url or "") or not post.notify(title=subject, body=text):
            raise NotDeliveredError("apprise")
    notice.state, notice.sent_at, notice.problem = Notice.State.SENT, timezone.now(), ""
