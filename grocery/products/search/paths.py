"""The copies of category paths in products, which follow a renamed or moved category in the background."""

from flask import Flask
from sqlalchemy import exists, select, text, update

from grocery.db import db, reader, transaction
from grocery.products.models import Category
from grocery.products.search.upkeep import mark_words_stale
from grocery.queues import BulkTask

#: Products of one transaction: few enough not to hold up sales.
BATCH_PRODUCTS = 500

_IS_MOVED = exists().where(Category.is_moved)

_NEXT = select(Category.id).where(Category.is_moved).order_by(Category.id).limit(1)

# Two statements, so that the second sees what was locked as it is now; see stock.py.
_LOCK = text("""
    SELECT product.id FROM products AS product JOIN categories AS category ON category.id = product.category_id
    WHERE category.id = :category_id AND product.category_path IS DISTINCT FROM category.path
    ORDER BY product.id LIMIT :limit FOR NO KEY UPDATE OF product
""")

_FOLLOW = text("""
    UPDATE products AS product SET category_path = category.path FROM categories AS category
    WHERE product.id = ANY(:ids) AND category.id = product.category_id
""")

# The lock that the update below takes anyway, before that of the row: a move takes its own in this order, and one that
# began in between would wait for the row, and the update for the move.
_LOCK_TABLE = text("LOCK TABLE categories IN ROW EXCLUSIVE MODE")

_PATH = text("SELECT path FROM categories WHERE id = :category_id FOR NO KEY UPDATE")

_IS_BEHIND = text("""
    SELECT EXISTS (SELECT FROM products WHERE category_id = :category_id AND category_path IS DISTINCT FROM :path)
""")


def bulk_tasks(_app: Flask) -> list[BulkTask]:
    return [BulkTask("search.paths", is_due, follow_moved_category)]


def is_due() -> bool:
    """Whether a category was moved whose products have not all followed."""
    with reader() as connection:
        return bool(connection.scalar(select(_IS_MOVED)))


def follow_moved_category() -> bool:
    """Let a batch of products follow their category; True when more are, or may be, behind."""
    with transaction() as session:
        category_id = session.scalar(_NEXT)
        if category_id is None:
            return False
        ids = session.scalars(_LOCK, {"category_id": category_id, "limit": BATCH_PRODUCTS}).all()
        if ids:
            session.execute(_FOLLOW, {"ids": list(ids)})
    if len(ids) < BATCH_PRODUCTS:
        _finish(category_id)
    return True


def _finish(category_id: int) -> None:
    """Note that all have followed, unless the category was moved again or products came to it meanwhile.

    In a transaction of its own, since categories are locked before products.
    """
    with transaction() as session:
        session.execute(_LOCK_TABLE)
        path = session.scalar(_PATH, {"category_id": category_id})
        if not session.scalar(_IS_BEHIND, {"category_id": category_id, "path": path}):
            followed = update(Category).where(Category.id == category_id).values(is_moved=False)
            db.session.execute(followed, execution_options={"synchronize_session": False})
            mark_words_stale()
