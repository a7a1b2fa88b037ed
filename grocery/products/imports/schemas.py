"""Imports as JSON, and the options of one."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from grocery.errors import InvalidError
from grocery.fields import Boolean, Schema, Text, Timestamp
from grocery.products.imports.models import STATUSES
from grocery.products.imports.reading import COLUMNS, parse_mapping

IMPORT_EXAMPLE = {
    "id": 3,
    "status": "done",
    "filename": "products.csv",
    "dry_run": False,
    "strict": False,
    "percent": 100,
    "rows": 258,
    "created": 12,
    "updated": 40,
    "unchanged": 204,
    "refused": 2,
    "is_applied": True,
    "ignored_columns": ["colour"],
    "error": None,
    "created_at": "2026-11-22T09:15:00Z",
    "started_at": "2026-11-22T09:15:00Z",
    "finished_at": "2026-11-22T09:15:02Z",
    "refusals": [{"row": 7, "reason": "price missing"}, {"row": 93, "reason": "same SKU as row 12"}],
}
LISTED_IMPORT_EXAMPLE = {name: value for name, value in IMPORT_EXAMPLE.items() if name != "refusals"}
WAITING_EXAMPLE = {
    **IMPORT_EXAMPLE,
    **dict.fromkeys(("percent", "rows", "created", "updated", "unchanged", "refused"), 0),
    "status": "waiting",
    "is_applied": False,
    "started_at": None,
    "finished_at": None,
    "refusals": [],
}
CANCELLED_EXAMPLE = {**IMPORT_EXAMPLE, "status": "cancelled", "percent": 61}


_PRODUCT = {
    "sku": "MILK-500",
    "barcode": "6161100100015",
    "name": "Fresh Milk 500 ml",
    "category": "Dairy/Milk",
    "price": "65.00",
    "brand": "Brookside",
    "unit": "each",
    "quantity_step": "1",
    "net_content": "500 ml",
    "vat_class": "zero",
    "stock": "24",
    "is_active": "true",
    "allergens": "milk",
    "country_of_origin": "KE",
    "is_age_restricted": "false",
}
EXPORT_EXAMPLE = "".join(
    ",".join(cells) + "\r\n" for cells in (COLUMNS, [_PRODUCT.get(column, "") for column in COLUMNS])
)


class _Mapping(Text):
    """`sku=index,category=group/subgroup` as field → column."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            return parse_mapping(super()._deserialize(value, attr, data, **kwargs))
        except InvalidError as error:
            raise ValidationError(error.detail) from error


class ImportArgsSchema(Schema):
    dry_run = Boolean(load_default=False, metadata={"description": "Only say what would happen."})
    strict = Boolean(load_default=False, metadata={"description": "All rows or none."})
    map = _Mapping(
        load_default=dict,
        metadata={"description": "Other column names: `sku=index,category=group/subgroup`."},
    )


class ExportArgsSchema(Schema):
    bom = Boolean(
        load_default=False,
        metadata={"description": "Begin with a byte order mark, without which Excel breaks accents."},
    )


class RefusalSchema(Schema):
    """A row that was not applied."""

    row = fields.Integer(required=True, metadata={"description": "Its number in a spreadsheet; the header is row 1."})
    reason = fields.String(required=True)


class ListedImportSchema(Schema):
    """An import in a list."""

    id = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    filename = fields.String(required=True, allow_none=True)
    dry_run = fields.Boolean(required=True)
    strict = fields.Boolean(required=True)
    percent = fields.Integer(required=True, metadata={"description": "Of the file; 100 only when it is done."})
    rows = fields.Integer(required=True, metadata={"description": "created + updated + unchanged + refused, so far."})
    created = fields.Integer(required=True)
    updated = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    is_applied = fields.Boolean(
        required=True, metadata={"description": "Whether the counts are of what was done; else of what would be."}
    )
    ignored_columns = fields.List(fields.String(), required=True)
    error = fields.String(required=True, allow_none=True, metadata={"description": "Why it has failed."})
    created_at = Timestamp(required=True)
    started_at = Timestamp(required=True, allow_none=True)
    finished_at = Timestamp(required=True, allow_none=True)


class ImportSchema(ListedImportSchema):
    """An import, with its first refusals."""

    refusals = fields.List(
        fields.Nested(RefusalSchema),
        required=True,
        metadata={"description": "The first 100; `GET /imports/{import_id}/refusals` has all."},
    )
