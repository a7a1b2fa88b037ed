"""What OpenAPI says about products and categories."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.products import examples
from grocery.products.imports.schemas import (
    IMPORT_EXAMPLE,
    LISTED_IMPORT_EXAMPLE,
    WAITING_EXAMPLE,
    ImportSchema,
    ListedImportSchema,
)
from grocery.products.schemas import (
    CategoryPageSchema,
    CategoryTreeSchema,
    ListedProductSchema,
    NewProductSchema,
    PatchProductSchema,
    ProductSchema,
    ReplaceProductSchema,
)

_BODY = {400, 413, 415, 422}
_ADMIN = {401, 403, 503}


@pytest.fixture
def operations(client: FlaskClient) -> dict[tuple[str, str], Any]:
    paths = client.get("/openapi.json").json["paths"]
    return {
        (method, path): operation
        for path, item in paths.items()
        if path.startswith(("/products", "/categories", "/imports"))
        for method, operation in item.items()
        if method != "parameters"
    }


def test_every_operation_documents_exactly_the_statuses_that_it_answers(
    operations: dict[tuple[str, str], Any],
) -> None:
    documented = {key: {int(status) for status in one["responses"]} for key, one in operations.items()}
    assert documented == {
        ("get", "/categories/"): {200, 304, 503},
        ("post", "/categories/"): {201, 409} | _ADMIN | _BODY,
        ("get", "/categories/{category_id}"): {200, 304, 404, 503},
        ("put", "/categories/{category_id}"): {200, 404, 409} | _ADMIN | _BODY,
        ("delete", "/categories/{category_id}"): {204, 404, 409} | _ADMIN,
        ("get", "/products/"): {200, 304, 401, 403, 422, 503},
        ("post", "/products/"): {201, 409} | _ADMIN | _BODY,
        ("get", "/products/facets"): {200, 304, 422, 503},
        ("get", "/products/suggest"): {200, 304, 422, 503},
        ("get", "/products/{product_id}"): {200, 304, 401, 404, 503},
        ("put", "/products/{product_id}"): {200, 404, 409, 412} | _ADMIN | _BODY,
        ("patch", "/products/{product_id}"): {200, 404, 409, 412} | _ADMIN | _BODY,
        ("delete", "/products/{product_id}"): {204, 404, 412} | _ADMIN,
        ("post", "/products/{product_id}/image"): {200, 404, 412} | _ADMIN | _BODY,
        ("delete", "/products/{product_id}/image"): {200, 404, 412} | _ADMIN,
        ("post", "/products/{product_id}/stock"): {200, 404, 409} | _ADMIN | _BODY,
        ("post", "/products/import"): {202, 411, 429} | _ADMIN | _BODY,
        ("get", "/products/export"): {200, 422, 429} | _ADMIN,
        ("get", "/imports/"): {200, 422} | _ADMIN,
        ("get", "/imports/{import_id}"): {200, 404} | _ADMIN,
        ("get", "/imports/{import_id}/refusals"): {200, 404, 422} | _ADMIN,
        ("post", "/imports/{import_id}/cancel"): {200, 404, 409} | _ADMIN,
        ("get", "/products/{product_id}/prices"): {200, 404, 422} | _ADMIN,
        ("post", "/products/{product_id}/prices"): {201, 404, 409} | _ADMIN | _BODY,
        ("delete", "/products/{product_id}/prices/{change_id}"): {204, 404, 409} | _ADMIN,
        ("get", "/products/{product_id}/price-history"): {200, 404, 422} | _ADMIN,
        ("get", "/products/{product_id}/movements"): {200, 404, 422} | _ADMIN,
        ("get", "/products/{product_id}/lots"): {200, 404, 422} | _ADMIN,
        ("put", "/products/{product_id}/alert"): {204, 401, 404, 409, 503},
        ("delete", "/products/{product_id}/alert"): {204, 401, 404, 503},
    }


def test_every_operation_has_a_summary_and_bodies_have_examples(operations: dict[tuple[str, str], Any]) -> None:
    for key, operation in operations.items():
        assert operation["summary"], key
        content = operation.get("requestBody", {}).get("content", {})
        for kind in content.keys() & {"application/json", "text/csv"}:
            assert content[kind].get("example") or content[kind].get("examples"), key


def test_the_list_documents_its_arguments(operations: dict[tuple[str, str], Any]) -> None:
    parameters = {parameter["name"] for parameter in operations["get", "/products/"]["parameters"]}
    assert parameters == {
        "q", "category", "brand", "min_price", "max_price", "in_stock", "on_offer", "is_active", "sort", "limit",
        "cursor", "If-None-Match",
    }  # fmt: skip


def test_a_patch_needs_nothing_and_has_no_defaults(client: FlaskClient) -> None:
    schema = client.get("/openapi.json").json["components"]["schemas"]["PatchProduct"]
    assert "required" not in schema
    assert not [name for name, field in schema["properties"].items() if "default" in field]
    assert set(PatchProductSchema().fields) == set(ReplaceProductSchema().fields)


def test_the_examples_are_what_is_really_sent_and_answered() -> None:
    assert NewProductSchema().load(examples.NEW_PRODUCT)["price_cents"] == 65_00
    assert set(examples.PRODUCT) == set(ProductSchema().fields)
    assert set(examples.LISTED_PRODUCT) == set(ListedProductSchema().fields)
    assert set(examples.TREE[0]) == set(CategoryTreeSchema().fields)
    assert set(IMPORT_EXAMPLE) == set(WAITING_EXAMPLE) == set(ImportSchema().fields)
    assert set(LISTED_IMPORT_EXAMPLE) == set(ListedImportSchema().fields)
    assert set(examples.CATEGORY_PAGE) == set(CategoryPageSchema().fields)
