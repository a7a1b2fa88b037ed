"""Orders: placing, states, processing, and what deletions mean for them."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.auth.hooks import customer_deleting, customer_exporting
from grocery.metrics import metrics_asked
from grocery.orders import (
    cart,
    deleting,
    delivery,
    desk,
    documents,
    fulfilment,
    inbound,
    jobs,
    models,
    payments,
    promotions,
    reports,
    returns,
    shopping_lists,
    tracking,
    ussd,
)
from grocery.orders.cart import models as cart_models
from grocery.orders.cli import orders_cli
from grocery.orders.delivery import models as delivery_models
from grocery.orders.exporting import export_orders
from grocery.orders.figures import metric_families
from grocery.orders.fulfilment import models as fulfilment_models
from grocery.orders.line_views import blp as lines_blp
from grocery.orders.payments import models as payment_models
from grocery.orders.promotions import models as promotion_models
from grocery.orders.returns import models as return_models
from grocery.orders.shopping_lists import models as shopping_list_models
from grocery.orders.views import blp
from grocery.products.hooks import product_deleting
from grocery.queues import periodic_task

__all__ = [
    "cart_models",
    "delivery_models",
    "fulfilment_models",
    "init_app",
    "models",
    "payment_models",
    "promotion_models",
    "return_models",
    "shopping_list_models",
]


def init_app(app: Flask) -> None:
    register_blueprint(app, blp)
    register_blueprint(app, lines_blp)
    for part in (
        cart,
        delivery,
        desk,
        documents,
        fulfilment,
        inbound,
        payments,
        promotions,
        reports,
        returns,
        shopping_lists,
        tracking,
        ussd,
    ):
        part.init_app(app)
    app.cli.add_command(orders_cli)
    customer_deleting.connect(deleting.settle_orders_of_customer)
    customer_exporting.connect(export_orders)
    product_deleting.connect(deleting.withdraw_product_from_orders)
    periodic_task.connect(jobs.periodic_tasks)
    metrics_asked.connect(metric_families)
