"""`flask products …`: the catalogue, for the operator."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import click
from marshmallow import ValidationError, fields

from grocery import money
from grocery.commands import CommandGroup, print_json
from grocery.db import transaction
from grocery.errors import InvalidError
from grocery.fields import Money, Quantity, Text, quantity_number
from grocery.products import exports, service
from grocery.products.images.cli import images_cli
from grocery.products.imports.reading import COLUMNS, parse_mapping
from grocery.products.imports.service import ImportReport, import_products
from grocery.products.stock import MAX_STOCK

products_cli = CommandGroup("products", help="The catalogue.")
products_cli.add_command(images_cli)


class FieldType(click.ParamType):
    """An argument that follows the rules of a field of the API."""

    def __init__(self, name: str, field: fields.Field):
        self.name = name
        self._field = field

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._field.deserialize(self._read(value))
        except (ValidationError, ValueError) as error:
            messages = error.messages if isinstance(error, ValidationError) else ["Must be a number."]
            return self.fail(f"{value!r}: {' '.join(map(str, messages))}", param, ctx)

    def _read(self, value: str) -> Any:
        return float(value) if isinstance(self._field, Quantity) else value


#: An argument may have bytes that are no text; PostgreSQL must not be asked for them.
SKU = FieldType("sku", Text())


class _MappingType(click.ParamType):
    name = "mapping"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        if not isinstance(value, str):
            return dict(value)
        try:
            return parse_mapping(value)
        except InvalidError as error:
            return self.fail(error.detail, param, ctx)


@products_cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, write nothing.")
@click.option("--strict", is_flag=True, help="Write nothing, and exit with 1, unless every row is good.")
@click.option("--map", "mapping", type=_MappingType(), default={}, metavar="FIELD=COLUMN,…", help="Other column names.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_command(file: Path, dry_run: bool, strict: bool, mapping: dict[str, str], as_json: bool) -> None:
    """Import products from the CSV FILE (UTF-8, with , or ; between the cells, names of columns in the first row).

    Columns are: {columns}. name, category and price are required, others are ignored. A category is a path such as
    Drinks/Juice; missing ones are made. --map gives fields other columns; two columns with a slash between them make
    one path: --map sku=index,category=group/subgroup

    A row is about the product with its SKU, else its barcode, else its name, brand and category. The column stock is
    the opening stock of new products; products that exist keep theirs. An empty cell empties a field that may be empty.

    Good rows are applied; bad ones are refused, and listed with their row number in a spreadsheet and the reason.
    """
    with click.progressbar(
        length=file.stat().st_size, label="Importing", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        report = import_products(
            file, mapping=mapping, dry_run=dry_run, strict=strict, on_progress=lambda read: bar.update(read - bar.pos)
        )
    if as_json:
        print_json(_report_json(report))
    else:
        _print_report(report)
    if strict and report.refusals:
        sys.exit(1)


import_command.help = (import_command.help or "").format(columns=", ".join(COLUMNS))


@products_cli.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@click.option("--category", metavar="PATH", help="Only this category, such as Drinks/Juice, and those below it.")
@click.option("--bom", is_flag=True, help="Begin with a byte order mark, without which Excel breaks accents.")
def export_command(file: str, category: str | None, bom: bool) -> None:
    """Write the products, withdrawn ones too, to the CSV FILE, or to the terminal's output with -.

    It has the columns of an import. A cell that a spreadsheet would run as a formula has an apostrophe before it, which
    an import takes away again.
    """
    category_id = exports.find_category(category) if category is not None else None
    count = exports.count_products(category_id)
    try:
        with (
            _whole_file(file) as target,
            click.progressbar(length=count, label="Exporting", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar,
        ):
            for block in exports.export_products(category_id, bom=bom):
                target.write(block.text.encode())
                bar.update(block.products)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error


@products_cli.command("set-price")
@click.argument("sku", type=SKU)
@click.argument("price", type=FieldType("price", Money()))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def set_price(sku: str, price: int, as_json: bool) -> None:
    """Set the PRICE of the product with this SKU. From the compare-at price upwards it ends the offer."""
    with transaction():
        row, before = service.set_price(sku, price)
    if as_json:
        print_json({"sku": sku, "name": row.name, "before": money.to_text(before), "price": money.to_text(price)})
    else:
        click.echo(f"{row.name}: {money.to_text(before)} → {money.to_text(price)}")


@products_cli.command("set-stock")
@click.argument("sku", type=SKU)
@click.argument("quantity", type=FieldType("quantity", Quantity(low=Decimal(0), high=MAX_STOCK)))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def set_stock(sku: str, quantity: Decimal, as_json: bool) -> None:
    """Set the stock of the product with this SKU to the QUANTITY that was counted."""
    with transaction():
        row, before = service.set_stock(sku, quantity, actor_id=None)
    was, now = quantity_number(before), quantity_number(row.stock)
    if as_json:
        print_json({"sku": sku, "name": row.name, "before": was, "stock": now})
    else:
        click.echo(f"{row.name}: {was} → {now}")


@contextmanager
def _whole_file(name: str) -> Iterator[IO[bytes]]:
    """A file to write, or standard output; an old file stays unless the new one is written to its end."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _print_report(report: ImportReport) -> None:
    for refusal in report.refusals:
        click.echo(f"row {refusal.row}: {refusal.reason}")
    if report.ignored_columns:
        click.echo(f"Columns not used: {', '.join(report.ignored_columns)}", err=True)
    if not report.is_applied:
        click.echo("Nothing was written. It would have been:")
    click.echo(
        f"created: {report.created} updated: {report.updated} unchanged: {report.unchanged} refused: {report.refused}"
    )


def _report_json(report: ImportReport) -> dict[str, Any]:
    return {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": report.refused,
        "is_applied": report.is_applied,
        "ignored_columns": report.ignored_columns,
        "refusals": [{"row": refusal.row, "reason": refusal.reason} for refusal in report.refusals],
    }
