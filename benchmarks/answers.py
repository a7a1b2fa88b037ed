"""What a kept answer saves: a hit against the way through Flask and PostgreSQL.

    python -m benchmarks.answers

Runs on embedded engines of its own in a temporary directory. Quote the ratio: absolute times belong to one machine.
"""

import statistics
import tempfile
import time
from wsgiref.types import WSGIApplication

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text
from werkzeug.test import EnvironBuilder

from grocery.app import create_app
from grocery.config import load_settings
from grocery.db import db

ROUNDS = 3
REQUESTS = 2000

_PRODUCTS = text("""
    WITH category AS (INSERT INTO categories (name, path) VALUES ('Flour', 'Flour') RETURNING id)
    INSERT INTO products (name, brand, category_id, price_cents, stock)
    SELECT 'Maize Flour ' || number, 'Brand ' || number % 90, id, 100 + number, 50
    FROM category, generate_series(1, 2000) AS number
""")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        app = create_app(load_settings({"DATA_DIR": f"{directory}/data", "LOG_LEVEL": "WARNING"}))
        with app.app_context():
            upgrade()
            with db.engine.begin() as connection:
                connection.execute(_PRODUCTS)
        kept = app.extensions["answers"]
        _wait_until_kept(app)
        hit = _microseconds(kept)
        kept.close()
        flask = _microseconds(kept)
        print(f"GET /products/: kept {hit:.0f} µs, through Flask {flask:.0f} µs, ratio {hit / flask:.3f}")


def _wait_until_kept(app: Flask) -> None:
    while app.test_client().get("/products/").headers["X-Cache"] != "hit":
        time.sleep(0.01)


def _microseconds(app: WSGIApplication) -> float:
    """The median over rounds of the median time of a request inside the app."""
    environ = EnvironBuilder("/products/").get_environ()
    medians = []
    for _ in range(ROUNDS):
        times = []
        for _ in range(REQUESTS):
            given = environ.copy()
            started = time.perf_counter()
            chunks = app(given, lambda _status, _headers, _exc_info=None: lambda _data: None)
            assert b"".join(chunks)
            times.append((time.perf_counter() - started) * 1e6)
        medians.append(statistics.median(times))
    return statistics.median(medians)


if __name__ == "__main__":
    main()
