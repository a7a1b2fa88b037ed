"""Orders: placing, states, processing, and what deletions mean for them."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.auth.hooks import customer_deleting
from grocery.orders import deleting, jobs, models
from grocery.orders.cli import orders_cli
from grocery.orders.views import blp
from grocery.products.hooks import product_deleting
from grocery.queues import periodic_task

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    register_blueprint(app, blp)
    app.cli.add_command(orders_cli)
    customer_deleting.connect(deleting.settle_orders_of_customer)
    product_deleting.connect(deleting.withdraw_product_from_orders)
    periodic_task.connect(jobs.periodic_tasks)
