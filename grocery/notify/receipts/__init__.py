"""Delivery reports: what became of an SMS after its acceptance."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.notify.receipts.jobs import periodic_tasks
from grocery.notify.receipts.oddities import Oddities, count_for_all
from grocery.notify.receipts.views import blp
from grocery.queues import periodic_task


def init_app(app: Flask) -> None:
    """Bind the part."""
    app.extensions["oddities"] = Oddities(tell=count_for_all)
    register_blueprint(app, blp)
    periodic_task.connect(periodic_tasks)
