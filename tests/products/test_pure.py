"""VAT rates, prices per unit and search queries: arithmetic without an app."""

from decimal import Decimal

import pytest

from grocery.products.search.query import parse_search
from grocery.products.search.synonyms import Synonyms
from grocery.products.search.vocabulary import Vocabulary
from grocery.products.unit_price import UnitPrice, parse_content, price_per_unit
from grocery.products.vat import rate_of


@pytest.mark.parametrize(("vat_class", "percent"), [("standard", "16.00"), ("zero", "0.00"), ("exempt", "0.00")])
def test_vat_rates_of_kenya(vat_class: str, percent: str) -> None:
    assert str(rate_of(vat_class)) == percent


def test_an_unknown_vat_class_is_an_error() -> None:
    with pytest.raises(KeyError):
        rate_of("reduced")


@pytest.mark.parametrize(
    ("text", "amount", "per"),
    [
        ("500 g", "0.5", "kg"),
        ("500g", "0.5", "kg"),
        ("500 GM", "0.5", "kg"),
        ("2.5 kg", "2.5", "kg"),
        ("1,5 l", "1.5", "l"),
        ("1 Ltr", "1", "l"),
        ("75 cl", "0.75", "l"),
        ("6 x 330 ml", "1.98", "l"),
        ("6x330ml", "1.98", "l"),
        ("6 × 1.5 l", "9", "l"),
        ("30 pcs", "30", "pcs"),
        (" 12 pieces. ", "12", "pcs"),
        ("250 mg", "0.00025", "kg"),
    ],
)
def test_contents_of_packages(text: str, amount: str, per: str) -> None:
    assert parse_content(text) == (Decimal(amount), per)


@pytest.mark.parametrize(
    "text", ["", "large", "500", "g", "0 g", "0 x 5 g", "-5 g", "5 bunches", "1e3 g", "5 g 5 g", "9999999 g", "½ kg"]
)
def test_contents_that_say_nothing(text: str) -> None:
    assert parse_content(text) is None


@pytest.mark.parametrize(
    ("price_cents", "unit", "content", "expected"),
    [
        (149_00, "each", "500 g", UnitPrice(298_00, "kg")),
        (100_00, "each", "3 kg", UnitPrice(33_33, "kg")),
        (200_00, "each", "3 kg", UnitPrice(66_67, "kg")),
        (360_00, "each", "6 x 330 ml", UnitPrice(181_82, "l")),
        (450_00, "each", "30 pcs", UnitPrice(15_00, "pcs")),
        (60_00, "kg", None, UnitPrice(60_00, "kg")),
        (60_00, "kg", "1 bunch", UnitPrice(60_00, "kg")),
        (60_00, "each", "1 kg", UnitPrice(60_00, "kg")),
        (60_00, "each", "1 pcs", None),
        (60_00, "each", None, None),
        (60_00, "each", "a box", None),
        (0, "each", "500 g", UnitPrice(0, "kg")),
    ],
)
def test_price_per_unit(price_cents: int, unit: str, content: str | None, expected: UnitPrice | None) -> None:
    assert price_per_unit(price_cents, unit, content) == expected


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("milk", "milk:*"),
        ("  fresh   milk ", "fresh:* & milk:*"),
        ("Kellogg's", "kelloggs:*"),
        ("coca-cola 1.5l", "coca:* & cola:* & 1 & 5l:*"),
        ("snake_case", "snake:* & case:*"),
        ("a:*|!b&(c)", "a & b & c:*"),
        ("ñandú 牛奶", "nandu:* & 牛奶:*"),
        ("हिन्दी cafe\u0301", "हिन्दी:* & cafe:*"),
        ("Caf\u00e9 Søren", "cafe:* & soren:*"),
        ("&|!", None),
        ("", None),
    ],
)
def test_only_words_get_into_a_search_query(typed: str, query: str | None) -> None:
    search = parse_search(typed, Vocabulary({}, Synonyms()))
    assert (search and " & ".join(filter(None, (search.matches, search.also)))) == query
