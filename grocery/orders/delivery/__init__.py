"""Delivery: zones, slots and their weekly templates, saved addresses."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the routes, commands and tasks of this part."""
