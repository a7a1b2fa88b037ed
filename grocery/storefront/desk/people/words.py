"""Roles, and what may be wrong with an account, in words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_babel import lazy_gettext as _l

from grocery.auth.codes.errors import CodesUsedUpError
from grocery.auth.errors import SignInAgainError, WrongPasswordError
from grocery.errors import TooManyRequestsError
from grocery.storefront.desk.forms import REFUSALS, explain, first_of

#: What a page of people has words for.
PROBLEMS: tuple[type[Exception], ...] = (
    *REFUSALS,
    CodesUsedUpError,
    SignInAgainError,
    TooManyRequestsError,
    WrongPasswordError,
)

ROLES = {"customer": lazy_gettext("Customer"), "staff": lazy_gettext("Staff"), "admin": lazy_gettext("Admin")}

NOTIFY_BY = {
    "sms_and_email": _l("By SMS and e-mail"),
    "sms": _l("By SMS; by e-mail only where an SMS does not arrive"),
    "email": _l("By e-mail"),
}

_ON_THE_WAY = _l("An order of this person is on its way. Wait until it was delivered, or note that it failed.")

# By field where the form has it, and by the code of the error.
WORDS: Mapping[str, Any] = {
    "name": _l("Write a name, in no more than 200 characters."),
    "email": _l("Write an e-mail address, such as amina@example.com, or a phone number."),
    "phone": _l("Write the number of a mobile phone, such as 0712 345 678."),
    "role": _l("Choose a role from the list."),
    "password": _l("Write your own password to confirm this."),
    "email_taken": ("email", _l("There is an account with this e-mail address already.")),
    "phone_taken": ("phone", _l("There is an account that signs in with this phone number already.")),
    "last_admin": ("role", _l("This is the last admin of the shop. Make somebody else an admin first.")),
    "unverified": (
        "role",
        _l("Nobody has confirmed the e-mail address or phone of this account yet. Send the confirmation again first."),
    ),
    "order_in_transit": ("form", _ON_THE_WAY),
    "already_verified": ("form", _l("All is confirmed already.")),
    "deactivated": ("form", _l("This account is blocked. Unblock it first.")),
    "unreachable": ("form", _l("This account has neither an e-mail address nor a phone number.")),
    "totp_off": ("form", _l("There is no second factor to take off.")),
    "own_account": ("form", _l("This is your own account. Do that under “Account”.")),
    "wrong_password": ("password", _l("The password is wrong.")),
    "sign_in_again": ("password", _l("You signed in too long ago for this. Sign out and in again, then repeat it.")),
    "code_budget_used_up": ("form", _l("So many codes went to this address today that no more do. Try tomorrow.")),
    "codes_used_up": ("form", _l("No more codes can be sent by SMS for now. Try again later.")),
}


def problems_of(error: Exception) -> dict[str, str]:
    """One of the PROBLEMS in words, by field."""
    if isinstance(error, TooManyRequestsError) and error.code not in WORDS:
        return {"form": gettext("That was too often. Wait a little, then try again.")}
    return explain(error, WORDS)


def problem_of(error: Exception) -> str:
    """The same in one sentence, for actions without a form to fill in."""
    return first_of(problems_of(error))
