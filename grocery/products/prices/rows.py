"""Products as sheets know them: with the price that holds apart from offers."""

from sqlalchemy import Select, and_

from grocery.products.models import Product
from grocery.products.prices.models import PriceChange
from grocery.products.rows import select_products


def select_products_with_regular_prices() -> Select:
    """`select_products()` with what returns after the offer that runs.

    `regular_price_cents` is None when none runs; `regular_compare_at_cents` belongs to it.
    """
    runs = and_(PriceChange.product_id == Product.id, PriceChange.status == "active")
    return (
        select_products()
        .add_columns(
            PriceChange.price_before_cents.label("regular_price_cents"),
            PriceChange.compare_at_before_cents.label("regular_compare_at_cents"),
        )
        .outerjoin(PriceChange, runs)
    )
