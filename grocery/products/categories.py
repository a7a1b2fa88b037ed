"""The category tree. Each category keeps the path of names from the root, so that products need one join only."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from grocery.answers import catalogue_changed
from grocery.db import db, name_subject
from grocery.errors import InvalidError
from grocery.products.errors import (
    CategoryCycleError,
    CategoryExistsError,
    CategoryNotEmptyError,
    CategoryNotFoundError,
)
from grocery.products.models import Category
from grocery.queues import BULK, ring_after_commit

#: Levels of the tree, whose JSON nests two deep with each: JSON parsers stop at a few hundred.
MAX_DEPTH = 100

#: Characters of a path; each category has its own, and an answer all of them.
MAX_PATH_LENGTH = 10_000

_COLUMNS = tuple(Category.__table__.columns)

# Writes of the tree are rare, and each depends on paths that another one could be changing: one at a time. Readers, and
# products that refer to a category, do not wait.
_LOCK = text("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE")

_MOVE_BRANCH = text("""
    UPDATE categories SET path = :new_path || substr(path, length(:old_path) + 1), is_moved = true
    WHERE path = :old_path OR starts_with(path, :old_path || '/')
""")

# All that the page of a category shows besides its products, at once.
_READ = text("""
    SELECT category.*,
           (WITH RECURSIVE line AS (
                SELECT id, name, parent_id, 1 AS height FROM categories WHERE id = category.id
                UNION ALL
                SELECT above.id, above.name, above.parent_id, height + 1
                FROM line JOIN categories AS above ON above.id = line.parent_id
            ) SELECT json_agg(json_build_object('id', id, 'name', name) ORDER BY height DESC) FROM line) AS breadcrumbs,
           (SELECT coalesce(json_agg(json_build_object(
                'id', id, 'name', name, 'parent_id', parent_id, 'path', path, 'position', position
            ) ORDER BY position, lower(name), id), '[]') FROM categories WHERE parent_id = category.id) AS children,
           (SELECT count(*) FROM products WHERE is_active AND category_id IN (
                SELECT id FROM categories WHERE id = category.id OR starts_with(path, category.path || '/')
            )) AS product_count
    FROM categories AS category WHERE id = :category_id
""")

_FIND_PATHS = text("""
    SELECT wanted.path AS wanted, category.id
    FROM unnest(CAST(:paths AS text[])) AS wanted (path) JOIN categories AS category
    ON md5(lower(category.path)) = md5(lower(wanted.path))
""")


def read_tree(connection: Connection) -> list[dict[str, Any]]:
    """All categories as JSON, each with its `children`, siblings by position and name."""
    rows = connection.execute(select(*_COLUMNS).order_by(Category.position, func.lower(Category.name), Category.id))
    nodes = {row.id: {**category_json(row), "children": []} for row in rows}
    roots: list[dict[str, Any]] = []
    for node in nodes.values():
        siblings = roots if node["parent_id"] is None else nodes[node["parent_id"]]["children"]
        siblings.append(node)
    return roots


def read_category(connection: Connection, category_id: int) -> dict[str, Any]:
    """A category as JSON with its `breadcrumbs` (from the top to itself), `children` and `product_count`.

    The count is of products for sale in it and below. Raises CategoryNotFoundError.
    """
    row = connection.execute(_READ, {"category_id": category_id}).one_or_none()
    if row is None:
        raise CategoryNotFoundError()
    return {
        **category_json(row),
        "breadcrumbs": row.breadcrumbs,
        "children": row.children,
        "product_count": row.product_count,
    }


def category_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "parent_id": row.parent_id,
        "path": row.path,
        "position": row.position,
    }


def check_category_exists(category_id: int) -> None:
    """Raise CategoryNotFoundError unless there is such a category."""
    _get(category_id)


def create_category(values: Mapping[str, Any]) -> Row:
    """Make a category (WriteCategorySchema). Raises CategoryExistsError, and InvalidError as `replace_category`."""
    db.session.execute(_LOCK)
    catalogue_changed()
    path = _path_below(values["parent_id"], values["name"])
    _check_path(path)
    try:
        row = db.session.execute(insert(Category).values({**values, "path": path}).returning(*_COLUMNS)).one()
    except IntegrityError as error:
        raise CategoryExistsError(path) from error
    name_subject("category", row.id)
    return row


def replace_category(category_id: int, values: Mapping[str, Any]) -> Row:
    """Rename or move a category, and with it the paths of all below it.

    Raises CategoryNotFoundError, CategoryExistsError, CategoryCycleError, and InvalidError for an unknown parent, too
    many levels or too long a path.
    """
    db.session.execute(_LOCK)
    catalogue_changed()
    old_path = _get(category_id).path
    new_path = _path_below(values["parent_id"], values["name"])
    if values["parent_id"] == category_id or new_path.startswith(f"{old_path}/"):
        raise CategoryCycleError()
    for rest in _rests_below(old_path):
        _check_path(new_path + rest)
    if new_path != old_path:
        _move_branch(old_path, new_path)
    changed = update(Category).where(Category.id == category_id).values(values).returning(*_COLUMNS)
    return db.session.execute(changed, execution_options={"synchronize_session": False}).one()


def delete_category(category_id: int) -> None:
    """Delete an empty category; raises CategoryNotFoundError, CategoryNotEmptyError."""
    try:
        deleted = db.session.scalar(delete(Category).where(Category.id == category_id).returning(Category.id))
    except IntegrityError as error:
        raise CategoryNotEmptyError() from error
    if deleted is None:
        raise CategoryNotFoundError()
    catalogue_changed()


def find_paths(paths: Iterable[str]) -> dict[str, int]:
    """The ids of those of these paths that exist, in any letter case."""
    return {row.wanted: row.id for row in db.session.execute(_FIND_PATHS, {"paths": list(paths)})}


def ensure_path(path: str) -> int:
    """The id of the category with this path, in any letter case; what is missing of it is made.

    Raises InvalidError for more than MAX_DEPTH levels or MAX_PATH_LENGTH characters.
    """
    _check_path(path)
    found = find_paths([path]).get(path)
    if found is not None:
        return found
    parent, _, name = path.rpartition("/")
    parent_id = ensure_path(parent) if parent else None
    db.session.execute(_LOCK)
    return find_paths([path]).get(path) or create_category({"name": name, "parent_id": parent_id}).id


def _get(category_id: int) -> Row:
    row = db.session.execute(select(*_COLUMNS).where(Category.id == category_id)).one_or_none()
    if row is None:
        raise CategoryNotFoundError()
    return row


def _path_below(parent_id: int | None, name: str) -> str:
    if parent_id is None:
        return name
    parent_path = db.session.scalar(select(Category.path).where(Category.id == parent_id))
    if parent_path is None:
        errors = {"parent_id": ["There is no such category."]}
        raise InvalidError("One or more fields are not valid.", errors=errors)
    return f"{parent_path}/{name}"


def _move_branch(old_path: str, new_path: str) -> None:
    """Change the paths of a branch; those in its products follow in the background."""
    try:
        db.session.execute(_MOVE_BRANCH, {"old_path": old_path, "new_path": new_path})
    except IntegrityError as error:
        raise CategoryExistsError(new_path) from error
    ring_after_commit(BULK)


def _rests_below(path: str) -> list[str]:
    """The rests of the paths from this one on: "" for itself, "/B", "/B/C"."""
    paths = select(Category.path).where(or_(Category.path == path, func.starts_with(Category.path, f"{path}/")))
    return [row.path.removeprefix(path) for row in db.session.execute(paths)]


def _check_path(path: str) -> None:
    if path.count("/") >= MAX_DEPTH:
        errors = {"parent_id": [f"Categories have {MAX_DEPTH} levels at most."]}
        raise InvalidError("One or more fields are not valid.", errors=errors)
    if len(path) > MAX_PATH_LENGTH:
        errors = {"name": [f"The names from the top have {MAX_PATH_LENGTH} characters together at most."]}
        raise InvalidError("One or more fields are not valid.", errors=errors)
