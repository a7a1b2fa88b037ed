"""Lines and offers as values, and random ones: to test prices without a database."""

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from grocery.orders.lines import PricedLine
from grocery.orders.promotions.terms import (
    BASKET,
    BUY_X_GET_Y,
    CATEGORIES,
    FIXED,
    FREE_DELIVERY,
    PERCENT,
    PRODUCTS,
    Terms,
)
from grocery.orders.quote import DeliveryTerms
from grocery.products.vat import RATE_PERCENT, rate_of


class Case(NamedTuple):
    """All that goes into a quote."""

    lines: list[PricedLine]
    offers: list[Terms]
    delivery: DeliveryTerms | None


def line(
    price_cents: int,
    quantity: str | int = 1,
    *,
    product: int = 1,
    categories: Collection[int] = (),
    vat_class: str = "standard",
    unit: str = "each",
) -> PricedLine:
    """A line with the VAT rate of its class."""
    return PricedLine(
        unit_price_cents=price_cents,
        quantity=Decimal(quantity),
        vat_class=vat_class,
        vat_rate=rate_of(vat_class),
        unit=unit,
        product_id=product,
        category_ids=frozenset(categories),
    )


def offer(
    kind: str,
    value: str | int = 0,
    *,
    id: int = 1,
    products: Collection[int] | None = None,
    categories: Collection[int] | None = None,
    **more: Any,
) -> Terms:
    """An automatic promotion for the basket, unless products or categories are named (an empty list names none)."""
    return Terms(
        id=id,
        name=f"Offer {id}",
        kind=kind,
        scope=BASKET if products is None and categories is None else CATEGORIES if products is None else PRODUCTS,
        value=Decimal(value),
        product_ids=frozenset(products or ()),
        category_ids=frozenset(categories or ()),
        **more,
    )


def buy_get(buy: int, get: int, **more: Any) -> Terms:
    """Of `buy` + `get` pieces, `get` are free."""
    return offer(BUY_X_GET_Y, buy_quantity=buy, get_quantity=get, **more)


def assert_holds(law: Callable[[Any], None], values: st.SearchStrategy[Any], *, examples: int) -> None:
    """Try a law on so many random values; the smallest that breaks it is printed.

    A few are always the same ones; proofs, with thousands, look for others each time.
    """
    settings(max_examples=examples, deadline=None, derandomize=examples < 1000)(given(values)(law))()


_PRODUCTS = st.integers(1, 8)
# A category with all above it: 1 > 2 > 3 > 4 is the deepest chain, 1 > 5 and 6 are beside it.
_LINEAGES = st.sampled_from([(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), (1, 5), (6,)])
_CENTS = st.sampled_from([0, 1, 5, 99, 100_00, 100_000_00]) | st.integers(0, 100_000_00)
_PIECES = st.integers(1, 12) | st.sampled_from([1000])
_GRAMS = st.integers(1, 5_000)

_PERCENTS = st.sampled_from(["0", "0.01", "10", "12.5", "33.33", "50", "99.99", "100", "250"])
_AMOUNTS = st.sampled_from(["0", "0.01", "1", "49.99", "150", "100000", "9999999999.99"])
_QUANTITIES = st.sampled_from([1, 1, 2, 3, 1000])


@st.composite
def _lines(draw: st.DrawFn) -> PricedLine:
    is_by_weight = draw(st.booleans())
    quantity = str(Decimal(draw(_GRAMS)).scaleb(-3)) if is_by_weight else draw(_PIECES)
    return line(
        draw(_CENTS),
        quantity,
        product=draw(_PRODUCTS),
        categories=draw(_LINEAGES),
        vat_class=draw(st.sampled_from(list(RATE_PERCENT))),
        unit="kg" if is_by_weight else "each",
    )


@st.composite
def _offers(draw: st.DrawFn) -> Terms:
    kind = draw(st.sampled_from([PERCENT, FIXED, BUY_X_GET_Y, FREE_DELIVERY]))
    scope = BASKET if kind == FREE_DELIVERY else draw(st.sampled_from([BASKET, PRODUCTS, CATEGORIES]))
    is_bought = kind == BUY_X_GET_Y
    number = draw(st.integers(1, 10**6))
    return Terms(
        id=number,
        name="Offer",
        kind=kind,
        code=f"COUPON-{number}" if draw(st.integers(0, 4)) == 0 else None,
        scope=scope,
        value=Decimal(draw(_PERCENTS if kind == PERCENT else _AMOUNTS)),
        buy_quantity=draw(_QUANTITIES) if is_bought else 0,
        get_quantity=draw(_QUANTITIES) if is_bought else 0,
        product_ids=draw(st.frozensets(_PRODUCTS, max_size=4)) if scope == PRODUCTS else frozenset(),
        category_ids=draw(st.frozensets(st.integers(1, 6), max_size=3)) if scope == CATEGORIES else frozenset(),
        min_basket_cents=draw(st.sampled_from([0, 0, 0, 1, 500_00, 10**12])),
    )


def _lists(values: st.SearchStrategy[Any], at_most: int, **more: Any) -> st.SearchStrategy[list[Any]]:
    """Lists of any length alike; left alone, Hypothesis makes few long ones."""
    return st.integers(0, at_most).flatmap(lambda size: st.lists(values, min_size=size, max_size=size, **more))


def offers(*, at_most: int) -> st.SearchStrategy[list[Terms]]:
    """Promotions of all kinds and scopes, sensible and not."""
    return _lists(_offers(), at_most, unique_by=lambda terms: terms.id)


def lines(*, at_most: int) -> st.SearchStrategy[list[PricedLine]]:
    """Pieces and kilograms of all VAT classes."""
    return _lists(_lines(), at_most)


def deliveries() -> st.SearchStrategy[DeliveryTerms | None]:
    free_from = st.none() | st.sampled_from([0, 1, 1000_00])
    return st.none() | st.builds(DeliveryTerms, st.integers(0, 500_00), free_from, st.booleans())


def cases(*, lines_at_most: int = 30, offers_at_most: int = 20) -> st.SearchStrategy[Case]:
    return st.builds(Case, lines(at_most=lines_at_most), offers(at_most=offers_at_most), deliveries())
