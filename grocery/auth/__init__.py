"""People, passwords, tokens and roles."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.auth import cli, tokens, user_views, views
from grocery.auth.sessions import delete_expired_sessions
from grocery.auth.subscribers import note_choice
from grocery.notify.hooks import marketing_chosen
from grocery.queues import PeriodicTask, periodic_task


def init_app(app: Flask) -> None:
    tokens.init_app(app)
    register_blueprint(app, views.blp)
    register_blueprint(app, user_views.blp)
    app.cli.add_command(cli.auth)
    periodic_task.connect(_periodic_tasks)
    marketing_chosen.connect(note_choice)


def _periodic_tasks(_app: Flask) -> list[PeriodicTask]:
    return [PeriodicTask("auth.delete_expired_sessions", every_seconds=3600, run=delete_expired_sessions)]
