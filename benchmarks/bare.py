"""The smallest Django that puts a form into a row: what the benchmark measures Reprieve against.

One model, one ModelForm, the middleware that `django-admin startproject` sets up, the same server, the same database,
synchronous FULL. No encryption, no rules, no audit, no deadline.
"""

import os

import dj_database_url
from django.conf import settings

if not settings.configured:
    database = dj_database_url.parse(os.environ["BARE_DATABASE_URL"], conn_max_age=None)
    if "sqlite" in database["ENGINE"]:
        init = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"
        database["OPTIONS"] = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": init}
    settings.configure(
        SECRET_KEY="bare",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    import django

    django.setup()

from django import forms
from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path


class Answer(models.Model):
    """A row."""

    name = models.CharField(max_length=80)
    phone = models.CharField(max_length=40)
    answers = models.TextField()

    class Meta:
        app_label = "bare"


class AnswerForm(forms.ModelForm):
    """A form."""

    class Meta:
        model = Answer
        fields = ["name", "phone", "answers"]


def send(request):
    """Validate, save, redirect."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return HttpResponse(str(form.errors), status=400)
    with transaction.atomic():
        form.save()
    return HttpResponseRedirect("/done/")


urlpatterns = [path("send/", send), path("", lambda request: HttpResponse("ready"))]
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Answer)
