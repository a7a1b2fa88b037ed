"""Payments: what was collected and paid back, behind one interface for all methods."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the routes, commands and tasks of this part."""
