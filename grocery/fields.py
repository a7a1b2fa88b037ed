"""Marshmallow fields and the schema base of the API: strict about what comes in, exact about what goes out."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import current_app
from marshmallow import RAISE, ValidationError, fields, validate
from marshmallow import Schema as MarshmallowSchema

from grocery import money
from grocery.errors import InvalidError
from grocery.phones import parse_phone

MAX_ID = 2**63 - 1
MAX_PRICE_CENTS = 10_000_000_00
MAX_QUANTITY = Decimal(10_000)

# PostgreSQL cannot store NUL, and a lone surrogate is not a character. Other control characters would reach the
# terminals of those who list people and orders, as commands. None of them is ever meant.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{5,8}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")


def storable(text: str) -> str:
    """The text without what no `Text` takes: for fields of forms and addresses, which nobody wrote it into."""
    return _UNSTORABLE.sub("", text)


def read_id(written: str | None) -> int | None:
    """The id that a field of a form names; None for what is none."""
    is_number = written is not None and written.isascii() and written.isdigit() and len(written) < 20
    number = int(written or 0) if is_number else 0
    return number if 0 < number <= MAX_ID else None


class Schema(MarshmallowSchema):
    """Unknown fields are errors: a misspelt field must not be silently without effect."""

    taken_from = ""  # Where it is in a request, such as "json"; for what goes out nowhere. See grocery.stating.

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """A string without surrounding white space, storable in PostgreSQL."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if _UNSTORABLE.search(text):
            raise ValidationError("Has a character that cannot be stored.")
        return text.strip()


class Name(Text):
    """A short text that must not be empty and stays on one line."""

    def __init__(self, *, max_length: int = 200, **kwargs: Any):
        kwargs.setdefault("validate", []).append(validate.Length(min=1, max=max_length))
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        return " ".join(super()._deserialize(value, attr, data, **kwargs).split())


class OneOf(Text):
    """One of a few words, in any letter case."""

    def __init__(self, choices: tuple[str, ...], **kwargs: object):
        self._choices = choices
        super().__init__(validate=[validate.OneOf(choices)], **kwargs)  # type: ignore[arg-type]  # marshmallow's own

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> str:
        return super()._deserialize(value, attr, data, **kwargs).lower()  # type: ignore[arg-type]


class Integer(fields.Integer):
    """A JSON whole number. In a query string, where everything is text, digits."""

    def __init__(self, *, low: int = -(2**63), high: int = MAX_ID, **kwargs: Any):
        kwargs.setdefault("validate", []).append(validate.Range(min=low, max=high))
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        is_number = isinstance(value, int) or (isinstance(value, float) and value.is_integer())  # JSON's 12.0 is 12
        if isinstance(value, bool) or not (is_number or _is_digits_of_query(value, data)):
            raise self.make_error("invalid", input=value)
        return int(value)


class Id(Integer):
    def __init__(self, **kwargs: Any):
        super().__init__(low=1, **kwargs)


class Boolean(fields.Boolean):
    """JSON true or false; in a query string also the words true, false, 1 and 0."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        if not isinstance(data, dict) and value in ("true", "false", "1", "0"):
            return value in ("true", "1")
        raise self.make_error("invalid", input=value)


class Money(fields.Field):
    """Cents inside, a decimal string such as "149.00" outside; comes in as a string or a JSON number."""

    def __init__(self, *, low: int = 0, high: int = MAX_PRICE_CENTS, **kwargs: Any):
        self.low, self.high = low, high
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else money.to_text(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        text = _written_amount(value)
        if not _AMOUNT.fullmatch(text):
            raise ValidationError('Must be an amount such as "149.00", with at most 2 decimals and not below zero.')
        cents = money.to_cents(Decimal(text))
        if not self.low <= cents <= self.high:
            low, high = money.to_text(self.low), money.to_text(self.high)
            raise ValidationError(f"Must be an amount from {low} to {high}.")
        return cents


class Quantity(fields.Field):
    """A JSON number with up to 3 decimals (pieces or kilograms); a Decimal inside."""

    def __init__(self, *, low: Decimal = Decimal("0.001"), high: Decimal = MAX_QUANTITY, **kwargs: Any):
        self.low, self.high = low, high
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> int | float | None:
        return None if value is None else quantity_number(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Must be a number.")
        try:
            quantity = Decimal(str(value))
            rounded = quantity.quantize(Decimal("0.001"))
        except InvalidOperation:
            raise ValidationError(f"Must be from {self.low} to {self.high}.") from None
        if rounded != quantity:
            raise ValidationError("Must have at most 3 decimals.")
        if not self.low <= quantity <= self.high:
            raise ValidationError(f"Must be from {self.low} to {self.high}.")
        return rounded


class Timestamp(fields.DateTime):
    """RFC 3339. Goes out as the datetime itself; the JSON provider writes it in UTC with a Z."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class Instant(fields.AwareDateTime):
    """A moment that comes in: RFC 3339 with its offset, since 8 o'clock without one is not the same everywhere."""

    def __init__(self, **kwargs: Any):
        metadata = {"example": "2026-12-01T00:00:00Z", **kwargs.pop("metadata", {})}
        super().__init__(format="iso", metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise ValidationError("Must be a time with its offset, such as 2026-12-01T00:00:00Z.")
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


class Phone(Text):
    """A phone number in any usual writing; E.164 inside. Numbers without a country are of DEFAULT_COUNTRY."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return parse_phone(text, current_app.config["DEFAULT_COUNTRY"])
        except InvalidError as error:
            raise ValidationError(error.detail) from None


def quantity_number(quantity: Decimal) -> int | float:
    """A quantity as a JSON number: whole when it is whole, so that 3 pieces are 3 and not 3.0."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def _written_amount(value: Any) -> str:
    """An amount as it would stand in a string; empty when it is neither a string nor a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return value if isinstance(value, str) else str(value + 0)  # JSON's -0.0 is 0, as 12.0 is 12


def _is_digits_of_query(value: Any, data: Any) -> bool:
    return not isinstance(data, dict) and isinstance(value, str) and bool(re.fullmatch(r"-?[0-9]{1,20}", value))
