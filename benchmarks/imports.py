"""How long 100,000 products take to come in and go out as CSV, and that memory does not grow with the file.

    python -m benchmarks.imports

By the command, and by the API with the steps of the bulk worker; each in a process of its own, whose peak memory is
shown. Runs on embedded engines of its own in a temporary directory.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from grocery.app import create_app
from grocery.config import load_settings, setting_names
from grocery.db import db, transaction
from grocery.products.imports.jobs import work_on_imports
from grocery.products.imports.staging import MAX_STRICT_ROWS, check_upload, store_import

ROWS = 100_000

_WORDS = ("maize", "rice", "flour", "tea", "milk", "bread", "beans", "sugar", "oil", "soap", "salt", "honey", "kale")

# What a process says of itself: RUSAGE_CHILDREN would show the largest of all children.
_MEASURED = """
import json, resource, sys, time
started = time.monotonic()
try:
    {code}
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([time.monotonic() - started, peak]), file=sys.stderr)
"""
_COMMAND = "from flask.cli import main; sys.argv = ['flask', '--app', 'wsgi', *sys.argv[1:]]; main()"
_WORKER = "from benchmarks.imports import work; work()"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory, "data")
        app = _app(data_dir)
        with app.app_context():
            upgrade()
        files = {rows: Path(directory, f"{rows}.csv") for rows in (MAX_STRICT_ROWS, ROWS)}
        for rows, path in files.items():
            _write_catalogue(path, rows)
        large = str(files[ROWS])
        _show("command, new products", data_dir, _COMMAND, "products", "import", large)
        _show("command, the same again", data_dir, _COMMAND, "products", "import", large)
        _show("command, export", data_dir, _COMMAND, "products", "export", f"{directory}/export.csv")
        for label, path, strict in (("new products", files[ROWS], False), ("strict", files[MAX_STRICT_ROWS], True)):
            with app.app_context():
                _empty()
                _stage(path, strict=strict)
            _show(f"API, {label}, {path.stem} rows", data_dir, _WORKER)


def work() -> None:
    """Do what waits, in steps as the bulk job does; show the longest."""
    steps = []
    with _app(Path(sys.argv[1])).app_context():
        while True:
            started = time.monotonic()
            if not work_on_imports():
                break
            steps.append(time.monotonic() - started)
            db.session.remove()
    print(f"  {len(steps)} steps, the longest {max(steps):.1f} s")


def _app(data_dir: Path) -> Flask:
    return create_app(load_settings({"DATA_DIR": str(data_dir), "LOG_LEVEL": "WARNING"}))


def _show(label: str, data_dir: Path, code: str, *arguments: str) -> None:
    # An empty value keeps out the one of `.env`, which may lead to a real shop's database.
    environ = {**dict.fromkeys(setting_names(), ""), "PATH": "/usr/bin:/bin", "DATA_DIR": str(data_dir)}
    command = [sys.executable, "-c", _MEASURED.format(code=code), *(arguments or [str(data_dir)])]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    measured: Any = json.loads(done.stderr.splitlines()[-1])
    print(f"{label}: {measured[0]:.1f} s, {measured[1]:.0f} MB  {done.stdout.strip()}", flush=True)


def _stage(path: Path, *, strict: bool) -> None:
    started = time.monotonic()
    checked = check_upload(path, {}, strict=strict)
    with transaction():
        store_import(path, checked, filename=None, mapping={}, dry_run=False, strict=strict, actor_id=None)
    print(f"received and checked: {time.monotonic() - started:.1f} s")


def _empty() -> None:
    with transaction() as session:
        session.execute(text("TRUNCATE products, stock_movements CASCADE"))


def _write_catalogue(path: Path, rows: int) -> None:
    chance = random.Random(1)
    with path.open("w") as file:
        file.write("sku,barcode,name,brand,category,price,stock,description\n")
        for number in range(rows):
            name = " ".join(chance.sample(_WORDS, 3)).title()
            category = f"Aisle {number % 12}/Shelf {number % 60}"
            description = " ".join(chance.choices(_WORDS, k=20))
            file.write(
                f"S-{number},{10_000_000 + number},{name} {number},Brand {number % 90},{category},"
                f"{chance.randint(20, 5000)}.00,50,{description}\n"
            )


if __name__ == "__main__":
    main()
