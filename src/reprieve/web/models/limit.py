"""How often one address may post: counted in the database, so several processes share one count."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F


class Hit(models.Model):
    """Posts from one address within one minute. The address is kept as a keyed hash, for an hour."""

    key = models.CharField(max_length=64)
    minute = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "minute"], name="one_count_a_minute")]

    def __str__(self) -> str:
        return f"{self.count} at {self.minute}"

    @classmethod
    def count_one(cls, address: str, now: datetime) -> int:
        """Count a post from ``address`` and return how many it made in this minute."""
        key = hmac.new(settings.SECRET_KEY.encode(), address.encode(), hashlib.sha256).hexdigest()
        minute = now.replace(second=0, microsecond=0)
        hits = Hit.objects.filter(key=key, minute=minute)
        if not hits.update(count=F("count") + 1):
            Hit.objects.bulk_create([Hit(key=key, minute=minute)], ignore_conflicts=True)
        count: int = hits.values_list("count", flat=True).get()
        return count

    @classmethod
    def forget(cls, now: datetime) -> None:
        """Delete counts that are over an hour old."""
        old = Hit.objects.filter(minute__lt=now - timedelta(hours=1))
        if old.exists():
            old.delete()
