"""What this package tells the packages above it. Receivers are connected in `create_app`."""

from blinker import Namespace

_signals = Namespace()

product_deleting = _signals.signal(
    "product-deleting",
    """A product is about to be deleted, inside the transaction that deletes it.

    Sent as `product_deleting.send(app, product_id=…, actor_id=…)` before the product's row is locked: whoever takes
    part locks in the order orders, then products, as placing an order does, so that nobody deadlocks. Foreign keys to
    the product that are left after the receivers ran become null or cascade. A receiver that raises keeps the product.
    """,
)
