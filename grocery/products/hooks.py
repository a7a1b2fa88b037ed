"""What this package tells the packages above it. Receivers are connected in `create_app`."""

from blinker import Namespace

_signals = Namespace()

product_deleting = _signals.signal(
    "product-deleting",
    """A product is about to be deleted, inside the transaction that deletes it.

    Arguments: `product_id`, and `actor_id` (None: someone at the command line). Sent before the product's row is
    locked: whoever takes part locks in the order orders, then products, as placing an order does, so that nobody
    deadlocks. What still points at the product after the receivers ran becomes null or goes with it. A receiver that
    raises keeps the product.
    """,
)
