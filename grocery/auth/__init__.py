"""People, passwords, tokens and roles."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.auth import cli, hashing, session_views, tokens, user_views, views
from grocery.auth.audit import models as audit_models
from grocery.auth.audit import views as audit_views
from grocery.auth.audit.changes import note_change
from grocery.auth.audit.cli import audit_command
from grocery.auth.audit.sign_ins import note_sign_in
from grocery.auth.codes import views as code_views
from grocery.auth.codes.store import disown_codes
from grocery.auth.hooks import customer_deleting, signed_in
from grocery.auth.privacy import retention
from grocery.auth.privacy import views as privacy_views
from grocery.auth.second_factor import views as totp_views
from grocery.auth.sessions import delete_expired_sessions
from grocery.auth.subscribers import note_choice
from grocery.auth.throttling.devices import remember_device
from grocery.db import committing
from grocery.notify.hooks import marketing_chosen
from grocery.queues import PeriodicTask, periodic_task

cli.auth.add_command(audit_command)

__all__ = ["audit_models", "init_app"]


def init_app(app: Flask) -> None:
    tokens.init_app(app)
    hashing.init_app(app)
    register_blueprint(app, views.blp)
    register_blueprint(app, session_views.blp)
    register_blueprint(app, code_views.blp)
    register_blueprint(app, user_views.blp)
    register_blueprint(app, audit_views.blp)
    register_blueprint(app, privacy_views.blp)
    register_blueprint(app, totp_views.blp)
    app.cli.add_command(cli.auth)
    periodic_task.connect(_periodic_tasks)
    marketing_chosen.connect(note_choice)
    customer_deleting.connect(disown_codes)
    committing.connect(note_change)
    signed_in.connect(note_sign_in)
    signed_in.connect(remember_device)


def _periodic_tasks(_app: Flask) -> list[PeriodicTask]:
    return [
        PeriodicTask("auth.delete_expired_sessions", every_seconds=3600, run=delete_expired_sessions),
        PeriodicTask("auth.forget_old", every_seconds=86_400, run=retention.forget_old),
    ]
