"""Every table of the clinic's record."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("answers", models.TextField()),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(auto_now=True, db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=40)),
                ("verb", models.CharField(max_length=40)),
                ("subject", models.CharField(db_index=True, max_length=40)),
                ("detail", models.JSONField(default=dict)),
                ("previous", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64, unique=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(max_length=80)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("coordinator", "Coordinator"),
                            ("nurse", "Nurse"),
                            ("prescriber", "Prescriber"),
                            ("privacy_lead", "Privacy lead"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "manages",
                    models.BooleanField(default=False, help_text="may invite members and change the clinic's settings"),
                ),
                (
                    "call_order",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="told of new enquiries in this order; blank is never told", null=True
                    ),
                ),
                (
                    "notice_url",
                    models.TextField(blank=True, help_text="an Apprise address for texts, pager or chat", null=True),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Clinic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(default="The clinic", max_length=80)),
                ("phone", models.CharField(blank=True, max_length=40)),
                (
                    "country",
                    models.CharField(
                        default="US", help_text="ISO code; where the clinic may call people", max_length=2
                    ),
                ),
                (
                    "region",
                    models.CharField(blank=True, help_text="ISO code of the state, such as US-CT", max_length=6),
                ),
                ("time_zone", models.CharField(default="America/New_York", max_length=40)),
                ("opening_hours", models.JSONField(default=list)),
                ("closures", models.JSONField(blank=True, default=list)),
                ("urgent_minutes", models.PositiveSmallIntegerField(default=15)),
                ("same_day_minutes", models.PositiveSmallIntegerField(default=120)),
                ("routine_days", models.PositiveSmallIntegerField(default=2)),
                (
                    "keep_closed_days",
                    models.PositiveIntegerField(default=2555, help_text="then a closed enquiry is erased"),
                ),
                (
                    "leave_url",
                    models.CharField(
                        default="https://www.weather.gov/", help_text="where “Leave site” goes", max_length=200
                    ),
                ),
                (
                    "privacy_promise_checked",
                    models.BooleanField(
                        default=False,
                        help_text="counsel has checked the promise not to share drug answers with police or employers",
                    ),
                ),
                ("fictional", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_clinic")],
            },
        ),
        migrations.CreateModel(
            name="Enquiry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=8, unique=True)),
                ("draft_key", models.CharField(max_length=64, unique=True)),
                ("link_hash", models.CharField(max_length=64, unique=True)),
                ("link_expires_at", models.DateTimeField()),
                ("agreed_at", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField(db_index=True)),
                ("fictional", models.BooleanField(default=False)),
                ("answers", models.TextField()),
                ("contact", models.TextField()),
                ("assessment", models.TextField()),
                ("why", models.TextField(default="")),
                ("name_index", models.CharField(db_index=True, max_length=64)),
                ("country_region", models.CharField(max_length=6)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a call"),
                            ("trying", "Called, not reached yet"),
                            ("reached", "Spoken with"),
                            ("decided", "Decided"),
                            ("no_call", "Asked for no call"),
                            ("stopped", "Asked us to stop"),
                            ("erased", "Erased"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("is_open", models.BooleanField(default=True)),
                (
                    "urgency",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Urgent"), (1, "Same day"), (2, "Next day"), (3, "Routine")]
                    ),
                ),
                ("promised_at", models.DateTimeField(null=True)),
                ("first_called_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("chased_at", models.DateTimeField(null=True)),
                ("escalations", models.PositiveSmallIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("consult", "Consultation offered"),
                            ("not_now", "Not now"),
                            ("referred", "Referred elsewhere"),
                            ("declined", "Declined by the person"),
                        ],
                        max_length=10,
                    ),
                ),
                ("decision_words", models.TextField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("erasure_asked_at", models.DateTimeField(null=True)),
                ("kept_because", models.TextField(default="")),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="enquiries",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("text", "Text message"),
                            ("email", "E-mail"),
                            ("in_person", "In person"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("reached", "Spoke with the person"),
                            ("no_answer", "No answer"),
                            ("message", "Left a message, as they allowed"),
                            ("wrong", "Wrong number or address"),
                            ("call_back", "Asked us to call another time"),
                        ],
                        max_length=10,
                    ),
                ),
                ("note", models.TextField(blank=True, default="")),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "enquiry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="web.enquiry"
                    ),
                ),
            ],
            options={
                "ordering": ["at"],
            },
        ),
        migrations.CreateModel(
            name="Hit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64)),
                ("minute", models.DateTimeField(db_index=True)),
                ("count", models.PositiveIntegerField(default=1)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key", "minute"), name="one_count_a_minute")],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("coordinator", "Coordinator"),
                            ("nurse", "Nurse"),
                            ("prescriber", "Prescriber"),
                            ("privacy_lead", "Privacy lead"),
                        ],
                        max_length=20,
                    ),
                ),
                ("manages", models.BooleanField(default=False)),
                ("expires_at", models.DateTimeField()),
                (
                    "used_by",
                    models.OneToOneField(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("new", "A new enquiry waits"),
                            ("late", "A promised call is late"),
                            ("yours", "An enquiry was handed to you"),
                            ("erasure", "A person asked to be erased"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("email", "E-mail"), ("apprise", "Text, pager or chat")], max_length=10),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting to be sent"), ("sent", "Sent"), ("given_up", "Given up")],
                        db_index=True,
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=80)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "enquiry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="web.enquiry"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("to", models.TextField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("follow_up_on", models.DateField(blank=True, null=True)),
                ("accepted_on", models.DateField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "enquiry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="referrals", to="web.enquiry"
                    ),
                ),
            ],
            options={
                "ordering": ["at"],
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("criterion_id", models.CharField(max_length=10)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "enquiry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reviews", to="web.enquiry"
                    ),
                ),
            ],
            options={
                "ordering": ["at"],
            },
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item", models.CharField(db_index=True, max_length=120)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("by", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("is_open", True)), fields=["urgency", "due_at", "id"], name="waiting_in_order"
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("is_open", True), ("told_at__isnull", True)), fields=["id"], name="not_told_yet"
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("is_open", True)),
                fields=["owner", "urgency", "due_at", "id"],
                name="owned_in_order",
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("is_open", False)), fields=["-closed_at", "-id"], name="closed_in_order"
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["promised_at", "first_called_at", "closed_at"], name="promises_kept"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("erasure_asked_at__isnull", False)),
                fields=["erasure_asked_at"],
                name="erasures_asked",
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("decision", "")),
                    models.Q(
                        models.Q(("decision", ""), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="decision_has_person_and_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("is_open", True)),
                    models.Q(("closed_at__isnull", False), ("is_open", False)),
                    _connector="OR",
                ),
                name="closed_enquiry_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state", "sent")),
                    models.Q(("state", "sent"), _negated=True),
                    _connector="OR",
                ),
                name="sent_notice_has_a_time",
            ),
        ),
    ]
