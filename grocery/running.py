"""The application that runs."""

from flask import Flask, current_app


def running_app() -> Flask:
    """The application itself, where Flask's proxy for it is not enough.

    The proxy points nowhere in another thread and after the end of the context; and it is not what receivers of signals
    are to be given.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app
