"""What the fields refuse, as far as JSON Schema can say it: so that clients can check before they send."""

from typing import Any

from marshmallow import fields

from grocery import money
from grocery.fields import Money, Quantity, Schema, Text

_CONTROL = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
_STORABLE = f"^[^{_CONTROL}]*$"
_NOT_BLANK = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"


def mark_taken(schema: Any, location: str) -> None:
    """Note that a schema, with those in it, is of what comes in: only there do rules for senders belong."""
    schema.taken_from = location
    for field in schema.fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            mark_taken(inner.schema, location)


def state_rules(_converter: Any, field: Any, ret: dict[str, Any], **_: Any) -> dict[str, Any]:
    """More properties for a field of a body or query; what is only answered needs none."""
    if not (isinstance(field.root, Schema) and field.root.taken_from):
        return {}
    if isinstance(field, Quantity):
        return {"minimum": float(field.low), "maximum": float(field.high), "multipleOf": 0.001}
    if isinstance(field, Money):
        return _state_amount(field, ret["type"], field.root.taken_from)
    if isinstance(field, Text) and not {"enum", "format", "pattern"} & ret.keys():
        # White space around a text does not count: what must have a character must have another one.
        return {"pattern": _NOT_BLANK if ret.get("minLength") else _STORABLE}
    return {}


def _state_amount(field: Money, known: str | list[str], location: str) -> dict[str, Any]:
    """An amount is a string, which no program rounds; in JSON a number is taken too, with keywords of its own."""
    pattern = {"pattern": f"^({_amounts_up_to(field.high)})$"}
    if location != "json":
        return pattern
    return {
        **pattern,
        "type": [*([known] if isinstance(known, str) else known), "number"],
        "minimum": float(money.to_text(field.low)),
        "maximum": float(money.to_text(field.high)),
        "multipleOf": 0.01,
    }


def _amounts_up_to(high_cents: int) -> str:
    """A regular expression for amounts up to one like 999.99 or 1000.00; others are only held to their digits."""
    whole = str(high_cents // 100)
    if whole.strip("0") == "1":
        return rf"[0-9]{{1,{len(whole) - 1}}}(\.[0-9]{{1,2}})?|{whole}(\.0{{1,2}})?"
    return rf"[0-9]{{1,{len(whole)}}}(\.[0-9]{{1,2}})?"
