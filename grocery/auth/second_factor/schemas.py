"""What people send and get in /auth/totp."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from grocery.auth.schemas import Password
from grocery.auth.second_factor.fields import RecoveryCode, TotpCode
from grocery.fields import Boolean, Integer, Schema, Text, Timestamp


class TotpStateSchema(Schema):
    is_on = Boolean(required=True, metadata={"description": "Whether signing in needs a code."})
    confirmed_at = Timestamp(required=True, allow_none=True, metadata={"description": "Since when."})
    recovery_codes_left = Integer(required=True)


class BeginTotpSchema(Schema):
    password = Password(metadata={"description": "The current password. Not needed within 10 minutes of signing in."})


class EnrolmentSchema(Schema):
    secret = Text(required=True, metadata={"description": "In base32, to be typed into an authenticator app."})
    uri = Text(required=True, metadata={"description": "The same as an address, for a QR code."})


class ConfirmTotpSchema(Schema):
    code = TotpCode(required=True, metadata={"description": "What the app shows now."})


class RecoveryCodesSchema(Schema):
    recovery_codes = fields.List(Text(), required=True, metadata={"description": "Each good once. Not shown again."})


class ProofSchema(Schema):
    code = TotpCode(metadata={"description": "What the app shows now."})
    recovery_code = RecoveryCode(metadata={"description": "Instead of a code of the app."})

    @validates_schema(skip_on_field_errors=True)
    def _check_that_one_is_sent(self, body: dict[str, Any], **_: Any) -> None:
        if not body:
            raise ValidationError("Send this, or a recovery_code.", "code")
