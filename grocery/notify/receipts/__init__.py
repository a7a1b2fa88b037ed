"""Delivery reports: what became of an SMS after its acceptance."""

from flask import Flask


def init_app(_app: Flask) -> None:
    """Bind the part."""
