"""What was filled in at the checkout, kept beside the cart: whoever is interrupted goes on where they were.

The fields of a form as they were sent, within limits; placing an order checks them.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql import bindparam

from grocery.orders.cart.service import CartOwner, open_cart

#: Of a draft; what is longer is cut off.
MAX_FIELDS = 30
MAX_CHARACTERS = 500

_READ = text("SELECT draft FROM carts WHERE customer_id = :customer_id OR token_hash = :token_hash")

_SAVE = text("UPDATE carts SET draft = :draft WHERE id = :cart_id").bindparams(bindparam("draft", type_=JSONB))

_CLEAR = text("UPDATE carts SET draft = NULL WHERE customer_id = :customer_id OR token_hash = :token_hash")


def read_draft(connection: Connection | Session, owner: CartOwner) -> dict[str, str]:
    """The fields that were saved; empty without a draft."""
    return dict(connection.execute(_READ, owner.parameters).scalar() or {})


def save_draft(session: Session, owner: CartOwner, fields: Mapping[str, str]) -> None:
    """Keep these fields in place of those that were kept."""
    kept = {name: value[:MAX_CHARACTERS] for name, value in list(fields.items())[:MAX_FIELDS]}
    session.execute(_SAVE, {"cart_id": open_cart(session, owner), "draft": kept})


def clear_draft(session: Session, owner: CartOwner) -> None:
    """Forget the fields: what they were for is done."""
    session.execute(_CLEAR, owner.parameters)
