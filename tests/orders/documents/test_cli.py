"""`flask orders invoice`."""

import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pypdf import PdfReader

from tests.orders.documents.paper import pages_of

pytestmark = pytest.mark.usefixtures("context")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["orders", "invoice", *arguments])


def test_it_writes_the_invoice(app: Flask, order: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "invoice.pdf"
    result = run(app, order["number"].lower(), "--output", str(path))
    assert (result.exit_code, result.output) == (0, "")
    [text] = pages_of(path.read_bytes())
    assert f"Order {order['number']}" in text
    assert f"Total KES {order['total']}" in text


def test_it_writes_to_standard_output(app: Flask, order: dict[str, Any]) -> None:
    result = run(app, order["number"], "--output", "-")
    assert result.exit_code == 0
    assert len(PdfReader(io.BytesIO(result.stdout_bytes)).pages) == 1


def test_an_unknown_order_writes_nothing(app: Flask, order: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "invoice.pdf"
    result = run(app, "G-NONE", "--output", str(path))
    assert (result.exit_code, result.output) == (1, "Error: There is no order G-NONE.\n")
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_one_clear_line(app: Flask, order: dict[str, Any], tmp_path: Path) -> None:
    result = run(app, order["number"], "--output", str(tmp_path / "nowhere" / "invoice.pdf"))
    assert result.exit_code == 1
    assert "No such file or directory" in result.output
    assert "Traceback" not in result.output


def test_a_file_must_be_named(app: Flask, order: dict[str, Any]) -> None:
    assert run(app, order["number"]).exit_code == 2
