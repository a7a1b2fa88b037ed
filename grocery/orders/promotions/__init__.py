"""Promotions: coupons and automatic ones."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the routes, commands and tasks of this part."""
