"""The log-in library's own forms, in our words: labels above, placeholders empty."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context, ratelimit
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.core.exceptions import ValidationError


class _InOurWords:
    """Take out placeholders, and say the labels and hints as the rest of the site does."""

    words: ClassVar[dict[str, tuple[str, str]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields  # type: ignore[attr-defined]
        for name, field in fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label, field.help_text = self.words.get(name, (field.label, ""))


CODE = {"code": ("Code", "Six figures from your code app, or one of your spare codes.")}
NEW = "12 letters or more. Four words you can remember work well."


class LoginForm(_InOurWords, account.LoginForm):
    """E-mail and password."""

    words: ClassVar[dict[str, tuple[str, str]]] = {"login": ("E-mail", ""), "password": ("Password", "")}

    def clean(self) -> dict[str, Any]:
        """Whoever gave the wrong words is not told which of them was wrong."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError as problem:
            if getattr(problem, "code", "") != "email_password_mismatch":
                raise
            raise ValidationError("This e-mail and this password do not go together.", problem.code) from None
        return cleaned


class ReauthenticateForm(_InOurWords, account.ReauthenticateForm):
    """The password, once more."""

    words: ClassVar[dict[str, tuple[str, str]]] = {"password": ("Password", "")}


class ChangePasswordForm(_InOurWords, account.ChangePasswordForm):
    """The old password and a new one."""

    words: ClassVar[dict[str, tuple[str, str]]] = {
        "oldpassword": ("Password you use now", ""),
        "password1": ("New password", NEW),
        "password2": ("New password, once more", ""),
    }


class ResetPasswordForm(_InOurWords, account.ResetPasswordForm):
    """Where to send the link."""

    words: ClassVar[dict[str, tuple[str, str]]] = {"email": ("E-mail", "")}


class ResetPasswordKeyForm(_InOurWords, account.ResetPasswordKeyForm):
    """A new password."""

    words: ClassVar[dict[str, tuple[str, str]]] = {
        "password1": ("New password", NEW),
        "password2": ("New password, once more", ""),
    }


class AuthenticateForm(_InOurWords, mfa.AuthenticateForm):
    """The second step at log-in. Wrong codes are counted for the member, so that many addresses guess no faster."""

    words: ClassVar[dict[str, tuple[str, str]]] = CODE

    def clean_code(self) -> str:
        """A right code, unless there were too many wrong ones."""
        tries = {"action": "second_step", "key": f"member-{self.user.pk}"}
        if not ratelimit.consume(context.request, **tries):
            raise get_adapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()
        ratelimit.clear(context.request, **tries)
        return code


class ReauthenticateCodeForm(_InOurWords, mfa.ReauthenticateForm):
    """The second step, once more."""

    words: ClassVar[dict[str, tuple[str, str]]] = CODE


class ActivateTOTPForm(_InOurWords, totp.ActivateTOTPForm):
    """The first code of a new code app."""

    words: ClassVar[dict[str, tuple[str, str]]] = {"code": ("Code", "The six figures that the app shows now.")}


class AddWebAuthnForm(_InOurWords, webauthn.AddWebAuthnForm):
    """A name for a new passkey."""

    words: ClassVar[dict[str, tuple[str, str]]] = {
        "name": ("Name of the passkey", "Such as: work telephone."),
        "passwordless": ("Log in with it alone, without e-mail and password", ""),
    }


class EditWebAuthnForm(_InOurWords, webauthn.EditWebAuthnForm):
    """Another name for a passkey."""

    words: ClassVar[dict[str, tuple[str, str]]] = {"name": ("Name of the passkey", "")}
