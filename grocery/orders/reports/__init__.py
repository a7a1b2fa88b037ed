"""Reports: sales, stock and fulfilment, with bounded memory over a million orders."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the routes and commands of this part."""
