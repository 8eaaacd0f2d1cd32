"""Indexes that the inbox and the promises page read alone, and why a record was kept."""

from django.db import migrations, models
from django.db.models import Q

import reprieve.web.encryption


class Migration(migrations.Migration):
    """No row changes."""

    dependencies = [("web", "0002_audit_triggers")]
    operations = [
        migrations.AddField(
            model_name="enquiry",
            name="kept_because",
            field=reprieve.web.encryption.EncryptedText(default=""),
        ),
        migrations.RemoveIndex(model_name="enquiry", name="promises"),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                fields=["owner", "urgency", "due_at", "id"], condition=Q(is_open=True), name="owned_in_order"
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["-closed_at", "-id"], condition=Q(is_open=False), name="closed_in_order"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["promised_at", "first_called_at", "closed_at"], name="promises_kept"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                fields=["erasure_asked_at"], condition=Q(erasure_asked_at__isnull=False), name="erasures_asked"
            ),
        ),
    ]
