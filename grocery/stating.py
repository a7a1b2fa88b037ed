"""What the fields refuse, as far as JSON Schema can say it: so that clients can check before they send."""

from typing import Any

from marshmallow import fields

from grocery.fields import Money, Name, Quantity, Schema, Text

_CONTROL = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
_STORABLE = f"^[^{_CONTROL}]*$"
_NOT_BLANK = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
_AMOUNT = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"


def mark_taken(schema: Any) -> None:
    """Note that a schema, with those in it, is of what comes in: only there do rules for senders belong."""
    schema.is_taken = True
    for field in schema.fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            mark_taken(inner.schema)


def state_rules(_converter: Any, field: Any, ret: dict[str, Any], **_: Any) -> dict[str, Any]:
    """More properties for a field of a body or query; what is only answered needs none."""
    if not (isinstance(field.root, Schema) and field.root.is_taken):
        return {}
    if isinstance(field, Quantity):
        return {"minimum": float(field.low), "maximum": float(field.high)}
    if isinstance(field, Money):
        return {"pattern": _AMOUNT}
    if isinstance(field, Text) and not {"enum", "format", "pattern"} & ret.keys():
        return {"pattern": _NOT_BLANK if isinstance(field, Name) else _STORABLE}
    return {}
