"""How messages may come to a person: what a choice needs, and what becomes of it with another phone."""

from collections.abc import Mapping
from typing import Any

from grocery.errors import InvalidError

# What has to be there for each choice, and what is said when it is not.
_NEEDS: Mapping[tuple[str, object], tuple[str, str]] = {
    ("notify_by", "sms"): ("phone", "Needs a phone number."),
    ("notify_by", "email"): ("email", "Needs an e-mail address."),
    ("marketing_sms", True): ("phone", "Needs a phone number."),
    ("marketing_email", True): ("email", "Needs an e-mail address."),
}

#: How news of orders come unless somebody has said otherwise.
DEFAULT_NOTIFY_BY = "sms_and_email"


def check_choices(addresses: Mapping[str, str | None], choices: Mapping[str, Any]) -> None:
    """Raise InvalidError, field by field, for choices whose address (`phone`, `email`) is not there."""
    errors = {
        field: [problem]
        for field, choice in choices.items()
        for needed, problem in [_NEEDS.get((field, choice), ("", ""))]
        if needed and not addresses[needed]
    }
    if errors:
        raise InvalidError("There is no address for this choice.", errors=errors)


def choices_for_other_phone(notify_by: str, phone: str | None) -> dict[str, Any]:
    """What changes by itself with the number: whoever holds another one has not asked for offers."""
    choices: dict[str, Any] = {"marketing_sms": False}
    if phone is None and notify_by == "sms":
        choices["notify_by"] = DEFAULT_NOTIFY_BY
    return choices


def without_phone(notify_by: str) -> dict[str, Any]:
    """What changes of an account when its number is taken off."""
    return {"phone": None, "phone_verified_at": None, **choices_for_other_phone(notify_by, None)}
