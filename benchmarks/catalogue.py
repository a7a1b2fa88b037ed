"""How fast the catalogue imports and lists, and that a list costs the same with 20,000 products as with 200.

    python -m benchmarks.catalogue

Runs on embedded engines of its own in a temporary directory. Quote the ratios: absolute times belong to one machine.
"""

import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from grocery.app import create_app
from grocery.config import load_settings, setting_names

ROWS = 20_000
ROUNDS = 3
REQUESTS = 200

_WORDS = ("maize", "rice", "flour", "tea", "milk", "bread", "beans", "sugar", "oil", "soap", "salt", "honey", "kale")
_PATHS = ("/products/", "/products/?sort=price&limit=100", "/products/?q=rice", "/products/?category=1")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = load_settings({"DATA_DIR": f"{directory}/data", "LOG_LEVEL": "WARNING"})
        app = create_app(settings)
        with app.app_context():
            upgrade()
        small, large = Path(directory, "small.csv"), Path(directory, "large.csv")
        _write_catalogue(small, 200)
        _write_catalogue(large, ROWS)
        _import(small, settings.data_dir)
        before = {path: _milliseconds(app, path) for path in _PATHS}
        for label in ("import of new products", "the same file again"):
            seconds, megabytes = _import(large, settings.data_dir)
            print(f"{ROWS:,} rows, {label}: {seconds:.1f} s, {megabytes:.0f} MB")
        for path in _PATHS:
            after = _milliseconds(app, path)
            print(
                f"GET {path}: {before[path]:.2f} ms with 200, {after:.2f} ms with {ROWS:,} products, "
                f"ratio {after / before[path]:.2f}"
            )


def _write_catalogue(path: Path, rows: int) -> None:
    chance = random.Random(1)
    lines = ["sku,name,brand,category,price,stock"]
    for number in range(rows):
        name = " ".join(chance.sample(_WORDS, 3)).title()
        category = f"Aisle {number % 12}/Shelf {number % 60}"
        lines.append(f"S-{number},{name} {number},Brand {number % 90},{category},{chance.randint(20, 5000)}.00,50")
    path.write_text("\n".join(lines) + "\n")


def _import(path: Path, data_dir: Path) -> tuple[float, float]:
    """Seconds and peak memory (MB) of the command as a process of its own."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "products", "import", str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    started = time.monotonic()
    # An empty value keeps out the one of `.env`, which may lead to a real shop's database.
    environ = {**dict.fromkeys(setting_names(), ""), "PATH": "/usr/bin:/bin", "DATA_DIR": str(data_dir)}
    subprocess.run(command, env=environ, check=True, capture_output=True)
    seconds = time.monotonic() - started
    return seconds, max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _milliseconds(app: Flask, path: str) -> float:
    """The median over rounds of the median time of a request inside the app."""
    client = app.test_client()
    medians = []
    for _ in range(ROUNDS):
        times = []
        for _ in range(REQUESTS):
            started = time.perf_counter()
            assert client.get(path).status_code == 200
            times.append((time.perf_counter() - started) * 1000)
        medians.append(statistics.median(times))
    return statistics.median(medians)


if __name__ == "__main__":
    main()
