"""The picture of a product: set and taken away."""

from sqlalchemy import Row, func, select

from grocery.db import db
from grocery.products.images import upkeep
from grocery.products.images.encoding import Picture
from grocery.products.images.extension import store
from grocery.products.service import change_product


def set_picture(product_id: int, picture: Picture, *, version: int | None, actor_id: int | None) -> Row:
    """Store a picture and let the product refer to it, in this order: a file that nobody refers to harms nobody.

    Raises MediaUnavailableError, and what `change_product` raises.
    """
    # Shared among uploads: it keeps the upkeep from removing, as unused, what is about to be used again.
    db.session.execute(select(func.pg_advisory_xact_lock_shared(upkeep.LOCK_KEY)))
    files = store()
    for name, data in picture.files.items():
        files.put(name, data)
    upkeep.schedule()
    return change_product(product_id, {"image_url": picture.path}, version=version, actor_id=actor_id)


def remove_picture(product_id: int, *, version: int | None, actor_id: int | None) -> Row:
    """Let the product have no picture; the upkeep removes the file when no other product has it.

    Raises what `change_product` raises.
    """
    return change_product(product_id, {"image_url": None}, version=version, actor_id=actor_id)
