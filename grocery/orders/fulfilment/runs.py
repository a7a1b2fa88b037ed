"""Delivery runs: which packed orders go with which rider, and what the rider has to know at each door."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import name_subject
from grocery.errors import InvalidError
from grocery.orders.actors import Actor
from grocery.orders.changing import change_status
from grocery.orders.fulfilment.errors import RunDepartedError, RunNotFoundError, RunOrdersError
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor

#: Stops of one run; more than anybody drives in a day.
MAX_STOPS = 200

_CREATE = text("""
    INSERT INTO delivery_runs (rider_id, note) SELECT id, :note FROM customers
    WHERE id = :rider_id AND role IN ('staff', 'admin')
    RETURNING id
""")

_CHANGE = text("""
    UPDATE delivery_runs SET rider_id = rider.id, note = :note FROM customers AS rider
    WHERE delivery_runs.id = :run_id AND rider.id = :rider_id AND rider.role IN ('staff', 'admin')
    RETURNING delivery_runs.id
""")

_LOCK = text("SELECT * FROM delivery_runs WHERE id = :run_id FOR UPDATE")

# People before orders, each by id, as everyone locks them.
_LOCK_ORDERS = text("""
    SELECT FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE id = ANY(:ids) OR run_id = :run_id)
    ORDER BY id FOR KEY SHARE;
    SELECT id, status, delivery_method, run_id FROM orders WHERE id = ANY(:ids) OR run_id = :run_id
    ORDER BY id FOR UPDATE
""")

_ASSIGN = text("""
    UPDATE orders SET run_id = CASE WHEN id = ANY(:ids) THEN CAST(:run_id AS bigint) END
    WHERE id = ANY(:ids) OR run_id = :run_id
""")

_DELETE = text("DELETE FROM delivery_runs WHERE id = :run_id")

_DEPART = text("UPDATE delivery_runs SET departed_at = now() WHERE id = :run_id")

_RUNS = """
    SELECT run.*, rider.name AS rider FROM delivery_runs AS run LEFT JOIN customers AS rider ON rider.id = run.rider_id
    WHERE {which} ORDER BY run.id DESC LIMIT :limit
"""

_ONE = text(_RUNS.format(which="run.id = :run_id"))

_PAGE = text(
    _RUNS.format(
        which="""(CAST(:rider_id AS bigint) IS NULL OR run.rider_id = :rider_id)
        AND (CAST(:before_id AS bigint) IS NULL OR run.id < :before_id)"""
    )
)

_STOPS = text("""
    SELECT orders.*, customer.name AS customer,
           (SELECT count(*) FROM order_lines WHERE order_id = orders.id AND picked_quantity > 0) AS items,
           (SELECT coalesce(sum(refund_cents), 0) FROM order_returns WHERE order_id = orders.id) AS returned_cents
    FROM orders JOIN customers AS customer ON customer.id = orders.customer_id
    WHERE orders.run_id = ANY(:run_ids) ORDER BY orders.slot_starts_at NULLS LAST, orders.zone_id, orders.id
""")


def create_run(session: Session, *, rider_id: int, order_ids: Sequence[int], note: str | None) -> dict[str, Any]:
    """Plan a run of a rider, who is one of the staff; the run as JSON-ready data.

    Raises InvalidError for a rider who is not, and RunOrdersError for orders that cannot go along.
    """
    run_id = session.execute(_CREATE, {"rider_id": rider_id, "note": note or None}).scalar()
    if run_id is None:
        raise _not_a_rider()
    name_subject("run", run_id)
    _assign(session, run_id, order_ids)
    return get_run(session.connection(), run_id)


def replace_run(
    session: Session, run_id: int, *, rider_id: int, order_ids: Sequence[int], note: str | None
) -> dict[str, Any]:
    """Plan a run anew that has not left; raises RunNotFoundError, RunDepartedError, and as `create_run`."""
    _lock_planned(session, run_id)
    if session.execute(_CHANGE, {"run_id": run_id, "rider_id": rider_id, "note": note or None}).scalar() is None:
        raise _not_a_rider()
    _assign(session, run_id, order_ids)
    return get_run(session.connection(), run_id)


def delete_run(session: Session, run_id: int) -> None:
    """Call a run off that has not left; raises RunNotFoundError, RunDepartedError."""
    _lock_planned(session, run_id)
    _assign(session, run_id, [])
    session.execute(_DELETE, {"run_id": run_id})


def depart(session: Session, run_id: int, actor: Actor) -> dict[str, Any]:
    """The rider leaves: all orders of the run are shipped, and their customers told.

    Raises RunNotFoundError, RunDepartedError, and RunOrdersError when one of them is not packed (any more).
    """
    _lock_planned(session, run_id)
    orders = session.execute(_LOCK_ORDERS, {"ids": [], "run_id": run_id}).all()
    if problems := {order.id: f"It is {order.status}." for order in orders if order.status != "packed"}:
        raise RunOrdersError(problems)
    if not orders:
        raise RunOrdersError({})
    session.execute(_DEPART, {"run_id": run_id})
    for order in orders:
        change_status(session, order.id, "shipped", actor)
    return get_run(session.connection(), run_id)


def get_run(connection: Connection, run_id: int) -> dict[str, Any]:
    """A run with its stops; raises RunNotFoundError."""
    run = connection.execute(_ONE, {"run_id": run_id, "limit": 1}).mappings().one_or_none()
    if run is None:
        raise RunNotFoundError(run_id)
    stops = connection.execute(_STOPS, {"run_ids": [run_id]}).mappings().all()
    return _run_json(run, stops)


def list_runs(connection: Connection, *, rider_id: int | None, limit: int, cursor: str | None) -> Page:
    """Runs with their stops, the newest first; raises InvalidError for a cursor of another list."""
    before_id = decode_cursor(cursor, int)[0] if cursor else None
    parameters = {"rider_id": rider_id, "before_id": before_id, "limit": limit + 1}
    found = connection.execute(_PAGE, parameters).mappings().all()
    runs, next_cursor = cut_page(found, limit, lambda run: encode_cursor(run["id"]))
    stops = connection.execute(_STOPS, {"run_ids": [run["id"] for run in runs]}).mappings().all()
    items = [_run_json(run, [stop for stop in stops if stop["run_id"] == run["id"]]) for run in runs]
    return Page(items, next_cursor)


def _lock_planned(session: Session, run_id: int) -> None:
    run = session.execute(_LOCK, {"run_id": run_id}).one_or_none()
    if run is None:
        raise RunNotFoundError(run_id)
    if run.departed_at is not None:
        raise RunDepartedError


def _assign(session: Session, run_id: int, order_ids: Sequence[int]) -> None:
    """Give a planned run these orders and no others."""
    found = {row.id: row for row in session.execute(_LOCK_ORDERS, {"ids": list(order_ids), "run_id": run_id})}
    problems = {order_id: "There is no such order." for order_id in order_ids if order_id not in found}
    for order_id in set(order_ids) & found.keys():
        order = found[order_id]
        if order.delivery_method != "delivery":
            problems[order_id] = "Its customer collects it."
        elif order.status not in ("pending", "confirmed", "packed"):
            problems[order_id] = f"It is {order.status}."
        elif order.run_id not in (None, run_id):
            problems[order_id] = f"It goes with run {order.run_id}."
    if problems:
        raise RunOrdersError(problems)
    session.execute(_ASSIGN, {"ids": list(order_ids), "run_id": run_id})


def _not_a_rider() -> InvalidError:
    message = "There is no member of the staff with this id."
    return InvalidError(message, errors={"rider_id": [message]})


def _run_json(run: RowMapping, stops: Sequence[RowMapping]) -> dict[str, Any]:
    return {
        "id": run["id"],
        "rider_id": run["rider_id"],
        "rider": run["rider"],
        "note": run["note"],
        "created_at": run["created_at"],
        "departed_at": run["departed_at"],
        "stops": [_stop_json(stop) for stop in stops],
        "to_collect": money.to_text(sum(_to_collect(stop) for stop in stops)),
    }


def _stop_json(order: RowMapping) -> dict[str, Any]:
    """What a rider has to know at a door."""
    return {
        "order_id": order["id"],
        "number": order["number"],
        "status": order["status"],
        "customer": order["customer"],
        "phone": order["phone"],
        "address": order["address"],
        "landmark": order["landmark"],
        "note": order["delivery_note"],
        "slot_starts_at": order["slot_starts_at"],
        "slot_ends_at": order["slot_ends_at"],
        "items": order["items"],
        "to_collect": money.to_text(_to_collect(order)),
        "currency": order["currency"],
    }


def _to_collect(order: RowMapping) -> int:
    """Cents that are still due; for what came back, and of an order that is cancelled, nothing is."""
    due_cents = order["total_cents"] - order["returned_cents"] - order["paid_cents"]
    return 0 if order["status"] == "cancelled" else max(0, int(due_cents))
