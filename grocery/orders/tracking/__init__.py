"""Following an order: its history live, and by a link that needs no sign-in."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the routes and commands of this part."""
