"""The clinic's record, a file per subject."""

from reprieve.web.models.audit import Event
from reprieve.web.models.clinic import Clinic, Signature
from reprieve.web.models.consent import Consent, Consultation, PreConsultation
from reprieve.web.models.course import BaselineItem, Course, Entry, LimitSet, OtherTreatment, TreatmentSession
from reprieve.web.models.enquiry import Attempt, Draft, Enquiry, Referral, Review
from reprieve.web.models.limit import Hit
from reprieve.web.models.measure import Alert, Measure
from reprieve.web.models.member import Invitation, Member, Role
from reprieve.web.models.notice import Notice
from reprieve.web.models.stock import Lot, StockEntry
from reprieve.web.models.versioned import ChangedMeanwhileError

__all__ = [
    "Alert",
    "Attempt",
    "BaselineItem",
    "ChangedMeanwhileError",
    "Clinic",
    "Consent",
    "Consultation",
    "Course",
    "Draft",
    "Enquiry",
    "Entry",
    "Event",
    "Hit",
    "Invitation",
    "LimitSet",
    "Lot",
    "Measure",
    "Member",
    "Notice",
    "OtherTreatment",
    "PreConsultation",
    "Referral",
    "Review",
    "Role",
    "Signature",
    "StockEntry",
    "TreatmentSession",
]
