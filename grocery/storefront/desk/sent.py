"""What the forms of the desk send, read strictly: what our own pages would not send is refused, not guessed at."""

import re
from decimal import Decimal

from flask import request
from flask_babel import gettext
from marshmallow import ValidationError, validate

from grocery.errors import StaleError
from grocery.fields import MAX_ID, Money, Text

_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
# "2", "0.5", "1,5", ".5", "1.62 kg" and "1620 g".
_WRITTEN = re.compile(r"(?=[.,]?\d)(\d{0,7})(?:[.,](\d{1,3}))?\s*(kg|g)?", re.ASCII | re.IGNORECASE)


class FormError(Exception):
    """What was filled in makes no sense; its text says so to who did it."""


def read_version(written: str | None = None) -> int:
    """The version of the order that the form was made for; raises StaleError without one that we gave out."""
    text = request.form.get("version", "") if written is None else written
    if not _DIGITS.fullmatch(text):
        raise StaleError("The form does not say which version it is for.")
    return int(text)


def read_id(name: str) -> int:
    """The id in a field; raises FormError without one."""
    found = request.form.get(name, "")
    if not _DIGITS.fullmatch(found) or not 1 <= int(found) <= MAX_ID:
        raise FormError(gettext("Choose one of the list."))
    return int(found)


def read_marked() -> dict[int, int]:
    """The orders that were ticked: their ids and the versions that were looked at; raises FormError without any."""
    pairs = [value.partition(":") for value in request.form.getlist("order")]
    marked = {int(one): int(version) for one, _, version in pairs if _are_numbers(one, version)}
    if not marked:
        raise FormError(gettext("Tick one or more orders first."))
    return marked


def read_words(name: str, *, most: int = 500, missing: str | None = None) -> str | None:
    """What was written in a field, None for nothing; raises FormError, with `missing` for nothing."""
    try:
        text: str = Text(validate=[validate.Length(max=most)]).deserialize(request.form.get(name, ""))
    except ValidationError:
        raise FormError(gettext("At most %(most)s characters, please.", most=most)) from None
    if not text and missing:
        raise FormError(missing)
    return text or None


def read_amount(name: str) -> int | None:
    """Cents of an amount that was written, such as "1,250" or "1250.50"; None for nothing; raises FormError."""
    written = request.form.get(name, "").replace(",", "").replace(" ", "")
    if not written:
        return None
    try:
        cents: int = Money().deserialize(written)
    except ValidationError:
        raise FormError(gettext("Write an amount, such as 1250 or 1250.50.")) from None
    return cents


def read_measure(written: str, unit: str, *, scale: str = "kg") -> Decimal:
    """Pieces, or kilograms: of a number without unit, `scale` says whether it is in kg or g; raises FormError."""
    match = _WRITTEN.fullmatch(written.strip())
    if match is None or (match[3] and unit != "kg"):
        example = gettext("Write a weight, such as 1.62 kg or 1620 g.") if unit == "kg" else None
        raise FormError(example or gettext("Write a number of pieces, such as 2."))
    quantity = Decimal(f"{match[1] or 0}.{match[2] or 0}")
    if unit == "kg" and (match[3] or scale).lower() == "g":
        quantity = (quantity / 1000).quantize(Decimal("0.001"))
    return quantity


def _are_numbers(*texts: str) -> bool:
    return all(_DIGITS.fullmatch(text) for text in texts)
