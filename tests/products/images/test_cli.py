"""`flask products images import`."""

import json
import os
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from tests.products.factories import make_product
from tests.products.images.pictures import encode, jpeg, make_image, png
from tests.products.images.test_upload import BrokenStore
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context", "media")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["products", "images", "import", *arguments])


def test_pictures_go_to_the_products_that_they_are_named_after(app: Flask, tmp_path: Path) -> None:
    milk, bread = make_product(sku="MILK-500"), make_product(sku="B", barcode="6161100240018")
    (tmp_path / "MILK-500.JPG").write_bytes(jpeg())
    (tmp_path / "6161100240018.png").write_bytes(encode(make_image(left="green"), "PNG"))
    (tmp_path / "notes.txt").write_text("passed over")
    (tmp_path / "folder.jpg").mkdir()
    result = run(app, str(tmp_path))
    assert result.exit_code == 0, result.output
    assert result.stdout == "6161100240018.png: set\nMILK-500.JPG: set\nset: 2 unchanged: 0 refused: 0\n"
    before = select_rows("SELECT id, image_url, version FROM products ORDER BY id")
    assert [(row[0], row[2]) for row in before] == [(milk, 2), (bread, 2)]
    assert run(app, str(tmp_path)).stdout.endswith("set: 0 unchanged: 2 refused: 0\n")
    assert select_rows("SELECT id, image_url, version FROM products ORDER BY id") == before


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_name_that_is_not_utf_8_is_refused(app: Flask, tmp_path: Path, option: list[str]) -> None:
    make_product(sku="Z")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(jpeg())
    (tmp_path / "Z.jpg").write_bytes(jpeg())
    result = run(app, str(tmp_path), *option)
    assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
    assert "caf\N{REPLACEMENT CHARACTER}.jpg" in result.stdout
    assert select_rows("SELECT version FROM products") == [(2,)]


def test_a_bad_file_is_refused_and_the_others_are_applied(app: Flask, tmp_path: Path) -> None:
    product = make_product(sku="A")
    make_product(sku="BAD")
    (tmp_path / "A.png").write_bytes(png())
    (tmp_path / "BAD.jpg").write_bytes(b"x")
    (tmp_path / "NONE.jpg").write_bytes(jpeg())
    result = run(app, str(tmp_path), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "set": 1,
        "unchanged": 0,
        "refused": 2,
        "files": [
            {"file": "A.png", "result": "set", "product_id": product, "reason": None},
            {
                "file": "BAD.jpg",
                "result": "refused",
                "product_id": None,
                "reason": "This is no JPEG, PNG or WebP file, or a broken one.",
            },
            {
                "file": "NONE.jpg",
                "result": "refused",
                "product_id": None,
                "reason": "No product has this SKU or barcode.",
            },
        ],
    }


def test_a_store_that_is_away_ends_the_import(app: Flask, tmp_path: Path, use_store: object) -> None:
    make_product(sku="A")
    (tmp_path / "A.png").write_bytes(png())
    assert callable(use_store)
    use_store(BrokenStore())
    result = run(app, str(tmp_path))
    assert (result.exit_code, result.stderr) == (1, "Error: The store of pictures is away. Try again.\n")
    assert select_rows("SELECT image_url FROM products") == [(None,)]


def test_a_folder_that_is_not_there_is_a_usage_error(app: Flask, tmp_path: Path) -> None:
    assert run(app, str(tmp_path / "none")).exit_code == 2
    assert run(app).exit_code == 2
