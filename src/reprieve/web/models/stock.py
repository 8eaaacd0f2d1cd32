"""The controlled-drug log: lots, and rows that are only ever added to them.

Triggers in the database (migration 0004) refuse to change or delete a lot or a row. The audit event of each holds a
keyed seal over what was written, so a row that was changed behind the triggers shows.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from reprieve.treatment import stock
from reprieve.web.encryption import EncryptedText
from reprieve.web.models.audit import Event
from reprieve.web.models.course import TreatmentSession
from reprieve.web.models.member import Member

NOT_HELD = (TreatmentSession.State.MISSED, TreatmentSession.State.CALLED_OFF)
OVER = (TreatmentSession.State.ENDED, *NOT_HELD)


class LotQuerySet(models.QuerySet["Lot"]):
    """Reads over many lots."""

    def usable(self, today: date) -> list[Lot]:
        """Lots that may be drawn from today, with something left; the one that expires first comes first."""
        return [lot for lot in self.filter(expires_on__gte=today).with_rows() if lot.balance_ml > 0]

    def with_rows(self) -> LotQuerySet:
        """Each with its rows at hand."""
        rows = StockEntryQuerySet(StockEntry).with_sessions().defer("note")
        return self.prefetch_related(models.Prefetch("entries", rows))


class Lot(models.Model):
    """Vials of one lot: the same drug, strength and expiry."""

    number = models.CharField(max_length=40)
    product = models.CharField(max_length=80)
    mg_per_ml = models.DecimalField(max_digits=7, decimal_places=2)
    vial_ml = models.DecimalField(max_digits=7, decimal_places=2)
    expires_on = models.DateField()
    added_by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[models.Manager[Lot]] = LotQuerySet.as_manager()

    class Meta:
        ordering = ["expires_on", "number"]
        constraints = [
            models.CheckConstraint(condition=Q(mg_per_ml__gt=0, vial_ml__gt=0), name="lot_has_strength_and_size"),
            models.UniqueConstraint(
                fields=["number", "product", "mg_per_ml", "vial_ml", "expires_on"], name="one_lot_of_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"lot {self.number}"

    @classmethod
    @transaction.atomic
    def add(
        cls, member: Member, number: str, product: str, mg_per_ml: Decimal, vial_ml: Decimal, expires_on: date
    ) -> Lot:
        """A lot by what its vials say; the one that is in the log already, if it is.

        Raises
        ------
        StockError : if the log holds vials of this number that say something else
        """
        stock.Vials(number, mg_per_ml, vial_ml, expires_on)
        words = {"product": product, "mg_per_ml": mg_per_ml, "vial_ml": vial_ml, "expires_on": expires_on}
        Event.hold()
        there = list(cls.objects.filter(number=number).prefetch_related("entries"))
        same = [lot for lot in there if all(getattr(lot, name) == value for name, value in words.items())]
        if same:
            return same[0]
        for lot in there:
            if stock.in_effect(lot.rows):
                raise stock.StockError(
                    f"lot {number} is in the log as {lot.label}; mend what you typed, or take back the rows of that "
                    "lot first"
                )
        lot = cls.objects.create(number=number, added_by=member, **words)
        Event.record(member.actor, "added a lot", lot.subject, seal=lot.seal())
        return lot

    @property
    def subject(self) -> str:
        """How the audit trail names it."""
        return f"lot {self.pk}"

    @property
    def label(self) -> str:
        """What the vials say, such as "Ketamine 50 mg/mL, vials of 10 mL, good until 31 Jan 2028"."""
        until = f"{self.expires_on.day} {self.expires_on:%b %Y}"
        strength, size = stock.plain(self.mg_per_ml), stock.plain(self.vial_ml)
        return f"{self.product} {strength} mg/mL, vials of {size} mL, good until {until}"

    @property
    def vials(self) -> stock.Vials:
        """As the arithmetic takes it."""
        return stock.Vials(self.number, self.mg_per_ml, self.vial_ml, self.expires_on)

    @property
    def rows(self) -> list[stock.Row]:
        """Its rows as the arithmetic takes them, in the order they were written."""
        return [entry.row for entry in self.entries.all()]

    @property
    def balance_ml(self) -> Decimal:
        """What is in the safe."""
        return stock.balance_ml(self.rows)

    @property
    def discrepancies(self) -> tuple[stock.Discrepancy, ...]:
        """What does not add up."""
        entries = self.entries.all()
        ended = {entry.session_name for entry in entries if entry.session and entry.session.state in OVER}
        return stock.discrepancies(self.vials, [entry.row for entry in entries], ended)

    @property
    def inventory_due_on(self) -> date | None:
        """The day by which it must be counted again; None if nothing is left."""
        return stock.inventory_due_on(self.rows)

    @property
    def is_expired(self) -> bool:
        """Whether it may no longer be used, by the clinic's day."""
        return self.vials.is_expired(timezone.localdate())

    def seal(self) -> str:
        """Keyed hash of what was written."""
        numbers = [f"{self.mg_per_ml:.2f}", f"{self.vial_ml:.2f}", self.expires_on.isoformat()]
        return _seal("lot", self.pk, self.number, self.product, *numbers, self.added_by_id, _moment(self.added_at))


class StockEntryQuerySet(models.QuerySet["StockEntry"]):
    """Reads over many rows."""

    def of_session(self, session: TreatmentSession) -> StockEntryQuerySet:
        """What was drawn, given and wasted for one session, with all that was taken back."""
        own = Q(session=session) | Q(reverses__session=session)
        return self.filter(own).with_sessions().select_related("lot")

    def with_sessions(self) -> StockEntryQuerySet:
        """With what names the session of each row; what is encrypted in it stays so."""
        columns = ("number", "state", "course__enquiry__reference")
        sessions = TreatmentSession.objects.select_related("course__enquiry").only(*columns)
        return self.prefetch_related(models.Prefetch("session", sessions))

    def accounts(self) -> list[tuple[Lot, stock.Account]]:
        """What became of the drug, lot by lot: ``StockEntry.objects.of_session(session).accounts()``."""
        found = []
        lots: dict[Lot, list[stock.Row]] = {}
        for entry in self:
            lots.setdefault(entry.lot, []).append(entry.row)
        for lot, rows in lots.items():
            found += [(lot, account) for account in stock.accounts(rows).values()]
        return found


class StockEntry(models.Model):
    """One row of the log. Rows are never changed or deleted; a wrong one is taken back by a row that reverses it."""

    class Kind(models.TextChoices):
        """What happened to the drug."""

        RECEIPT = "receipt", "Received"
        DRAWN = "drawn", "Drawn up"
        GIVEN = "given", "Given"
        WASTED = "wasted", "Wasted"
        RETURNED = "returned", "Returned to the supplier"
        INVENTORY = "inventory", "Counted"
        REVERSAL = "reversal", "Taken back"

    uid = models.UUIDField(unique=True)  # a form sent twice is one row
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=Kind)
    ml = models.DecimalField(max_digits=9, decimal_places=2)  # of an inventory: what was counted
    session = models.ForeignKey(TreatmentSession, models.PROTECT, null=True, related_name="stock_entries")
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    witness = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    note = EncryptedText(default="")

    objects: ClassVar[models.Manager[StockEntry]] = StockEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "stock entry"
        verbose_name_plural = "stock entries"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(kind="wasted") | models.Q(witness__isnull=False), name="waste_has_a_witness"
            ),
            models.CheckConstraint(
                condition=models.Q(witness__isnull=True) | ~models.Q(witness=models.F("by")),
                name="witness_is_another_person",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="reversal", reverses__isnull=False)
                | ~models.Q(kind="reversal") & models.Q(reverses__isnull=True),
                name="reversal_names_a_row",
            ),
            models.CheckConstraint(condition=~Q(kind="given") | Q(session__isnull=False), name="given_in_a_session"),
            models.CheckConstraint(
                condition=Q(ml__gt=0) | Q(ml=0, kind__in=["inventory", "reversal"]), name="row_has_an_amount"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.ml} mL of {self.lot}"

    @classmethod
    @transaction.atomic
    def keep(
        cls,
        member: Member,
        lot: Lot,
        kind: str,
        ml: Decimal,
        *,
        uid: UUID,
        session: TreatmentSession | None = None,
        witness: Member | None = None,
        note: str = "",
        reverses: StockEntry | None = None,
    ) -> StockEntry:
        """Add a row, with its audit event. A row of this ``uid`` that is there already is returned as it stands.

        The lot is locked meanwhile, so two who draw at once cannot take more than there is.

        Parameters
        ----------
        witness : who saw it, having confirmed it with their own password; waste needs one

        Raises
        ------
        StockError : if the row cannot be true of the lot, or may not stand without a witness; says the numbers and
            the way out
        """
        locked = LotQuerySet(Lot).with_rows().select_for_update().get(pk=lot.pk)
        sent_before = cls.objects.filter(uid=uid).first()
        if sent_before is not None:
            of_session = session.pk if session else None
            if (sent_before.lot_id, sent_before.kind, sent_before.ml, sent_before.session_id) != (
                lot.pk,
                kind,
                ml,
                of_session,
            ):
                raise stock.StockError("this form was used for another row; open it anew and write the row again")
            return sent_before
        _check_people(member, kind, witness)
        if session is not None and session.state in NOT_HELD:
            words = TreatmentSession.State(session.state).label.lower()
            raise stock.StockError(f"{session} is {words}; choose a session that takes place")
        entry = cls(
            uid=uid, lot=locked, kind=kind, ml=ml, session=session, reverses=reverses, by=member, witness=witness
        )
        entry.note = note
        stock.check_addition(locked.vials, locked.rows, entry.row)
        entry.save(force_insert=True)
        del entry.row  # it has its number now
        Event.record(member.actor, f"drug log: {entry.get_kind_display().lower()}", entry.subject, seal=entry.seal())
        return entry

    def reverse(self, member: Member, why: str, *, uid: UUID) -> StockEntry:
        """Take this row back with a row that undoes it; both stay.

        Raises
        ------
        StockError : without a reason, if it was taken back already, or if the log would no longer add up
        """
        if not why.strip():
            raise stock.StockError("no reason; write why this row is wrong")
        reversal = self.Kind.REVERSAL
        return StockEntry.keep(member, self.lot, reversal, self.ml, uid=uid, note=why.strip(), reverses=self)

    @property
    def subject(self) -> str:
        """How the audit trail names it."""
        return f"stock entry {self.pk}"

    @cached_property
    def row(self) -> stock.Row:
        """As the arithmetic takes it, on the clinic's day."""
        on = timezone.localtime(self.at).date()
        return stock.Row(self.pk or 0, stock.Kind(self.kind), self.ml, on, self.session_name, self.reverses_id)

    @property
    def session_name(self) -> str:
        """How the arithmetic names the session, such as "R7K2-4QX, session 3 of course 12"; empty for none."""
        return f"{self.session.course.enquiry.reference}, {self.session}" if self.session else ""

    @property
    def amount(self) -> str:
        """In both units, such as "0.70 mL (35 mg)"."""
        return self.lot.vials.amount(self.ml)

    def seal(self) -> str:
        """Keyed hash of what was written."""
        who = [self.by_id, self.witness_id, _moment(self.at), self.note]
        return _seal(
            self.pk, str(self.uid), self.lot_id, self.kind, f"{self.ml:.2f}", self.session_id, self.reverses_id, *who
        )

    @classmethod
    def broken(cls) -> Iterator[str]:
        """A sentence for each row or lot that is not as it was written, and for what does not add up."""
        for model in (Lot, cls):
            name = str(model._meta.verbose_name)
            told = Event.objects.filter(subject__startswith=f"{name} ").values_list("subject", "detail")
            seals = {subject: detail["seal"] for subject, detail in told if "seal" in detail}
            for one in model._default_manager.iterator():
                if seals.pop(one.subject, "") != one.seal():
                    yield f"{one.subject} of the drug log is not as the audit trail tells of it"
            for subject in seals:
                yield f"{subject} of the drug log is gone, and the audit trail tells of it"
        for lot in LotQuerySet(Lot).with_rows():
            yield from (one.words for one in lot.discrepancies if one.kind not in ("expired", "count differs"))


def _check_people(member: Member, kind: str, witness: Member | None) -> None:
    from reprieve.web.door import may

    if kind == StockEntry.Kind.WASTED and witness is None:
        raise stock.StockError(
            "waste without a witness; ask a colleague who may keep the drug log to watch and confirm"
        )
    if witness is not None and witness.pk == member.pk:
        raise stock.StockError(f"{member} cannot be their own witness; ask a colleague")
    if witness is not None and not may(witness, "keep the drug log"):
        raise stock.StockError(f"{witness} may not keep the drug log; ask a colleague who may")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _seal(*written: Any) -> str:
    return hmac.new(settings.AUDIT_KEY.encode(), json.dumps(written).encode(), hashlib.sha256).hexdigest()
