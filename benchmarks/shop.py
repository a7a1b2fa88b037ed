"""What the benchmarks share: an app on embedded engines of its own, and the import command as a process."""

import resource
import subprocess
import sys
import time
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from grocery.app import create_app
from grocery.config import load_settings, setting_names


def ready_app(data_dir: Path) -> tuple[Flask, Path]:
    """An app that keeps no answers, whose database has the tables, and the directory of its engines."""
    settings = load_settings({"DATA_DIR": str(data_dir), "LOG_LEVEL": "WARNING", "KEPT_ANSWERS_MB": "0"})
    app = create_app(settings)
    with app.app_context():
        upgrade()
    return app, settings.data_dir


def settle(app: Flask) -> None:
    """Do at once what PostgreSQL does by itself in the minutes after an import, and would do while we measure."""
    connection = app.extensions["engines"].connect_directly()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    connection.close()


def import_file(path: Path, data_dir: Path) -> tuple[float, float]:
    """Seconds and peak memory (MB) of `flask products import` as a process of its own."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "products", "import", str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    started = time.monotonic()
    # An empty value keeps out the one of `.env`, which may lead to a real shop's database.
    environ = {**dict.fromkeys(setting_names(), ""), "PATH": "/usr/bin:/bin", "DATA_DIR": str(data_dir)}
    subprocess.run(command, env=environ, check=True, capture_output=True)
    seconds = time.monotonic() - started
    return seconds, max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
