"""The clinic's record, a file per subject."""

from reprieve.web.models.audit import Event
from reprieve.web.models.clinic import Clinic, Signature
from reprieve.web.models.enquiry import Attempt, ChangedMeanwhileError, Draft, Enquiry, Referral, Review
from reprieve.web.models.limit import Hit
from reprieve.web.models.member import Invitation, Member, Role
from reprieve.web.models.notice import Notice

__all__ = [
    "Attempt",
    "ChangedMeanwhileError",
    "Clinic",
    "Draft",
    "Enquiry",
    "Event",
    "Hit",
    "Invitation",
    "Member",
    "Notice",
    "Referral",
    "Review",
    "Role",
    "Signature",
]
