"""Campaigns: one text to everybody who wants to hear of offers."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.notify.campaigns.cli import campaign_cli
from grocery.notify.campaigns.views import blp
from grocery.notify.campaigns.writing import bulk_tasks
from grocery.notify.group import notify
from grocery.queues import bulk_task


def init_app(app: Flask) -> None:
    """Bind the part."""
    register_blueprint(app, blp)
    notify.add_command(campaign_cli)
    bulk_task.connect(bulk_tasks)
