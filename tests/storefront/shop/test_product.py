"""The page of a product, and being told when it is back."""

from decimal import Decimal

import pytest

from tests.auth.factories import make_customer
from tests.products.factories import make_category, make_product
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.shop.cards import names_on

SCRIPT = "<script>alert(1)</script>"
DIGEST = "0123456789abcdef" * 2


def alerts(run_sql: Sql) -> list[tuple[object, ...]]:
    return run_sql("SELECT product_id, customer_id FROM stock_alerts ORDER BY product_id")


def test_all_that_one_wants_to_know(browser: Browser) -> None:
    bread = make_product(
        "Bakery/Bread",
        name="Brown Bread",
        brand="Supa Loaf",
        price_cents=72_50,
        compare_at_price_cents=80_00,
        net_content="400 g",
        stock=Decimal(3),
        description="Baked at night.\nSliced.",
        ingredients="wheat, salt",
        allergens=["wheat", "soya"],
        country_of_origin="KE",
    )
    page = browser.get(f"/p/{bread}-brown-bread")
    assert page.status_code == 200
    words = words_in(page)
    for said in (
        "Shop Bakery Bread Brown Bread Supa Loaf · 400 g",
        "KSh 72.50 before: KSh 80 KSh 181.25/kg",
        "Only 3 left",
        "Baked at night. Sliced.",
        "Allergens Contains: wheat, soya",
        "Ingredients wheat, salt",
        "Origin Kenya",
    ):
        assert said in words
    assert "Only for adults" not in words
    assert f'<link rel="canonical" href="http://shop.example/p/{bread}-brown-bread">' in page.text
    assert page.text.count("<h1") == 1
    assert f'id="amount-{bread}"' in page.text


def test_countries_are_named_in_the_language_of_the_page(browser: Browser) -> None:
    wine = make_product(name="Wine", country_of_origin="ZA", is_age_restricted=True)
    assert "Origin South Africa" in words_in(browser.get(f"/p/{wine}-wine"))
    assert "Afrika Kusini" in browser.get(f"/p/{wine}-wine?lang=sw").text


def test_what_is_for_adults_says_so(browser: Browser) -> None:
    wine = make_product(name="Wine", is_age_restricted=True)
    assert "Only for adults. The rider asks for proof of age." in browser.get(f"/p/{wine}-wine").text


def test_what_is_weighed_says_what_it_will_cost_about(browser: Browser) -> None:
    kale = make_product(name="Kale", price_cents=90_00, unit="kg", quantity_step=Decimal("0.25"))
    words = words_in(browser.get(f"/p/{kale}-kale"))
    assert "KSh 90 /kg 0.5 kg is about KSh 45. You pay for what it weighs when packed." in words
    browser.post(f"/basket/items/{kale}", {"quantity": "1.25"})
    assert "1.25 kg is about KSh 112.50." in words_in(browser.get(f"/p/{kale}-kale"))


def test_the_wide_picture_is_for_wide_screens(browser: Browser) -> None:
    milk = make_product(name="Milk", image_url=f"/media/{DIGEST}/640.webp")
    make_product(name="Cream", image_url="https://pictures.example/cream.webp")
    page = browser.get(f"/p/{milk}-milk").text
    assert f'src="/media/{DIGEST}/640.webp" alt="" width="640" height="480"' in page
    assert f'srcset="/media/{DIGEST}/640.webp 640w, /media/{DIGEST}/1280.webp 1280w"' in page
    card = browser.get(f"/c/{make_category()}-pantry").text
    assert f'src="/media/{DIGEST}/320.webp" alt="" width="320" height="240"' in card
    assert 'src="https://pictures.example/cream.webp" alt="" width="320" height="240"' in card


def test_another_name_leads_to_the_one_address(browser: Browser) -> None:
    bread = make_product(name="Brown Bread")
    moved = browser.get(f"/p/{bread}-white?lang=sw")
    assert (moved.status_code, moved.location) == (301, f"/p/{bread}-brown-bread?lang=sw")


def test_what_is_withdrawn_or_was_never_there_is_not_found(browser: Browser) -> None:
    gone = make_product(name="Gone", is_active=False)
    for address in (f"/p/{gone}-gone", "/p/999999-x", "/p/99999999999999999999-x"):
        page = browser.get(address, headers={"Accept": "text/html"})
        assert page.status_code == 404
        assert "This page is not there" in page.text


def test_similar_ones_are_of_the_category_in_stock_and_nearest_in_price(browser: Browser) -> None:
    bread = make_product("Bakery", name="Bread", price_cents=100_00, stock=0)
    make_product("Bakery", name="Cake", price_cents=900_00)
    make_product("Bakery", name="Roll", price_cents=95_00)
    make_product("Bakery", name="Bun", price_cents=120_00)
    make_product("Bakery", name="Gone", price_cents=100_00, stock=0)
    make_product("Bakery", name="Withdrawn", price_cents=100_00, is_active=False)
    make_product("Dairy", name="Milk", price_cents=100_00)
    make_product("Bakery", name="Dough", price_cents=100_00, unit="kg", quantity_step=Decimal("0.1"))
    page = browser.get(f"/p/{bread}-bread")
    assert names_on(page) == ["Roll", "Bun", "Cake", "Dough"]
    assert 'id="similar"' in page.text


def test_a_visitor_is_led_to_sign_in_for_an_alert(browser: Browser, run_sql: Sql) -> None:
    bread = make_product(name="Bread", stock=0)
    page = browser.get(f"/p/{bread}-bread").text
    assert f'href="/sign-in?return_to=/p/{bread}-bread"' in page
    assert "Tell me when it is back" not in page
    answer = browser.post(f"/p/{bread}/alert", {"return_to": f"/p/{bread}-bread"})
    assert answer.status_code == 303
    assert answer.location == f"/sign-in?return_to=/p/{bread}-bread"
    assert alerts(run_sql) == []


def test_a_customer_asks_to_be_told_and_takes_it_back(browser: Browser, run_sql: Sql) -> None:
    bread, amina = make_product(name="Bread", stock=0), make_customer()
    browser.sign_in(amina)
    assert "Tell me when it is back" in browser.get(f"/p/{bread}-bread").text
    for _ in range(2):
        answer = browser.post(f"/p/{bread}/alert")
        assert (answer.status_code, answer.location) == (303, f"/p/{bread}-bread")
    assert alerts(run_sql) == [(bread, amina.id)]
    page = browser.get(f"/p/{bread}-bread").text
    assert "Do not tell me" in page
    assert "Tell me when it is back" not in page
    assert browser.post(f"/p/{bread}/alert/stop").status_code == 303
    assert alerts(run_sql) == []


def test_what_came_back_meanwhile_needs_no_alert(browser: Browser, run_sql: Sql) -> None:
    bread = make_product(name="Bread")
    browser.sign_in(make_customer())
    assert browser.post(f"/p/{bread}/alert").status_code == 303
    assert "Good news: it is back already." in browser.get(f"/p/{bread}-bread").text
    assert alerts(run_sql) == []


def test_a_hundred_alerts_are_enough(browser: Browser, run_sql: Sql) -> None:
    bread, amina = make_product(name="Bread", stock=0), make_customer()
    for _ in range(100):
        other = make_product(stock=0)
        run_sql("INSERT INTO stock_alerts (product_id, customer_id) VALUES (:p, :c)", p=other, c=amina.id)
    browser.sign_in(amina)
    assert browser.post(f"/p/{bread}/alert").status_code == 303
    assert "You wait for 100 products already." in browser.get(f"/p/{bread}-bread").text
    assert (bread, amina.id) not in alerts(run_sql)


@pytest.mark.parametrize("path", ["alert", "alert/stop"])
def test_alerts_need_the_token_of_the_page_and_a_product(browser: Browser, run_sql: Sql, path: str) -> None:
    bread = make_product(name="Bread", stock=0)
    browser.sign_in(make_customer())
    assert browser.post(f"/p/{bread}/{path}", {"csrf_token": "made up"}).status_code == 403
    assert browser.post(f"/p/999999/{path}").status_code == 404
    assert browser.get(f"/p/{bread}/{path}").status_code in (404, 405)
    assert alerts(run_sql) == []


def test_texts_of_a_product_are_text_and_not_markup(browser: Browser) -> None:
    odd = make_product(
        name=SCRIPT, brand=SCRIPT, description=SCRIPT, ingredients=SCRIPT, allergens=[SCRIPT], net_content=SCRIPT
    )
    page = browser.get(f"/p/{odd}-script-alert-1-script").text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") >= 6
