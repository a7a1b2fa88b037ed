"""Carts: rows are made when something is put in, and a visitor's joins the customer's at the first chance.

Nothing is reserved: the stock is taken with the order. So a cart may hold more than there is, and says so.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery.errors import InvalidError
from grocery.fields import MAX_QUANTITY
from grocery.orders.basket import Source, read_basket
from grocery.orders.cart.errors import CartFullError
from grocery.orders.cart.tokens import hash_token
from grocery.orders.checks import quantity_problem
from grocery.orders.quoting import price_basket, quote_json
from grocery.products.errors import ProductNotFoundError, ProductUnavailableError

#: Different products in a cart: as many as an order may have.
MAX_ITEMS = 200

#: Carts of visitors that were not touched for so long are deleted.
KEEP_DAYS = 30

# Made or touched; the row stays locked, so that who joins it sees all of it.
_OPEN_CUSTOMERS = text("""
    INSERT INTO carts (customer_id) VALUES (:customer_id)
    ON CONFLICT (customer_id) DO UPDATE SET updated_at = now()
    RETURNING id
""")

_OPEN_VISITORS = text("""
    INSERT INTO carts (token_hash) VALUES (:token_hash)
    ON CONFLICT (token_hash) DO UPDATE SET updated_at = now()
    RETURNING id
""")

_PRODUCT = text("""
    SELECT unit, quantity_step, price_cents, is_active FROM products WHERE id = :product_id FOR KEY SHARE
""")

_COUNT_OTHERS = text("SELECT count(*) FROM cart_items WHERE cart_id = :cart_id AND product_id <> :product_id")

_PUT = text("""
    INSERT INTO cart_items (cart_id, product_id, quantity, if_unavailable, seen_price_cents)
    VALUES (:cart_id, :product_id, :quantity, :if_unavailable, :seen_price_cents)
    ON CONFLICT (cart_id, product_id) DO UPDATE
    SET quantity = excluded.quantity, if_unavailable = excluded.if_unavailable,
        seen_price_cents = excluded.seen_price_cents
""")

_OWNED = "(SELECT id FROM carts WHERE customer_id = :customer_id OR token_hash = :token_hash FOR UPDATE)"

_QUANTITIES = text("""
    SELECT product_id, quantity FROM cart_items
    WHERE cart_id = (SELECT id FROM carts WHERE customer_id = :customer_id OR token_hash = :token_hash)
""")

_DROP = text(f"DELETE FROM cart_items WHERE cart_id = {_OWNED} AND product_id = :product_id")  # noqa: S608

_CLEAR = text(f"DELETE FROM cart_items WHERE cart_id = {_OWNED}")  # noqa: S608

_SET_WISH = text(f"""
    UPDATE cart_items SET if_unavailable = :if_unavailable
    WHERE cart_id = {_OWNED} AND product_id = coalesce(:product_id, product_id)
""")  # noqa: S608

_LOCK_VISITORS = text("SELECT id FROM carts WHERE token_hash = :token_hash FOR UPDATE")

# What both carts have is wanted in the sum, as it is when somebody taps twice; the price is the one seen last. Where a
# product is being deleted, this waits and leaves it out. Where there are too many, those put in last are kept: no cart
# has more than an order may have.
_JOIN = text("""
    INSERT INTO cart_items (cart_id, product_id, quantity, if_unavailable, seen_price_cents, added_at)
    SELECT :cart_id, item.product_id, item.quantity, item.if_unavailable, item.seen_price_cents, item.added_at
    FROM cart_items AS item JOIN products AS product ON product.id = item.product_id
    WHERE item.cart_id = :visitors_id AND item.product_id IN (
        SELECT brought.product_id
        FROM cart_items AS brought
        LEFT JOIN cart_items AS own ON own.cart_id = :cart_id AND own.product_id = brought.product_id
        WHERE brought.cart_id = :visitors_id
        ORDER BY own.product_id IS NULL, brought.added_at DESC, brought.product_id
        LIMIT :max_items - (
            SELECT count(*) FROM cart_items WHERE cart_id = :cart_id AND product_id NOT IN (
                SELECT product_id FROM cart_items WHERE cart_id = :visitors_id
            )
        )
    )
    ORDER BY item.product_id FOR KEY SHARE OF product
    ON CONFLICT (cart_id, product_id) DO UPDATE
    SET quantity = least(cart_items.quantity + excluded.quantity, :max_quantity),
        if_unavailable = excluded.if_unavailable, seen_price_cents = excluded.seen_price_cents
""")

# What was filled in last, before the sign-in, goes before what the customer has left behind another time.
_JOIN_DRAFT = text("""
    UPDATE carts SET draft = coalesce(carts.draft, '{}') || (
        SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(visitors.draft) WHERE value <> '""'
    )
    FROM carts AS visitors
    WHERE carts.id = :cart_id AND visitors.id = :visitors_id AND jsonb_typeof(visitors.draft) = 'object'
""")

_DELETE = text("DELETE FROM carts WHERE id = ANY(:ids)")

_LOCK_ABANDONED = text("""
    SELECT id FROM carts WHERE customer_id IS NULL AND updated_at < now() - make_interval(days => :days)
    LIMIT 1000 FOR UPDATE SKIP LOCKED
""")

# The deletion of a product locks its items in many carts, that of many carts those of many products: they would
# deadlock, so one waits for the other here.
_SHARE_PRODUCTS = text("""
    SELECT FROM products WHERE id IN (SELECT product_id FROM cart_items WHERE cart_id = ANY(:ids))
    ORDER BY id FOR KEY SHARE
""")


@dataclass(frozen=True)
class CartOwner:
    """Whose cart it is: a customer's, else that of who has the token."""

    customer_id: int | None = None
    token: str | None = None

    @property
    def token_hash(self) -> str | None:
        return hash_token(self.token) if self.token and self.customer_id is None else None

    @property
    def source(self) -> Source:
        """Where the items of this cart are read."""
        return Source(token_hash=self.token_hash)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"customer_id": self.customer_id, "token_hash": self.token_hash}


def read_cart(connection: Connection | Session, owner: CartOwner, currency: str) -> dict[str, Any]:
    """The cart with prices and stock as they are now, and what has changed since, as JSON-ready data."""
    basket = read_basket(connection, owner.source, customer_id=owner.customer_id)
    priced = price_basket(basket, coupon=None, delivery=None)
    quote = quote_json(priced, currency)
    for of_orders_only in ("coupon", "delivery"):
        del quote[of_orders_only]
    return {"token": owner.token if owner.customer_id is None else None, **quote}


def put_item(session: Session, owner: CartOwner, product_id: int, *, quantity: Decimal, if_unavailable: str) -> None:
    """Set how much of a product is in the cart.

    Raises ProductNotFoundError, ProductUnavailableError, CartFullError, and InvalidError for a part of a piece and the
    like.
    """
    cart_id = open_cart(session, owner)
    product = session.execute(_PRODUCT, {"product_id": product_id}).one_or_none()
    if product is None:
        raise ProductNotFoundError
    if not product.is_active:
        raise ProductUnavailableError([product_id])
    if problem := quantity_problem(product.unit, product.quantity_step, quantity):
        raise InvalidError(problem, errors={"quantity": [problem]})
    item = {"cart_id": cart_id, "product_id": product_id}
    if session.execute(_COUNT_OTHERS, item).scalar_one() >= MAX_ITEMS:
        raise CartFullError(MAX_ITEMS)
    values = {"quantity": quantity, "if_unavailable": if_unavailable, "seen_price_cents": product.price_cents}
    session.execute(_PUT, {**item, **values})


def find_quantities(session: Session, owner: CartOwner) -> dict[int, Decimal]:
    """How much of each product is in the cart."""
    return {row.product_id: row.quantity for row in session.execute(_QUANTITIES, owner.parameters)}


def drop_item(session: Session, owner: CartOwner, product_id: int) -> None:
    """Take a product out; one that is not in is out already."""
    session.execute(_DROP, {**owner.parameters, "product_id": product_id})


def set_wish(session: Session, owner: CartOwner, if_unavailable: str, product_id: int | None = None) -> None:
    """Set what to do when a product, or any of the cart, is not on the shelf; what is not in has no wish."""
    values = {"if_unavailable": if_unavailable, "product_id": product_id}
    session.execute(_SET_WISH, {**owner.parameters, **values})


def clear_cart(session: Session, owner: CartOwner) -> None:
    session.execute(_CLEAR, owner.parameters)


def join_cart(session: Session, customer_id: int, token: str) -> None:
    """Move what a visitor has gathered into the customer's cart; the visitor's is gone then."""
    visitors_id = session.execute(_LOCK_VISITORS, {"token_hash": hash_token(token)}).scalar()
    if visitors_id is None:
        return
    cart_id = open_cart(session, CartOwner(customer_id))
    moving = {"cart_id": cart_id, "visitors_id": visitors_id}
    session.execute(_JOIN, {**moving, "max_quantity": MAX_QUANTITY, "max_items": MAX_ITEMS})
    session.execute(_JOIN_DRAFT, moving)
    session.execute(_DELETE, {"ids": [visitors_id]})


def expire_carts(session: Session) -> bool:
    """Delete a batch of visitors' carts that nobody touches any more; whether there was one."""
    abandoned = {"ids": list(session.execute(_LOCK_ABANDONED, {"days": KEEP_DAYS}).scalars())}
    session.execute(_SHARE_PRODUCTS, abandoned)
    session.execute(_DELETE, abandoned)
    return bool(abandoned["ids"])


def open_cart(session: Session, owner: CartOwner) -> int:
    """The id of the cart, which is made when there is none, and is locked now."""
    statement = _OPEN_VISITORS if owner.customer_id is None else _OPEN_CUSTOMERS
    return int(session.execute(statement, owner.parameters).scalar_one())
