"""The routes of following an order: who is led to its stream, and what the public page shows."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.config import Settings
from grocery.orders.tracking.links import make_token
from grocery.tickets import read_ticket
from tests.auth.factories import make_customer, token_pair
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]

JSON = {"Accept": "application/json"}


@pytest.fixture
def order(customer: Caller) -> dict[str, Any]:
    return place(
        customer,
        {make_product(name="Maize Flour <2 kg>", price_cents=189_00): 2},
        note="Ring at Mrs Njoroge's",
        delivery={"method": "pickup"},
    )


@pytest.fixture
def token(order: dict[str, Any], settings: Settings) -> str:
    return make_token(order["id"], settings.secret_key)


def test_owner_and_staff_are_led_to_the_stream_with_a_ticket(
    customer: Caller, staff: Caller, order: dict[str, Any], settings: Settings
) -> None:
    for person in (customer, staff):
        answer = person.get(f"/orders/{order['id']}/stream")
        assert (answer.status_code, answer.data) == (307, b"")
        assert answer.headers["Cache-Control"] == "no-store"
        location = urlsplit(answer.headers["Location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == (
            f"http://127.0.0.1:8001/stream/orders/{order['id']}"
        )
        ticket = read_ticket(parse_qs(location.query)["ticket"][0], settings.secret_key)
        assert (ticket.order_id, ticket.is_public, ticket.opens) == (order["id"], False, True)
        assert list(parse_qs(location.query)) == ["ticket"]


def test_nobody_else_is(customer: Caller, other_customer: Caller, order: dict[str, Any], client: FlaskClient) -> None:
    path = f"/orders/{order['id']}/stream"
    answers = [client.get(path), other_customer.get(path), customer.get("/orders/999999/stream")]
    assert [answer.status_code for answer in answers] == [401, 404, 404]
    assert all("Location" not in answer.headers for answer in answers)


def test_what_was_seen_last_is_passed_on(customer: Caller, order: dict[str, Any], token: str) -> None:
    for path in (f"/orders/{order['id']}/stream", f"/t/{token}/stream"):
        location = customer.get(f"{path}?last_event_id=41").headers["Location"]
        assert parse_qs(urlsplit(location).query)["last_event_id"] == ["41"]


@pytest.mark.parametrize(
    "query", ["last_event_id=x", "last_event_id=-1", "last_event_id=99999999999999999999", "since=1"]
)
def test_bad_arguments_are_named(query: str, customer: Caller, order: dict[str, Any], token: str) -> None:
    for path, status in (
        (f"/orders/{order['id']}/stream", 422),
        (f"/t/{token}/stream", 422),
        ("/orders/999999/stream", 404),
    ):
        assert customer.get(f"{path}?{query}").status_code == status


def test_without_an_address_streams_are_below_the_shops_own(settings: Settings, token: str) -> None:
    client = create_app(replace(settings, stream_url="")).test_client()
    assert client.get(f"/t/{token}/stream").headers["Location"].startswith("/stream/orders/")
    policy = client.get(f"/t/{token}").headers["Content-Security-Policy"]
    assert "connect-src 'self';" in policy


def test_the_public_link_gets_a_ticket_of_its_own_kind(
    client: FlaskClient, order: dict[str, Any], token: str, settings: Settings
) -> None:
    answer = client.get(f"/t/{token}/stream")
    assert answer.status_code == 307
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    ticket = read_ticket(query["ticket"][0], settings.secret_key)
    assert (ticket.order_id, ticket.is_public) == (order["id"], True)


def test_the_page_shows_status_and_items_and_nothing_about_the_person(
    client: FlaskClient, customer: Caller, staff: Caller, order: dict[str, Any], token: str
) -> None:
    move(staff, order, "shipped", note="Rider: Otieno")
    answer = client.get(f"/t/{token}")
    page = answer.text
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert re.search(r'<p id="status" [^>]*role="status"[^>]*>Ready to collect</p>', page)
    assert page.count('class="reached"') == 4
    assert "2 × Maize Flour &lt;2 kg&gt;" in page
    assert order["number"] in page
    for private in ("Amina", "Otieno", "254712345678", "Njoroge", "Njeri", "189", "378"):
        assert private not in page
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in page
    assert not re.search(r"<script>|<style|style=| on[a-z]+=", page)
    assert f'data-stream="/t/{token}/stream"' in page


def test_the_page_keeps_its_address_to_itself(client: FlaskClient, token: str) -> None:
    for path in (f"/t/{token}", "/t/1-aaaaaaaaaaaaaaaa"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self' http://127.0.0.1:8001; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
            "form-action 'none'"
        )


def test_what_the_page_needs_is_there(client: FlaskClient, token: str) -> None:
    page = client.get(f"/t/{token}").text
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert {file.rpartition("/")[2] for file in files} == {"icon.svg", "shop.css", "shop.js", "tracking.js"}
    for file in files:
        with client.get(file) as answer:
            assert answer.status_code == 200


def test_it_asks_nobody_who_they_are_and_has_no_forms(
    client: FlaskClient, customer: Caller, order: dict[str, Any], token: str
) -> None:
    pair = token_pair(customer.person)
    client.set_cookie("access", pair.access_token)
    client.set_cookie("refresh", pair.refresh_token)
    answer = client.get(f"/t/{token}")
    assert "<form" not in answer.text
    assert "Amina" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_it_speaks_the_language_that_is_asked_for(client: FlaskClient, token: str) -> None:
    assert '<html lang="en">' in client.get(f"/t/{token}").text
    assert '<html lang="sw">' in client.get(f"/t/{token}", headers={"Accept-Language": "sw"}).text
    assert '<html lang="sw">' in client.get(f"/t/{token}?lang=sw").text


def test_the_rider_can_be_called_while_it_is_on_its_way(
    client: FlaskClient, customer: Caller, staff: Caller, settings: Settings, run_sql: Sql
) -> None:
    rider = make_customer("Otieno Rider", phone="+254799000111", role="staff")
    order = place(
        customer,
        {make_product(): 1},
        delivery={"method": "delivery", "address": "Moi Avenue 12"},
    )
    path = f"/t/{make_token(order['id'], settings.secret_key)}"
    move(staff, order, "packed")
    run = staff.post("/delivery/runs", json={"rider_id": rider.id, "order_ids": [order["id"]]})
    assert run.status_code == 201, run.json
    assert client.get(path, headers=JSON).json["rider_phone"] is None
    move(staff, order, "shipped")
    assert client.get(path, headers=JSON).json["rider_phone"] == "+254799000111"
    page = client.get(path).text
    assert 'href="tel:+254799000111"' in page
    for private in ("Otieno", "Moi Avenue", "Amina", "254712345678"):
        assert private not in page
    move(staff, order, "delivered")
    assert client.get(path, headers=JSON).json["rider_phone"] is None


def test_an_order_that_is_over_needs_no_script(
    client: FlaskClient, staff: Caller, order: dict[str, Any], token: str
) -> None:
    move(staff, order, "cancelled")
    page = client.get(f"/t/{token}").text
    assert "tracking.js" not in page
    assert "refresh" not in page
    assert ">Cancelled</p>" in page


def test_programs_get_json(client: FlaskClient, staff: Caller, order: dict[str, Any], token: str, run_sql: Sql) -> None:
    move(staff, order, "confirmed")
    answer = client.get(f"/t/{token}", headers=JSON)
    rows = run_sql("SELECT id, at FROM order_history ORDER BY id")
    times = [at.isoformat().replace("+00:00", "Z") for _, at in rows]
    assert answer.json == {
        "number": order["number"],
        "status": "confirmed",
        "delivery_method": "pickup",
        "slot_starts_at": None,
        "slot_ends_at": None,
        "rider_phone": None,
        "steps": [
            {"status": "pending", "at": times[0]},
            {"status": "confirmed", "at": times[1]},
            {"status": "packed", "at": None},
            {"status": "shipped", "at": None},
            {"status": "delivered", "at": None},
        ],
        "items": [{"name": "Maize Flour <2 kg>", "quantity": 2, "unit": "each"}],
        "last_event_id": rows[-1][0],
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Accept"


def test_what_was_picked_is_shown_instead_of_what_was_ordered(
    client: FlaskClient, customer: Caller, settings: Settings, run_sql: Sql
) -> None:
    kale, milk = make_product(name="Kale", unit="kg", quantity_step="0.5"), make_product(name="Milk")
    order = place(customer, {kale: 1.5, milk: 2})
    run_sql("UPDATE order_lines SET picked_quantity = 1.42 WHERE name = 'Kale'")
    run_sql("UPDATE order_lines SET picked_quantity = 0 WHERE name = 'Milk'")
    answer = client.get(f"/t/{make_token(order['id'], settings.secret_key)}", headers=JSON)
    assert answer.json["items"] == [{"name": "Kale", "quantity": 1.42, "unit": "kg"}]


def test_forged_unknown_and_deleted_look_the_same(
    client: FlaskClient, order: dict[str, Any], token: str, settings: Settings, run_sql: Sql
) -> None:
    forged, unknown = f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}", make_token(999_999, settings.secret_key)
    run_sql("DELETE FROM orders")
    answers = [client.get(f"/t/{one}") for one in (forged, unknown, token, "x" * 3000, "%00", "1-%C3%BC")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1
    assert "There is no order behind this link." in answers[0].text
    problems = [client.get(f"/t/{one}", headers=JSON) for one in (forged, unknown, token)]
    assert {(answer.status_code, answer.json["code"]) for answer in problems} == {(404, "not_found")}
    assert client.get(f"/t/{forged}/stream").status_code == 404
