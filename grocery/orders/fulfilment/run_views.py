"""Delivery runs over HTTP."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import staff_required
from grocery.db import reader, transaction
from grocery.orders.access import current_actor
from grocery.orders.fulfilment import runs
from grocery.orders.fulfilment.examples import RUN_EXAMPLE
from grocery.orders.fulfilment.schemas import RunArgsSchema, RunSchema, WriteRunSchema
from grocery.paging import NEXT_LINK, add_next_link

blp = Blueprint("runs", __name__, url_prefix="/delivery/runs", description="Which orders go with which rider.")

_EXAMPLE = {"rider_id": 3, "order_ids": [1, 2], "note": "Motorbike"}
_NOT_READY = "Some orders cannot go along: `orders_not_ready`, with `problems` by order."


def _find_run(run_id: int) -> None:
    with reader() as connection:
        runs.get_run(connection, run_id)


@blp.route("")
@staff_required
@blp.problems(_422="`limit`, `cursor` (`bad_cursor`) or `rider_id` is not valid.")
@blp.arguments(RunArgsSchema, location="query")
@blp.response(200, RunSchema(many=True), headers=NEXT_LINK, example=[RUN_EXAMPLE])
def list_runs(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List runs with their stops, newest first"""
    with reader() as connection:
        page = runs.list_runs(connection, **arguments)
    return add_next_link(jsonify(page.items), page.next_cursor)


@blp.route("", methods=["POST"])
@staff_required
@blp.problems(_409=_NOT_READY)
@blp.problems(_422="A field is not valid, `rider_id` is of nobody on the staff, or one of `order_ids` is of no order.")
@blp.arguments(WriteRunSchema, example=_EXAMPLE)
@blp.response(201, RunSchema, description="The run as it is planned.", example=RUN_EXAMPLE)
def create_run(body: dict[str, Any]) -> ResponseReturnValue:
    """Plan a run"""
    with transaction() as session:
        run = runs.create_run(session, **body)
    return jsonify(run), 201


@blp.route("/<int:run_id>")
@staff_required
@blp.response(200, RunSchema, example=RUN_EXAMPLE)
def get_run(run_id: int) -> ResponseReturnValue:
    """Read a run: where to go, whom to call, what to collect"""
    with reader() as connection:
        return jsonify(runs.get_run(connection, run_id))


@blp.route("/<int:run_id>", methods=["PUT"])
@staff_required
@blp.found_first(_find_run)
@blp.problems(_409=f"{_NOT_READY} The rider has left: `run_departed`.")
@blp.problems(_422="A field is not valid, `rider_id` is of nobody on the staff, or one of `order_ids` is of no order.")
@blp.arguments(WriteRunSchema, example=_EXAMPLE)
@blp.response(200, RunSchema, description="The run as it is planned now.", example=RUN_EXAMPLE)
def replace_run(body: dict[str, Any], run_id: int) -> ResponseReturnValue:
    """Plan a run anew, while it has not left"""
    with transaction() as session:
        return jsonify(runs.replace_run(session, run_id, **body))


@blp.route("/<int:run_id>", methods=["DELETE"])
@staff_required
@blp.problems(_409="The rider has left: `run_departed`.")
@blp.response(204, description="The run is called off; its orders wait for another one.")
def delete_run(run_id: int) -> None:
    """Call a run off, while it has not left"""
    with transaction() as session:
        runs.delete_run(session, run_id)


@blp.route("/<int:run_id>/depart", methods=["POST"])
@staff_required
@blp.problems(_409="An order is not packed (`orders_not_ready`), or the rider has left already (`run_departed`).")
@blp.response(200, RunSchema, description="The run, on its way.", example=RUN_EXAMPLE)
def depart(run_id: int) -> ResponseReturnValue:
    """The rider leaves

    All orders of the run are shipped, and their customers told.
    """
    with transaction() as session:
        return jsonify(runs.depart(session, run_id, current_actor()))
