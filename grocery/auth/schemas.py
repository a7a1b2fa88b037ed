"""What people send and get in /auth."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.auth.models import NOTIFY_BY, ROLES
from grocery.auth.passwords import MAX_LENGTH, MIN_LENGTH
from grocery.auth.people import normalize_email
from grocery.auth.second_factor.fields import RecoveryCode, TotpCode
from grocery.config import LANGUAGES
from grocery.fields import Boolean, Id, Integer, Name, Phone, Schema, Text, Timestamp
from grocery.paging import PageArgsSchema

MAX_EMAIL_LENGTH = 254

_PHONE = "Any usual writing; kept in E.164. A contact only: it does not sign in before it is verified."

_LANGUAGE = "Of messages: English or Swahili; null for the shop's own."
_NOTIFY_BY = (
    "How news of orders come. `sms`: by e-mail only where an SMS does not arrive. A way for which there is no address "
    "is replaced by the other one."
)
_MARKETING = "Whether offers may come this way. Nobody is asked to want them: false until it is said."


class Email(Text):
    """An e-mail address, in lower case inside."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("validate", []).extend([validate.Length(max=MAX_EMAIL_LENGTH), validate.Email()])
        kwargs["metadata"] = {"format": "email", **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        # Normalising takes quadratic time for long runs of combining marks: a megabyte of them would take minutes.
        if len(text) > MAX_EMAIL_LENGTH:
            raise ValidationError(f"Longer than maximum length {MAX_EMAIL_LENGTH}.")
        email = normalize_email(text)
        # Quoted local parts may hold spaces and control characters: valid by RFC 5321, in use by nobody but attackers.
        if '"' in email or not email.isprintable():
            raise ValidationError("Not a valid email address.")
        return email


class Password(fields.String):
    """Taken as it is: spaces around it are part of it."""

    def __init__(self, *, min_length: int = 1, **kwargs: Any):
        kwargs["validate"] = [validate.Length(min=min_length, max=MAX_LENGTH)]
        kwargs["metadata"] = {
            "format": "password",
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
            **kwargs.get("metadata", {}),
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            raise ValidationError("Must not have control characters.")
        return text


class CodeOfSms(Text):
    """Six digits, and only the ten of ASCII."""

    def __init__(self, **kwargs: Any):
        kwargs["validate"] = [validate.Regexp("^[0-9]{6}$", error="Must be the six digits of the SMS.")]
        super().__init__(**kwargs)


class RequestToken(Text):
    """Which request a code of an SMS came from."""

    def __init__(self, **kwargs: Any):
        kwargs["validate"] = [validate.Length(min=1, max=200)]
        description = "What the request for this code answered: nobody else can use up its tries."
        super().__init__(load_default=None, metadata={"description": description}, **kwargs)


class CustomerSchema(Schema):
    """A person with an account."""

    id = Id(required=True)
    name = Name(required=True)
    email = Email(required=True, allow_none=True)
    phone = Text(required=True, allow_none=True, metadata={"description": "In E.164."})
    is_phone_verified = Boolean(required=True, metadata={"description": "Whether the phone can sign in."})
    is_email_verified = Boolean(required=True)
    role = Text(required=True, validate=validate.OneOf(ROLES))
    is_active = Boolean(required=True)
    language = Text(
        required=True, allow_none=True, validate=validate.OneOf(LANGUAGES), metadata={"description": _LANGUAGE}
    )
    notify_by = Text(required=True, validate=validate.OneOf(NOTIFY_BY), metadata={"description": _NOTIFY_BY})
    marketing_sms = Boolean(required=True, metadata={"description": _MARKETING})
    marketing_email = Boolean(required=True, metadata={"description": _MARKETING})
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)


class RegisterSchema(Schema):
    name = Name(required=True)
    email = Email(required=True)
    password = Password(required=True, min_length=MIN_LENGTH)
    phone = Phone(load_default=None, allow_none=True, metadata={"description": _PHONE})
    language = Text(
        load_default=None, allow_none=True, validate=validate.OneOf(LANGUAGES), metadata={"description": _LANGUAGE}
    )
    marketing_sms = Boolean(load_default=False, metadata={"description": _MARKETING})
    marketing_email = Boolean(load_default=False, metadata={"description": _MARKETING})


class LoginSchema(Schema):
    email = Text(
        required=True,
        validate=validate.Length(min=1, max=MAX_EMAIL_LENGTH),
        metadata={"description": "The e-mail address, or a verified phone number."},
    )
    password = Password(required=True)
    totp = TotpCode(metadata={"description": "With a second factor: what the authenticator app shows now."})
    recovery_code = RecoveryCode(metadata={"description": "Instead of `totp`: one of the recovery codes."})


class TokenPairSchema(Schema):
    access_token = Text(required=True, metadata={"description": "For `Authorization: Bearer …`."})
    refresh_token = Text(required=True, metadata={"description": "For `POST /auth/refresh`, once, within 30 days."})
    token_type = Text(required=True, validate=validate.Equal("Bearer"))
    expires_in = Integer(required=True, metadata={"description": "Seconds that the access token lives."})


class UpdateMeSchema(Schema):
    name = Name()
    phone = Phone(allow_none=True, metadata={"description": _PHONE})
    language = Text(allow_none=True, validate=validate.OneOf(LANGUAGES), metadata={"description": _LANGUAGE})
    notify_by = Text(validate=validate.OneOf(NOTIFY_BY), metadata={"description": _NOTIFY_BY})
    marketing_sms = Boolean(metadata={"description": _MARKETING})
    marketing_email = Boolean(metadata={"description": _MARKETING})


class EraseMeSchema(Schema):
    password = Password(metadata={"description": "The current password, to confirm."})
    code = CodeOfSms(metadata={"description": "Instead: a code that `POST /auth/otp` sent to one's verified phone."})
    request_token = RequestToken()

    @validates_schema(skip_on_field_errors=True)
    def _check_that_one_is_sent(self, body: dict[str, Any], **_: Any) -> None:
        if len(body.keys() - {"request_token"}) != 1:
            raise ValidationError("Send this, or a code, and not both.", "password")


class ChangePasswordSchema(Schema):
    current_password = Password(
        load_default=None,
        metadata={"description": "Needed by whoever has one; else a sign-in of the last 10 minutes."},
    )
    password = Password(required=True, min_length=MIN_LENGTH, metadata={"description": "The new one."})


class ConfirmSchema(Schema):
    password = Password(
        load_default=None,
        metadata={"description": "One's own: needed by whoever has one; else a sign-in of the last 10 minutes."},
    )


class SessionSchema(Schema):
    """A sign-in of one's own: on one device, until it is signed out or was not used for 30 days."""

    id = Text(required=True, metadata={"format": "uuid"})
    device = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What the program that signed in called itself, in a few words. It can say anything."},
    )
    created_at = Timestamp(required=True, metadata={"description": "When somebody signed in."})
    last_used_at = Timestamp(
        required=True, metadata={"description": "When it last got a pair of tokens: 15 minutes behind at the most."}
    )
    is_current = Boolean(required=True, metadata={"description": "Whether this request belongs to it."})


class UserArgsSchema(PageArgsSchema):
    q = Text(
        load_default=None,
        validate=validate.Length(max=MAX_EMAIL_LENGTH),
        metadata={"description": "A part of the name, e-mail address or phone number."},
    )
    role = Text(load_default=None, validate=validate.OneOf(ROLES))
    is_active = Boolean(load_default=None)


class CreateUserSchema(Schema):
    """Without a password: its owner chooses one."""

    name = Name(required=True)
    email = Email(load_default=None, allow_none=True, metadata={"description": "Where the invitation goes."})
    phone = Phone(
        load_default=None,
        allow_none=True,
        metadata={"description": "Without an e-mail address, its owner signs in with codes to this number."},
    )
    role = Text(load_default="customer", validate=validate.OneOf(ROLES))


class UpdateUserSchema(Schema):
    name = Name()
    role = Text(validate=validate.OneOf(ROLES))
    is_active = Boolean()
