"""How the parts of the shop are doing, for `/metrics`: program, PostgreSQL, Redis and its queues, the relay."""

from flask import Flask

from grocery.figures import database, program, queues
from grocery.metrics import metrics_asked


def init_app(_app: Flask) -> None:
    for part in (program, database, queues):
        metrics_asked.connect(part.metric_families)
