"""What people send to have codes sent, and with the codes."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validate, validates_schema

from grocery.auth.passwords import MIN_LENGTH
from grocery.auth.schemas import CodeOfSms, Email, Password, RequestToken
from grocery.auth.second_factor.fields import RecoveryCode, TotpCode
from grocery.fields import Name, Phone, Schema, Text
from grocery.phones import is_mobile

_CONFIRM = "Needed by everyone who has a password; without one, a sign-in of the last 10 minutes."


class MobilePhone(Phone):
    """A phone that gets SMS: numbers that cost their caller, and landlines, are refused before anything is sent."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        phone = super()._deserialize(value, attr, data, **kwargs)
        if not is_mobile(phone):
            raise ValidationError("Is not the number of a mobile phone.")
        return phone


class Token(Text):
    """What stands in the link of a mail."""

    def __init__(self, **kwargs: Any):
        kwargs["validate"] = [validate.Length(min=1, max=200)]
        super().__init__(**kwargs)


class CodeRequestedSchema(Schema):
    request_token = Text(
        metadata={
            "description": "Send it with the code of the SMS: it has five tries that nobody else can use up. Keep it to"
            " yourself. Not there when a mail was asked for."
        }
    )


class SendSignInCodeSchema(Schema):
    phone = MobilePhone(required=True, metadata={"description": "Of a mobile phone, in any usual writing."})


class CodeLoginSchema(Schema):
    phone = Phone(required=True)
    code = CodeOfSms(required=True, metadata={"description": "The six digits of the SMS."})
    request_token = RequestToken()
    name = Name(load_default=None, allow_none=True, metadata={"description": "Of a new account."})
    totp = TotpCode(metadata={"description": "With a second factor: what the authenticator app shows now."})
    recovery_code = RecoveryCode(metadata={"description": "Instead of `totp`: one of the recovery codes."})


class SendPhoneCodeSchema(Schema):
    phone = MobilePhone(load_default=None, metadata={"description": "Without it, the one of the account."})
    password = Password(load_default=None, metadata={"description": _CONFIRM})


class ConfirmPhoneSchema(Schema):
    code = CodeOfSms(required=True)


class SendEmailTokenSchema(Schema):
    email = Email(required=True)
    password = Password(
        load_default=None, metadata={"description": f"{_CONFIRM} Not needed for the address of the account."}
    )


class ConfirmEmailSchema(Schema):
    token = Token(required=True, metadata={"description": "From the mail."})


class RemoveAddressSchema(Schema):
    password = Password(load_default=None, metadata={"description": _CONFIRM})


class ForgotPasswordSchema(Schema):
    email = Email()
    phone = MobilePhone(metadata={"description": "Instead of the e-mail address: a verified phone."})

    @validates_schema(skip_on_field_errors=True)
    def _check_that_one_is_sent(self, body: dict[str, Any], **_: Any) -> None:
        if len(body) != 1:
            raise ValidationError("Send this, or a phone, and not both.", "email")


class ResetPasswordSchema(Schema):
    token = Token(metadata={"description": "From the mail."})
    phone = Phone(metadata={"description": "Instead of the token, with the `code` that was sent there."})
    code = CodeOfSms()
    request_token = RequestToken()
    password = Password(required=True, min_length=MIN_LENGTH, metadata={"description": "The new one."})

    @validates_schema(skip_on_field_errors=True)
    def _check_that_one_is_sent(self, body: dict[str, Any], **_: Any) -> None:
        if body.keys() - {"password", "request_token"} not in ({"token"}, {"phone", "code"}):
            raise ValidationError("Send a token, or a phone and a code.", "token")
