"""The words of a message to a person, the way it goes, and sending it. Never health content, never an answer."""

from __future__ import annotations

import hashlib
from urllib.parse import quote, urlsplit

import apprise
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from reprieve.web.models import Clinic, Enquiry, Measure
from reprieve.web.models.measure import year_of_birth
from reprieve.web.notices import NotDeliveredError

EMAIL, TEXT = "e-mail", "text"
TELLS_TOO_MUCH = ("ketamin", "ptsd", "trauma", "psych", "mental", "suicid", "depress")  # in the name of a clinic


def way_to(enquiry: Enquiry, clinic: Clinic) -> str:
    """How a short form may reach the person: by e-mail, by text, or not at all (empty).

    An address that was given to reach them is used. A text goes only where they said that a message is safe. Without
    a year of birth nobody could tell the person from a stranger at the link, so nothing is sent.
    """
    contact = enquiry.contact or {}
    if not year_of_birth(enquiry):
        return ""
    if contact.get("email"):
        return EMAIL
    texts = clinic.text_url and contact.get("phone_e164") and contact.get("safe_to_leave_message") == "yes"
    return TEXT if texts else ""


def words(measure: Measure, clinic: Clinic) -> tuple[str, str]:
    """Subject and text. The link is all that it tells."""
    who = "Your clinic" if any(word in clinic.name.lower() for word in TELLS_TOO_MUCH) else clinic.name
    link = f"{settings.BASE_URL}{reverse('measure', args=[measure.token])}"
    stop = "To get no more of these, open the link and choose “Stop these messages”"
    stop += f", or call {clinic.phone}." if clinic.phone else "."
    return f"A short form from {who}", f"{who} has a short form for you: {link}\n\nIt takes about 3 minutes.\n{stop}\n"


def send(measure: Measure, number: str, clinic: Clinic) -> None:
    """Send one message. The same ``number`` gives the same Message-ID, by which a mailbox drops a second copy.

    Raises
    ------
    NotDeliveredError, or the channel's own failure : if it was not taken
    """
    enquiry = measure.course.enquiry
    subject, text = words(measure, clinic)
    if way_to(enquiry, clinic) == EMAIL:
        name = hashlib.sha256(f"{settings.SECRET_KEY} {number}".encode()).hexdigest()[:32]
        headers = {"Message-ID": f"<{name}@{urlsplit(settings.BASE_URL).hostname}>"}
        EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [enquiry.contact["email"]], headers=headers).send()
        return
    post = apprise.Apprise()
    address = (clinic.text_url or "").replace("{to}", quote(enquiry.contact.get("phone_e164", ""), safe="+"))
    if not post.add(address) or not post.notify(body=text):
        raise NotDeliveredError("apprise")
