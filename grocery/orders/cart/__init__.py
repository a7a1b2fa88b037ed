"""Carts of customers and visitors."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.auth.hooks import signed_in
from grocery.orders.cart.access import join_at_sign_in
from grocery.orders.cart.tasks import periodic_tasks
from grocery.orders.cart.views import blp
from grocery.queues import periodic_task


def init_app(app: Flask) -> None:
    """Register the routes and tasks of carts, and have them join at sign-in."""
    register_blueprint(app, blp)
    signed_in.connect(join_at_sign_in)
    periodic_task.connect(periodic_tasks)
