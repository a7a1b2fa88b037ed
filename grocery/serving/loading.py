"""What each of granian's workers loads: the shop, in a way that can be broken off."""

import signal
from importlib import import_module
from wsgiref.types import WSGIApplication


def load_app() -> WSGIApplication:
    """The application of `wsgi.py`.

    Until granian has loaded it, a worker has the handlers of the process that it was forked from. One that was told to
    end would take no notice, serve on for 20 s, and be killed with its requests under way.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Here and not above, since it takes a second or two in which the signal may come.
    app: WSGIApplication = import_module("wsgi").app
    return app
