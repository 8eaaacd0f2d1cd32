"""The controlled-drug log: lots, and rows that are only ever added to them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from reprieve.web.encryption import EncryptedText
from reprieve.web.models.course import TreatmentSession
from reprieve.web.models.member import Member


class Lot(models.Model):
    """Vials of one lot: the same drug, strength and expiry."""

    number = models.CharField(max_length=40, unique=True)
    product = models.CharField(max_length=80)
    mg_per_ml = models.DecimalField(max_digits=7, decimal_places=2)
    vial_ml = models.DecimalField(max_digits=7, decimal_places=2)
    expires_on = models.DateField()
    added_by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["expires_on", "number"]

    def __str__(self) -> str:
        return f"lot {self.number}"


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
    session = models.ForeignKey(TreatmentSession, models.SET_NULL, null=True, related_name="stock_entries")
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    witness = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    note = EncryptedText(default="")

    class Meta:
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
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.ml} mL of {self.lot}"
