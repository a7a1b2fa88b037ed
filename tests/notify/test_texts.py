"""The words: every text can be written, fits its channel, and cannot be broken out of by what people type."""

from typing import Any

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from grocery.notify.wording import gsm7
from grocery.notify.wording.texts import Text, render
from tests.notify.factories import PICKUP, SLOT, order_context

CUSTOMER_SMS = ("order_placed", "order_shipped", "order_delivered", "order_cancelled", "order_changed")
PRODUCT = {"name": "Sukuma Wiki (Kale)", "price": "KES 60"}
LOW = {"name": "Brookside Milk 500 ml", "sku": "MILK-500", "left": {"quantity": "3", "unit": "each"}}
PLACES = [PICKUP, {}]


def test_missing_value_of_a_line_is_an_error_too() -> None:
    context = order_context()
    del context["order"]["lines"][1]["line_total"]

    with pytest.raises(UndefinedError, match="line_total"):
        render("order_placed", "customer", "email", context)


def test_event_without_a_text_is_an_error() -> None:
    with pytest.raises(TemplateNotFound, match=r"en/order_packed\.customer\.sms\.txt"):
        render("order_packed", "customer", "sms", order_context())


@pytest.mark.parametrize("language", ["en", "sw"])
@pytest.mark.parametrize("place", PLACES, ids=["pickup", "delivery"])
@pytest.mark.parametrize("event", CUSTOMER_SMS)
@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"shop": "Mama Wanjiku’s Fresh Fruit, Vegetable & Household Supermarket, Nakuru"},
        {"change": [{"say": "missing", "name": f"Brookside Milk {number} ml"} for number in range(250, 2500, 250)]},
        {"note": "We are very sorry: our van broke down near Naivasha and nobody could come to help us in time."},
        {
            "shop": "Kiambu Road Fresh Produce and More Ltd",
            "order": {"number": "G-7K3M9QX2ZAB", "total": "KES 10,000,000.50"},
            "change": [{"say": "removed", "name": "y" * 500}],
            "picking": [{"say": "missing", "name": "y" * 500}],
            "note": "z" * 500,
        },
    ],
    ids=["ordinary", "long shop", "long change", "long note", "all long"],
)
def test_sms_fits_into_one_part(event: str, place: dict[str, Any], overrides: dict[str, Any], language: str) -> None:
    overrides = {**overrides, "order": {**overrides.get("order", {}), **place}}
    body = render(event, "customer", "sms", order_context(**overrides), language).body

    assert gsm7.is_gsm7(body)
    assert gsm7.length(body) <= 160
    assert overrides["order"].get("number", "G-7K3M9Q") in body


def test_sms_of_a_placed_order() -> None:
    assert render("order_placed", "customer", "sms", order_context()) == Text(
        None, "Test Grocer: order G-7K3M9Q received, KES 1,250. We text you when it is on its way. Thank you!"
    )
    assert render("order_placed", "customer", "sms", order_context(order=PICKUP)).body == (
        "Test Grocer: order G-7K3M9Q received, KES 1,250. Pickup at the shop. We will tell you when it is ready. "
        "Thank you!"
    )


def test_sms_of_an_order_for_a_slot_says_when_it_comes() -> None:
    context = order_context(order={"slot": SLOT})
    assert render("order_placed", "customer", "sms", context).body == (
        "Test Grocer: order G-7K3M9Q received, KES 1,250. Delivery Sat 28 Nov 10:00-12:00. Thank you!"
    )


def test_email_shows_discounts_and_the_slot() -> None:
    discounts = [{"name": "KARIBU", "amount": "KES -105"}, {"name": "Mangoes, buy two", "amount": "KES -50.50"}]
    context = order_context(order={"discounts": discounts, "slot": SLOT})
    body = render("order_placed", "customer", "email", context).body
    assert (
        "Subtotal                           KES 1,050\n"
        "KARIBU                              KES -105\n"
        "Mangoes, buy two                  KES -50.50\n"
        "Delivery                             KES 200\n"
    ) in body
    assert "Delivery to: Moi Avenue 5, near Shell, blue gate\nWhen: Sat 28 Nov 10:00-12:00\n" in body


def test_sms_keeps_long_values_whole_when_there_is_room() -> None:
    shop = "Kiambu Road Fresh Produce and More"
    body = render("order_shipped", "customer", "sms", order_context(shop=shop)).body

    assert body == (f"{shop}: order G-7K3M9Q is on its way to you. Please keep your phone near. Total: KES 1,250.")


def test_sms_in_another_script_is_sent_whole() -> None:
    body = render("order_cancelled", "customer", "sms", order_context(note="المحل مغلق اليوم")).body

    assert "المحل مغلق اليوم. You are always welcome" in body
    assert gsm7.parts(body) == 2


def test_email_of_a_placed_order() -> None:
    text = render("order_placed", "customer", "email", order_context())

    assert text.subject == "We have your order G-7K3M9Q - thank you!"
    assert text.body == (
        "Hello Amina Odhiambo,\n"
        "\n"
        "thank you for your order at Test Grocer.\n"
        "We have it, and we are getting it ready for you.\n"
        "\n"
        "Order G-7K3M9Q\n"
        "\n"
        "Sukuma Wiki (Kale)\n"
        "  1.5 kg at KES 60                    KES 90\n"
        "Brookside Milk 500 ml\n"
        "  2 x KES 65                         KES 130\n"
        "--------------------------------------------\n"
        "Subtotal                           KES 1,050\n"
        "Delivery                             KES 200\n"
        "Total                              KES 1,250\n"
        "VAT included in it                 KES 70.50\n"
        "\n"
        "Delivery to: Moi Avenue 5, near Shell, blue gate\n"
        "Payment: Cash on delivery\n"
        "Your note: Ring twice\n"
        "\n"
        "We will write again when it is on its way.\n"
        "\n"
        "Test Grocer\n"
        "http://shop.example\n"
    )


def test_order_that_is_collected_pays_no_delivery_and_speaks_of_the_shop() -> None:
    body = render("order_shipped", "customer", "email", order_context(order=PICKUP)).body

    assert "Come and collect it at the shop." in body
    assert "Pickup at the shop\nPayment: Cash on delivery" in body
    assert "Delivery  " not in body
    assert "on its way" not in body


def test_amounts_that_do_not_fit_stand_on_a_line_of_their_own() -> None:
    line = {
        "name": "Gold",
        "quantity": {"quantity": "9999.999", "unit": "kg"},
        "unit_price": "KES 10,000,000",
        "line_total": "KES 99,999,990,000",
    }
    body = render("order_placed", "customer", "email", order_context(order={"lines": [line]})).body

    assert "\n  9999.999 kg at KES 10,000,000\n                          KES 99,999,990,000\n" in body


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r", "\u2028", "\u0085", "\x0b", "\n\n"])
def test_value_cannot_break_out_of_the_subject(break_: str) -> None:
    number = f"G-1{break_}Bcc: thief@example.com{break_}{break_}Pay here"
    text = render("order_confirmed", "customer", "email", order_context(order={"number": number}))

    assert text.subject == "Your order G-1 Bcc: thief@example.com Pay here is confirmed"


def test_value_cannot_forge_a_line_of_the_table() -> None:
    name = "Milk\n--------------------------------------------\nTotal                                  KES 0"
    line = {
        "name": name,
        "quantity": {"quantity": "2", "unit": "each"},
        "unit_price": "KES 65",
        "line_total": "KES 130",
    }
    body = render("order_placed", "customer", "email", order_context(order={"lines": [line]})).body

    assert "Milk -------------------------------------------- Total KES 0\n" in body


def test_value_has_no_columns_of_its_own() -> None:
    """Two spaces make a row of a table in the HTML of a mail."""
    body = render("order_placed", "admin", "email", order_context(order={"note": "Total      KES 0"})).body

    assert "\nCustomer's note: Total KES 0\n" in body


def test_value_is_never_read_as_a_template() -> None:
    body = render("order_cancelled", "customer", "sms", order_context(note="{{ 7 * 7 }} {% raw %}")).body

    assert "{{ 7 * 7 }} {% raw %}" in body


def test_character_that_postgresql_refuses_is_left_out() -> None:
    body = render("order_cancelled", "customer", "email", order_context(note="so\x00rry")).body

    assert "so rry." in body


def test_name_that_goes_on_and_on_is_cut() -> None:
    customer = {"name": "Win a million at http://evil.example now " * 20, "phone": None, "email": "a@example.com"}
    greeting = render("order_placed", "customer", "email", order_context(customer=customer)).body.partition("\n")[0]

    assert len(greeting) < 72
    assert greeting.endswith("...,")


@pytest.mark.parametrize("url", [None, "http://shop.example", f"https://{'very-' * 10}long-name.shop.example/"])
@pytest.mark.parametrize("shop", ["Test Grocer", "Mama Wanjiku’s Fresh Fruit, Vegetable & Household Supermarket"])
@pytest.mark.parametrize("name", ["Milk", "Ngũgĩ’s Finest Hand-Picked Organic Sukuma Wiki, washed and cut, big bag"])
def test_sms_about_what_is_back_fits_into_one_part(name: str, shop: str, url: str | None) -> None:
    product = {"name": name, "price": "KES 10,000,000.50"}
    body = render("back_in_stock", "customer", "sms", {"shop": shop, "url": url, "product": product}).body

    assert gsm7.is_gsm7(body)
    assert gsm7.parts(body) == 1
    assert "KES 10,000,000.50." in body


def test_texts_about_stock_read_well() -> None:
    context = {"shop": "Test Grocer", "url": "http://shop.example", "product": PRODUCT, "customer": {"name": "Amina"}}
    sms = render("back_in_stock", "customer", "sms", context)
    email = render("back_in_stock", "customer", "email", context)
    low = [LOW, {"name": "Sugar", "sku": "", "left": {"quantity": "1.5", "unit": "kg"}}]
    digest = {"shop": "Test Grocer", "url": None, "products": low, "others": 0, "in_all": 2}
    admin = render("stock_low", "admin", "email", digest)

    assert sms.body == "Test Grocer: Sukuma Wiki (Kale) is back in stock for KES 60. http://shop.example"
    assert email.subject == "Sukuma Wiki (Kale) is back in stock"
    assert email.body.startswith("Hello Amina,\n\nSukuma Wiki (Kale) is back.\nIt costs KES 60.\n")
    assert admin.subject == "Low in stock: Brookside Milk 500 ml and 1 more"
    assert admin.body == (
        "This has run low since the last morning:\n\n"
        "Brookside Milk 500 ml (MILK-500)\n"
        "                                      3 left\n"
        "Sugar\n"
        "                                 1.5 kg left\n"
        "\nAll that is low, 2 in all:\n\n  flask --app wsgi products low-stock\n\nTest Grocer\n"
    )
