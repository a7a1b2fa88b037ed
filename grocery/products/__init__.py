"""Products: categories, the catalogue, its stock, its prices, import."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.auth.hooks import customer_exporting
from grocery.metrics import metrics_asked
from grocery.products import browsing, search
from grocery.products.category_views import blp as categories_blp
from grocery.products.cli import products_cli
from grocery.products.exporting import export_wishes
from grocery.products.images import wiring as images
from grocery.products.imports import jobs as import_jobs
from grocery.products.imports.figures import metric_families
from grocery.products.imports.views import blp as imports_blp
from grocery.products.inventory import alert_views
from grocery.products.inventory import tasks as stock_tasks
from grocery.products.inventory import views as stock_views
from grocery.products.inventory.cli import STOCK_COMMANDS
from grocery.products.prices import jobs as price_jobs
from grocery.products.prices.cli import prices_command, schedule_price_command
from grocery.products.prices.views import blp as prices_blp
from grocery.products.requests import models as request_models
from grocery.products.requests import tasks as request_tasks
from grocery.products.search.cli import synonyms_cli
from grocery.products.views import blp
from grocery.queues import bulk_task, periodic_task

__all__ = ["init_app", "request_models"]

for command in (prices_command, schedule_price_command, *STOCK_COMMANDS):
    products_cli.add_command(command)


def init_app(app: Flask) -> None:
    search.init_app(app)
    register_blueprint(app, categories_blp)
    register_blueprint(app, blp)
    register_blueprint(app, imports_blp)
    register_blueprint(app, prices_blp)
    browsing.init_app(app)
    register_blueprint(app, stock_views.blp)
    register_blueprint(app, alert_views.blp)
    products_cli.add_command(synonyms_cli)
    images.init_app(app)
    app.cli.add_command(products_cli)
    customer_exporting.connect(export_wishes)
    bulk_task.connect(import_jobs.bulk_tasks)
    bulk_task.connect(stock_tasks.bulk_tasks)
    periodic_task.connect(import_jobs.periodic_tasks)
    periodic_task.connect(price_jobs.periodic_tasks)
    periodic_task.connect(request_tasks.periodic_tasks)
    periodic_task.connect(stock_tasks.periodic_tasks)
    metrics_asked.connect(metric_families)
