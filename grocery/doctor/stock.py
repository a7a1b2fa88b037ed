"""The books: a product's stock is the sum of its movements, always."""

from collections.abc import Iterator

from grocery.doctor.asking import asking
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok

_LATEST = 500
_SHOWN = 5
_DEEP_SECONDS = 110

_ALL = "SELECT id, name, stock FROM products"

# Of those that moved last: a fault of today is there, and the way by the index costs the same in any shop.
_SAMPLE = f"""
    SELECT id, name, stock FROM products
    WHERE id IN (SELECT product_id FROM stock_movements ORDER BY id DESC LIMIT {_LATEST})
"""  # noqa: S608 — put together of constants

# Both sides in one statement, hence of one moment.
_DIFFERENT = """
    WITH looked_at AS ({products})
    SELECT looked_at.id, looked_at.name, looked_at.stock, moved.total
    FROM looked_at CROSS JOIN LATERAL (
        SELECT coalesce(sum(delta), 0) AS total FROM stock_movements WHERE product_id = looked_at.id
    ) AS moved
    WHERE looked_at.stock <> moved.total ORDER BY looked_at.id
"""
_COUNT = "SELECT count(*) FROM ({products}) AS looked_at"


def look(patient: Patient) -> Iterator[Finding]:
    products = _ALL if patient.is_deep else _SAMPLE
    with asking(patient.engines.connect_directly, _DEEP_SECONDS if patient.is_deep else 5) as questions:
        different = questions.rows(_DIFFERENT.format(products=products))
        number = questions.value(_COUNT.format(products=products))
    if different:
        examples = "; ".join(
            f"{name} (id {product_id}): {stock:f}, moved {total:f}"
            for product_id, name, stock, total in different[:_SHOWN]
        )
        what = f"The stock of {len(different)} products is not the sum of its movements: {examples}."
        yield failure(what, "Something else than the shop has written there: docs/runbook.md, Doubts about the stock.")
    elif patient.is_deep:
        yield ok(f"The stock of all {number} products is the sum of its movements.")
    else:
        yield ok(f"The stock of the {number} products that moved last is that of their movements (--deep: all).")
