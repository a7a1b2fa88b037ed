"""Delivery: zones, slots and their weekly templates, saved addresses."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.delivery import address_views, tasks, template_views, views
from grocery.orders.delivery.cli import delivery_cli
from grocery.queues import periodic_task


def init_app(app: Flask) -> None:
    """Register the routes, commands and tasks of this part."""
    for blueprint in (views.blp, template_views.blp, address_views.blp):
        register_blueprint(app, blueprint)
    app.cli.add_command(delivery_cli)
    periodic_task.connect(tasks.periodic_tasks)
