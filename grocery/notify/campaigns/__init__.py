"""Campaigns: one text to everybody who wants to hear of offers."""

from flask import Flask


def init_app(_app: Flask) -> None:
    """Bind the part."""
