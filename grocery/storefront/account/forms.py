"""What the forms of an account send, read by the schemas of the API, and what is said where that fails."""

import re
from collections.abc import Collection
from typing import Any

from flask import Response, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError

from grocery.auth.codes.errors import (
    AlreadyVerifiedError,
    CodesUsedUpError,
    InvalidCodeError,
    NoMobilePhoneError,
)
from grocery.auth.codes.errors import WrongCodeError as WrongSmsCodeError
from grocery.auth.errors import (
    EmailTakenError,
    InvalidCredentialsError,
    LastAdminError,
    LastIdentifierError,
    UnverifiedError,
    WeakPasswordError,
    WrongPasswordError,
)
from grocery.auth.second_factor.errors import TotpOffError, TotpOnError, WrongCodeError, WrongSecondFactorError
from grocery.errors import GroceryError, InvalidError, TooManyRequestsError
from grocery.orders.delivery.errors import TooManyAddressesError
from grocery.storefront.looks import too_often

#: What a form is shown again for. All else is a page of its own.
PROBLEMS = (
    ValidationError,
    InvalidError,
    AlreadyVerifiedError,
    CodesUsedUpError,
    EmailTakenError,
    InvalidCodeError,
    InvalidCredentialsError,
    LastAdminError,
    LastIdentifierError,
    TooManyAddressesError,
    TooManyRequestsError,
    TotpOffError,
    TotpOnError,
    UnverifiedError,
    WrongCodeError,
    WrongPasswordError,
    WrongSmsCodeError,
)

_MOBILE = _l("Write the number of a mobile phone, such as 0712 345 678.")
_WRONG_SMS_CODE = _l("This code is wrong or too old. Look at the newest SMS, or have another code sent.")
_WRONG_APP_CODE = _l("This code is wrong, or was used before. Write the one that the app shows now.")

# By the nearest class; the order decides between a class and its parents.
_OF_CLASSES = {
    AlreadyVerifiedError: _l("This is confirmed already."),
    CodesUsedUpError: _l("We can send no SMS at the moment. Sign in with a password, or try again later."),
    EmailTakenError: _l("There is an account with this e-mail address already. Sign in, or choose a new password."),
    InvalidCodeError: _WRONG_SMS_CODE,
    WrongSmsCodeError: _WRONG_SMS_CODE,
    WrongSecondFactorError: _WRONG_APP_CODE,
    WrongCodeError: _WRONG_APP_CODE,
    InvalidCredentialsError: _l("The e-mail address or phone number, or the password, is wrong."),
    LastAdminError: _l("You are the last admin of the shop. Make somebody else an admin first."),
    LastIdentifierError: _l("You sign in with this. Add and confirm another way first."),
    NoMobilePhoneError: _MOBILE,
    TooManyAddressesError: _l("You have saved as many addresses as we can keep. Delete one first."),
    TotpOffError: _l("It is turned off already, or was not begun. Load the page again."),
    TotpOnError: _l("It is turned on already."),
    UnverifiedError: _l("Confirm your e-mail address first, or your phone where you have no e-mail address."),
    WeakPasswordError: _l(
        "This password is too easy to guess. Use 8 characters or more, and not a name or one that many people have."
    ),
    WrongPasswordError: _l("The password is wrong."),
}

# Of fields that the schema has refused, whatever is the matter with them.
_OF_FIELDS = {
    "phone": _MOBILE,
    "email": _l("Write an e-mail address, such as amina@example.com."),
    "identifier": _l("Write your e-mail address or phone number."),
    "name": _l("Write your name, in no more than 200 characters."),
    "code": _l("Write the six digits of the code."),
    "totp": _l("Write the six digits that the app shows."),
    "password": _l("Write your password."),
    "current_password": _l("Write your present password."),
    "new_password": _l("Use 8 to 128 characters."),
    "token": _l("Copy the whole code of the mail."),
    "recovery_code": _l("Write one of your recovery codes."),
    "notify_by": _l("Add the phone number or e-mail address for this first."),
    "marketing_sms": _l("Add your phone number for this first."),
    "marketing_email": _l("Add your e-mail address for this first."),
    "label": _l("Use no more than 60 characters."),
    "address": _l("Use no more than 300 characters."),
    "landmark": _l("Use no more than 300 characters."),
    "note": _l("Use no more than 500 characters."),
    "zone_id": _l("Choose an area from the list."),
}


def read_form(schema: Schema, *names: str, **values: Any) -> dict[str, Any]:
    """The fields of these names, without those that are empty, and more `values`, as the schema has them.

    Raises ValidationError.
    """
    sent = {name: request.form[name] for name in names if request.form.get(name, "").strip()}
    loaded: dict[str, Any] = schema.load({**sent, **values})
    return loaded


def sent_code(name: str = "code") -> str:
    """The digits of a code, however they were spaced."""
    return re.sub(r"[\s-]", "", request.form.get(name, ""))[:20]


def problems_of(
    error: Exception, at: str, fields: Collection[str] = (), renamed: dict[str, str] | None = None
) -> dict[str, str]:
    """What is said, by field. What is about none of the `fields` of the form stands at one of them.

    `renamed` has the form's names of fields that the API calls otherwise.
    """
    refused = _refused_fields(error)
    if not refused or isinstance(error, (WeakPasswordError, NoMobilePhoneError)):
        return {at: _words_of(error)}
    names = [(renamed or {}).get(name, name) for name in refused]
    known = {at, *fields}
    return {
        name if name in known else at: str(_OF_FIELDS.get(name) or gettext("Look at this again.")) for name in names
    }


def refuse(page: Response, error: Exception) -> Response:
    """The form again, with the status of what was wrong."""
    page.status_code = 422
    if isinstance(error, TooManyRequestsError):
        page.status_code = 429
        page.headers["Retry-After"] = str(error.retry_after_seconds)
    return page


def _refused_fields(error: Exception) -> list[str]:
    if isinstance(error, ValidationError):
        messages = error.messages_dict
        return [str(name) for name in messages]
    if isinstance(error, InvalidError):
        return list(error.members.get("errors", {}))
    return []


def _words_of_field(name: str) -> str:
    return str(_OF_FIELDS.get(name) or gettext("Look at this again."))


def _words_of(error: Exception) -> str:
    for known, words in _OF_CLASSES.items():
        if isinstance(error, known):
            return str(words)
    if isinstance(error, TooManyRequestsError):
        return too_often(error.retry_after_seconds)
    return error.detail if isinstance(error, GroceryError) else gettext("Look at this again.")
