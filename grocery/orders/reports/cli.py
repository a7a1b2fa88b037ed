"""`flask reports sales` and the others."""

from datetime import date, datetime
from typing import Any

import click
from flask.cli import with_appcontext

from grocery.commands import print_table
from grocery.orders.payments.cli import reports_cli
from grocery.orders.reports.fulfilment import FULFILMENT, PICKERS, SHORTAGES, TIMES
from grocery.orders.reports.reading import DEFAULT_LIMIT, Report
from grocery.orders.reports.sales import SALES
from grocery.orders.reports.schemas import MAX_LIMIT
from grocery.orders.reports.service import make_wanted, read_rows, write_lines
from grocery.orders.reports.slots import SLOTS
from grocery.orders.reports.stock import MOVEMENTS, STOCK, WASTE

_DAY = click.DateTime(["%Y-%m-%d"])
_LIMITED = (WASTE, SHORTAGES)

_HELP = {
    SALES: "Show what was sold, by the day of delivery, and what came back.",
    STOCK: "Show the stock of now, its value, and what is low or out.",
    MOVEMENTS: "Show how stock came and went.",
    WASTE: "Show what was thrown away and what came back, by product.",
    FULFILMENT: "Show what became of the orders placed in a period.",
    SHORTAGES: "Show what was picked short.",
    SLOTS: "Show how full the delivery slots are.",
    TIMES: "Show how long orders took to the door.",
    PICKERS: "Show who picked how much.",
}


def _make_command(report: Report, description: str) -> click.Command:
    @with_appcontext
    def command(as_json: bool, as_csv: bool, **arguments: Any) -> None:
        if as_json and as_csv:
            raise click.UsageError("Either --json or --csv.")
        days = {name: _date(arguments.pop(name, None)) for name in ("first", "last")}
        wanted = make_wanted({**arguments, **days})
        if as_json or as_csv:
            for line in write_lines(report, wanted, as_csv=as_csv):
                click.echo(line, nl=False)
            if as_json:
                click.echo()
            return
        columns = report.columns[wanted.by]
        rows = [tuple(row[name] for name in columns) for row in read_rows(report, wanted)]
        print_table(tuple(name.upper() for name in columns), rows)

    return click.Command(report.name, callback=command, help=description, params=_options(report))


def _options(report: Report) -> list[click.Parameter]:
    period: list[click.Parameter] = [
        click.Option(
            ["--from", "first"], type=_DAY, metavar="YYYY-MM-DD", help="First day; by default 29 days before the last."
        ),
        click.Option(
            ["--until", "last"], type=_DAY, metavar="YYYY-MM-DD", help="Last day, included; by default today."
        ),
    ]
    limit: list[click.Parameter] = [
        click.Option(["--limit"], type=click.IntRange(1, MAX_LIMIT), default=DEFAULT_LIMIT, show_default=True)
    ]
    return [
        *([] if report is STOCK else period),
        click.Option(["--by"], type=click.Choice(report.ways), default=report.ways[0], show_default=True),
        *(limit if report in _LIMITED else []),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
        click.Option(["--csv", "as_csv"], is_flag=True, help="Print CSV."),
    ]


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


for _report, _description in _HELP.items():
    reports_cli.add_command(_make_command(_report, _description))
