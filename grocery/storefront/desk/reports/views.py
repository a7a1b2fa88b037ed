"""Reports as tables, bars and files."""

from typing import Any

from flask import Response, current_app, redirect, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required
from grocery.db import reader
from grocery.errors import InvalidError
from grocery.fields import Schema
from grocery.orders.payments.cash_up import cash_up, csv_response
from grocery.orders.payments.schemas import CashUpArgsSchema
from grocery.orders.reports import schemas
from grocery.orders.reports.answering import answer_with
from grocery.orders.reports.fulfilment import FULFILMENT, PICKERS, SHORTAGES, TIMES
from grocery.orders.reports.reading import Report
from grocery.orders.reports.sales import SALES
from grocery.orders.reports.service import make_wanted, read_rows
from grocery.orders.reports.slots import SLOTS
from grocery.orders.reports.stock import MOVEMENTS, STOCK, WASTE
from grocery.products.inventory.days import shop_today
from grocery.storefront.desk.filters import read_filters
from grocery.storefront.desk.pages import DeskPages
from grocery.storefront.desk.reports.tables import columns_of, make_bars, make_rows
from grocery.storefront.desk.reports.words import ABOUT, COLUMNS, PROBLEMS, REPORTS, WAYS
from grocery.storefront.pages import render

blp = DeskPages("desk_reports", __name__, url_prefix="/admin/reports")

_KNOWN: dict[str, tuple[Report, type[Schema]]] = {
    "sales": (SALES, schemas.SalesArgsSchema),
    "fulfilment": (FULFILMENT, schemas.FulfilmentArgsSchema),
    "slots": (SLOTS, schemas.SlotsArgsSchema),
    "times": (TIMES, schemas.TimesArgsSchema),
    "shortages": (SHORTAGES, schemas.ShortagesArgsSchema),
    "pickers": (PICKERS, schemas.PickersArgsSchema),
    "stock": (STOCK, schemas.StockArgsSchema),
    "movements": (MOVEMENTS, schemas.MovementsArgsSchema),
    "waste": (WASTE, schemas.WasteArgsSchema),
}


@blp.get("/", strict_slashes=False)
@admin_required
def show_reports() -> AnyResponse:
    return redirect(url_for("desk_reports.show_report", name="sales"), 303)


@blp.get("/cash-up")
@admin_required
def show_cash_up() -> Response:
    """What each collector has to bring, of a day."""
    arguments, errors = read_filters(CashUpArgsSchema())
    day, config = arguments["day"] or shop_today(), current_app.config
    try:
        with reader() as connection:
            entries = cash_up(connection, day, config["TIMEZONE"], config["CURRENCY"])
    except InvalidError as error:
        entries, errors = [], {**errors, **_explain(error)}
    if arguments["format"] == "csv" and not errors:
        return csv_response(entries, day)
    return _page("cash-up", "desk/reports/cash_up.html", entries=entries, chosen_day=day, errors=errors)


@blp.get("/<name>")
@admin_required
def show_report(name: str) -> Response:
    """A report by what the address asks for; `format=csv` brings it as a file."""
    if name not in _KNOWN:
        raise NotFound
    report, schema = _KNOWN[name]
    arguments, errors = read_filters(schema())
    try:
        wanted = make_wanted(arguments)
    except InvalidError as error:
        errors |= _explain(error)
        wanted = make_wanted({"by": arguments["by"]})
    if arguments["format"] == "csv":
        return answer_with(report, wanted, as_csv=True)
    rows = list(read_rows(report, wanted))
    columns = columns_of(report, wanted.by)
    return _page(
        name,
        "desk/reports/report.html",
        ways=report.ways,
        wanted=wanted,
        has_days=report is not STOCK,
        columns=columns,
        rows=make_rows(columns, rows),
        chart=make_bars(report, wanted.by, rows),
        errors=errors,
    )


def _explain(error: InvalidError) -> dict[str, str]:
    return {name: str(PROBLEMS.get(name, error.detail)) for name in error.members.get("errors", {"day": None})}


def _page(name: str, template: str, **values: Any) -> Response:
    return render(template, name=name, reports=REPORTS, about=ABOUT, way_words=WAYS, column_words=COLUMNS, **values)
