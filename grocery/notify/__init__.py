"""Telling people: the outbox, its texts, and the clients that send SMS and e-mail."""

from collections.abc import Callable

from flask import Flask

from grocery.notify.extension import NotifyState, build_backends


def _no_admins() -> list[str]:
    return []


def init_app(app: Flask, find_admin_emails: Callable[[], list[str]] = _no_admins) -> None:
    """Bind the package; `find_admin_emails` answers the admins' addresses when ADMIN_EMAILS is not set."""
    app.extensions["notify"] = NotifyState(build_backends(app.extensions["settings"]), find_admin_emails)
