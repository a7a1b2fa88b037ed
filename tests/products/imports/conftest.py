"""Imports by the command and through the API, and the worker's steps in the process of the test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.db import db
from grocery.products.imports.jobs import work_on_imports

Send = Callable[..., TestResponse]
Import = Callable[..., dict[str, Any]]


@pytest.fixture
def send(client: FlaskClient, admin: dict[str, str]) -> Send:
    """Send a file to the API, as a form like Swagger UI does, or as it is."""

    def send_file(contents: str | bytes, *, form: bool = False, **options: str) -> TestResponse:
        content = contents if isinstance(contents, bytes) else contents.encode()
        kind, body = _as_form(content) if form else ("text/csv", content)
        return client.post("/products/import", data=body, content_type=kind, headers=admin, query_string=options)

    return send_file


@pytest.fixture
def read(client: FlaskClient, admin: dict[str, str]) -> Callable[[int], dict[str, Any]]:
    """An import as the API shows it."""

    def read_import(import_id: int) -> dict[str, Any]:
        answer = client.get(f"/imports/{import_id}", headers=admin)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json
        return shown

    return read_import


@pytest.fixture
def run_import(send: Send, read: Callable[[int], dict[str, Any]]) -> Import:
    """Send a file and let the worker do all of it; the import in the end."""

    def run(contents: str | bytes, **options: Any) -> dict[str, Any]:
        answer = send(contents, **options)
        assert answer.status_code == 202, answer.text
        work()
        return read(answer.json["id"])

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_file(text: str | bytes, name: str = "products.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file


@pytest.fixture
def run(app: Flask, write: Callable[..., Path]) -> Callable[..., Result]:
    """Import a file with these contents by the command."""

    def run_import(contents: str | bytes, *options: str) -> Result:
        return app.test_cli_runner().invoke(args=["products", "import", str(write(contents)), *options])

    return run_import


def _as_form(content: bytes) -> tuple[str, bytes]:
    """By hand: the test client leaves a file open for a form as large as this."""
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="products.csv"\r\n\r\n'
    return "multipart/form-data; boundary=cut", head + content + b"\r\n--cut--\r\n"


def work(steps: int = 1000, seconds: float = 60) -> int:
    """The steps that the bulk job would do; answers how many there were."""
    done = 0
    while done < steps and work_on_imports(seconds):
        db.session.remove()
        done += 1
    return done
