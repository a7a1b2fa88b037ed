"""Documents: invoice, packing slip and credit note as PDF."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the routes and commands of this part."""
