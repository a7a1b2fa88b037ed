"""SMS that people send to the shop."""

from collections.abc import Sequence

from flask import Flask

from grocery.api import register_blueprint
from grocery.notify.group import notify
from grocery.notify.inbound.cli import inbound_cli
from grocery.notify.inbound.forgetting import forget_old
from grocery.notify.inbound.service import ring_if_due
from grocery.notify.inbound.views import blp
from grocery.queues import PeriodicTask, periodic_task


def init_app(app: Flask) -> None:
    """Bind the part."""
    register_blueprint(app, blp)
    notify.add_command(inbound_cli)
    periodic_task.connect(periodic_tasks)


def periodic_tasks(_sender: object) -> Sequence[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [
        PeriodicTask("notify.watch_inbound", 1.0, ring_if_due),
        PeriodicTask("notify.forget_inbound", 3600.0, forget_old),
    ]
