"""An empty store for each test, and the calls that tests make."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.config import Settings
from grocery.products.images.extension import Media
from grocery.products.images.stores import Store

Upload = Callable[..., TestResponse]


@pytest.fixture
def media(app: Flask, settings: Settings) -> Iterator[Path]:
    """The directory of the app's store. A store of its own for the test, since the app is the same for all."""
    before = app.extensions["media"]
    app.extensions["media"] = Media(settings)
    shutil.rmtree(settings.media_dir, ignore_errors=True)
    yield settings.media_dir
    shutil.rmtree(settings.media_dir, ignore_errors=True)
    app.extensions["media"] = before


@pytest.fixture
def use_store(app: Flask, media: Path) -> Callable[[Store], None]:
    """Let the app use another store for the rest of the test."""

    def use(store: Store) -> None:
        app.extensions["media"].__dict__["store"] = store

    return use


@pytest.fixture
def upload(client: FlaskClient, admin: dict[str, str], media: Path) -> Upload:
    """Send a picture in a form, as an admin."""

    def send(product_id: int, data: bytes, name: str = "picture.jpg", **headers: Any) -> TestResponse:
        # By hand, since Werkzeug's client leaves a temporary file open for a large form.
        head = f'--limit\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + data + b"\r\n--limit--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=limit"}
        return client.post(f"/products/{product_id}/image", data=body, headers={**admin, **kind, **headers})

    return send


def stored_files(directory: Path) -> list[str]:
    """The names in a directory, as the store has them."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
