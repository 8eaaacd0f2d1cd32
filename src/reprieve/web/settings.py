"""Every setting of the clinic's server. A bad or missing value stops the start and says which name to set.

Names that a clinic may set are listed in docs/reference/settings.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF

from reprieve.web.secrets import SettingError, load, setting

HERE = Path(__file__).resolve().parent

MODE = setting(os.environ, "REPRIEVE_MODE", "local")
if MODE not in ("local", "production"):
    raise SettingError(f"REPRIEVE_MODE is {MODE!r}; set it to local (one machine, no TLS) or production")
PRODUCTION = MODE == "production"

DATA_DIR = Path(setting(os.environ, "REPRIEVE_DATA_DIR", "data")).absolute()
SECRETS = load(os.environ, DATA_DIR, PRODUCTION)
SECRET_KEY = SECRETS["REPRIEVE_SECRET_KEY"]
FIELD_KEYS = [key.strip() for key in SECRETS["REPRIEVE_FIELD_KEYS"].split(",")]
AUDIT_KEY = SECRETS["REPRIEVE_AUDIT_KEY"]

DEBUG = False
HOST = setting(os.environ, "HOST", "127.0.0.1")
PORT = setting(os.environ, "PORT", "8000")
ALLOWED_HOSTS = [name for name in setting(os.environ, "REPRIEVE_HOSTS").split(",") if name]
if PRODUCTION and not ALLOWED_HOSTS:
    raise SettingError("REPRIEVE_HOSTS is not set; set it to the names people type, such as forms.clinic.example")
if "*" in ALLOWED_HOSTS:
    raise SettingError("REPRIEVE_HOSTS holds *, which lets anybody forge the private links; list the names people type")
if not PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]", HOST]
BASE_URL = setting(os.environ, "REPRIEVE_URL", f"https://{ALLOWED_HOSTS[0]}" if PRODUCTION else f"http://{HOST}:{PORT}")
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in ALLOWED_HOSTS] if PRODUCTION else []
TRUST_PROXY = setting(os.environ, "REPRIEVE_TRUST_PROXY", "no") == "yes"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_tasks",
    "django_tasks_db",
    "reprieve.web",
]

MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "reprieve.web.middleware.calm_failures",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "reprieve.web.middleware.staff_door",
]

ROOT_URLCONF = "reprieve.web.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reprieve.web.context.everywhere",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

DATABASES = {
    "default": dj_database_url.parse(
        setting(os.environ, "DATABASE_URL") or f"sqlite:///{DATA_DIR / 'reprieve.sqlite3'}",
        conn_max_age=None,
        conn_health_checks=True,
        disable_server_side_cursors=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"] |= {
        "ENGINE": "reprieve.web.sqlite",
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            "timeout": 5,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-20000",
        },
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "web_cache"}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Staff log-in. The person who asks needs no account.
AUTH_USER_MODEL = "web.Member"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "inbox"
ACCOUNT_ADAPTER = "reprieve.web.door.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # whoever finds a screen open cannot change the address of the password mail
ACCOUNT_RATE_LIMITS = {
    "login_failed": "60/m/ip",  # axes locks one name from one address, not a whole clinic
    "second_step": "10/300s/key",  # wrong codes of one member, from wherever they come
}
_FORMS = "reprieve.web.forms_account."
ACCOUNT_FORMS = {
    "login": _FORMS + "LoginForm",
    "reauthenticate": _FORMS + "ReauthenticateForm",
    "change_password": _FORMS + "ChangePasswordForm",
    "reset_password": _FORMS + "ResetPasswordForm",
    "reset_password_from_key": _FORMS + "ResetPasswordKeyForm",
}
MFA_FORMS = {
    "authenticate": _FORMS + "AuthenticateForm",
    "reauthenticate": _FORMS + "ReauthenticateCodeForm",
    "activate_totp": _FORMS + "ActivateTOTPForm",
    "add_webauthn": _FORMS + "AddWebAuthnForm",
    "edit_webauthn": _FORMS + "EditWebAuthnForm",
}
MFA_ADAPTER = "reprieve.web.door.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_TOTP_ISSUER = "Reprieve"
REQUIRE_SECOND_STEP = setting(os.environ, "REPRIEVE_REQUIRE_SECOND_STEP", "yes" if PRODUCTION else "no") == "yes"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "reprieve.web.door.tried_name"
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "reprieve.web.door.address_of"
AXES_DISABLE_ACCESS_LOG = True  # log-ins stand in the audit trail
SILENCED_SYSTEM_CHECKS = [] if PRODUCTION else ["security.W004", "security.W008", "security.W012", "security.W016"]

SESSION_COOKIE_AGE = 60 * int(setting(os.environ, "REPRIEVE_SESSION_MINUTES", "30"))
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "reprieve.web.views.failures.stale_form"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_HANDLERS = ["reprieve.web.middleware.NoFiles"]
CLINIC_SECONDS = 1.0  # how long a process may go on with the clinic's settings that it read
FORM_POSTS_PER_MINUTE = int(setting(os.environ, "REPRIEVE_FORM_POSTS_PER_MINUTE", "120"))

_smtp = dj_email_url.parse(setting(os.environ, "REPRIEVE_SMTP_URL", "console:"))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _smtp["EMAIL_BACKEND"], _smtp["EMAIL_HOST"], _smtp["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _smtp["EMAIL_HOST_USER"], _smtp["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _smtp["EMAIL_USE_TLS"], _smtp["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = setting(os.environ, "REPRIEVE_FROM_EMAIL", "reprieve@localhost")

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Logs name the view and the failure, never what a person wrote: no query strings, bodies or local variables.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_health": {"()": "reprieve.web.logs.NoHealthContent"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["no_health"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}
DEFAULT_EXCEPTION_REPORTER_FILTER = "django.views.debug.SafeExceptionReporterFilter"
