"""The USSD menu's side of the provider: form, session, time limit. What it shows is the orders package's."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.notify.ussd.store import SessionStore
from grocery.notify.ussd.views import blp


def init_app(app: Flask) -> None:
    """Bind the part."""
    engines = app.extensions["engines"]
    app.extensions["ussd_sessions"] = SessionStore(lambda: engines.redis_url)
    register_blueprint(app, blp)
