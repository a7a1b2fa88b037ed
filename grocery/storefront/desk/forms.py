"""Forms of the desk: what was written becomes a body for the API's schemas, and refusals become words by field."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import current_app, request
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, ValidationError

from grocery.errors import ConflictError, GroceryError, InvalidError, StaleError

#: Where the words stand that are about no field: the id of the form.
FORM = "form"

#: What `explain` has words for.
REFUSALS: tuple[type[Exception], ...] = (ValidationError, InvalidError, ConflictError, StaleError)

_THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d{1,3})?", re.ASCII)
_COMMA = re.compile(r"\d+,\d{1,3}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)
_ID = re.compile(r"\d{1,18}", re.ASCII)

_GENERAL = {
    "Missing data for required field.": lazy_gettext("Please fill this in."),
    "Field may not be null.": lazy_gettext("Please fill this in."),
    "Shorter than minimum length 1.": lazy_gettext("Please fill this in."),
    "Must be above the price.": lazy_gettext("Must be above the price."),
    "Must be after the start.": lazy_gettext("Must be after the start."),
    "There is no such category.": lazy_gettext("Choose a category."),
    "There is no such zone.": lazy_gettext("Choose an area."),
}


def written(name: str) -> str:
    """What was written into a field, without white space around it."""
    return request.form.get(name, "").strip()


def text_or_none(name: str) -> str | None:
    return written(name) or None


def amount(name: str) -> str | None:
    """An amount of money as the schemas take it: `KSh 1,250.50` is 1250.50, `62,50` is 62.50."""
    plain = re.sub(r"(?i)ksh|kes|\s", "", written(name))
    return _with_point(plain, decimals=2) or None


def number(name: str) -> int | float | str | None:
    """A number; what is none stays as it is, for the schema to refuse."""
    plain = _with_point(written(name).replace(" ", ""), decimals=3)
    if not _NUMBER.fullmatch(plain):
        return plain or None
    return float(plain) if "." in plain else int(plain)


def id_or_none(name: str) -> int | str | None:
    """The id that was chosen; what is none stays as it is, for the schema to refuse."""
    text = written(name)
    return _as_id(text) if text else None


def ids(name: str) -> list[int | str]:
    """The ids of the boxes that were ticked, as `id_or_none`."""
    return [_as_id(one) for one in request.form.getlist(name)]


def is_ticked(name: str) -> bool:
    return request.form.get(name) == "1"


def yes_or_no(name: str) -> bool:
    """What a button says by its value; raises ValidationError for what none of ours says."""
    answers = {"true": True, "false": False}
    if written(name) not in answers:
        raise ValidationError({name: [gettext("Load the page again, then repeat it.")]})
    return answers[written(name)]


def moment(name: str) -> str | None:
    """A time by the shop's clock, from an input of the type `datetime-local`, as the schemas take it."""
    text = written(name)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=current_app.config["TIMEZONE"]).isoformat() if text else None
    except ValueError:
        return text


def local(at: datetime | None) -> str:
    """A moment for an input of the type `datetime-local`: by the shop's clock."""
    return f"{at.astimezone(current_app.config['TIMEZONE']):%Y-%m-%dT%H:%M}" if at else ""


def sent_version() -> int | None:
    """The version that the page showed, None without one; raises StaleError for what is no version."""
    text = written("version")
    if text and not _ID.fullmatch(text):
        raise StaleError("The form has no version of this.")
    return int(text) if text else None


def load(schema: Schema, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as the services take it, without what was left empty; raises ValidationError."""
    given: dict[str, Any] = schema.load({name: value for name, value in body.items() if value is not None})
    return given


def explain(error: Exception, words: Mapping[str, Any]) -> dict[str, str]:
    """One of the REFUSALS as messages by field.

    `words` are those for a field, or for the code of an error: then with the field that they stand beside, such as
    `"sku_taken": ("sku", "Another product has …")`.
    """
    if isinstance(error, StaleError):
        return {FORM: gettext("Somebody else has changed this meanwhile. Load the page again, then repeat it.")}
    if isinstance(error, GroceryError) and error.code in words:
        field, message = words[error.code]
        return {field: str(message)}
    errors = error.messages if isinstance(error, ValidationError) else getattr(error, "members", {}).get("errors")
    if isinstance(errors, Mapping) and errors:
        return {_field_of(name): _message(name, found, words) for name, found in errors.items()}
    return {FORM: getattr(error, "detail", "") or gettext("This did not work.")}


def first_of(errors: Mapping[str, str]) -> str:
    """One message, for where there is room for one."""
    return next(iter(errors.values()))


def _with_point(plain: str, *, decimals: int) -> str:
    if _THOUSANDS.fullmatch(plain):
        return plain.replace(",", "")
    is_decimal = _COMMA.fullmatch(plain) and len(plain.partition(",")[2]) <= decimals
    return plain.replace(",", ".") if is_decimal else plain


def _as_id(text: str) -> int | str:
    return int(text) if _ID.fullmatch(text) else text


def _field_of(name: Any) -> str:
    return FORM if name == "_schema" else str(name)


def _message(name: Any, found: Any, words: Mapping[str, Any]) -> str:
    message = _first_leaf(found)
    if message in _GENERAL:
        return str(_GENERAL[message])
    return str(words[name]) if name in words else message


def _first_leaf(found: Any) -> str:
    while isinstance(found, Mapping | list) and found:
        found = next(iter(found.values())) if isinstance(found, Mapping) else found[0]
    return str(found)
