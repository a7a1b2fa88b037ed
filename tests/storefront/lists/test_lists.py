"""The pages of shopping lists: made, named, filled, put into the basket."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import place
from tests.orders.shopping_lists.conftest import make_list, on, put
from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.parts import part_of

LISTS = "/account/lists"


def said(browser: Browser, path: str) -> str:
    return words_in(part_of(browser.get(path).text, "said"))


def names(run_sql: Sql) -> list[str]:
    return [name for (name,) in run_sql("SELECT name FROM shopping_lists ORDER BY id")]


def test_a_list_is_made_renamed_and_deleted_after_a_question(amina: Browser, run_sql: Sql) -> None:
    assert "Keep here what you buy every week" in words_in(amina.get(LISTS))
    answer = amina.post(LISTS, {"name": " Every  week "})
    path = answer.location
    assert answer.status_code == 303
    assert said(amina, path) == "The list is made."
    assert "There is nothing on this list yet." in words_in(amina.get(path))
    assert amina.post(f"{path}/name", {"name": "Every month"}).location == path
    assert "<h1>Every month</h1>" in amina.get(path).text
    assert "Delete “Every month”?" in words_in(amina.get(f"{path}/delete"))
    assert names(run_sql) == ["Every month"]
    assert amina.post(f"{path}/delete").location == LISTS
    assert said(amina, LISTS) == "The list is deleted."
    assert names(run_sql) == []
    assert amina.post(f"{path}/delete").status_code == 404


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\x1bb"])
def test_a_name_that_cannot_be_taken_stays_with_the_reason(
    amina: Browser, weekly: dict[str, Any], name: str, run_sql: Sql
) -> None:
    for path in (LISTS, f"{LISTS}/{weekly['id']}/name"):
        answer = amina.post(path, {"name": name})
        assert answer.status_code == 422
        assert "Write a name of up to 60 letters." in words_in(part_of(answer.text, "name-wrong"))
        assert '<a href="#name">Write a name of up to 60 letters.</a>' in answer.text
        assert "<title>Error: " in answer.text
    assert names(run_sql) == ["Every week"]


def test_a_name_that_is_taken_is_said(amina: Browser, customer: Caller, weekly: dict[str, Any], run_sql: Sql) -> None:
    other = make_list(customer, "Party")
    for path, name in ((LISTS, "EVERY week"), (f"{LISTS}/{other['id']}/name", "every week")):
        answer = amina.post(path, {"name": name})
        assert (answer.status_code, "You have a list of this name already." in words_in(answer)) == (422, True)
        assert f'value="{name}"' in answer.text
    assert names(run_sql) == ["Every week", "Party"]


def test_there_is_room_for_50(amina: Browser, customer: Caller, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO shopping_lists (customer_id, name) SELECT :id, 'List ' || n FROM generate_series(1, 50) AS n",
        id=customer.person.id,
    )
    answer = amina.post(LISTS, {"name": "One more"})
    assert "You have 50 lists already. Delete one first." in words_in(answer)
    assert len(names(run_sql)) == 50


def test_an_order_becomes_a_list(amina: Browser, customer: Caller, flour: int, soap: int, run_sql: Sql) -> None:
    order = place(customer, {flour: 2, soap: 1})
    page = amina.get(f"/account/orders/{order['id']}").text
    assert f'name="name" value="Order {order["number"]}"' in page
    form = {"name": f"Order {order['number']}", "order_id": order["id"], "return_to": f"/account/orders/{order['id']}"}
    path = amina.post(LISTS, form).location
    assert on(customer, {"id": path.rpartition("/")[2]}) == {flour: 2, soap: 1}
    again = amina.post(LISTS, form)
    assert again.location == f"/account/orders/{order['id']}"
    assert said(amina, again.location) == "You have a list of this name already."
    assert len(names(run_sql)) == 1


def test_quantities_are_changed_as_people_write_them(
    amina: Browser, customer: Caller, weekly: dict[str, Any], flour: int, beef: int
) -> None:
    put(customer, weekly, flour, 1)
    put(customer, weekly, beef, 1)
    path = f"{LISTS}/{weekly['id']}"
    assert amina.post(f"{path}/items/{beef}", {"quantity": "1,5 kg"}).location == f"{path}#row-{beef}"
    amina.post(f"{path}/items/{flour}", {"quantity": "3"})
    assert on(customer, weekly) == {flour: 3, beef: 1.5}
    assert said(amina, path) == "Saved."
    amina.post(f"{path}/items/{flour}", {"quantity": "0"})
    assert said(amina, path) == "Off the list: Maize Flour"
    assert on(customer, weekly) == {beef: 1.5}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "Write a weight, such as 0.5 or 2 kg."),
        ("-1", "Write a weight, such as 0.5 or 2 kg."),
        ("NaN", "Write a weight, such as 0.5 or 2 kg."),
        ("1e3", "Write a weight, such as 0.5 or 2 kg."),
        ("0.3", "Sold in steps of 0.25 kg."),
        ("999999999", "At most 10,000."),
    ],
)
def test_nonsense_changes_nothing_and_stays_with_the_reason_beside_it(
    amina: Browser, customer: Caller, weekly: dict[str, Any], beef: int, written: str, problem: str
) -> None:
    put(customer, weekly, beef, 1)
    answer = amina.post(f"{LISTS}/{weekly['id']}/items/{beef}", {"quantity": written})
    assert answer.status_code == 422
    row = part_of(answer.text, f"row-{beef}")
    assert problem in words_in(row)
    assert f'name="quantity" value="{written}"' in row
    assert f'<a href="#quantity-{beef}">{problem}</a>' in answer.text
    assert on(customer, weekly) == {beef: 1}


def test_each_form_sends_one_quantity(amina: Browser, customer: Caller, weekly: dict[str, Any], beef: int) -> None:
    put(customer, weekly, beef, 1)
    row = part_of(amina.get(f"{LISTS}/{weekly['id']}").text, f"row-{beef}")
    assert [form.count('name="quantity"') for form in row.split("<form")[1:]] == [1, 1]


def test_what_is_not_there_is_said_in_its_row(
    amina: Browser, customer: Caller, weekly: dict[str, Any], flour: int, soap: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour)
    put(customer, weekly, soap)
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=flour)
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=soap)
    path = f"{LISTS}/{weekly['id']}"
    page = amina.get(path).text
    assert "Sold out for now" in words_in(part_of(page, f"row-{flour}"))
    row = part_of(page, f"row-{soap}")
    assert "Not sold any more" in words_in(row)
    assert "Save" not in words_in(row)
    assert "This product is not sold any more." in words_in(amina.post(f"{path}/items/{soap}", {"quantity": "2"}))
    amina.post(f"{path}/items/{soap}", {"quantity": "0"})
    assert on(customer, weekly) == {flour: 1}


def test_all_goes_into_the_basket_and_what_cannot_be_bought_is_said(
    amina: Browser, customer: Caller, weekly: dict[str, Any], flour: int, soap: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour, 2)
    put(customer, weekly, soap, 1)
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=soap)
    amina.client.set_cookie("wish", "call")
    for _ in range(2):
        assert amina.post(f"{LISTS}/{weekly['id']}/basket").location == "/basket"
        assert said(amina, "/basket") == "1 item is not available: Soap."
        assert run_sql("SELECT product_id, quantity::int FROM cart_items") == [(flour, 2)]
    assert on(customer, weekly) == {flour: 2, soap: 1}


def test_products_are_put_on_a_list_from_their_own_page(
    amina: Browser, customer: Caller, weekly: dict[str, Any], flour: int, beef: int, run_sql: Sql
) -> None:
    page = amina.get(f"/p/{beef}-beef").text
    assert f'<option value="{weekly["id"]}">Every week</option>' in page
    assert '<input type="hidden" name="quantity" value="0.5">' in page
    form = {"list_id": weekly["id"], "quantity": "0.5", "return_to": f"/p/{beef}-beef"}
    assert amina.post(f"{LISTS}/products/{beef}", form).location == f"/p/{beef}-beef"
    assert said(amina, f"/p/{beef}-beef") == "On your list “Every week”: Beef"
    new = {"name": "Party", "quantity": "2", "return_to": "//evil.example/"}
    assert amina.post(f"{LISTS}/products/{flour}", new).location == LISTS
    assert on(customer, weekly) == {beef: 0.5}
    assert names(run_sql) == ["Every week", "Party"]
    assert run_sql("SELECT count(*) FROM shopping_list_items") == [(2,)]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "Every week"}, "You have a list of this name already."),
        ({"name": ""}, "Write a name of up to 60 letters."),
        ({"list_id": "x", "name": " "}, "Write a name of up to 60 letters."),
        ({"list_id": "1'--"}, "Write a name of up to 60 letters."),
        ({"name": "New", "quantity": "-3"}, "Write a number, such as 2."),
        ({"name": "New", "quantity": "1.5"}, "Sold by piece: write a whole number."),
    ],
)
def test_what_cannot_be_put_on_a_list_makes_none(
    amina: Browser, weekly: dict[str, Any], flour: int, form: dict[str, str], words: str, run_sql: Sql
) -> None:
    path = f"/p/{flour}-maize-flour"
    answer = amina.post(f"{LISTS}/products/{flour}", {"quantity": "1", "return_to": path, **form})
    assert (answer.status_code, answer.location) == (303, path)
    assert said(amina, path) == words
    assert names(run_sql) == ["Every week"]
    assert run_sql("SELECT count(*) FROM shopping_list_items") == [(0,)]


def test_none_of_a_product_is_the_first_amount_of_it(amina: Browser, weekly: dict[str, Any], beef: int) -> None:
    answer = amina.post(f"{LISTS}/products/{beef}", {"list_id": weekly["id"], "quantity": "0"})
    assert answer.status_code == 303
    assert 'value="0.5"' in part_of(amina.get(f"{LISTS}/{weekly['id']}").text, f"row-{beef}")


def test_visitors_see_no_lists_at_products_and_sign_in_for_theirs(browser: Browser, flour: int) -> None:
    page = browser.get(f"/p/{flour}-maize-flour").text
    assert "shopping list" not in page
    assert browser.post(f"{LISTS}/products/{flour}", {"name": "Mine"}).location.startswith("/sign-in?")
    assert browser.get(LISTS).location == f"/sign-in?return_to={LISTS}"


def test_lists_and_orders_of_others_are_not_found(
    amina: Browser, other_customer: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    theirs = make_list(other_customer, "Secret list")
    put(other_customer, theirs, flour, 2)
    order = place(other_customer, {soap: 1})
    path = f"{LISTS}/{theirs['id']}"
    for answer in (
        amina.get(path),
        amina.get(f"{path}/delete"),
        amina.post(f"{path}/name", {"name": "Mine"}),
        amina.post(f"{path}/delete"),
        amina.post(f"{path}/basket"),
        amina.post(f"{path}/items/{flour}", {"quantity": "9"}),
        amina.post(f"{path}/items/{flour}", {"quantity": "0"}),
        amina.post(f"{LISTS}/products/{soap}", {"list_id": theirs["id"], "quantity": "1"}),
        amina.post(LISTS, {"name": "Theirs", "order_id": order["id"]}),
        amina.get(f"{LISTS}/{10**30}"),
        amina.post(f"{LISTS}/{2**63}/items/{flour}", {"quantity": "1"}),
        amina.post(f"{LISTS}/products/999999", {"name": "New", "quantity": "1"}),
    ):
        assert answer.status_code == 404
        assert "Secret list" not in answer.text
    assert names(run_sql) == ["Secret list"]
    assert on(other_customer, theirs) == {flour: 2}
    assert run_sql("SELECT count(*) FROM cart_items") == [(0,)]


def test_names_are_never_markup(amina: Browser, customer: Caller) -> None:
    evil = "<script>alert(1)</script>"
    made = make_list(customer, evil)
    product = make_product(name=evil)
    amina.post(f"{LISTS}/products/{product}", {"list_id": made["id"], "quantity": "1"})
    for path in (LISTS, f"{LISTS}/{made['id']}", f"{LISTS}/{made['id']}/delete", f"/p/{product}-script-alert-1-script"):
        page = amina.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_forms_of_other_sites_change_nothing(
    amina: Browser, customer: Caller, weekly: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour)
    path = f"{LISTS}/{weekly['id']}"
    amina.get(path)
    for token in ("", "made up", amina.csrf_token + "x"):
        for where in (LISTS, f"{path}/name", f"{path}/delete", f"{path}/basket", f"{path}/items/{flour}",
                      f"{LISTS}/products/{flour}"):  # fmt: skip
            form = {"csrf_token": token, "name": "Other", "quantity": "5"}
            assert amina.post(where, form).status_code == 403
    assert names(run_sql) == ["Every week"]
    assert on(customer, weekly) == {flour: 1}
    assert run_sql("SELECT count(*) FROM cart_items") == [(0,)]
