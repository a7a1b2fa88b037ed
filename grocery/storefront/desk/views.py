"""The desk's first page: what there is to do today, what is wrong, and for admins how the shop is doing."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, current_app
from flask_babel import format_date, gettext

from grocery.auth.access import current_person, staff_required
from grocery.db import reader
from grocery.notify.figures import read_figures
from grocery.orders.desk.board import read_board
from grocery.orders.desk.claims import picking_claims
from grocery.orders.desk.today import read_hours, read_placed, read_progress, read_sales
from grocery.products.inventory.low import list_low
from grocery.storefront.desk.charts import Bar, make_chart
from grocery.storefront.desk.pages import DeskPages
from grocery.storefront.looks import money
from grocery.storefront.pages import render

blp = DeskPages("desk", __name__, url_prefix="/admin")

_LATE_SHOWN = 5
_LOW_SHOWN = 6


@blp.get("/", strict_slashes=False)
@staff_required
def show_dashboard() -> Response:
    now, zone = datetime.now(UTC), current_app.config["TIMEZONE"]
    today = now.astimezone(zone).date()
    with reader() as connection:
        board = read_board(connection, "problem", picking_claims().read())
        progress = read_progress(connection, today, zone)
        low = list_low(connection, limit=_LOW_SHOWN, with_out=True)
        placed = read_placed(connection, now, zone)
    figures = _figures(today) if current_person().is_admin else {}
    return render(
        "desk/dashboard.html",
        today=today,
        weekday=format_date(today, "EEEE"),
        board=board,
        late=board.rows[:_LATE_SHOWN],
        progress=progress,
        placed=placed,
        low=low,
        **figures,
    )


def _figures(today: Any) -> dict[str, Any]:
    """Sales and messages, which only admins see."""
    sales, hours = read_sales(today), read_hours(today)
    failed = sum(row["number"] for row in read_figures().last_day if row["status"] == "failed")
    by_day = [
        Bar(format_date(datetime.fromisoformat(row["day"]).date(), "d MMM"), float(row["gross"]), money(row["gross"]))
        for row in sales
    ]
    by_hour = [Bar(f"{row['hour']:02d}", float(row["placed"]), str(row["placed"])) for row in hours]
    return {
        "sold": sales[-1],
        "sold_before": sales[-8],
        "failed_messages": failed,
        "charts": [
            make_chart("sales", gettext("Sales by day"), gettext("Day"), by_day),
            make_chart("hours", gettext("Orders by hour, today"), gettext("Hour"), by_hour),
        ],
    }
