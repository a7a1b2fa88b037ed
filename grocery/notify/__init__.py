"""Telling people: the outbox, its texts, and the clients that send SMS and e-mail."""

from collections.abc import Callable

from flask import Flask

from grocery.api import View, register_blueprint
from grocery.errors import ForbiddenError
from grocery.notify.cli import notify
from grocery.notify.extension import NotifyState, build_backends
from grocery.notify.jobs import periodic_tasks
from grocery.notify.views import blp
from grocery.queues import periodic_task


def _no_admins() -> list[str]:
    return []


def _nobody(_view: View) -> View:
    def refuse() -> None:
        raise ForbiddenError("Only admins may do this.")

    return refuse


def init_app(
    app: Flask,
    *,
    find_admin_emails: Callable[[], list[str]] = _no_admins,
    admin_required: Callable[[View], View] = _nobody,
) -> None:
    """Bind the package.

    `find_admin_emails` answers the admins' addresses when ADMIN_EMAILS is not set; `admin_required` is the decorator of
    views that only admins may call. Both come from above, where people are known. Raises ConfigError for settings that
    could never send.
    """
    app.extensions["notify"] = NotifyState(
        build_backends(app.extensions["settings"]), find_admin_emails, check_admin=admin_required(lambda: None)
    )
    register_blueprint(app, blp)
    app.cli.add_command(notify)
    periodic_task.connect(periodic_tasks)
