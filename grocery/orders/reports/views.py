"""Reports over HTTP."""

from collections.abc import Callable
from typing import Any

from flask import Response, request

from grocery.api import Blueprint
from grocery.auth.access import admin_required
from grocery.fields import Schema
from grocery.orders.reports import examples, schemas
from grocery.orders.reports.answering import answer_with
from grocery.orders.reports.files import csv_lines
from grocery.orders.reports.fulfilment import FULFILMENT, PICKERS, SHORTAGES, TIMES
from grocery.orders.reports.reading import Report
from grocery.orders.reports.sales import SALES
from grocery.orders.reports.service import make_wanted
from grocery.orders.reports.slots import SLOTS
from grocery.orders.reports.stock import MOVEMENTS, STOCK, WASTE

blp = Blueprint("reports", __name__, url_prefix="/reports", description="Sales, stock and fulfilment; JSON and CSV.")

View = Callable[..., Response]


def _answers(
    report: Report, arguments: type[Schema], row: type[Schema], example: dict[str, Any]
) -> Callable[[View], View]:
    """Declare what a report takes and answers, in both forms."""
    table = "".join(csv_lines(report, report.ways[0], [example]))
    as_csv = {200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": table}}}}

    def decorate(view: View) -> View:
        view = blp.response(200, row(many=True), description="All rows.", example=[example])(view)
        view = blp.arguments(arguments, location="query")(view)
        view = blp.doc(responses=as_csv)(view)
        view = blp.problems(_422="An argument is not valid: `from` or `until` is no day, or they are far apart.")(view)
        return admin_required(view)

    return decorate


@blp.route("/sales")
@_answers(SALES, schemas.SalesArgsSchema, schemas.SalesRowSchema, examples.SALES)
def get_sales_report(arguments: dict[str, Any]) -> Response:
    """Sales by day, month, weekday, hour, category or product

    Orders count with the day on which they were delivered, with what was really picked; returns with the day on which
    the goods came back. Orders of erased customers stay in all sums by time, and are in none by category or product.
    JSON, or CSV with `Accept: text/csv` or `format=csv`.
    """
    return _answer(SALES, arguments)


@blp.route("/stock")
@_answers(STOCK, schemas.StockArgsSchema, schemas.StockRowSchema, examples.STOCK)
def get_stock_report(arguments: dict[str, Any]) -> Response:
    """The stock now, its value, and what is low or out

    Withdrawn products count with their value, and are neither low nor out.
    """
    return _answer(STOCK, arguments)


@blp.route("/movements")
@_answers(MOVEMENTS, schemas.MovementsArgsSchema, schemas.MovementsRowSchema, examples.MOVEMENTS)
def get_movements_report(arguments: dict[str, Any]) -> Response:
    """How stock came and went: received, sold, returned, damaged, expired, counted

    Pieces and kilograms are in rows of their own. Movements went with the products that were deleted since.
    """
    return _answer(MOVEMENTS, arguments)


@blp.route("/waste")
@_answers(WASTE, schemas.WasteArgsSchema, schemas.WasteRowSchema, examples.WASTE)
def get_waste_report(arguments: dict[str, Any]) -> Response:
    """What was thrown away and what came back, by product, the dearest first"""
    return _answer(WASTE, arguments)


@blp.route("/fulfilment")
@_answers(FULFILMENT, schemas.FulfilmentArgsSchema, schemas.FulfilmentRowSchema, examples.FULFILMENT)
def get_fulfilment_report(arguments: dict[str, Any]) -> Response:
    """What became of the orders placed in a period

    By the time of placing, so that the figures add up: each order is open, delivered, cancelled or failed.
    """
    return _answer(FULFILMENT, arguments)


@blp.route("/shortages")
@_answers(SHORTAGES, schemas.ShortagesArgsSchema, schemas.ShortagesRowSchema, examples.SHORTAGES)
def get_shortages_report(arguments: dict[str, Any]) -> Response:
    """What was picked short, by product or category, the dearest first

    Of the orders placed in the period. What was weighed is short when a tenth is missing, or when the picker said so.
    """
    return _answer(SHORTAGES, arguments)


@blp.route("/slots")
@_answers(SLOTS, schemas.SlotsArgsSchema, schemas.SlotsRowSchema, examples.SLOTS)
def get_slots_report(arguments: dict[str, Any]) -> Response:
    """How full delivery slots are, each or summed up"""
    return _answer(SLOTS, arguments)


@blp.route("/times")
@_answers(TIMES, schemas.TimesArgsSchema, schemas.TimesRowSchema, examples.TIMES)
def get_times_report(arguments: dict[str, Any]) -> Response:
    """Time from order to door: the median, and what nine in ten orders keep"""
    return _answer(TIMES, arguments)


@blp.route("/pickers")
@_answers(PICKERS, schemas.PickersArgsSchema, schemas.PickersRowSchema, examples.PICKERS)
def get_pickers_report(arguments: dict[str, Any]) -> Response:
    """Who picked how much, and how fast

    By the time of picking. Lines that packing closed without anyone picking them are in the row without a picker.
    """
    return _answer(PICKERS, arguments)


def _answer(report: Report, arguments: dict[str, Any]) -> Response:
    response = answer_with(report, make_wanted(arguments), as_csv=_is_csv_wanted(arguments["format"]))
    response.vary.add("Accept")
    return response


def _is_csv_wanted(wanted: str | None) -> bool:
    if wanted is not None:
        return wanted == "csv"
    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"
