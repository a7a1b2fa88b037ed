"""GET /products/: filters, sort orders, pages."""

from decimal import Decimal
from urllib.parse import quote

import orjson
import pytest
from flask.testing import FlaskClient

from grocery.products.schemas import ListedProductSchema
from grocery.products.search import vocabulary
from grocery.products.search.upkeep import refresh_words
from tests.products.factories import make_category, make_product
from tests.products.reading import names, refusal

pytestmark = pytest.mark.usefixtures("context")


def test_a_shop_without_products_lists_nothing(client: FlaskClient) -> None:
    answer = client.get("/products/")
    assert (answer.status_code, answer.json) == (200, [])
    assert "Link" not in answer.headers


def test_a_listed_product_has_every_field_of_the_contract_but_no_stock(client: FlaskClient) -> None:
    category = make_category("Drinks/Juice")
    product = make_product(
        "Drinks/Juice",
        sku="DRI-1",
        barcode="6161100240018",
        name="Mango juice",
        description="Thick.",
        brand="Delmonte",
        price_cents=330_00,
        compare_at_price_cents=360_00,
        net_content="6 x 330 ml",
        stock=Decimal(4),
        allergens=["sulphites"],
        country_of_origin="KE",
        image_url="/images/1.webp",
        ingredients="Mango, water",
    )
    [listed] = client.get("/products/").json
    created_at, updated_at = listed.pop("created_at"), listed.pop("updated_at")
    assert created_at.endswith("Z")
    assert created_at == updated_at
    assert listed == {
        "id": product,
        "sku": "DRI-1",
        "barcode": "6161100240018",
        "name": "Mango juice",
        "description": "Thick.",
        "brand": "Delmonte",
        "category_id": category,
        "category": "Drinks/Juice",
        "price": "330.00",
        "compare_at_price": "360.00",
        "currency": "KES",
        "unit": "each",
        "quantity_step": 1,
        "net_content": "6 x 330 ml",
        "price_per_unit": {"amount": "166.67", "per": "l"},
        "vat_class": "standard",
        "vat_rate": "16.00",
        "in_stock": True,
        "left": 4,
        "is_active": True,
        "image_url": "/images/1.webp",
        "images": None,
        "ingredients": "Mango, water",
        "allergens": ["sulphites"],
        "country_of_origin": "KE",
        "is_age_restricted": False,
        "version": 1,
    }


def test_the_schema_documents_exactly_what_is_listed(client: FlaskClient) -> None:
    make_product()
    [listed] = client.get("/products/").json
    assert set(listed) == set(ListedProductSchema().fields)


@pytest.mark.parametrize(
    ("stock", "unit", "step", "in_stock", "left"),
    [
        ("0", "each", "1", False, 0),
        ("1", "each", "1", True, 1),
        ("5", "each", "1", True, 5),
        ("6", "each", "1", True, None),
        ("2.500", "kg", "0.250", True, 2.5),
        ("0.200", "kg", "0.250", False, 0),
        ("5.100", "kg", "0.250", True, None),
    ],
)
def test_left_is_a_number_only_when_few_are_left(
    client: FlaskClient, stock: str, unit: str, step: str, in_stock: bool, left: float | None
) -> None:
    make_product(stock=Decimal(stock), unit=unit, quantity_step=Decimal(step))
    [listed] = client.get("/products/").json
    assert (listed["in_stock"], listed["left"]) == (in_stock, left)


@pytest.mark.parametrize("limit", [1, 20, 100])
@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("", 1),
        ("in_stock=true&min_price=1&max_price=9999&category=1&brand=x&on_offer=false", 1),
        ("q=milk", 1),
        ("q=milk&sort=price", 1),
        ("q=mlik", 2),
        ("q=cheddr", 2),
    ],
)
def test_a_list_costs_the_same_few_statements_whatever_its_length(
    client: FlaskClient, statements: list[str], limit: int, query: str, most: int
) -> None:
    for number in range(12):
        make_product(name=f"Brookside milk {number}", brand="Brookside")
    make_product(name="Cheddar")
    refresh_words()
    for words in (1, 0):  # the first search of a process reads the words, too, in one statement
        del statements[:]
        assert client.get(f"/products/?limit={limit}&{query}").status_code == 200
        assert len(statements) <= most + words <= 3
    refresh_words()
    vocabulary()
    del statements[:]
    client.get(f"/products/?limit={limit}&{query}")
    assert len(statements) == most


def test_withdrawn_products_are_not_listed(client: FlaskClient, admin: dict[str, str]) -> None:
    make_product(name="Sold")
    make_product(name="Withdrawn", is_active=False)
    assert names(client) == ["Sold"]
    assert [product["name"] for product in client.get("/products/", headers=admin).json] == ["Sold"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["apple", "Banana", "Cherry", "cherry"]),
        ("?sort=name", ["apple", "Banana", "Cherry", "cherry"]),
        ("?sort=price", ["Cherry", "apple", "cherry", "Banana"]),
        ("?sort=-price", ["Banana", "cherry", "apple", "Cherry"]),
        ("?sort=newest", ["cherry", "apple", "Cherry", "Banana"]),
    ],
)
def test_sort_orders_break_ties_by_id(client: FlaskClient, sort: str, expected: list[str]) -> None:
    make_product(name="Banana", price_cents=300_00)
    make_product(name="Cherry", price_cents=100_00)
    make_product(name="apple", price_cents=200_00)
    make_product(name="cherry", price_cents=200_00)
    assert names(client, sort) == expected


def test_a_category_counts_with_all_below_it(client: FlaskClient) -> None:
    make_product("Drinks/Juice/Mango", name="mango")
    make_product("Drinks", name="water")
    make_product("Drinks & Snacks", name="crisps")
    make_product("Drinks_Juice", name="other")
    assert names(client, f"?category={make_category('Drinks')}") == ["mango", "water"]
    assert names(client, f"?category={make_category('Drinks/Juice')}") == ["mango"]
    assert names(client, f"?category={make_category('Drinks & Snacks')}") == ["crisps"]
    assert names(client, "?category=987654321") == []


def test_a_category_with_percent_and_underscore_is_no_pattern(client: FlaskClient) -> None:
    make_product("100%/x", name="inside")
    make_product("1000/x", name="outside")
    assert names(client, f"?category={make_category('100%')}") == ["inside"]


def test_filters_by_brand_price_stock_and_offer(client: FlaskClient) -> None:
    make_product(name="cheap", brand="Kabras", price_cents=50_00)
    make_product(name="dear", brand="KABRAS", price_cents=500_00, stock=Decimal(0))
    make_product(name="offer", brand="Mumias", price_cents=100_00, compare_at_price_cents=120_00)
    assert names(client, "?brand=kabras") == ["cheap", "dear"]
    assert names(client, "?brand=%20Kabras%20") == ["cheap", "dear"]
    assert names(client, "?min_price=100") == ["dear", "offer"]
    assert names(client, "?max_price=100.00") == ["cheap", "offer"]
    assert names(client, "?min_price=50.01&max_price=499.99") == ["offer"]
    assert names(client, "?min_price=200&max_price=100") == []
    assert names(client, "?in_stock=true") == ["cheap", "offer"]
    assert names(client, "?in_stock=false") == ["dear"]
    assert names(client, "?on_offer=true") == ["offer"]
    assert names(client, "?on_offer=0") == ["cheap", "dear"]
    assert names(client, "?brand=Kabras&in_stock=1&max_price=60") == ["cheap"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?min_price=-1", "min_price"),
        ("?max_price=1e400", "max_price"),
        ("?min_price=1.005", "min_price"),
        ("?min_price=NaN", "min_price"),
        ("?max_price=", "max_price"),
        ("?category=0", "category"),
        ("?category=-5", "category"),
        (f"?category={2**63}", "category"),
        (f"?category={'9' * 5000}", "category"),
        ("?category=x", "category"),
        ("?in_stock=maybe", "in_stock"),
        ("?on_offer=", "on_offer"),
        ("?sort=stock", "sort"),
        ("?sort=relevance", "sort"),
        ("?sort=relevance&q=", "sort"),
        ("?q=a%00b", "q"),
        ("?brand=%00", "brand"),
        (f"?q={'x' * 201}", "q"),
        ("?is_active=maybe", "is_active"),
        ("?qq=milk", "qq"),
    ],
)
def test_bad_arguments_are_refused_by_name(client: FlaskClient, query: str, field: str) -> None:
    make_product()
    assert list(refusal(client, query)) == [field]


def test_an_empty_search_is_no_search(client: FlaskClient) -> None:
    make_product(name="b")
    make_product(name="a")
    assert names(client, "?q=") == ["a", "b"]
    assert names(client, "?q=%20%20") == ["a", "b"]


def test_search_wants_every_word_or_its_beginning(client: FlaskClient) -> None:
    make_product(name="Brookside Fresh Milk", brand="Brookside")
    make_product(name="Fresh Bread", brand="Supa Loaf")
    make_product(name="Butter", description="From fresh milk of Nyandarua")
    assert names(client, "?q=fresh&sort=name") == ["Brookside Fresh Milk", "Butter", "Fresh Bread"]
    assert names(client, "?q=mil+fre&sort=name") == ["Brookside Fresh Milk", "Butter"]
    assert names(client, "?q=MILK+brookside") == ["Brookside Fresh Milk"]
    assert names(client, "?q=loaf+fresh") == ["Fresh Bread"]
    assert names(client, "?q=ilk") == []
    assert names(client, "?q=milk+beer") == []


def test_the_best_match_comes_first(client: FlaskClient) -> None:
    make_product(name="A cake", description="Goes with milk")
    make_product(name="B biscuits", brand="Milk")
    make_product(name="C milk")
    assert names(client, "?q=milk") == ["C milk", "B biscuits", "A cake"]
    assert names(client, "?q=milk&sort=name") == ["A cake", "B biscuits", "C milk"]


def test_words_are_found_whatever_stands_between_them(client: FlaskClient) -> None:
    make_product(name="Flip Container/Storage Jar – 1.5L")
    make_product(name="Coca-Cola 500ml")
    make_product(name="Kellogg's Corn Flakes")
    make_product(name="Maziwa Mala Ñandú")
    assert names(client, "?q=storage+jar") == ["Flip Container/Storage Jar – 1.5L"]
    assert names(client, "?q=1.5l") == ["Flip Container/Storage Jar – 1.5L"]
    assert names(client, "?q=coca+cola") == names(client, "?q=coca-co") == ["Coca-Cola 500ml"]
    assert names(client, "?q=kelloggs") == names(client, "?q=Kellogg%27s") == ["Kellogg's Corn Flakes"]
    assert names(client, f"?q={quote('ñand')}") == ["Maziwa Mala Ñandú"]


@pytest.mark.parametrize(
    "typed",
    ["&", "|", "!", ":*", "'", '"', "milk'", "!milk", "milk & | !", "milk:*", "(milk", "milk)", "<->", "milk <-> x",
     "milk:A", "\\", "milk\\", "''", "%", "_", "*", "' OR 1=1 --", "milk\t\n", "🥛", "1e5", "-5", "٣", "ª"],
)  # fmt: skip
def test_operators_of_the_query_language_are_only_characters(client: FlaskClient, typed: str) -> None:
    make_product(name="milk")
    make_product(name="beer")
    found = names(client, f"?q={quote(typed)}")
    assert found in ([], ["milk"])
    assert found == (["milk"] if typed in ("&milk", "milk'", "!milk", "milk & | !", "milk:*", "(milk", "milk)",
                                           "milk\\", "milk\t\n") else [])  # fmt: skip


def test_a_search_without_any_word_finds_nothing(client: FlaskClient) -> None:
    make_product()
    assert names(client, "?q=%26%7C") == []


def test_an_unchanged_list_answers_304(client: FlaskClient) -> None:
    product = make_product(stock=Decimal(100))
    first = client.get("/products/?limit=5")
    tag = first.headers["ETag"]
    again = client.get("/products/?limit=5", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    make_product()
    changed = client.get("/products/?limit=5", headers={"If-None-Match": tag})
    assert (changed.status_code, len(changed.json)) == (200, 2)
    assert product == first.json[0]["id"]


def test_a_list_is_json_whatever_is_accepted(client: FlaskClient) -> None:
    make_product(name="Ünïcode – 牛奶")
    answer = client.get("/products/", headers={"Accept": "text/html"})
    assert answer.mimetype == "application/json"
    assert orjson.loads(answer.data)[0]["name"] == "Ünïcode – 牛奶"


@pytest.mark.parametrize("name", ["क्या हिन्दी", "Cafe\u0301ine", "خُبْز", "ไก่ต้ม", "牛奶", "½ Kuku"])
def test_a_name_in_any_script_is_found_by_itself(client: FlaskClient, name: str) -> None:
    product = make_product(name=name)
    make_product(name="Milk")
    found = client.get("/products/", query_string={"q": name})
    assert [one["id"] for one in found.json] == [product]


def test_staff_list_what_is_withdrawn_from_sale(
    client: FlaskClient, customer: dict[str, str], staff: dict[str, str], admin: dict[str, str]
) -> None:
    for name in ("Old tea", "Old coffee"):
        make_product(name=name, is_active=False)
    make_product(name="New tea")
    for headers in (staff, admin):
        answer = client.get("/products/?is_active=false", headers=headers)
        assert [product["name"] for product in answer.json] == ["Old coffee", "Old tea"]
    assert names(client) == names(client, "?is_active=true") == ["New tea"]
    narrowed = client.get("/products/?is_active=false&q=tea", headers=staff)
    assert [product["name"] for product in narrowed.json] == ["Old tea"]
    refused = client.get("/products/?is_active=false", headers=customer)
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    refused = client.get("/products/?is_active=false")
    assert (refused.status_code, refused.json["code"]) == (401, "missing_token")


def test_a_visitors_list_is_one_statement(client: FlaskClient, statements: list[str]) -> None:
    make_product()
    del statements[:]
    assert client.get("/products/").status_code == 200
    assert len(statements) == 1
