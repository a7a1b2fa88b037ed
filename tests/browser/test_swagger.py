"""The whole seed list of endpoints, tried by hand in Swagger UI, as an API client's developer does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.auth.factories import PASSWORD, make_customer
from tests.products.factories import make_category, make_product
from tests.products.images.pictures import jpeg

Sql = Callable[..., list[tuple[Any, ...]]]


class Swagger:
    """Swagger UI in a page."""

    def __init__(self, page: Page, address: str):
        self._page = page
        # What is outside of the window is not drawn: in this one, all groups are inside.
        page.set_viewport_size({"width": 1000, "height": 2800})
        page.goto(f"{address}/docs")
        expect(page.locator(".opblock-tag").first).to_be_visible()
        paths = page.request.get(f"{address}/openapi.json").json()["paths"].values()
        operations = [one for path in paths for one in path.values() if isinstance(one, dict)]
        self._tags = {one["operationId"]: one["tags"][0] for one in operations}

    def call(self, operation: str, body: Any = None, file: Any = None, **parameters: Any) -> tuple[int, Any]:
        """Fill in an operation's form, execute it, and read status and body of the answer."""
        group = self._page.locator(f'.opblock-tag[data-tag="{self._tags[operation]}"]')
        group.click()
        block = self._page.locator(f'.opblock[id$="-{operation}"]')
        block.locator(".opblock-summary-control").click()
        for name, value in parameters.items():
            block.locator(f'tr[data-param-name="{name}"] input').fill(str(value))
        if body is not None:
            block.locator("textarea.body-param__text").fill(json.dumps(body))
        if file is not None:
            block.locator('input[type="file"]').set_input_files(file)
        block.locator("button.execute").click()
        answer = block.locator(".live-responses-table")
        expect(answer).to_be_visible()
        status = int(answer.locator("tbody td.response-col_status").first.inner_text().split()[0])
        text = self._body(answer)
        block.locator("button.btn-clear").click()  # or the next call of this operation would read this answer
        block.locator(".opblock-summary-control").click()
        group.click()
        return status, json.loads(text) if text else None

    def _body(self, answer: Locator) -> str:
        body = answer.locator("tbody .response-col_description .highlight-code code").first
        return body.inner_text() if body.count() else ""

    def authorize(self, token: str) -> None:
        self._page.locator(".auth-wrapper .authorize").first.click()
        dialog = self._page.locator(".modal-ux")
        dialog.locator("input").fill(token)
        dialog.get_by_role("button", name="Apply credentials").click()
        dialog.get_by_role("button", name="Close").click()

    def forget(self) -> None:
        self._page.locator(".auth-wrapper .authorize").first.click()
        dialog = self._page.locator(".modal-ux")
        dialog.get_by_role("button", name="Remove authorization").click()
        dialog.get_by_role("button", name="Close").click()


@pytest.fixture
def swagger(page: Page, address: str) -> Swagger:
    return Swagger(page, address)


def test_the_seed_list_works_from_swagger_ui(swagger: Swagger, context: None, run_sql: Sql) -> None:
    category_id = make_category("Flour")
    make_customer(email="owner@shop.example", role="admin")

    newcomer = {"name": "Amina", "email": "amina@example.com", "password": PASSWORD}
    assert swagger.call("register", newcomer)[0] == 201
    status, pair = swagger.call("log_in", {"email": "amina@example.com", "password": PASSWORD})
    assert status == 200
    status, admins = swagger.call("log_in", {"email": "owner@shop.example", "password": PASSWORD})
    assert status == 200

    swagger.authorize(admins["access_token"])
    flour = {"name": "Maize Flour", "category_id": category_id, "price": "189.00", "stock": 5}
    status, product = swagger.call("create_product", flour)
    assert (status, product["stock"]) == (201, 5)
    changed = {"name": "Maize Flour 2 kg", "category_id": category_id, "price": "199.00"}
    status, product = swagger.call("replace_product", changed, product_id=product["id"])
    assert (status, product["name"], product["price"]) == (200, "Maize Flour 2 kg", "199.00")
    status, doomed = swagger.call("create_product", {**flour, "name": "Soap"})
    assert swagger.call("delete_product", product_id=doomed["id"])[0] == 204
    status, listed = swagger.call("list_products")
    assert (status, [one["name"] for one in listed]) == (200, ["Maize Flour 2 kg"])

    swagger.forget()
    swagger.authorize(pair["access_token"])
    status, order = swagger.call("place_order", {"items": [{"product_id": product["id"], "quantity": 2}]})
    assert (status, order["total"]) == (201, "398.00")
    status, read = swagger.call("get_order", order_id=order["id"])
    assert (status, read["number"]) == (200, order["number"])
    status, problem = swagger.call("set_order_status", {"status": "shipped"}, order_id=order["id"])
    assert (status, problem["code"]) == (403, "forbidden")

    swagger.forget()
    swagger.authorize(admins["access_token"])
    status, order = swagger.call("set_order_status", {"status": "Shipped"}, order_id=order["id"])
    assert (status, order["status"]) == (200, "shipped")
    assert swagger.call("log_out")[0] == 204
    status, problem = swagger.call("get_order", order_id=order["id"])
    assert (status, problem["code"]) == (401, "token_revoked")
    assert run_sql("SELECT status FROM orders") == [("shipped",)]


@pytest.mark.prove
def test_a_picture_is_uploaded_from_swagger_ui(swagger: Swagger, context: None, run_sql: Sql) -> None:
    product_id = make_product()
    make_customer(email="owner@shop.example", role="admin")
    _, pair = swagger.call("log_in", {"email": "owner@shop.example", "password": PASSWORD})
    swagger.authorize(pair["access_token"])
    file = {"name": "picture.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    status, product = swagger.call("set_product_image", file=file, product_id=product_id)
    assert (status, product["version"]) == (200, 2)
    assert run_sql("SELECT image_url FROM products") == [(product["images"]["640"],)]
