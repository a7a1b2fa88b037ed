"""The pages of the list of products."""

import base64
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from grocery.paging import encode_cursor
from tests.products.factories import make_product
from tests.products.reading import names, refusal

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("sort", ["name", "price", "-price", "newest", "relevance"])
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_show_every_product_once_in_order(client: FlaskClient, sort: str, limit: int) -> None:
    for number in range(17):
        words = "milk " * (number % 4) + f"milk {number % 5}"
        make_product(name=words, price_cents=100_00 + number % 3, description="milk" if number % 2 else None)
    whole = [product["id"] for product in client.get(f"/products/?q=milk&sort={sort}&limit=100").json]
    assert len(whole) == 17
    address: str | None = f"/products/?q=milk&sort={sort}&limit={limit}"
    seen: list[int] = []
    while address:
        answer = client.get(address)
        assert len(answer.json) <= limit
        seen += [product["id"] for product in answer.json]
        link = answer.headers.get("Link")
        address = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
    assert seen == whole


def test_the_next_page_keeps_the_filters_and_goes_on_after_new_products(client: FlaskClient) -> None:
    for name in ("a", "b", "d"):
        make_product(name=name, brand="Tropical & Co")
    make_product(name="c", brand="Other")
    first = client.get("/products/?brand=tropical%20%26%20co&limit=1")
    link = first.headers["Link"]
    assert "brand=tropical" in link
    assert "limit=1" in link
    make_product(name="0", brand="Tropical & Co")
    address = link.removeprefix("<").removesuffix('>; rel="next"')
    assert [product["name"] for product in client.get(address).json] == ["b"]


def test_a_page_that_ends_with_the_last_product_has_no_next(client: FlaskClient) -> None:
    make_product()
    make_product()
    assert "Link" in client.get("/products/?limit=1").headers
    assert "Link" not in client.get("/products/?limit=2").headers


@pytest.mark.parametrize("limit", ["0", "-1", "101", str(10**9), str(10**30), "1.5", "x", ""])
def test_a_limit_outside_of_1_to_100_is_refused(client: FlaskClient, limit: str) -> None:
    assert "limit" in refusal(client, f"?limit={limit}")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!!",
        "é",
        "bnVsbA",
        encode_cursor("milk"),
        encode_cursor(1, 2),
        encode_cursor("milk", "2"),
        encode_cursor("milk", 1, 2),
        encode_cursor("mi\x00lk", 1),
        base64.urlsafe_b64encode(b'["a",99999999999999999999]').decode(),
        base64.urlsafe_b64encode(b'["a",true]').decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
        "A" * 7000,
    ],
)
def test_a_cursor_of_another_list_is_refused(client: FlaskClient, cursor: str) -> None:
    make_product()
    assert refusal(client, f"?cursor={quote(cursor)}") == {"cursor": ["Is not valid."]}


@pytest.mark.parametrize("rank", ["1e308", "-1e308", "1e-320", "0.0", "1e400"])
def test_a_made_up_rank_in_a_cursor_does_no_harm(client: FlaskClient, rank: str) -> None:
    make_product(name="milk")
    cursor = base64.urlsafe_b64encode(f"[{rank},1]".encode()).decode()
    assert client.get(f"/products/?q=milk&cursor={cursor}").status_code in (200, 422)


def test_a_cursor_beyond_the_end_is_an_empty_page(client: FlaskClient) -> None:
    make_product()
    assert names(client, f"?cursor={encode_cursor('zzz', 2**62)}") == []
