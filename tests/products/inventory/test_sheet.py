"""The threshold in spreadsheets: imported, exported, and left alone by a sheet that does not have it."""

from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

HEAD = "sku,name,category,price,unit"


def run(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["products", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def thresholds() -> list[tuple]:
    return select_rows("SELECT sku, low_stock_threshold FROM products ORDER BY sku")


def test_the_threshold_goes_through_sheets(app: Flask, tmp_path: Path) -> None:
    sheet, export = tmp_path / "sheet.csv", tmp_path / "export.csv"
    sheet.write_text(
        f"{HEAD},low_stock_threshold\nA,Milk,Dairy,65,each,12\nB,Kale,Veg,60,kg,2.5\nC,Rice,Dry,90,each,\n"
    )
    assert "created: 3" in run(app, "import", str(sheet))
    assert thresholds() == [("A", 12), ("B", Decimal("2.5")), ("C", None)]
    run(app, "export", str(export))
    assert "unchanged: 3" in run(app, "import", str(export))
    sheet.write_text(f"{HEAD}\nA,Fresh milk,Dairy,65,each\n")
    assert "updated: 1" in run(app, "import", str(sheet))
    assert thresholds()[0] == ("A", 12)
    sheet.write_text(f"{HEAD},low_stock_threshold\nA,Fresh milk,Dairy,65,each,\nB,Kale,Veg,60,kg,-1\n")
    assert "row 3: low_stock_threshold: Must be from 0" in run(app, "import", str(sheet))
    assert thresholds() == [("A", None), ("B", Decimal("2.5")), ("C", None)]
