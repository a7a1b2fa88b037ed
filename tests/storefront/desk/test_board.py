"""The board and the order page: what is seen, what one tap does, and what it does not."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.orders.conftest import Caller
from tests.orders.factories import move
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.desk.shop_floor import give_slot, ordered, said_in, state_of
from tests.storefront.parts import part_of

PARTS = {"X-Parts": "1"}


def act(desk: Browser, order: dict[str, Any], status: str, **form: str) -> TestResponse:
    data = {"status": status, "version": str(order["version"]), **form}
    return desk.post(f"/admin/orders/{order['id']}/move", data)


def test_board_shows_an_order_in_its_tab(desk: Browser, customer: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 2})
    page = desk.get("/admin/orders").text
    row = words_in(part_of(page, "board"))
    assert f"{order['number']} Amina Otieno" in row
    assert "KSh 232 · 1 item" in row
    assert f"Pick {order['number']}" in row
    assert "New 1" in words_in(part_of(page, "tabs"))
    assert "Nothing here" in words_in(desk.get("/admin/orders?tab=packed").text)


def test_late_orders_are_problems_and_come_first(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    later, late = ordered(customer, {soap: 1}), ordered(customer, {soap: 1})
    give_slot(run_sql, later, "now() + interval '20 minutes'", "now() + interval '2 hours'")
    give_slot(run_sql, late, "now() - interval '3 hours'", "now() - interval '65 minutes'")
    board = words_in(part_of(desk.get("/admin/orders").text, "board"))
    assert board.index(late["number"]) < board.index(later["number"])
    assert "Late by 1 hour" in board
    assert "Due now" in board
    problems = words_in(part_of(desk.get("/admin/orders?tab=problem").text, "board"))
    assert late["number"] in problems
    assert later["number"] not in problems


@pytest.mark.parametrize("words", ["345678", "amina", "G-"])
def test_search_finds_by_phone_name_and_number(desk: Browser, customer: Caller, soap: int, words: str) -> None:
    order = ordered(customer, {soap: 1})
    assert order["number"] in words_in(part_of(desk.get(f"/admin/orders?q={words}").text, "board"))


def test_search_for_nothing_that_is_there(desk: Browser, customer: Caller, soap: int) -> None:
    ordered(customer, {soap: 1})
    page = desk.get("/admin/orders?q=%25<script>")
    assert "No order for “%<script>”" in words_in(page)
    assert "<script>”" not in page.text


@pytest.mark.parametrize("address", ["?tab=nope", "?since=x", "?cursor=nope", "?since=99999999999999999999", "?q=%00"])
def test_addresses_that_we_never_gave_out_show_the_board(desk: Browser, address: str) -> None:
    assert desk.get(f"/admin/orders{address}").status_code == 200


def test_one_tap_moves_an_order_one_step(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 1})
    answer = act(desk, order, "packed", return_to="/admin/orders?tab=new")
    assert (answer.status_code, answer.location) == (303, "/admin/orders?tab=new")
    assert said_in(desk.get("/admin/orders").text) == f"{order['number']}: Packed."
    assert state_of(run_sql, order) == ("packed", order["version"] + 1)


def test_double_tap_moves_one_step_only(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 1})
    act(desk, order, "packed")
    act(desk, order, "packed")
    assert state_of(run_sql, order)[0] == "packed"
    [(packed,)] = run_sql("SELECT count(*) FROM order_history WHERE status = 'packed'")
    assert packed == 1
    assert said_in(desk.get("/admin/orders").text) == f"{order['number']} is “Packed” already."


def test_lost_race_says_so_and_how_it_is_now(
    desk: Browser, customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 1})
    move(staff, order, "cancelled")
    before = run_sql("SELECT count(*) FROM order_history")
    act(desk, order, "packed")
    said = said_in(desk.get(f"/admin/orders/{order['id']}").text)
    assert said.startswith("This order was changed meanwhile.")
    assert said.endswith("is now “Cancelled”.")
    assert run_sql("SELECT count(*) FROM order_history") == before


@pytest.mark.parametrize("version", ["", "x", "-1", "0", "999", "1e3", "9" * 30])
def test_forged_versions_change_nothing(desk: Browser, customer: Caller, soap: int, run_sql: Sql, version: str) -> None:
    order = ordered(customer, {soap: 1})
    before = state_of(run_sql, order)
    act(desk, {**order, "version": version}, "packed")
    assert state_of(run_sql, order) == before


@pytest.mark.parametrize("status", ["pending", "nonsense", ""])
def test_moves_that_are_not_allowed_change_nothing(
    desk: Browser, customer: Caller, soap: int, run_sql: Sql, status: str
) -> None:
    order = ordered(customer, {soap: 1})
    act(desk, order, "confirmed")
    before = state_of(run_sql, order)
    act(desk, {**order, "version": before[1]}, status)
    assert state_of(run_sql, order) == before


def test_cancelling_asks_why(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 1})
    act(desk, order, "cancelled", note=" ")
    assert said_in(desk.get("/admin/orders").text) == "Say why: the customer is told."
    assert state_of(run_sql, order)[0] == "pending"
    act(desk, order, "cancelled", note="No soap came")
    assert state_of(run_sql, order)[0] == "cancelled"
    assert run_sql("SELECT note FROM order_history WHERE status = 'cancelled'") == [("No soap came",)]


def test_delivered_notes_what_was_taken(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 2})
    act(desk, order, "delivered", collected="200", received_by="Otieno")
    assert run_sql("SELECT status, paid_cents, received_by FROM orders") == [("delivered", 200_00, "Otieno")]


@pytest.mark.parametrize("collected", ["1000", "-5", "abc", "NaN", "1e9"])
def test_money_that_makes_no_sense_moves_nothing(
    desk: Browser, customer: Caller, soap: int, run_sql: Sql, collected: str
) -> None:
    order = ordered(customer, {soap: 2})
    act(desk, order, "delivered", collected=collected)
    assert run_sql("SELECT status, paid_cents FROM orders") == [("pending", 0)]


def test_bulk_packs_what_it_can_and_names_the_rest(
    desk: Browser, customer: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    good, stale = ordered(customer, {soap: 1}), ordered(customer, {flour: 1})
    desk.post("/admin/orders/pack", {"order": [f"{good['id']}:{good['version']}", f"{stale['id']}:99", "999999:1"]})
    assert state_of(run_sql, good)[0] == "packed"
    assert state_of(run_sql, stale)[0] == "pending"
    words = words_in(desk.get("/admin/orders"))
    assert "1 order is packed." in words
    assert f"{stale['number']} is not packed: This order was changed meanwhile." in words


@pytest.mark.parametrize("marked", [[], ["x"], ["1:"], ["'; --:1"]])
def test_bulk_without_orders_says_what_to_do(desk: Browser, marked: list[str]) -> None:
    for path in ("take", "pack", "print"):
        assert desk.post(f"/admin/orders/{path}", {"order": marked}).location == "/admin/orders"
    assert "Tick one or more orders first." in words_in(desk.get("/admin/orders"))


def test_taking_an_order_says_who_picks_it(desk: Browser, customer: Caller, admin: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 1})
    desk.post("/admin/orders/take", {"order": [f"{order['id']}:{order['version']}"]})
    assert "You pick this" in words_in(desk.get("/admin/orders?tab=picking"))
    desk.sign_in(admin.person)
    assert "Njeri Staff is picking this" in words_in(desk.get("/admin/orders?tab=picking"))


def test_parts_announce_new_orders_only(desk: Browser, customer: Caller, soap: int) -> None:
    first = ordered(customer, {soap: 1})
    address = f"/admin/orders?tab=new&since={first['id']}"
    assert part_of(desk.get(address, headers=PARTS).text, "spoken") == ""
    ordered(customer, {soap: 1})
    answer = desk.get(address, headers=PARTS)
    assert answer.headers["X-Parts"] == "1"
    assert part_of(answer.text, "spoken") == '<p id="spoken">1 new order</p>'
    assert part_of(answer.text, "said") == ""


def test_printing_leads_to_the_lists(desk: Browser, customer: Caller, soap: int, flour: int) -> None:
    one, two = ordered(customer, {soap: 1}), ordered(customer, {soap: 2, flour: 1})
    marked = [f"{order['id']}:{order['version']}" for order in (one, two)]
    picks = desk.get(desk.post("/admin/orders/print", {"order": marked, "what": "picks"}).location)
    assert "3 × Soap" in words_in(picks)
    slips = desk.get(desk.post("/admin/orders/print", {"order": marked, "what": "slips"}).location)
    assert one["number"] in slips.text
    assert two["number"] in slips.text
    assert desk.get("/admin/orders/print").status_code == 404


def test_order_page_shows_all_and_escapes(desk: Browser, customer: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 2}, note="<script>alert(1)</script>")
    page = desk.get(f"/admin/orders/{order['id']}")
    words = words_in(page)
    assert "Amina Otieno" in words
    assert "Call 0712 345678" in words
    assert 'href="tel:+254712345678"' in page.text
    assert "Total KSh 232" in words
    assert "Placed" in words
    assert "Messages sent" in words
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert desk.get("/admin/orders/999999").status_code == 404


def test_lines_change_while_the_order_is_open(desk: Browser, customer: Caller, soap: int, flour: int) -> None:
    order = ordered(customer, {soap: 3, flour: 1})
    path = f"/admin/orders/{order['id']}/lines/{order['lines'][soap]}"
    desk.post(path, {"quantity": "2", "version": str(order["version"])})
    assert "Total KSh 421" in words_in(desk.get(f"/admin/orders/{order['id']}"))
    desk.post(path, {"quantity": "0", "version": str(order["version"] + 1)})
    assert "Soap" not in words_in(part_of(desk.get(f"/admin/orders/{order['id']}").text, "main").split("History")[0])


def test_products_are_searched_for_and_added(
    desk: Browser, customer: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 1})
    assert "Maize Flour KSh 189" in words_in(part_of(desk.get(f"/admin/orders/{order['id']}?q=maize").text, "add"))
    form = {"product_id": str(flour), "quantity": "2", "unit": "each", "version": str(order["version"])}
    for _ in range(2):
        desk.post(f"/admin/orders/{order['id']}/lines", form)
    assert run_sql("SELECT name, quantity FROM order_lines ORDER BY id") == [("Soap", 1), ("Maize Flour", 2)]
    for broken in ({"quantity": "0"}, {"product_id": "999999"}, {"product_id": "x"}, {"quantity": "-1"}):
        version = str(state_of(run_sql, order)[1])
        assert (
            desk.post(f"/admin/orders/{order['id']}/lines", {**form, "version": version, **broken}).status_code == 303
        )
    assert state_of(run_sql, order)[1] == order["version"] + 1


@pytest.mark.parametrize("quantity", ["-1", "1.5", "99999999", "NaN", "1e3", "", "<b>"])
def test_quantities_that_make_no_sense_change_nothing(
    desk: Browser, customer: Caller, soap: int, run_sql: Sql, quantity: str
) -> None:
    order = ordered(customer, {soap: 3})
    path = f"/admin/orders/{order['id']}/lines/{order['lines'][soap]}"
    assert desk.post(path, {"quantity": quantity, "version": str(order["version"])}).status_code == 303
    assert run_sql("SELECT quantity FROM order_lines") == [(3,)]
    assert state_of(run_sql, order) == ("pending", order["version"])


def test_payment_is_noted_once(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 2})
    form = {"amount": "100", "kind": "capture", "paid": "0.00"}
    for _ in range(2):
        desk.post(f"/admin/orders/{order['id']}/payments", form)
    assert run_sql("SELECT paid_cents FROM orders") == [(100_00,)]


def test_goods_of_a_failed_delivery_are_checked_in(
    desk: Browser, customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 3})
    shipped = move(staff, order, "shipped")
    act(desk, shipped, "cancelled", reason="delivery_failed", note="Nobody there")
    assert "Delivery failed: check the goods in" in words_in(desk.get("/admin/orders?tab=problem"))
    line_id = order["lines"][soap]
    form = {f"back-{line_id}": "3", "version": str(state_of(run_sql, order)[1])}
    desk.post(f"/admin/orders/{order['id']}/check-in", form)
    assert run_sql("SELECT stock FROM products") == [(10,)]
    assert "Nothing here" in words_in(desk.get("/admin/orders?tab=problem"))


def test_returns_are_taken_back(desk: Browser, customer: Caller, staff: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 3})
    move(staff, order, "delivered")
    line_id = order["lines"][soap]
    path = f"/admin/orders/{order['id']}/returns"
    version = {"version": str(state_of(run_sql, order)[1])}
    desk.post(path, {f"back-{line_id}": "1", **version})
    assert run_sql("SELECT count(*) FROM order_returns") == [(0,)]
    form = {f"back-{line_id}": "1", f"bad-{line_id}": "1", "reason": "spoiled", "is_paid_back": "1", **version}
    for _ in range(2):  # a second tap
        desk.post(path, form)
    assert run_sql("SELECT refund_cents FROM order_returns") == [(116_00,)]
    assert run_sql("SELECT stock FROM products") == [(7,)]


def test_papers_are_pdfs(desk: Browser, customer: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 1})
    for paper in ("packing-slip", "invoice"):
        answer = desk.get(f"/admin/orders/{order['id']}/{paper}")
        assert (answer.mimetype, answer.data[:4]) == ("application/pdf", b"%PDF")
